"""`evaluate` never gives a score that is silently wrong, and one bad file never ends it; `train` refuses the same."""

import re
import struct

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from helpers import models
from helpers.cli import app
from helpers.labels import ADE20K, CAMVID11, CITYSCAPES
from helpers.models import Model
from helpers.numberings import NUMBERINGS
from pictures import exif, png, upright


def run(*words, code: int = 0):
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def perfect(monkeypatch):
    """Models that read the class from the picture's red: right by construction."""

    def become(labels, shift: int = 0):
        model = Model("perfect", lambda image: image[..., 0] - np.uint8(shift), labels)
        monkeypatch.setattr(models, "load", lambda *_, **__: model)

    return become


def write(folder, stem, ids, *, part="masks", suffix="", red=None, **options):
    (folder / "images").mkdir(exist_ok=True, parents=True)
    (folder / part).mkdir(exist_ok=True)
    red = np.asarray(ids if red is None else red, np.uint8)
    Image.fromarray(np.repeat(red[..., None], 3, axis=2)).save(folder / "images" / f"{stem}.png", **options)
    (folder / part / f"{stem}{suffix}.png").write_bytes(png(np.asarray(ids), 8))


def test_ade20k_annotations_as_published_score_100(tmp_path, perfect):
    perfect(ADE20K, shift=1)  # as the zoo's graphs with 151 outputs: 0 − 1 = 255 is ignored
    write(tmp_path, "a", np.arange(100).reshape(10, 10))
    write(tmp_path, "b", np.arange(51, 151).reshape(10, 10))
    said = run("evaluate", "perfect", tmp_path, "--truth", "ade20k").stdout
    assert "pixel accuracy 100.00 %, mean IoU 100.00 %" in said


def test_cityscapes_label_ids_score_100_under_their_name_and_nothing_under_another(tmp_path, perfect):
    perfect(CITYSCAPES)
    label_ids = np.array([[7, 8, 11, 17], [0, 3, 7, 7]])
    train_ids = NUMBERINGS["cityscapes-ids"].translate(label_ids)
    write(tmp_path, "a", label_ids, red=train_ids)
    write(tmp_path, "b", label_ids + np.array([[0, 0, 0, 9], [0, 0, 0, 0]]), red=train_ids + [[0, 0, 0, 8], [0] * 4])
    result = run("evaluate", "perfect", tmp_path, "--truth", "cityscapes", code=2)
    assert "look like Cityscapes labelIds" in result.stderr and "IoU" not in result.stdout
    assert "accuracy 100.00 %" in run("evaluate", "perfect", tmp_path, "--truth", "cityscapes-ids").stdout


def test_a_folder_of_jpeg_labels_is_refused_by_its_cause(tmp_path, perfect):
    perfect(CITYSCAPES)
    for stem in "ab":
        write(tmp_path, stem, np.zeros((8, 8), int))
    (tmp_path / "masks" / "b.png").unlink()
    Image.new("L", (8, 8)).save(tmp_path / "masks" / "b.jpg")
    result = run("evaluate", "perfect", tmp_path, "--truth", "cityscapes", code=2)
    assert re.search(r"1 labels are compressed with loss.*b\.jpg", result.stderr) and "IoU" not in result.stdout


@pytest.fixture
def camvid(tmp_path):
    """Four labelled pictures in CamVid's layout, 8×8 and so alike in both directions."""
    folder = tmp_path / "set"
    for i, stem in enumerate("abcd"):
        write(folder, stem, np.full((8, 8), i), part="labels", suffix="_P")
    (folder / "codes.txt").write_text("\n".join([*CAMVID11.class_names, "Unlabelled"]), encoding="utf-16")
    (folder / "valid.txt").write_text("d.png\n", encoding="utf-16")
    return folder


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("shape", [(8, 8), (8, 12)])
def test_a_picture_turned_by_exif_beside_a_label_that_is_not(camvid, perfect, orientation, shape):
    perfect(CAMVID11)
    tags = Image.Exif()
    tags[274] = orientation
    ids = np.arange(shape[0] * shape[1]).reshape(shape) % 11
    write(camvid, "b", ids, part="labels", suffix="_P", exif=tags)
    for words in (["check-dataset"], ["train", "camvid", "--out", camvid / "run", "--dir"], ["evaluate", "perfect"]):
        result = run(*words, camvid, code=2)
        assert f"EXIF orientation 1, but its picture {orientation}" in result.output, words
    assert "accuracy 100.00 %" in result.stdout and "3 pictures" in result.stdout, "the others are scored"
    if orientation >= 5 and shape == (8, 12):  # drawn on the upright picture: its shape says so
        (camvid / "labels" / "b_P.png").write_bytes(png(upright(ids, orientation), 8))
        assert "accuracy 100.00 %" in run("evaluate", "perfect", camvid).stdout
    (camvid / "labels" / "b_P.png").write_bytes(png(ids, 8, exif=exif(orientation)))
    assert "accuracy 100.00 %" in run("evaluate", "perfect", camvid).stdout, "both turned alike"


def test_a_photo_with_damaged_exif_is_a_photo_all_the_same(camvid, perfect):
    perfect(CAMVID11)
    damaged = b"Exif\0\0" + exif(1, extra=struct.pack(">HHI4s", 282, 2, 3, b"72\0\0"))
    write(camvid, "b", np.ones((8, 8), int), part="labels", suffix="_P", exif=damaged)
    assert "no problems" in run("check-dataset", camvid).stdout
    assert "4 pictures" in run("evaluate", "perfect", camvid).stdout


def test_ids_that_nobody_can_tell_are_not_scored(camvid, perfect):
    perfect(CAMVID11)
    greys = np.repeat(np.array([5, 1, 0], np.uint8), 3).tobytes()
    (camvid / "labels" / "b_P.png").write_bytes(png(np.zeros((8, 8), int), 8, palette=greys))
    result = run("evaluate", "perfect", camvid, code=2)
    assert "nobody can tell" in result.stderr and "3 pictures" in result.stdout
    assert "nobody can tell" in run("check-dataset", camvid, code=2).stdout
    assert "nobody can tell" in run("train", "camvid", "--dir", camvid, "--out", camvid / "run", code=2).stderr


def test_decomposed_names_and_lists_of_windows_are_understood(camvid, perfect):
    perfect(CAMVID11)
    for part, ending in (("images", ".png"), ("labels", "_P.png")):
        (camvid / part / f"b{ending}").rename(camvid / part / (("cafe\u0301" if part == "images" else "café") + ending))
    (camvid / "valid.txt").write_text("café.png\n", encoding="utf-16")
    assert "no problems" in run("check-dataset", camvid).stdout
    assert "1 pictures" in run("evaluate", "perfect", camvid, "--list", "valid.txt").stdout
    (camvid / "valid.txt").write_bytes("café.png\n".encode("cp1252"))
    result = run("evaluate", "perfect", camvid, "--list", "valid.txt", code=2)
    assert "valid.txt is not a UTF-8 text (maybe cp1252" in result.stderr


def test_training_needs_no_list_where_the_split_does_not_use_it(camvid):
    (camvid / "valid.txt").unlink()
    words = ("train", "camvid", "--dir", camvid, "--out", camvid / "run", "--batch", 5)
    assert "valid.txt: this file is missing" in run(*words, code=2).stderr
    result = run(*words, "--split", "none", code=2)
    assert "a batch of 5 is larger than the 4 pictures" in result.stderr, "the folder was accepted"
