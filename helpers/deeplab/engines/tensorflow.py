"""Frozen TensorFlow graphs: reading them without unpacking, looking inside, running them."""

import math
import os
import sys
import tarfile
from pathlib import Path
from unittest import mock

import numpy as np

from helpers import archives
from helpers.deeplab.engines.allowed_ops import refused_ops
from helpers.deeplab.engines.base import Graph, GraphError, quiet_start
from helpers.paths import limit

INPUT, OUTPUT = "ImageTensor", "SemanticPredictions"
GRAPH_FILE = "frozen_inference_graph.pb"
MAX_BYTES = 2**31 - 1  # a protocol buffer cannot be larger


def import_tensorflow():
    """TensorFlow without its start-up messages, and without Keras, which frozen graphs don't need.

    TensorFlow loads Keras eagerly, which takes as long as the rest. Told to look for the old tf_keras it doesn't; the
    setting holds for the import only, so `tf.keras` is the usual one for those who use it later.
    """
    if "tensorflow" not in sys.modules:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        with mock.patch.dict(os.environ, TF_USE_LEGACY_KERAS="1"), quiet_start():
            try:
                import tensorflow
            except ImportError as error:
                raise GraphError(f"frozen graphs need TensorFlow, which cannot be loaded: {error}") from error
            tensorflow.config.list_physical_devices()  # looks for a GPU, and complains at length where there is none
    return sys.modules["tensorflow"]


def read_graph_bytes(path: Path) -> bytes:
    """The serialised graph in a `.pb` file, a folder or a tarball; nothing is unpacked to disk.

    Raises:
        GraphError: there is no graph in it, or the archive is damaged.
    """
    if path.is_dir():
        path = Path(_only_graph([p for p in sorted(path.rglob("*.pb")) if p.is_file()], path))
    if not path.name.lower().endswith((".tar.gz", ".tgz", ".tar")):
        _check_size(path.stat().st_size, path)
        return path.read_bytes()
    members, found = [], []

    def take(archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        if member.name == chosen.name:
            found.append(archive.extractfile(member).read())

    try:
        archives.walk(path, lambda _, member: members.append(member))
        chosen = _only_graph([m for m in members if m.isfile() and m.name.endswith(".pb")], path)
        _check_size(chosen.size, f"{path}: {chosen.name}")
        archives.walk(path, take)
        return found[0]
    except (archives.ArchiveError, OSError) as error:
        raise GraphError(f"{path} is damaged or not a tar archive ({error}); download it again") from error


def _check_size(size: int, name: str | Path) -> None:
    most = min(limit("SEGMENTATION_MAX_MODEL_MB") * 1e6, MAX_BYTES)
    if size > most:
        raise GraphError(
            f"{name} has {size} bytes, the limit is {most:.0f}; if you trust it, set SEGMENTATION_MAX_MODEL_MB="
            f"{size // 10**6 + 1} (a graph can have at most {MAX_BYTES} bytes)"
        )


def _only_graph(candidates: list, path: Path):
    visible = [c for c in candidates if not Path(c.name).name.startswith(".")]  # macOS packs shadow files, "._name"
    chosen = [c for c in visible if Path(c.name).name == GRAPH_FILE] or visible
    if len(chosen) != 1:
        raise GraphError(f"{path} holds {len(chosen) or 'no'} graphs; expected one {GRAPH_FILE}")
    return chosen[0]


class TensorFlowGraph(Graph):
    """A frozen graph as the DeepLab code exports it: `ImageTensor` uint8 (1, H, W, 3) → `SemanticPredictions`."""

    def __init__(self, name: str, data: bytes, **known):
        tf = import_tensorflow()
        graph_def = parse(name, data)
        self._scores = scores_name(name, graph_def)
        try:
            self._wrapped = tf.compat.v1.wrap_function(lambda: tf.compat.v1.import_graph_def(graph_def, name=""), [])
            tensor = self._wrapped.graph.get_tensor_by_name
            self._run = self._wrapped.prune(tensor(f"{INPUT}:0"), tensor(f"{OUTPUT}:0"))
            self._run_scores = self._wrapped.prune(tensor(f"{INPUT}:0"), tensor(self._scores))
        except (ValueError, KeyError, TypeError, tf.errors.OpError) as error:
            raise GraphError(f"{name}: TensorFlow cannot build the graph: {_first_line(error)}") from error
        if tensor(f"{INPUT}:0").dtype != tf.uint8:
            raise GraphError(f"{name}: {INPUT} takes {tensor(f'{INPUT}:0').dtype.name}, expected uint8 pixels")
        outputs = tensor(self._scores).shape[-1]
        if outputs is None:  # nothing in the graph fixes it: run it once
            outputs = self._call(self._run_scores, np.zeros((65, 65, 3), np.uint8)).shape[-1]
        self._padded = padded_size(graph_def)
        super().__init__(name, outputs, input_limit=self._padded, **known)

    def _predict(self, image: np.ndarray) -> np.ndarray:
        return self._call(self._run, image)[0]

    def _logits(self, image: np.ndarray) -> np.ndarray:
        return crop_padding(self._call(self._run_scores, image)[0], image.shape[:2], self._padded)

    def _call(self, function, image: np.ndarray) -> np.ndarray:
        tf = import_tensorflow()
        try:
            return function(tf.constant(image[None])).numpy()
        except (ValueError, tf.errors.OpError) as error:
            raise GraphError(f"the graph fails on a picture of {image.shape}: {_first_line(error)}") from error


def parse(name: str, data: bytes):
    """The GraphDef in some bytes, refused unless it is a DeepLab export of harmless operations.

    Raises:
        GraphError: damaged, not a frozen graph, or with an operation that is not on the list in `allowed_ops`.
    """
    tf = import_tensorflow()
    from google.protobuf.message import DecodeError

    graph_def = tf.compat.v1.GraphDef()
    try:
        graph_def.ParseFromString(data)
    except DecodeError as error:
        raise GraphError(f"{name} is damaged, cut short or not a frozen TensorFlow graph") from error
    _check_constants(name, graph_def)
    bodies = [node for function in graph_def.library.function for node in function.node_def]
    refused = refused_ops(node.op for node in [*graph_def.node, *bodies])
    names = {node.name for node in graph_def.node}
    missing = [n for n in (INPUT, OUTPUT) if n not in names]
    if missing and len(names) < 2:
        raise GraphError(f"{name} is damaged, empty or not a frozen TensorFlow graph")
    if refused:
        raise GraphError(
            f"{name} is refused: it contains {', '.join(refused[:5])}. A segmentation network needs only array and "
            "image operations; others can read files or run code"
        )
    if missing:
        raise GraphError(f"{name} has no node {' and no '.join(missing)}; expected a graph exported by DeepLab")
    return graph_def


def _check_constants(name: str, graph_def) -> None:
    """A few bytes can stand for a constant of any size, all of one value: counted before the memory is taken."""
    shapes = [node.attr["value"].tensor.tensor_shape.dim for node in graph_def.node if node.op == "Const"]
    numbers = sum(math.prod(max(0, dim.size) for dim in dims) for dims in shapes)
    most = limit("SEGMENTATION_MAX_MODEL_MB") * 1e6 / 4  # of four bytes each
    if numbers > most:
        advice = "if you trust it, raise SEGMENTATION_MAX_MODEL_MB"
        raise GraphError(f"{name} has constants of {numbers} numbers, the limit is {most:.0f}; {advice}")


def scores_name(name: str, graph_def) -> str:
    """The tensor that holds the logits: the input of the ArgMax from which the predictions come.

    Its own name differs between exports (`ResizeBilinear_3:0` in one), so it is found by walking back from the output.
    """
    nodes = {node.name: node for node in graph_def.node}
    seen, queue = set(), [OUTPUT]
    while queue:
        node = nodes.get(_node_name(queue.pop(0)))
        if node is None or node.name in seen:
            continue
        seen.add(node.name)
        if node.op == "ArgMax" and node.input:
            return node.input[0] if ":" in node.input[0] else f"{node.input[0]}:0"
        queue.extend(node.input)
    raise GraphError(f"{name}: no ArgMax leads to {OUTPUT}, so there are no logits to be found")


def padded_size(graph_def) -> tuple[int, int] | None:
    """The (height, width) that a DeepLab export pads pictures to, and fails beyond; None where it doesn't pad.

    The code is `height + max(crop_height − height, 0)`, then the same for the width.
    """
    nodes = {node.name: node for node in graph_def.node}

    def constant(reference: str) -> int | None:
        node = nodes.get(_node_name(reference))
        if node is None or node.op != "Const" or not node.attr["value"].tensor.int_val:
            return None
        return node.attr["value"].tensor.int_val[0]

    sizes = []
    for node in graph_def.node:
        if node.op == "Maximum" and constant(node.input[1]) == 0:
            difference = nodes.get(_node_name(node.input[0]))
            if difference is not None and difference.op == "Sub" and (size := constant(difference.input[0])):
                sizes.append(size)
    return (sizes[0], sizes[1]) if len(sizes) >= 2 else None


def crop_padding(scores: np.ndarray, size: tuple[int, int], padded: tuple[int, int] | None) -> np.ndarray:
    """The part of the logits (h, w, C) that belongs to a picture of `size`, the top left one of what was padded."""
    full = np.maximum(size, padded or 0)
    height, width = -(-np.array(size) * scores.shape[:2] // full)  # rounded up
    return scores[:height, :width]


def _node_name(reference: str) -> str:
    return reference.removeprefix("^").split(":")[0]


def constants(name: str, data: bytes) -> dict[str, np.ndarray]:
    """Read the constants of a serialised graph, its weights among them, by their names."""
    tf = import_tensorflow()
    nodes = parse(name, data).node
    return {node.name: tf.make_ndarray(node.attr["value"].tensor) for node in nodes if node.op == "Const"}


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
