"""`export`: the ONNX file gives what torch gives, in another engine, and says what it is."""

import json

import numpy as np
import openvino
import pytest
import torch
from typer.testing import CliRunner

from helpers.cli import app
from helpers.fcn.models import load_model
from helpers.images import read_image, resize_image
from helpers.labels import CITYSCAPES, PASCAL_VOC
from helpers.networks.fcn import standardise
from helpers.networks.onnx import FromPixels, export
from helpers.paths import IMAGES

pytestmark = pytest.mark.usefixtures("one_thread")

SIZES = ((96, 128), (61, 83))


def run(*words):
    return CliRunner().invoke(app, ["export", *map(str, words)], env={"COLUMNS": "200"})


def metadata(path) -> dict[str, str]:
    import onnx

    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


def logits(path, images: np.ndarray) -> np.ndarray:
    core = openvino.Core()
    return core.compile_model(core.read_model(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})([images])[0]


def pictures(batch: int, size: tuple[int, int]) -> np.ndarray:
    street = resize_image(read_image(IMAGES / "streets" / "street_sun.jpg"), size)
    return np.repeat(street.transpose(2, 0, 1)[None], batch, 0)


def test_fcn_street_gives_the_same_logits_at_any_size(tmp_path):
    result = run("fcn_street", tmp_path / "fcn.onnx")
    assert result.exit_code == 0, result.output
    model = load_model("fcn_street", "cpu")
    for batch, size in enumerate(SIZES, start=1):
        images = pictures(batch, size)
        with torch.inference_mode():
            expected = model.network(standardise(torch.from_numpy(images)))["out"].numpy()
        np.testing.assert_allclose(logits(tmp_path / "fcn.onnx", images), expected, atol=1e-3)
    about = metadata(tmp_path / "fcn.onnx")
    assert json.loads(about["labels"]) == list(PASCAL_VOC.class_names)
    assert about["name"] == "fcn_street" and "uint8 RGB" in about["input"] and "pixels" in about["size"]


@pytest.mark.slow
def test_deeplab_street_gives_the_masks_of_its_graph(tmp_path):
    from helpers import deeplab

    result = run("deeplab_street", tmp_path / "deeplab.onnx")
    assert result.exit_code == 0, result.output
    images = pictures(1, (180, 240))
    graph = deeplab.load_graph("deeplab_street", engine="openvino")
    expected = graph.logits(images[0].transpose(1, 2, 0))
    np.testing.assert_allclose(logits(tmp_path / "deeplab.onnx", images)[0].transpose(1, 2, 0), expected, atol=2e-3)
    assert json.loads(metadata(tmp_path / "deeplab.onnx")["labels"]) == list(CITYSCAPES.class_names)


def test_means_and_deviations_are_inside(tmp_path):
    """As torchvision's networks want it: pictures in 0 … 1, then their mean and deviation."""
    network = FromPixels(torch.nn.Conv2d(3, 2, 1), mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4)).eval()
    export(network, tmp_path / "one.onnx", name="one", labels=PASCAL_VOC, size="any")
    images = pictures(2, (20, 30))
    scaled = torch.from_numpy(images / np.float32(255))
    mean, std = (torch.tensor(values).reshape(1, 3, 1, 1) for values in ((0.4, 0.5, 0.6), (0.2, 0.3, 0.4)))
    with torch.inference_mode():
        expected = network.network((scaled - mean) / std).numpy()
    np.testing.assert_allclose(logits(tmp_path / "one.onnx", images), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("model", "out", "message"),
    [
        ("fcn_street", "model.pb", "does not end in .onnx"),
        ("fcn_street", "nowhere/model.onnx", "no folder nowhere"),
        ("nothing", "model.onnx", "no model at nothing"),
        ("mobilenetv2_coco_voc_trainaug", "model.onnx", "exists as a graph only"),
    ],
)
def test_what_cannot_be_exported_is_said_in_a_line(model, out, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(model, out)
    assert result.exit_code == 2 and message in result.output, result.output
    assert len(result.output.strip().splitlines()) == 1 and list(tmp_path.iterdir()) == []
