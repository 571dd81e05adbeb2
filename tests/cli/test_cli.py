"""The command line, as a user meets it: what it writes, what it says, how it ends."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

from graphs import blocks, class_colors, graph_bytes, nearest_class
from helpers import assets, paths
from helpers.cli import app
from helpers.cli.segment import name_results
from helpers.images import read_image, save_image
from helpers.labels import CAMVID11, CITYSCAPES
from helpers.masks import overlay, read_mask, save_mask

COLORS = class_colors(19)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model file that gives each pixel the Cityscapes id whose colour (of our own choice) is nearest."""
    path = tmp_path_factory.mktemp("model") / "model.pb"
    path.write_bytes(graph_bytes(19))
    return str(path)


@pytest.fixture
def work(tmp_path, monkeypatch):
    """The working folder, with two pictures in it."""
    monkeypatch.chdir(tmp_path)
    save_image("a.png", blocks(np.array([[0, 13], [0, 0]]), COLORS))
    (tmp_path / "more").mkdir()
    save_image("more/b.png", blocks(np.array([[1, 2, 3]]), COLORS))
    return tmp_path


def run(*words, code: int = 0):
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def files(folder: str | Path) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def errors(result) -> list[str]:
    return [line for line in result.stderr.splitlines() if line.startswith("error: ")]


# ---- segment


def test_segment_writes_ids_as_a_palette_and_an_overlay(work, model):
    result = run("segment", "a.png", "--model", model, "--labels", "cityscapes", "--alpha", 0.3)
    assert files("segmented") == ["a_mask.png", "a_overlay.png"]
    image = read_image("a.png")
    expected = nearest_class(image, COLORS).astype(np.uint8)
    np.testing.assert_array_equal(read_mask("segmented/a_mask.png"), expected)
    with Image.open("segmented/a_mask.png") as file:
        assert file.mode == "P"
        np.testing.assert_array_equal(np.asarray(file.convert("RGB")), CITYSCAPES.palette()[expected])
    blended = overlay(image, expected, CITYSCAPES.palette(), alpha=0.3)
    np.testing.assert_array_equal(read_image("segmented/a_overlay.png"), blended)
    assert "road 75.0 %, car 25.0 %" in result.stdout
    assert "picture" not in result.stderr  # no progress bar for a single one


def test_segment_takes_folders_and_files_each_once_with_a_progress_bar(work, model):
    result = run("segment", "more", "more/b.png", "a.png", "--model", model, "--out", "deep/out")
    assert files("deep/out") == ["a_mask.png", "a_overlay.png", "b_mask.png", "b_overlay.png"]
    assert "2/2" in result.stderr
    assert "class 1 33.3 %" in result.stdout  # nobody named a label set


def test_segment_keeps_what_is_there_unless_forced(work, model):
    run("segment", "a.png", "--model", model)
    Path("segmented/a_mask.png").write_bytes(b"edited by hand")
    result = run("segment", "a.png", "--model", model)
    assert "kept" in result.stdout and "--force" in result.stdout
    Path("segmented/a_overlay.png").unlink()
    run("segment", "a.png", "--model", model)
    assert files("segmented") == ["a_mask.png", "a_overlay.png"]
    assert Path("segmented/a_mask.png").read_bytes() == b"edited by hand"
    run("segment", "a.png", "--model", model, "--force")
    assert read_mask("segmented/a_mask.png").shape == (40, 40)


def test_segment_gives_equal_stems_results_of_their_own(work, model):
    save_image("more/a.jpg", np.full((10, 10, 3), 255, np.uint8))
    result = run("segment", "a.png", "more/a.jpg", "--model", model)
    assert files("segmented") == [
        "a_mask.png",
        "a_overlay.png",
        "more_a_jpg_mask.png",
        "more_a_jpg_overlay.png",
    ]
    assert read_mask("segmented/a_mask.png").shape == (40, 40)
    assert read_mask("segmented/more_a_jpg_mask.png").shape == (10, 10)
    said = f"{Path('more/a.jpg')}: the name a is taken, so its results are called more_a_jpg"
    assert said in result.stdout


@given(
    st.lists(
        st.builds(
            "{}{}{}.{}".format,
            st.sampled_from(["", "y/", "y/y/", "Y/"]),
            st.sampled_from(["x", "X", "y_x_png", "x_mask", "y_x"]),
            st.sampled_from(["", "_mask", "_overlay"]),
            st.sampled_from(["png", "jpg", "PNG"]),
        ),
        unique=True,
    )
)
def test_no_result_lands_on_a_picture_or_on_another_result(pictures):
    out = Path("/pictures")  # the worst place: among the pictures themselves
    names = name_results([out / picture for picture in pictures], out)
    results = [f"{name}{end}".casefold() for name in names.values() for end in ("_mask.png", "_overlay.png")]
    assert len(set(results)) == 2 * len(pictures)
    assert not {picture.casefold() for picture in pictures} & set(results)


def test_a_picture_keeps_its_name_where_it_can():
    pictures = [Path("a/x.png"), Path("b/y.png"), Path("b/x.png")]
    assert list(name_results(pictures, Path("out")).values()) == ["x", "y", "b_x_png"]


def test_results_beside_the_pictures_are_not_segmented_again(work, model):
    run("segment", "more", "--model", model, "--out", "more")
    result = run("segment", "more", "--model", model, "--out", "more")
    assert files("more") == ["b.png", "b_mask.png", "b_overlay.png"]
    assert "kept" in result.stdout


def test_one_bad_picture_is_one_line_and_the_others_are_done(work, model):
    Path("text.png").write_text("not a picture")
    Path("short.png").write_bytes(Path("a.png").read_bytes()[:60])
    (work / "empty").mkdir()
    result = run("segment", "text.png", "short.png", "missing.png", "empty", "a.png", "--model", model, code=2)
    for name in ("text.png", "short.png", "missing.png", "empty"):
        assert sum(name in line for line in errors(result)) == 1, name
    assert len(errors(result)) == 4
    assert files("segmented") == ["a_mask.png", "a_overlay.png"]


def test_a_folder_that_cannot_be_read_is_one_line_and_the_others_are_done(work, model, monkeypatch):
    def closed(folder):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr("helpers.cli.segment.image_files", closed)
    result = run("segment", "more", "a.png", "--model", model, code=2)
    assert errors(result) == ["error: more: cannot be read: Permission denied"]
    assert files("segmented") == ["a_mask.png", "a_overlay.png"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model", "nothing.pb"], "no model at nothing.pb"),
        (["--model", "a.png"], "a.png is damaged, cut short or not a frozen TensorFlow graph"),
        (["--model", "empty"], "empty holds no graphs"),
        (["--labels", "town"], "unknown label set 'town'"),
        (["--labels", "voc"], "tells 19 classes apart, but Pascal VOC has 21"),
        (["--out", "a.png"], "cannot make the folder a.png"),
    ],
)
def test_what_stops_everything_is_one_line(work, model, words, message):
    (work / "empty").mkdir()
    result = run("segment", "a.png", *([] if "--model" in words else ["--model", model]), *words, code=2)
    assert len(errors(result)) == 1 and message in errors(result)[0]
    assert not list(work.rglob("*_mask.png"))


def test_a_folder_that_cannot_be_written_to_is_one_line(work, model, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "segmented")
    result = run("segment", "a.png", "more/b.png", "--model", model, code=2)
    assert errors(result) == ["error: the folder segmented cannot be written to; name another with --out"]


def test_a_full_disk_is_one_line_for_each_picture_and_leaves_nothing_half_written(work, model, monkeypatch):
    def full(picture, path, **options):
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    result = run("segment", "a.png", "more/b.png", "--model", model, code=2)
    assert [line.partition(": [")[0] for line in errors(result)] == ["error: a.png", f"error: {Path('more/b.png')}"]
    assert files("segmented") == []


def test_bad_options_are_usage_errors(work, model):
    for words in (["--alpha", "2"], ["--size", "0"], ["--palette", "pink"], []):
        pictures = ["a.png"] if words else []
        result = run("segment", *pictures, *words, "--model", model, code=2)
        assert "Usage:" in result.stderr and "Traceback" not in result.stderr


def test_the_palette_can_be_colour_blind_safe(work, model):
    run("segment", "a.png", "--model", model, "--labels", "cityscapes", "--palette", "colorblind")
    with Image.open("segmented/a_mask.png") as file:
        shown = np.asarray(file.convert("RGB"))
    np.testing.assert_array_equal(shown, CITYSCAPES.palette("colorblind")[read_mask("segmented/a_mask.png")])


def test_the_real_command_ends_with_2_and_one_line(work):
    words = [sys.executable, "-m", "helpers", "segment", "missing.png"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=280)
    assert done.returncode == 2
    assert done.stderr == "error: missing.png: there is no such file or folder\n"


def test_characters_that_the_terminal_does_not_know_stop_nothing(work):
    (work / "ž.png").write_text("not a picture")
    words = [sys.executable, "-m", "helpers", "check-dataset", ".", "--layout", "ž"]
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=280)
    assert done.returncode == 2
    assert done.stderr.startswith("error: unknown layout '?'") and done.stderr.count("\n") == 1


# ---- evaluate


@pytest.fixture
def labelled(work):
    """Three pictures whose true Cityscapes classes are known, with CamVid 11 labels."""
    folder = work / "set"
    for part in ("images", "labels", "cityscapes"):
        (folder / part).mkdir(parents=True)
    (folder / "codes.txt").write_text("\n".join([*CAMVID11.class_names, "Void"]))
    (folder / "valid.txt").write_text("p1.png\n")
    # road, building / car, sky / person, void; the last label is wrong on purpose: a person where the model sees road
    for i, (seen, true) in enumerate([([0, 2], [3, 1]), ([13, 10], [8, 0]), ([0, 0], [9, 11])]):
        save_image(folder / "images" / f"p{i}.png", blocks(np.array([seen]), COLORS))
        label = np.kron([true], np.ones((20, 20))).astype(np.uint8)
        save_mask(folder / "labels" / f"p{i}_P.png", label, CAMVID11.palette())
        truth = np.kron([seen], np.ones((20, 20))).astype(np.uint8)
        save_mask(folder / "cityscapes" / f"p{i}.png", truth, CITYSCAPES.palette())
    return folder


def test_evaluate_folds_and_records(labelled, model):
    result = run("evaluate", model, labelled, "--labels", "cityscapes", "--json", "record.json")
    record = json.loads(Path("record.json").read_text())
    assert record["label_set"] == "camvid11" and record["images"] == 3
    assert record["pixel_accuracy"] == pytest.approx(0.8)
    assert record["iou"]["Road"] == pytest.approx(0.5) and record["iou"]["Pedestrian"] == 0
    assert record["iou"]["Fence"] is None
    assert record["mean_iou"] == pytest.approx((0.5 + 1 + 1 + 1 + 0) / 5)
    assert {"command", "date", "device", "seconds_per_image"} <= set(record)
    assert "pixel accuracy 80.00 %" in result.stdout and "Pedestrian" in result.stdout


def test_evaluate_chooses_pictures_and_truth(labelled, model):
    words = ("evaluate", model, labelled, "--labels", "cityscapes", "--json", "record.json")
    for part, kind in (("images", ""), ("labels", "_P"), ("cityscapes", "")):
        (labelled / part / f"p1{kind}.png").rename(labelled / part / f"p 1{kind}.png")
    (labelled / "valid.txt").write_text("p 1.png\n\n")
    run(*words, "--list", "valid.txt")
    assert json.loads(Path("record.json").read_text())["images"] == 1
    run(*words, "--limit", 2)
    assert json.loads(Path("record.json").read_text())["pixel_accuracy"] == 1
    run(*words, "--cityscapes")
    record = json.loads(Path("record.json").read_text())
    assert (record["label_set"], record["mean_iou"], record["images"]) == ("cityscapes", 1, 3)


def test_the_record_says_how_it_was_made_without_this_machine_s_paths(labelled, model, monkeypatch):
    words = ["evaluate", model, str(labelled), "--json", str(labelled.parent / "record.json"), "--labels", "cityscapes"]
    monkeypatch.setattr(sys, "argv", ["helpers", *words, str(paths.REPO_ROOT / "helpers")])
    run(*words)
    command = json.loads(Path("record.json").read_text())["command"]
    assert command == "python -m helpers evaluate model.pb set --json record.json --labels cityscapes helpers"


def test_evaluate_names_a_bad_pair_and_scores_the_others(labelled, model):
    save_mask(labelled / "labels" / "p2_P.png", np.full((20, 40), 99, np.uint8), CAMVID11.palette())
    result = run("evaluate", model, labelled, "--labels", "cityscapes", code=2)
    assert len(errors(result)) == 1 and "p2.png: mask has class 99" in errors(result)[0]
    assert "pixel accuracy 100.00 %" in result.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--fold", "town"], "unknown label set 'town'"),
        (["--json", "nowhere/record.json"], "there is no folder nowhere"),
        (["--list", "nothing.txt"], "nothing.txt"),
        (["--fold", "ade20k"], "no fold from Cityscapes to ADE20K"),
    ],
)
def test_evaluate_says_what_is_wrong_before_it_starts(labelled, model, words, message):
    result = run("evaluate", model, labelled, "--labels", "cityscapes", *words, code=2)
    assert len(errors(result)) == 1 and message in errors(result)[0]


# ---- fetch, check, check-dataset


def test_fetch_lists_and_names_what_it_cannot_find():
    listed = run("fetch", "--list").stdout
    assert all(name in listed for name in assets.ASSETS)
    result = run("fetch", "town", code=2)
    assert len(errors(result)) == 1 and "no asset 'town'" in errors(result)[0]
    assert errors(run("fetch", code=2))


def test_fetch_goes_on_after_a_failure(tmp_path, monkeypatch):
    monkeypatch.setenv("SEGMENTATION_CACHE", str(tmp_path))
    asset = assets.ASSETS["driveseg_labels"]
    monkeypatch.setattr("helpers.cli.assets.fetch_asset", lambda name: assets.fetch(name, progress=False))
    monkeypatch.delenv(asset.folder_variable or "NONE", raising=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assets, "find", lambda asset: tmp_path)
        result = run("fetch", "town", asset.name, code=2)
    assert len(errors(result)) == 1 and f"{asset.name}: {tmp_path}" in result.stdout


@pytest.fixture
def practice(work, model, monkeypatch):
    """A data folder with a small bundled model and one picture."""
    (work / "data" / "models").mkdir(parents=True)
    (work / "data" / "camvid_practice" / "images").mkdir(parents=True)
    shutil.copy(work / "a.png", work / "data" / "camvid_practice" / "images")
    from graphs import tarball

    (work / "data" / "models" / "deeplab_street.tar.gz").write_bytes(tarball(Path(model).read_bytes()))
    monkeypatch.setattr(paths, "DATA", work / "data")
    return work / "data"


def test_check_says_that_the_machine_is_ready(practice):
    said = run("check").stdout
    for part in ("tier: sample", "tensorflow ", "cache: ", "found 2 of 19 classes in a street of 40×40", "is ready"):
        assert part in said


def test_check_tells_all_that_is_missing(practice, monkeypatch):
    (practice / "models" / "deeplab_street.tar.gz").unlink()
    monkeypatch.setenv("SEGMENTATION_TIER", "huge")
    result = run("check", code=2)
    assert len(errors(result)) == 2
    assert "SEGMENTATION_TIER is 'huge'" in errors(result)[0] and "no model at" in errors(result)[1]
    assert "cache: " in result.stdout


def test_check_dataset_lists_all_problems(labelled):
    assert "no problems" in run("check-dataset", labelled).stdout
    (labelled / "labels" / "p0_P.png").unlink()
    (labelled / "valid.txt").write_text("p9.png")
    said = run("check-dataset", labelled, "--layout", "camvid", code=2).stdout
    assert "p0.png" in said and "p9.png" in said and "2 problems" in said
    assert "unknown layout 'town'" in errors(run("check-dataset", labelled, "--layout", "town", code=2))[0]


def test_light_commands_load_no_framework():
    code = (
        "import sys; from helpers.cli import app; app(['--help'], standalone_mode=False);"
        "print({'tensorflow', 'torch', 'matplotlib', 'ai_edge_litert'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, timeout=280)
    assert done.stdout.splitlines()[-1] == "set()", done.stdout + done.stderr


# ---- the bundled model on real photos


def test_bundled_model_on_real_photos(real_data, tmp_path):
    expected = {
        "driveseg_frame0.jpg": {"road": 0.15, "vegetation": 0.15, "car": 0.08, "sky": 0.08},
        "frankfurt_000000_000294.jpg": {"road": 0.2, "building": 0.2, "sidewalk": 0.03},
    }
    run("segment", *(real_data / "photos" / name for name in expected), "--out", tmp_path)
    for name, at_least in expected.items():
        mask = read_mask(tmp_path / f"{Path(name).stem}_mask.png")
        assert mask.shape == read_image(real_data / "photos" / name).shape[:2]
        for class_name, share in at_least.items():
            assert (mask == CITYSCAPES.index(class_name)).mean() > share, (name, class_name)
