"""Every checkpoint of the zoo by its name: our own small graphs, packed and named like theirs, from a local server."""

import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from graphs import blocks, class_colors, graph_bytes, tarball
from helpers import assets
from helpers.deeplab import CHECKPOINTS, ZOO, GraphError, load_graph, segment
from helpers.deeplab.zoo import recognise

# Outputs of the graph and largest input (height, width), by what the name says; from the zoo's page.
KINDS = {
    "voc": (21, (513, 513), "Pascal VOC"),
    "cityscapes": (19, (1025, 2049), "Cityscapes"),
    "xception65_ade20k": (151, (513, 513), "ADE20K"),
    "mobilenetv2_ade20k": (151, (257, 257), "ADE20K"),
}


def kind_of(name: str):
    return next(kind for part, kind in KINDS.items() if part in name)


@pytest.fixture(scope="module")
def graph_files():
    return {kind: graph_bytes(kind[0], crop=kind[1]) for kind in KINDS.values()}


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serves a folder in place of the zoo."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    folder = tmp_path / "zoo"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        local = {
            name: replace(asset, addresses=(f"http://127.0.0.1:{server.server_port}/{asset.file}",))
            for name, asset in assets.ASSETS.items()
        }
        monkeypatch.setattr(assets, "ASSETS", local)
        monkeypatch.setenv("SEGMENTATION_CACHE", str(tmp_path / "cache"))
        yield folder
        server.shutdown()


@pytest.mark.parametrize("name", [checkpoint.name for checkpoint in ZOO])
def test_checkpoint_is_fetched_and_read_with_its_label_set_offset_and_limit(name, server, graph_files, capsys):
    kind = kind_of(name)
    outputs, (height, width), label_name = kind
    archive = CHECKPOINTS[name].archive
    (server / f"{archive}.tar.gz").write_bytes(tarball(graph_files[kind], folder=archive))
    graph = load_graph(name)
    assert (graph.name, graph.labels.name, graph.input_limit) == (name, label_name, (height, width))
    offset = int(label_name == "ADE20K")
    ids = np.arange(12).reshape(3, 4) + offset
    image = blocks(ids, class_colors(outputs), side=width // 3)  # larger than the graph takes, in both directions
    mask = segment(graph, image)
    centres = slice(width // 6, None, width // 3)
    assert mask.shape == image.shape[:2]
    np.testing.assert_array_equal(mask[centres, centres], ids - offset)


def test_the_zoo_is_complete_and_its_files_are_those_of_the_registry():
    assert len(ZOO) == 14
    registered = {asset.name: asset.file for asset in assets.ASSETS.values() if asset.source == "deeplab_zoo"}
    assert registered == {checkpoint.name: f"{checkpoint.archive}.tar.gz" for checkpoint in ZOO}


@pytest.mark.parametrize("checkpoint", ZOO, ids=lambda checkpoint: checkpoint.name)
def test_downloads_of_one_s_own_are_recognised_by_file_or_folder(checkpoint, tmp_path):
    undated = checkpoint.archive[: -len("_2018_01_01")]
    for path in (
        f"{checkpoint.archive}.tar.gz",
        checkpoint.archive,
        undated,
        f"{undated}/frozen_inference_graph.pb",
        f"{checkpoint.name}.pb",
    ):
        assert recognise(tmp_path / path) == checkpoint, path


def test_own_classes_trained_from_a_checkpoint_and_left_in_its_folder(tmp_path):
    """tensorflow/models#5192: the folder says what the graph once was, its outputs what it is."""
    path = tmp_path / ZOO[0].archive / "frozen_inference_graph.pb"
    path.parent.mkdir()
    path.write_bytes(graph_bytes(2))
    assert recognise(path) == ZOO[0]
    assert load_graph(path).labels.class_names == ("class 0", "class 1")


def test_other_files_are_not_taken_for_checkpoints():
    for path in ("mine.tar.gz", "frozen_inference_graph.pb", "deeplabv3", "xdeeplab_street.pb"):
        assert recognise(Path("/somewhere") / path) is None


def test_a_damaged_download_is_no_checkpoint(server):
    checkpoint = ZOO[0]
    (server / f"{checkpoint.archive}.tar.gz").write_bytes(b"<html>moved</html>")
    with pytest.raises(assets.AssetError, match="web page"):
        load_graph(checkpoint.name)
    (server / f"{checkpoint.archive}.tar.gz").write_bytes(tarball(b"garbage", folder="x"))
    with pytest.raises(GraphError, match="damaged"):
        load_graph(checkpoint.name)
