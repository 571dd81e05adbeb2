"""The sample tier opens no connection beyond this machine."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from helpers.images import read_image
from helpers.masks import read_mask
from helpers.paths import IMAGES

GUARD = Path(__file__).parent / "no_network"


@pytest.fixture
def python_offline(tmp_path):
    """Run Python with arguments in a process under the guard; gives its output and the connections it tried."""

    def run(*arguments: str, **settings: str) -> tuple[str, list[str]]:
        log = tmp_path / "attempts.txt"
        env = os.environ | {"PYTHONPATH": str(GUARD), "NO_NETWORK_LOG": str(log), "SEGMENTATION_TIER": "sample"}
        own = [name for name in env if "proxy" in name.lower() or name.endswith("_DIR")]  # of who runs the test
        env = {name: value for name, value in env.items() if name not in own} | settings
        done = subprocess.run(
            [sys.executable, *arguments], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return done.stdout, log.read_text().splitlines() if log.exists() else []

    return run


@pytest.fixture
def run_offline(python_offline):
    """Run Python code in a process under the guard."""
    return partial(python_offline, "-c")


def test_guard_refuses_other_machines_and_notes_swallowed_attempts(run_offline):
    output, attempts = run_offline("""
import socket, urllib.request
for attempt in (
    lambda: socket.create_connection(("192.0.2.1", 80), timeout=1),
    lambda: socket.socket().connect_ex(("192.0.2.1", 443)),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)),
    lambda: socket.getaddrinfo("example.org", 80),
    lambda: socket.gethostbyname("example.org"),
    lambda: urllib.request.urlopen("http://192.0.2.1/", timeout=1),
):
    try:
        attempt()
    except OSError as error:  # as a library would swallow it
        print("may not reach" in str(error))
""")
    assert output.split() == ["True"] * 6
    assert len(attempts) == 6
    assert {line.split()[1] for line in attempts} == {"192.0.2.1", "example.org"}


def test_guard_reaches_into_child_processes(run_offline):
    _, attempts = run_offline("""
import subprocess, sys
subprocess.run([sys.executable, "-c", "import socket; socket.create_connection(('192.0.2.1', 80), 1)"],
               stderr=subprocess.DEVNULL)
""")
    assert len(attempts) == 1


def test_guard_lets_this_machine_through(run_offline):
    output, attempts = run_offline("""
import socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(("localhost", server.getsockname()[1]), timeout=5)
client.sendall(b"hello")
print(server.accept()[0].recv(5).decode())
""")
    assert (output.strip(), attempts) == ("hello", [])


def test_ground_floor_opens_no_connection_and_loads_no_framework(run_offline, tmp_path):
    output, attempts = run_offline(
        """
import importlib, sys
for name in ("paths", "labels", "images", "masks", "metrics", "plots", "video", "assets", "datasets"):
    importlib.import_module(f"helpers.{name}")

import numpy as np
from helpers import assets, images, labels, masks, metrics, plots
from helpers.datasets import pairing

image = np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)
mask = np.zeros((24, 32), np.uint8)
mask[:, 16:] = 13
palette = labels.CITYSCAPES.palette()
images.save_image("image.png", image)
masks.save_mask("mask.png", mask, palette)
masks.overlay(images.read_image("image.png"), masks.read_mask("mask.png"), palette)
matrix = metrics.ConfusionMatrix(19, ignore_index=255)
matrix.update(mask, mask)
plots.vis_segmentation(image, mask, labels.CITYSCAPES)
assert all(assets.find(name) is None for name in assets.ASSETS)
print(matrix.mean_iou(), sorted({"tensorflow", "torch"} & set(sys.modules)))
""",
        SEGMENTATION_CACHE=str(tmp_path / "cache"),
        MPLBACKEND="agg",
    )
    assert (output.strip(), attempts) == ("1.0 []", [])
    assert not (tmp_path / "cache").exists()


def test_a_download_without_network_says_which_file_to_place_where(run_offline, tmp_path):
    output, attempts = run_offline(
        """
from helpers.assets import AssetError, fetch
try:
    fetch("camvid_tiny", progress=False)
except AssetError as error:
    print(error)
""",
        SEGMENTATION_CACHE=str(tmp_path),
    )
    assert attempts
    assert output.count("\n") == 1  # one line, no traceback
    for part in ("camvid_tiny", "2.3 MB", "https://s3.amazonaws.com/fast-ai-sample", str(tmp_path / "camvid_tiny.tgz")):
        assert part in output


@pytest.mark.slow
@pytest.mark.timeout(300)  # loads a framework in a process of its own, on a busy machine
@pytest.mark.parametrize(
    ("model", "some", "classes"),
    [("deeplab_street", {0, 2, 10}, 19), ("fcn_street", {0, 7, 15}, 21)],  # road, building, sky; car, person
)
def test_a_picture_is_segmented_without_network(python_offline, tmp_path, model, some, classes):
    picture, out = IMAGES / "streets" / "street_sun.jpg", tmp_path / "out"
    cache = tmp_path / "cache"
    _, attempts = python_offline(
        "-m", "helpers", "segment", str(picture), "--model", model, "--out", str(out), SEGMENTATION_CACHE=str(cache)
    )
    assert attempts == [] and not cache.exists()
    assert sorted(path.name for path in out.iterdir()) == ["street_sun_mask.png", "street_sun_overlay.png"]
    mask, overlay = read_mask(out / "street_sun_mask.png"), read_image(out / "street_sun_overlay.png")
    assert mask.shape + (3,) == overlay.shape == read_image(picture).shape
    assert some <= set(np.unique(mask)) <= set(range(classes))
