"""The engines run the same files and give the same labels."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import graphs
from helpers import compute, paths
from helpers.deeplab import DeepLabModel, GraphError, load_graph, segment
from helpers.images import read_image, resize_image

BUNDLED = paths.DATA / "models" / "deeplab_street.tar.gz"
needs_bundled = pytest.mark.skipif(not BUNDLED.exists(), reason="the bundled model is not there")


def agreement(a: np.ndarray, b: np.ndarray) -> float:
    return float((a == b).mean())


@pytest.fixture(scope="module")
def street() -> np.ndarray:
    """The first practice street, 480×360."""
    return read_image(sorted((paths.DATA / "camvid_practice" / "images").glob("*.jpg"))[0])


@pytest.fixture
def pb(tmp_path):
    """Writes a small frozen graph and gives its path."""

    def write(classes: int, **options):
        path = tmp_path / "graph.pb"
        path.write_bytes(graphs.graph_bytes(classes, **options))
        return path

    return write


@pytest.mark.parametrize("options", [{}, {"crop": (80, 120)}, {"stride": 4}])
def test_openvino_gives_the_ids_and_logits_of_tensorflow(pb, options):
    path = pb(8, **options)
    reference, ours = load_graph(path), load_graph(path, engine="openvino")
    assert (ours.num_classes, ours.input_limit) == (reference.num_classes, reference.input_limit)
    rng = np.random.default_rng(0)
    for size in ((40, 60), (80, 120), (33, 47), (40, 60)):  # other sizes in between don't disturb
        image = rng.integers(0, 256, (*size, 3), np.uint8)
        assert agreement(ours(image), reference(image)) == 1
        a, b = ours.logits(image), reference.logits(image)
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-4)


def test_results_are_not_overwritten_by_the_next_picture(pb):
    graph = load_graph(pb(8), engine="openvino")
    black, white = np.zeros((20, 30, 3), np.uint8), np.full((20, 30, 3), 255, np.uint8)
    masks, logits = [graph(black), graph(white)], [graph.logits(black), graph.logits(white)]
    assert (masks[0] == 0).all() and (masks[1] == 7).all()
    assert (logits[0].argmax(-1) == 0).all() and (logits[1].argmax(-1) == 7).all()


def test_openvino_is_called_by_several_threads_at_once(pb):
    graph = load_graph(pb(8), engine="openvino", streams=2)
    images = np.random.default_rng(0).integers(0, 256, (12, 40, 60, 3), np.uint8)
    with ThreadPoolExecutor(4) as pool:
        masks = list(pool.map(graph, images))
    for image, mask in zip(images, masks, strict=True):
        assert (mask == graph(image)).all()


@pytest.mark.parametrize(("named", "kind"), [("plain", "TensorFlowGraph"), ("openvino", "OpenVINOGraph")])
def test_a_setting_names_the_engine(pb, monkeypatch, named, kind):
    monkeypatch.setenv("SEGMENTATION_COMPUTE", named)
    assert type(load_graph(pb(8))).__name__ == kind


def test_the_fastest_engine_is_measured_once_and_gives_the_same_labels(pb, monkeypatch):
    monkeypatch.delenv("SEGMENTATION_COMPUTE")
    monkeypatch.setattr(compute, "SECONDS", 0.05)
    path, image = pb(8), np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    graph = load_graph(path)
    (line,) = [line for line in compute.report().splitlines() if line.startswith("graph.pb")]
    assert all(engine in line for engine in ("tensorflow 2.", "openvino 20", "openvino-bf16 "))
    monkeypatch.setattr(compute, "measure", lambda candidates, **options: pytest.fail("measured again"))
    assert type(load_graph(path)) is type(graph) and "Graph" in type(graph).__name__
    assert agreement(graph(image), load_graph(path, engine="tensorflow")(image)) >= 0.98
    assert agreement(load_graph(path, streams=2)(image), graph(image)) == 1


@pytest.mark.parametrize("extra", ["PyFunc", "WriteFile", "ReadFile", "ImmutableConst"])
def test_openvino_refuses_what_tensorflow_refuses(pb, extra):
    with pytest.raises(GraphError):
        load_graph(pb(4, extra=extra), engine="openvino")


def test_openvino_says_what_is_wrong_with_a_file(tmp_path, pb):
    damaged = tmp_path / "damaged.pb"
    damaged.write_bytes(b"\x0a\xff no graph at all")
    with pytest.raises(GraphError, match="damaged.pb"):
        load_graph(damaged, engine="openvino")
    with pytest.raises(GraphError, match="ImageTensor|cannot read"):
        load_graph(pb(4, input_name="image"), engine="openvino")
    with pytest.raises(GraphError, match="uint8"):
        load_graph(pb(4, input_type="float32"), engine="openvino")
    with pytest.raises(GraphError, match="at most 80×120"):
        load_graph(pb(4, crop=(80, 120)), engine="openvino")(np.zeros((81, 60, 3), np.uint8))


def test_unknown_and_unfitting_engines(tmp_path, pb):
    with pytest.raises(GraphError, match="unknown engine 'onnx'; choose one of auto, tensorflow, openvino"):
        load_graph(pb(4), engine="onnx")
    with pytest.raises(GraphError, match="choose tensorflow, openvino"):
        load_graph(pb(4), engine="litert")
    (tmp_path / "model.tflite").write_bytes(b"TFL3")
    with pytest.raises(GraphError, match="choose litert"):
        load_graph(tmp_path / "model.tflite", engine="openvino")


def test_openvino_loads_no_tensorflow_and_calls_nobody(pb, tmp_path):
    """TensorFlow takes seconds and 400 MB to start, and OpenVINO comes with a telemetry package: neither is wanted."""
    code = f"""
import sys, numpy as np
from helpers.deeplab import DeepLabModel
DeepLabModel({str(pb(4))!r}, engine="openvino").run(np.zeros((20, 30, 3), np.uint8))
print("tensorflow" in sys.modules)
"""
    log = tmp_path / "attempts.txt"
    env = {name: value for name, value in os.environ.items() if name != "CI"}  # there telemetry is off anyway
    env |= {"PYTHONPATH": str(Path(__file__).parents[1] / "no_network"), "NO_NETWORK_LOG": str(log)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("False", "")
    assert not log.exists(), log.read_text()


@needs_bundled
def test_bundled_model_openvino(street):
    reference = DeepLabModel(BUNDLED).run(street)
    assert len(np.unique(reference)) >= 4
    assert agreement(DeepLabModel(BUNDLED, engine="openvino").run(street), reference) >= 0.99
    assert agreement(DeepLabModel(BUNDLED, engine="openvino-bf16").run(street), reference) >= 0.98


@needs_bundled
def test_bundled_model_litert(street, tmp_path):
    """The bundled graph, converted to a `.tflite` of one size, gives the labels of the graph."""
    from helpers.deeplab.engines.tensorflow import read_graph_bytes

    size = (180, 240)
    path = tmp_path / "street.tflite"
    path.write_bytes(graphs.lite_bytes(read_graph_bytes(BUNDLED), size))
    small = resize_image(street, size)
    reference = load_graph(BUNDLED)(small)
    assert len(np.unique(reference)) >= 4
    assert agreement(load_graph(path)(small), reference) >= 0.99


def test_real_frozen_graph(real_data):
    path = real_data / "models" / "deeplab_dm05_portrait_513" / "frozen_inference_graph.pb"
    reference, float32 = load_graph(path), load_graph(path, engine="openvino")
    bfloat16 = load_graph(path, engine="openvino-bf16")
    for name in ("person1.jpg", "astronaut.jpg"):
        image = read_image(real_data / "photos" / name)
        mask = segment(reference, image)
        assert 0.05 < (mask == 1).mean() < 0.95
        assert agreement(segment(float32, image), mask) >= 0.99
        assert agreement(segment(bfloat16, image), mask) >= 0.98
