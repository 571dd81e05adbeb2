"""The bundled `fcn_street`: that it is small and safe to load, sees streets, and what it makes of real files."""

import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from benchmarks.fcn_guide import guide_way, our_way
from helpers import deeplab, fcn, paths
from helpers.cli import app
from helpers.images import read_image
from helpers.labels import PASCAL_VOC
from helpers.masks import read_mask

pytestmark = pytest.mark.usefixtures("one_thread")

STREET = paths.IMAGES / "streets" / "street_sun.jpg"
FILE = paths.DATA / "models" / "fcn_street.pt"


@pytest.fixture(scope="module")
def model() -> fcn.SegmentationModel:
    return fcn.load_model()


def run(*words) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_file_is_small_and_holds_only_tensors():
    assert FILE.stat().st_size <= 8e6
    weights = torch.load(FILE, weights_only=True)
    assert {value.dtype for value in weights.values()} == {torch.float16, torch.int64}  # int64: batch counters


def test_it_is_torchvision_s_class_and_knows_what_it_is(model):
    from torchvision.models.segmentation.fcn import FCN

    assert type(model.network) is FCN and not model.network.training
    assert (model.name, model.labels, model.bfloat16) == ("fcn_street", PASCAL_VOC, True)
    assert fcn.load_model(FILE).labels is PASCAL_VOC


def test_it_sees_the_cars_and_people_of_the_street():
    # At the size of its training frames; at the default of 352 pixels borders are coarser: 98.95 % of the sky.
    pred = fcn.get_segment_labels(STREET, fcn.load_model(size=480))
    truth = read_mask(STREET.with_name("street_sun_cityscapes.png"))
    cars = truth == 13
    assert (np.isin(pred, [PASCAL_VOC.index("car"), PASCAL_VOC.index("bus")])[cars]).mean() > 0.7
    people = np.isin(truth, [11, 12])  # person, rider
    assert (pred == PASCAL_VOC.index("person"))[people].mean() > 0.5
    assert (pred[truth == 10] == 0).mean() > 0.99  # sky


def test_labels_and_overlay_are_those_of_the_usual_guide(model):
    image = read_image(STREET)
    (labels, blended), (ours, overlay) = guide_way(image, model.network, model.transforms), our_way(image, model)
    assert (labels == ours).mean() >= 0.99
    assert np.array_equal(blended[..., ::-1][labels == ours], overlay[labels == ours]), "OpenCV keeps blue first"


def test_bfloat16_changes_less_than_one_label_in_a_hundred(monkeypatch):
    monkeypatch.setenv("SEGMENTATION_COMPUTE", "channels_last bfloat16")
    full = fcn.load_model(bfloat16=False)
    expected = fcn.get_segment_labels(STREET, full)
    assert len(np.unique(expected)) >= 4
    assert (fcn.get_segment_labels(STREET, fcn.load_model()) == expected).mean() >= 0.99


def test_it_is_scored_on_the_practice_set_by_its_name(tmp_path):
    record = tmp_path / "record.json"
    said = run(
        "evaluate", "fcn_street", paths.DATA / "camvid_practice", "--list", "valid.txt", "--limit", 3, "--json", record
    )
    figures = json.loads(record.read_text())
    assert figures["label_set"] == "traffic" and figures["images"] == 3
    assert figures["iou"]["car"] > 0.4 and "model: Pascal VOC, truth: CamVid" in said


# ---- real files


def test_real_streets_are_scored(real_data, tmp_path):
    record = tmp_path / "record.json"
    print(run("evaluate", "fcn_street", real_data / "camvid", "--list", "valid.txt", "--limit", 20, "--json", record))
    figures = json.loads(record.read_text())
    assert figures["iou"]["car"] > 0.6 and figures["iou"]["person"] > 0.25


@pytest.mark.slow
def test_real_photos_with_voc_masks_are_scored(real_data, tmp_path):
    record = tmp_path / "record.json"
    print(run("evaluate", "fcn_street", real_data / "coco_voc", "--truth", "voc", "--json", record))
    figures = json.loads(record.read_text())
    assert (figures["label_set"], figures["images"]) == ("voc", 64)
    # Trained on streets only, it knows few of the twenty kinds of object that there are.
    assert 0.02 < figures["mean_iou"] < 0.5 and figures["iou"]["cat"] == 0


@pytest.mark.slow
def test_a_real_voc_model_is_scored_on_the_same_photos(real_data, tmp_path):
    model, record = real_data / "models" / "deeplabv3_mnv2_pascal_quant.tflite", tmp_path / "record.json"
    words = ("--labels", "voc", "--truth", "voc", "--json", record)
    print(run("evaluate", model, real_data / "coco_voc", *words))
    assert json.loads(record.read_text())["mean_iou"] > 0.4


def test_real_photos_are_segmented(real_data, tmp_path):
    photos = ["driveseg_frame0.jpg", "FudanPed00054.png", "person1.jpg", "dog1.jpg"]
    run("segment", *(real_data / "photos" / name for name in photos), "--model", "fcn_street", "--out", tmp_path)
    for name in photos:
        mask = read_mask(tmp_path / f"{name.partition('.')[0]}_mask.png")
        assert mask.shape == read_image(real_data / "photos" / name).shape[:2]
    street = read_mask(tmp_path / "driveseg_frame0_mask.png")
    assert (street == PASCAL_VOC.index("car")).mean() > 0.1


@pytest.mark.parametrize("file", ["deeplabv3_257_mv_gpu.tflite", "deeplabv3_mnv2_pascal_quant.tflite"])
def test_real_voc_models_of_another_engine_go_through_the_same_overlay(real_data, file):
    graph = deeplab.load_graph(real_data / "models" / file, labels="voc")
    image = read_image(real_data / "photos" / "person1.jpg")
    pred = deeplab.segment(graph, image)
    person = pred == PASCAL_VOC.index("person")
    assert 0.05 < person.mean() < 0.3
    segmented = fcn.draw_segmentation_map(pred)
    blended = fcn.image_overlay(image, segmented, alpha=0.5)
    color = PASCAL_VOC.colors[PASCAL_VOC.index("person")]
    np.testing.assert_allclose(blended[person], (image[person].astype(float) + color) / 2, atol=0.5)
