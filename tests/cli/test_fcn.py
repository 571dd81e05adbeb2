"""The FCN lesson's models on the command line: pictures, videos and scores by the same code as DeepLab's."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from helpers import assets, fcn, paths
from helpers.cli import app
from helpers.images import read_image, resize_image, save_image
from helpers.labels import CAMVID, CAMVID11, PASCAL_VOC
from helpers.masks import overlay, read_mask, save_mask
from helpers.models import DEEPLAB_NAMES, FCN_NAMES
from helpers.networks.fcn import street_fcn
from helpers.video import VideoReader, write_video

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "mine.pt"
    torch.save(street_fcn().state_dict(), path)
    return str(path)


@pytest.fixture
def work(tmp_path, monkeypatch) -> Path:
    """The working folder with a picture and a clip of 6 frames."""
    monkeypatch.chdir(tmp_path)
    image = resize_image(read_image(paths.IMAGES / "streets" / "street_sun.jpg"), (60, 80))
    save_image("street.png", image)
    write_video("clip.mp4", [image] * 6, fps=10)
    return tmp_path


def run(*words, code: int = 0):
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def error(result) -> str:
    lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, result.stderr
    return lines[0]


def test_the_names_are_those_of_the_lesson():
    from helpers.deeplab import CHECKPOINTS

    assert set(FCN_NAMES) == set(fcn.MODELS) and set(DEEPLAB_NAMES) == set(CHECKPOINTS)


def test_pictures_and_videos(work, model):
    result = run("segment", "street.png", "clip.mp4", "--model", model, "--size", 64)
    expected = fcn.get_segment_labels("street.png", fcn.load_model(model, size=64))
    mask = read_mask("segmented/street_mask.png")
    np.testing.assert_array_equal(mask, expected)
    blended = overlay(read_image("street.png"), mask, PASCAL_VOC.palette())
    np.testing.assert_array_equal(read_image("segmented/street_overlay.png"), blended)
    assert VideoReader("segmented/clip_overlay.mp4").info.frames == 6
    largest = PASCAL_VOC.class_names[np.bincount(mask.ravel()).argmax()]
    assert f"street_overlay.png: {largest} " in result.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model", "fcn_resnet5"], "no model at fcn_resnet5; name a file or folder, or one of: deeplab_street, "),
        (["--model", "street.pt"], "no model at street.pt"),
        (["--model", "broken.pt"], "broken.pt is refused: it is no file of weights"),
        (["--engine", "openvino"], "runs on torch; --engine is for DeepLab graphs"),
        (["--labels", "cityscapes"], "tells 21 classes apart, but Cityscapes has 19"),
        (["--size", "5"], "size is 5; it is at least 16 pixels"),
    ],
)
def test_what_cannot_be_is_one_line(work, model, words, message):
    Path("broken.pt").write_text("no weights")
    chosen = [] if "--model" in words else ["--model", model]
    assert message in error(run("segment", "street.png", *chosen, *words, code=2))
    assert not list(work.rglob("*_mask.png"))


def test_a_file_of_another_lesson_is_taken_to_that_lesson(work):
    from helpers.camvid.model import CamVidSegmenter, build

    CamVidSegmenter(build("small", 11), "small", CAMVID11, 64).save("weights.pt")
    run("segment", "street.png", "--model", "weights.pt")
    assert read_mask("segmented/street_mask.png").max() < 11


def test_weights_that_cannot_be_downloaded_are_one_line_that_says_what_to_do(work, monkeypatch):
    asset = replace(assets.ASSETS["fcn_resnet101"], addresses=("http://127.0.0.1:9/fcn_resnet101_coco-7ecb50ca.pth",))
    monkeypatch.setitem(assets.ASSETS, "fcn_resnet101", asset)
    monkeypatch.setenv("SEGMENTATION_CACHE", str(work / "cache"))
    said = error(run("segment", "street.png", "--model", "fcn_resnet101", code=2))
    for part in ("could not download fcn_resnet101 (207.7 MB)", str(work / "cache" / asset.file), "by other means"):
        assert part in said


@pytest.fixture
def labelled(work, model) -> Path:
    """Two streets whose truth is what the model says of the first, in Pascal VOC ids and as CamVid labels."""
    folder = work / "set"
    for part in ("images", "labels", "masks"):
        (folder / part).mkdir(parents=True)
    (folder / "codes.txt").write_text("\n".join(CAMVID.class_names))
    voc_to_camvid = np.full(256, CAMVID.index("Building"), np.uint8)
    for voc, camvid in {"car": "SUVPickupTruck", "bus": "Truck_Bus", "bicycle": "Bicyclist", "person": "Child"}.items():
        voc_to_camvid[PASCAL_VOC.index(voc)] = CAMVID.index(camvid)
    image = read_image("street.png")
    pred = fcn.get_segment_labels(image, fcn.load_model(model))
    for stem, truth in (("a", pred), ("b", pred[:, ::-1])):
        save_image(folder / "images" / f"{stem}.png", image)
        save_mask(folder / "labels" / f"{stem}_P.png", voc_to_camvid[truth], CAMVID.palette())
        save_mask(folder / "masks" / f"{stem}.png", truth, PASCAL_VOC.palette())
    return folder


def test_a_model_of_pascal_voc_is_scored_on_camvid_by_what_they_share(labelled, model):
    result = run("evaluate", model, labelled, "--limit", 1, "--json", "record.json")
    record = json.loads(Path("record.json").read_text())
    assert record["label_set"] == "traffic" and set(record["iou"]) == {"other", "car", "person"}
    assert record["iou"]["car"] == 1 and record["pixel_accuracy"] > 0.9  # motorbikes became buildings
    assert "scored as Traffic (model: Pascal VOC, truth: CamVid)" in result.stdout


def test_masks_in_a_label_set_that_is_named(labelled, model):
    (labelled / "codes.txt").unlink()
    run("evaluate", model, labelled, "--truth", "voc", "--limit", 1, "--json", "record.json")
    record = json.loads(Path("record.json").read_text())
    assert (record["label_set"], record["pixel_accuracy"], record["mean_iou"]) == ("voc", 1, 1)
    run("evaluate", model, labelled, "--truth", "voc", "--json", "record.json")
    assert json.loads(Path("record.json").read_text())["pixel_accuracy"] < 1
    assert "unknown label set 'town'" in error(run("evaluate", model, labelled, "--truth", "town", code=2))
    (labelled / "masks" / "b.png").unlink()
    assert "b.png: has no label" in run("evaluate", model, labelled, "--truth", "voc", code=2).stderr
