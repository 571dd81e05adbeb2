"""The frozen graph is the torch network: equal logits, from weights made at random and from the bundled ones."""

import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from helpers.paths import DATA

BUNDLED = DATA / "models" / "deeplab_street.tar.gz"
SIZES = ((96, 128), (61, 83), (180, 240))

# Both frameworks run in a process of their own; arrays travel through .npz files.
BOTH = """
import tarfile, numpy as np, torch
torch.set_num_threads(1)
from helpers.networks.deeplab import DeepLabV3Plus, from_frozen_weights
from tools.bundled_models.freeze import build_graph, pack, trained
import tensorflow as tf

images = dict(np.load(folder / "images.npz"))

def save_torch(network, name):
    with torch.inference_mode():
        logits = {key: network(torch.from_numpy(image).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()
                  for key, image in images.items()}
    np.savez(folder / name, **logits)
"""
RANDOM_NETWORK = """
torch.manual_seed(3)
network = DeepLabV3Plus()
for module in network.modules():
    if isinstance(module, torch.nn.BatchNorm2d):
        module.momentum = 1.0  # statistics of these pictures, or the activations would shrink to nothing
        torch.nn.init.uniform_(module.weight, 0.5, 1.5)
        torch.nn.init.normal_(module.bias, std=0.2)
image = images["180x240"]
network.train()(torch.from_numpy(np.concatenate([image, image[:, ::-1]])).permute(0, 3, 1, 2))
torch.save(network.state_dict(), folder / "weights.pt")
save_torch(network.eval(), "unfolded.npz")
network = trained(folder / "weights.pt")
pack(build_graph(network), folder / "deeplab_street.tar.gz")
pack(build_graph(network), folder / "again" / "deeplab_street.tar.gz")
for call in (lambda: pack(build_graph(network), folder / "graph.pb"), lambda: trained(folder / "other.pt")):
    try:
        torch.save({"weights": 1}, folder / "other.pt")
        call()
    except ValueError as error:
        with open(folder / "errors.txt", "a") as file:
            print(error, file=file)
"""
LOGITS = """
with tarfile.open(folder / "deeplab_street.tar.gz") as tar:
    content = tar.extractfile("deeplab_street/frozen_inference_graph.pb").read()
graph_def = tf.compat.v1.GraphDef.FromString(content)
argmax = [node for node in graph_def.node if node.op == "ArgMax"]
assert len(argmax) == 1, argmax
function = tf.compat.v1.wrap_function(lambda: tf.compat.v1.import_graph_def(graph_def, name=""), [])
run = function.prune("ImageTensor:0", [argmax[0].input[0] + ":0", "SemanticPredictions:0"])
logits, predictions = {}, {}
for key, image in images.items():
    logits[key], predictions[key] = (value.numpy() for value in run(tf.constant(image)))
np.savez(folder / "graph.npz", **logits)
np.savez(folder / "predictions.npz", **predictions)
constants = {node.name: tf.make_ndarray(node.attr["value"].tensor) for node in graph_def.node if node.op == "Const"}
save_torch(from_frozen_weights(constants), "torch.npz")
"""


def run_python(code: str, folder: Path) -> None:
    """Run code that finds ``folder`` in a fresh interpreter."""
    code = f"from pathlib import Path; folder = Path({str(folder)!r})\n{code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def load(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return dict(file)


def write_images(folder: Path) -> None:
    """Smooth random pictures: like photos, neighbouring pixels belong together."""
    rng = np.random.default_rng(0)
    images = {}
    for height, width in SIZES:
        coarse = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
        images[f"{height}x{width}"] = coarse.repeat(8, 0).repeat(8, 1)[None, :height, :width]
    np.savez(folder / "images.npz", **images)


@pytest.fixture(scope="module")
def random_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with random weights, their frozen graph, and the logits and predictions of both frameworks."""
    folder = tmp_path_factory.mktemp("random")
    write_images(folder)
    run_python(BOTH + RANDOM_NETWORK + LOGITS, folder)
    return folder


@pytest.mark.slow
def test_graph_equals_torch(random_network: Path) -> None:
    torch_logits, graph_logits = load(random_network / "torch.npz"), load(random_network / "graph.npz")
    assert set(torch_logits) == set(graph_logits) == {f"{h}x{w}" for h, w in SIZES}
    for key, expected in torch_logits.items():
        assert expected.std() > 0.01  # not all the same, or equality would say little
        # Random weights amplify the rounding of float32 more than trained ones, which are held to 0.001 below.
        np.testing.assert_allclose(graph_logits[key], expected, atol=0.03 * expected.std())


@pytest.mark.slow
def test_folding_keeps_the_logits(random_network: Path) -> None:
    """Folding and half precision change the logits by far less than they vary."""
    for key, expected in load(random_network / "unfolded.npz").items():
        difference = load(random_network / "torch.npz")[key] - expected
        assert np.sqrt((difference**2).mean()) < 0.1 * expected.std()


@pytest.mark.slow
def test_predictions_are_argmax_of_logits(random_network: Path) -> None:
    logits = load(random_network / "graph.npz")
    for key, pred in load(random_network / "predictions.npz").items():
        assert pred.dtype == np.int64
        assert pred.shape == logits[key].shape[:3]
        np.testing.assert_array_equal(pred, logits[key].argmax(3))


@pytest.mark.slow
def test_packing_is_repeatable(random_network: Path) -> None:
    archives = [random_network / name / "deeplab_street.tar.gz" for name in ("", "again")]
    assert archives[0].read_bytes() == archives[1].read_bytes()
    assert not list(random_network.rglob(".*"))  # no temporary file


@pytest.mark.slow
def test_wrong_names_and_weights_are_refused(random_network: Path) -> None:
    archive, weights = (random_network / "errors.txt").read_text().splitlines()
    assert "graph.pb does not end in .tar.gz" in archive
    assert "other.pt holds no weights of this network" in weights
    assert not (random_network / "graph.pb").exists()


@pytest.mark.slow
def test_bundled_graph_equals_torch(tmp_path: Path) -> None:
    (tmp_path / BUNDLED.name).write_bytes(BUNDLED.read_bytes())
    write_images(tmp_path)
    run_python(BOTH + LOGITS, tmp_path)
    graph_logits = load(tmp_path / "graph.npz")
    for key, expected in load(tmp_path / "torch.npz").items():
        np.testing.assert_allclose(graph_logits[key], expected, atol=1e-3)
        assert graph_logits[key].argmax(3).max() < 19


def test_bundled_archive_is_packed_like_the_zoos() -> None:
    assert BUNDLED.stat().st_size <= 9e6
    with tarfile.open(BUNDLED) as tar:
        assert tar.getnames() == ["deeplab_street/frozen_inference_graph.pb"]
