"""DeepLab: load a pretrained network by name or file, and segment pictures with it."""

import hashlib
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from helpers import assets, paths
from helpers.compute import fastest
from helpers.deeplab.engines.base import Graph, GraphError
from helpers.deeplab.engines.litert import LiteGraph
from helpers.deeplab.engines.tensorflow import TensorFlowGraph, read_graph_bytes
from helpers.deeplab.zoo import BUNDLED, CHECKPOINTS, ZOO, Checkpoint, recognise
from helpers.images import fit_within, resize_image
from helpers.labels import LABEL_SETS, LabelSet, fold
from helpers.masks import resize_mask
from helpers.model_files import is_tflite, objection

__all__ = [
    "CHECKPOINTS",
    "ENGINES",
    "ZOO",
    "Checkpoint",
    "DeepLabModel",
    "Graph",
    "GraphError",
    "input_size",
    "load_graph",
    "segment",
    "segment_folded",
]

# What runs frozen graphs, the plain one first; `.tflite` files run on litert.
FROZEN_ENGINES = ("tensorflow", "openvino", "openvino-bf16")
TRIED_SIZE = 513  # longest side at which engines are compared, for graphs without a size of their own
ENGINES = ("auto", *FROZEN_ENGINES, "litert")


def load_graph(
    path: str | Path, *, labels: LabelSet | str | None = None, engine: str = "auto", streams: int = 1
) -> Graph:
    """Load a segmentation network.

    Args:
        path: a name in `CHECKPOINTS` ("deeplab_street" is bundled, the others are downloaded once), or a `.pb` file,
            a tarball or folder as the DeepLab zoo packs it, or a `.tflite` file.
        labels: what its ids mean, as a LabelSet or its key ("cityscapes", "voc", …). Known for the checkpoints,
            under their names or in files named like theirs; without, other models get "class 0" ….
        engine: what runs it: "auto" for the fastest on this machine, which is measured once and remembered, see
            `helpers.compute`; or by name: "tensorflow", "openvino" or "openvino-bf16" (bfloat16, at slightly different
            labels) for frozen graphs, "litert" for `.tflite` files.
        streams: pictures that OpenVINO works on side by side when several threads call, as `segment_video` does with
            `workers`.

    Returns:
        A graph to call with a picture or hand to `segment`.

    Raises:
        GraphError: no such model, damaged, not a DeepLab export, with operations that a network doesn't need, or
            `labels` or `engine` doesn't fit.
        AssetError: a named checkpoint cannot be downloaded.
    """
    if engine not in ENGINES:
        raise GraphError(f"unknown engine {engine!r}; choose one of {', '.join(ENGINES)}")
    if isinstance(labels, str):
        if labels not in LABEL_SETS:
            raise GraphError(f"unknown label set {labels!r}; choose one of {', '.join(LABEL_SETS)}")
        labels = LABEL_SETS[labels]
    checkpoint = CHECKPOINTS.get(path) if isinstance(path, str) else None
    if checkpoint:
        path = _checkpoint_path(checkpoint)
    path = Path(path)
    if not path.exists():
        raise GraphError(f"no model at {path}; name a file or folder, or one of: {', '.join(CHECKPOINTS)}")
    checkpoint = checkpoint or recognise(path)
    known = {"labels": labels, "checkpoint": checkpoint}
    if fault := objection(path):
        raise GraphError(fault)
    if is_tflite(path):
        if engine not in ("auto", "litert"):
            raise GraphError(f"{path.name} doesn't run on {engine}; choose litert")
        return LiteGraph(path, **known)
    if engine == "litert":
        raise GraphError(f"{path.name} doesn't run on litert; choose {', '.join(FROZEN_ENGINES)}")
    name = checkpoint.name if checkpoint else path.name
    build = partial(_build, name=name, data=read_graph_bytes(path), known=known)
    return _fastest(build, name, streams=streams) if engine == "auto" else build(engine, streams=streams)


def _build(engine: str, *, name: str, data: bytes, known: dict, streams: int) -> Graph:
    if engine == "tensorflow":
        return TensorFlowGraph(name, data, **known)
    try:
        from helpers.deeplab.engines.openvino import OpenVINOGraph
    except ImportError as error:
        raise GraphError("this engine needs the package openvino: pip install openvino") from error
    return OpenVINOGraph(name, data, bfloat16=engine == "openvino-bf16", streams=streams, **known)


def _fastest(build: Callable[..., Graph], name: str, *, streams: int) -> Graph:
    """The graph on the engine that is fastest for a picture of the size that it usually sees."""
    versions = {package: _version(package) for package in ("tensorflow", "openvino")}
    engines = [engine for engine in FROZEN_ENGINES if versions[engine.split("-")[0]]] or ["tensorflow"]
    graphs: dict[str, Graph] = {}

    def run(engine: str) -> None:
        if engine not in graphs:
            graphs[engine] = build(engine, streams=1)
        size = input_size(graphs[engine], (720, 960), max_size=graphs[engine].default_size or TRIED_SIZE)
        graphs[engine](np.zeros((*size, 3), np.uint8))

    digest = hashlib.sha256(build.keywords["data"]).hexdigest()[:8]
    numbers = ", ".join(f"{package} {number}" for package, number in versions.items())
    chosen = fastest(f"{name} {digest} ({numbers})", {engine: partial(run, engine) for engine in engines})
    return graphs[chosen] if streams == 1 and chosen in graphs else build(chosen, streams=streams)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _checkpoint_path(checkpoint: Checkpoint) -> Path:
    if checkpoint is BUNDLED:
        return paths.DATA / "models" / f"{checkpoint.archive}.tar.gz"
    return assets.fetch(checkpoint.name)


def segment(graph: Graph, image: np.ndarray, *, max_size: int | None = None) -> np.ndarray:
    """Segment a picture of any size.

    A picture larger than `max_size`, or than the graph takes, is made smaller first, and the ids are brought back to
    its size by nearest neighbour. (Enlarging the logits instead, then taking the argmax, costs much more time and
    memory and hardly changes the scores; `graph.logits` gives them to those who want to.)

    Args:
        graph: from `load_graph`.
        image: (H, W, 3) uint8 RGB.
        max_size: longest side in pixels that the network sees; by default what suits the graph. Time goes with its
            square.

    Returns:
        (H, W) uint8 ids of `graph.labels`.
    """
    image = np.asarray(image)
    size = input_size(graph, image.shape[:2], max_size=max_size)
    if size == image.shape[:2]:
        return graph(image)
    return resize_mask(graph(resize_image(image, size)), image.shape[:2])


def segment_folded(graph: Graph, image: np.ndarray, labels: LabelSet, *, max_size: int | None = None) -> np.ndarray:
    """Segment a picture in a coarser label set: probabilities are added up first, then the largest is taken.

    Where a network wavers between car, truck and bus, their sum may still be above that of the building behind. Ids
    that were folded after the argmax would have lost that.

    Args:
        graph, image, max_size: see `segment`.
        labels: to fold to, e.g. `CAMVID11` from Cityscapes, see `labels.fold`.

    Returns:
        (H, W) uint8 ids of `labels`.
    """
    image = np.asarray(image)
    logits = graph.logits(resize_image(image, input_size(graph, image.shape[:2], max_size=max_size)))
    probs = np.exp(logits - logits.max(-1, keepdims=True))
    table = fold(graph.labels, labels)[: graph.num_classes]
    members = (table[:, None] == np.arange(labels.num_classes)).astype(probs.dtype)
    ids = (probs / probs.sum(-1, keepdims=True) @ members).argmax(-1)
    return resize_mask(ids.astype(np.uint8), image.shape[:2])


def input_size(graph: Graph, size: tuple[int, int], *, max_size: int | None = None) -> tuple[int, int]:
    """The (height, width) at which `segment` gives a picture of `size` to a graph."""
    if max_size is not None and max_size < 1:
        raise GraphError(f"max_size is {max_size}; it is a number of pixels")
    size = fit_within(size, max_size or graph.default_size or max(size))
    if graph.input_limit:
        shrink = min(1, graph.input_limit[0] / size[0], graph.input_limit[1] / size[1])
        size = max(1, int(size[0] * shrink)), max(1, int(size[1] * shrink))
    return size


class DeepLabModel:
    """The class of the driving-scene tutorial: load once, `run` on each picture."""

    def __init__(self, path: str | Path, **options):
        """Load a model; the options are those of `load_graph`."""
        self.graph = load_graph(path, **options)

    def run(self, image: np.ndarray, *, max_size: int | None = None) -> np.ndarray:
        """Segment (H, W, 3) uint8 RGB, or a Pillow picture: (H, W) uint8 ids, see `segment`."""
        return segment(self.graph, np.asarray(image), max_size=max_size)
