"""Frozen graphs on OpenVINO: the same file as TensorFlow runs, compiled for the processor at hand."""

import sys
import tempfile
import threading
from collections import OrderedDict
from functools import lru_cache
from pathlib import Path

import numpy as np

# When it is imported, OpenVINO reports that to an analytics service. Where it doesn't find its telemetry package it
# takes a stand-in of its own that reports nothing, so that package is hidden from it.
sys.modules.setdefault("openvino_telemetry", None)
import openvino  # noqa: E402
import openvino.opset13 as ops  # noqa: E402

from helpers.deeplab.engines.base import Graph, GraphError  # noqa: E402
from helpers.deeplab.engines.tensorflow import INPUT, OUTPUT, crop_padding  # noqa: E402

# A program is compiled for one picture size, which takes half a second and makes it faster; so many are kept.
PROGRAMS_KEPT = 4


class OpenVINOGraph(Graph):
    """A frozen DeepLab graph, `ImageTensor` uint8 (1, H, W, 3) → `SemanticPredictions`, run by OpenVINO on the CPU.

    Args:
        name: for messages.
        data: the serialised graph.
        bfloat16: calculate with 8 bits of precision instead of 24: faster on some processors, simulated and slow on
            others; a few labels come out differently.
        streams: how many pictures may be worked on side by side, by threads that call the graph at the same time. Each
            gets its share of the cores: one picture takes longer, many take less.

    Raises:
        GraphError: OpenVINO cannot read the graph, or it was not exported by DeepLab.
    """

    def __init__(self, name: str, data: bytes, *, bfloat16: bool = False, streams: int = 1, **known):
        self._settings = {"INFERENCE_PRECISION_HINT": "bf16" if bfloat16 else "f32", "NUM_STREAMS": streams}
        self._model = _read(name, data)
        argmax = _argmax(name, _source(self._model.output(f"{OUTPUT}:0")))
        self._scores = argmax.input_value(0)
        _put_channels_first(argmax)
        self._ids = ops.convert(_source(self._model.output(f"{OUTPUT}:0")), "u8").output(0)
        self._programs: OrderedDict[tuple, openvino.CompiledModel] = OrderedDict()
        self._lock, self._thread = threading.Lock(), threading.local()
        self._padded = _padded_size(self._model)
        outputs = self._scores.get_partial_shape()[3]
        if outputs.is_dynamic:
            raise GraphError(f"{name}: OpenVINO cannot tell how many classes there are; choose engine='tensorflow'")
        super().__init__(name, outputs.get_length(), input_limit=self._padded, **known)

    def _predict(self, image: np.ndarray) -> np.ndarray:
        return self._run(self._ids, image)

    def _logits(self, image: np.ndarray) -> np.ndarray:
        return crop_padding(self._run(self._scores, image), image.shape[:2], self._padded)

    def _run(self, output: openvino.Output, image: np.ndarray) -> np.ndarray:
        try:
            program = self._program(output, image.shape)
            # Several threads may call at once, so each has a request of its own, which it keeps: memory is dear.
            if getattr(self._thread, "program", None) is not program:
                self._thread.program, self._thread.request = program, program.create_infer_request()
            return self._thread.request.infer([image[None]], share_inputs=True)[0][0]
        except RuntimeError as error:
            raise GraphError(f"{self.name} fails on a picture of {image.shape}: {_reason(error)}") from error

    def _program(self, output: openvino.Output, shape: tuple[int, int, int]) -> openvino.CompiledModel:
        key = output is self._ids, shape
        with self._lock:
            if key not in self._programs:
                part = openvino.Model([output], self._model.get_parameters())
                part.reshape([1, *shape])
                self._programs[key] = _core().compile_model(part, "CPU", self._settings)
            self._programs.move_to_end(key)
            if len(self._programs) > PROGRAMS_KEPT:
                self._programs.popitem(last=False)
            return self._programs[key]


@lru_cache
def _core() -> openvino.Core:
    return openvino.Core()


def _read(name: str, data: bytes) -> openvino.Model:
    """The model in a serialised graph. An operation that reads files or calls Python has no counterpart in OpenVINO,
    so a graph that contains one is refused here."""
    with tempfile.TemporaryDirectory() as folder:  # OpenVINO tells formats by the file name
        path = Path(folder) / "graph.pb"
        path.write_bytes(data)
        try:
            model = _core().read_model(path)
            model.output(f"{OUTPUT}:0")
            taken = model.input(f"{INPUT}:0").get_element_type()
        except RuntimeError as error:
            raise GraphError(f"OpenVINO cannot read {name} as a DeepLab graph: {_reason(error)}") from error
    if taken != openvino.Type.u8:
        raise GraphError(f"{name}: {INPUT} takes {taken.get_type_name()}, expected uint8 pixels")
    return model


def _source(result: openvino.Output) -> openvino.Output:
    return result.get_node().input_value(0)


def _argmax(name: str, output: openvino.Output) -> openvino.Node:
    """The ArgMax that the predictions come from; in OpenVINO, TopK does its work. The logits go into it."""
    queue, seen = [output.get_node()], set()
    while queue:
        node = queue.pop(0)
        if node.get_type_name() == "TopK":
            return node
        sources = [value.get_node() for value in node.input_values()]
        queue += [node for node in sources if node.get_friendly_name() not in seen]
        seen.update(node.get_friendly_name() for node in sources)
    raise GraphError(f"{name}: no ArgMax leads to {OUTPUT}, so there are no logits to be found")


def _put_channels_first(argmax: openvino.Node) -> None:
    """Enlarge the logits and take their argmax as (C, H, W) instead of (H, W, C): the same sums, a third less time.

    OpenVINO enlarges with channels first, and would turn the large result around for an argmax over the last axis.
    """
    enlarged = argmax.input_value(0).get_node()
    if enlarged.get_type_name() != "Interpolate":
        return
    small, size, axes = enlarged.input_values()
    if axes.get_node().get_type_name() != "Constant" or axes.get_node().get_data().tolist() != [1, 2]:
        return
    how = {
        name: enlarged.get_attributes()[name]
        for name in ("mode", "shape_calculation_mode", "nearest_mode", "coordinate_transformation_mode")
    }
    turned = ops.transpose(small, [0, 3, 1, 2])
    scores = ops.interpolate(turned, size, axes=ops.constant([2, 3]), **how)
    ids = ops.topk(scores, 1, 1, "max", "none", index_element_type="i64").output(1)
    argmax.output(1).replace(ops.unsqueeze(ops.squeeze(ids, [1]), [3]).output(0))


def _padded_size(model: openvino.Model) -> tuple[int, int] | None:
    """The (height, width) that the graph pads pictures to, see `tensorflow.padded_size`."""
    sizes = []
    for node in model.get_ordered_ops():
        if node.get_type_name() != "Maximum" or _number(node.input_value(1)) != 0:
            continue
        difference = node.input_value(0).get_node()
        if difference.get_type_name() == "Subtract" and (size := _number(difference.input_value(0))):
            sizes.append(size)
    return (sizes[0], sizes[1]) if len(sizes) >= 2 else None


def _number(value: openvino.Output) -> int | None:
    node = value.get_node()
    is_number = node.get_type_name() == "Constant" and not node.get_output_shape(0)
    return int(node.get_data()) if is_number else None


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines()]
    told = [line for line in lines if line and not line.startswith(("Exception from", "Check "))]
    return told[0] if told else type(error).__name__
