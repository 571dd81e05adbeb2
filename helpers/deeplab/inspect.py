"""Looking inside a frozen graph (operations, weights, atrous convolutions), and at what it predicts."""

from collections import Counter
from typing import NamedTuple

import numpy as np

from helpers.deeplab.engines.tensorflow import import_tensorflow

_WEIGHTS = ("kernel", "weights", "depthwise_weights")


class Convolution(NamedTuple):
    """One convolution of a network."""

    name: str
    kernel: tuple[int, int]  # height, width
    inputs: int  # channels
    outputs: int
    stride: int
    rate: int  # distance of neighbouring kernel weights in pixels: 1 is an ordinary convolution, more is atrous
    depthwise: bool


def open_graph(graph_def):
    """The tf.Graph of a frozen graph, whose operations know their shapes, ready to be walked through.

    Args:
        graph_def: from `engines.tensorflow.parse`, which refuses dangerous ones.
    """
    tf = import_tensorflow()
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
    return graph


def count_operations(graph) -> Counter:
    """How many operations of each type a tf.Graph has, e.g. Counter({"Const": 124, "Conv2D": 31, …})."""
    return Counter(operation.type for operation in graph.get_operations())


def count_parameters(graph) -> int:
    """How many learned numbers a tf.Graph holds: all its floating-point constants but single numbers."""
    values = [op.outputs[0] for op in graph.get_operations() if op.type == "Const"]
    return sum(value.shape.num_elements() for value in values if value.dtype.is_floating and value.shape.rank)


def convolutions(graph) -> list[Convolution]:
    """All convolutions of a tf.Graph, from the input to the output.

    Older exports, those of the DeepLab zoo among them, express the rate differently: they sort the pixels into
    rate × rate small pictures (SpaceToBatchND), convolve each, and sort them back. Both forms are understood.
    """
    found = []
    for operation in graph.get_operations():
        if operation.type not in ("Conv2D", "DepthwiseConv2dNative"):
            continue
        height, width, inputs, outputs = operation.inputs[1].shape.as_list()
        depthwise = operation.type == "DepthwiseConv2dNative"
        found.append(
            Convolution(
                _layer_name(operation),
                (height, width),
                inputs,
                inputs * outputs if depthwise else outputs,
                operation.get_attr("strides")[1],
                _rate(operation),
                depthwise,
            )
        )
    return found


def _rate(operation) -> int:
    source = operation.inputs[0].op
    if source.type == "SpaceToBatchND":
        tf = import_tensorflow()
        return int(np.max(tf.get_static_value(source.inputs[1])))
    return operation.get_attr("dilations")[1]


def _layer_name(operation) -> str:
    """The layer whose weights it uses; the convolutions themselves are often called just Conv2D_7."""
    source = operation.inputs[1].op
    while source.type in ("Identity", "Cast"):
        source = source.inputs[0].op
    layer, _, last = source.name.rpartition("/")
    return layer if last in _WEIGHTS else operation.name


def color_loop(mask: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """Colour a mask pixel by pixel: easy to read and far too slow, see `masks.colorize`.

    Args:
        mask: (H, W) integer class ids.
        colors: (N, 3) uint8 RGB, one row for each id.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    height, width = mask.shape
    picture = np.zeros((height, width, 3), np.uint8)
    for row in range(height):
        for column in range(width):
            class_id = mask[row, column]
            picture[row, column] = colors[class_id]
    return picture
