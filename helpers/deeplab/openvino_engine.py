"""Frozen graphs on OpenVINO: the same file as TensorFlow runs, compiled for the processor at hand."""

import tempfile
from collections import OrderedDict
from pathlib import Path

import numpy as np

from helpers.deeplab.graph import Graph, GraphError

INPUT, OUTPUT = "ImageTensor:0", "SemanticPredictions:0"
# A program is compiled for one picture size (half a second, and a fifth faster than one for all); so many are kept.
SIZES_KEPT = 4


def has_bfloat16() -> bool:
    """Whether this processor calculates in bfloat16 by itself; where it doesn't, it would be slower, not faster."""
    return "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class OpenVINOGraph(Graph):
    """A frozen DeepLab graph, `ImageTensor` uint8 (1, H, W, 3) → `SemanticPredictions`, run by OpenVINO on the CPU.

    Args:
        name: for messages.
        data: the serialised graph.
        bfloat16: calculate with 8 bits of mantissa instead of 24: faster, and a few labels come out differently.

    Raises:
        GraphError: OpenVINO cannot read the graph, or it was not exported by DeepLab.
    """

    def __init__(self, name: str, data: bytes, *, bfloat16: bool = False, **known):
        if bfloat16 and not has_bfloat16():
            raise GraphError("this processor has no bfloat16 arithmetic; choose engine='openvino'")
        self._precision = "bf16" if bfloat16 else "f32"
        self._model = _read(name, data)
        self._compiled: OrderedDict[tuple, object] = OrderedDict()
        outputs = self._scores().get_partial_shape()[3]
        super().__init__(
            name, outputs.get_length() if outputs.is_static else self._count_classes(),
            input_limit=_padded_size(self._model), **known,
        )  # fmt: skip

    def _predict(self, image: np.ndarray) -> np.ndarray:
        return self._run(image, scores=False)

    def _logits(self, image: np.ndarray) -> np.ndarray:
        return self._run(image, scores=True)
