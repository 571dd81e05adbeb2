"""`segment` on folders and machines as they are: odd names, files that are no pictures, two runs at once."""

import multiprocessing
import os
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from helpers import models
from helpers.cli import app
from helpers.cli.segment import claimed, shortened
from helpers.images import read_image, save_image
from helpers.labels import CITYSCAPES
from helpers.masks import overlay, read_mask
from helpers.models import Model


def run(*words, code: int = 0):
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture(autouse=True)
def model(monkeypatch):
    """A model that says "car" everywhere; no network runs."""
    stub = Model("stub", lambda image: np.full(image.shape[:2], 13, np.uint8), CITYSCAPES)
    monkeypatch.setattr(models, "load", lambda *_, **__: stub)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for stem in "abc":
        save_image(tmp_path / "in" / f"{stem}.png", np.zeros((8, 8, 3), np.uint8))
    return tmp_path / "in"


def results(folder="segmented"):
    return sorted(os.listdir(folder))


def test_one_bad_file_of_whatever_kind_never_ends_the_batch(folder):
    os.mkfifo(folder / "b1.png")
    os.symlink("b2.png", folder / "b2.png")
    (folder / "b3.avif").write_bytes(b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(40))
    (folder / "b4.png").write_bytes(b"DDS |\0\0\0" + bytes(200))
    (folder / "b5.png").mkdir()
    result = run("segment", folder, code=2)
    lines = result.stderr.strip().splitlines()
    assert len([line for line in lines if line.startswith("error: ")]) == 5, result.stderr
    assert results() == [f"{stem}_{kind}.png" for stem in "abc" for kind in ("mask", "overlay")]


def test_long_names_are_shortened_and_told_apart(folder):
    stems = ["ф" * 123, "ф" * 122 + "х", "y" * 250]
    for stem in stems:
        save_image(folder / f"{stem}.png", np.zeros((8, 8, 3), np.uint8))
    said = run("segment", folder).stdout
    assert said.count("a long name, so its results are called") == 3
    assert len(results()) == 12 and all(len(os.fsencode(name)) <= 255 for name in results())
    assert len({shortened(stem) for stem in stems}) == 3 and shortened("short") == "short"


def test_what_is_left_out_of_a_folder_is_counted(folder):
    for name in ("a.heic", "b.HEIC", "c.mp4", "notes.txt", ".hidden"):
        (folder / name).touch()
    save_image(folder / "d.JPG", np.zeros((8, 8, 3), np.uint8))
    os.rename(folder / "d.JPG", folder / "d.JFIF")
    said = run("segment", folder).stdout
    assert "4 other files left out (2 .heic, 1 .mp4, 1 .txt); name videos one by one" in said
    assert len(results()) == 8, "the four pictures are done"


def test_a_folder_in_a_result_s_place_is_no_result(folder):
    os.makedirs("segmented/b_mask.png")
    assert "b_mask.png is a folder" in run("segment", folder, code=2).stderr
    assert {"a_mask.png", "c_overlay.png"} <= set(results())


def test_a_pair_that_another_run_wrote_meanwhile_is_kept_whole(folder, monkeypatch):
    def late(image):
        for ending in ("mask", "overlay"):
            save_image(f"segmented/a_{ending}.png", np.zeros((3, 3, 3), np.uint8))
        return np.full(image.shape[:2], 13, np.uint8)

    monkeypatch.setattr(models, "load", lambda *_, **__: Model("stub", late, CITYSCAPES))
    result = run("segment", folder / "a.png", code=2)
    assert "another run has just written segmented/a_mask.png" in result.stderr
    assert read_image("segmented/a_mask.png").shape == read_image("segmented/a_overlay.png").shape == (3, 3, 3)


def _write_pairs(folder, value, times):
    from helpers.masks import save_mask

    image, mask = np.full((40, 40, 3), value, np.uint8), np.full((40, 40), value, np.uint8)
    targets = [folder / "a_mask.png", folder / "a_overlay.png"]
    for _ in range(times):
        with claimed(targets[0], targets, force=True):
            save_mask(targets[0], mask, CITYSCAPES.palette())
            save_image(targets[1], overlay(image, mask, CITYSCAPES.palette()))


def test_two_runs_by_force_never_mix_their_pairs(tmp_path):
    context = multiprocessing.get_context("fork")
    runs = [context.Process(target=_write_pairs, args=(tmp_path, value, 20)) for value in (1, 9)]
    for process in runs:
        process.start()
    for process in runs:
        process.join()
        assert process.exitcode == 0
    value = int(read_mask(tmp_path / "a_mask.png")[0, 0])
    expected = overlay(np.full((1, 1, 3), value, np.uint8), np.full((1, 1), value, np.uint8), CITYSCAPES.palette())
    assert (read_image(tmp_path / "a_overlay.png")[0, 0] == expected[0, 0]).all()
    assert results(tmp_path) == ["a_mask.png", "a_overlay.png"], "no lock is left"


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8:strict"])
def test_output_in_any_encoding_and_names_of_any_bytes(tmp_path, encoding):
    """check-dataset speaks of files whose names are no text, and uses characters that old terminals don't know."""
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    open(os.fsencode(tmp_path / "images") + b"/p\xff.png", "wb").close()
    done = subprocess.run(
        [sys.executable, "-m", "helpers", "check-dataset", str(tmp_path)],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
    )
    assert done.returncode == 2 and b"Traceback" not in done.stderr and b"problems" in done.stdout


def test_a_full_disk_under_the_output_is_no_traceback():
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "helpers", "fetch", "--list"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 2 and "Traceback" not in done.stderr
