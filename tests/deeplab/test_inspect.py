"""Looking inside frozen graphs: small ones whose content is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from helpers.deeplab import inspect
from helpers.deeplab.engines.tensorflow import import_tensorflow, parse, read_graph_bytes
from helpers.labels import CITYSCAPES
from helpers.masks import colorize
from helpers.paths import DATA


@pytest.fixture(scope="module")
def network():
    """Four convolutions: strided, atrous in both forms, depthwise; 216 + 8 weights, and some numbers that are none."""
    tf = import_tensorflow()
    with tf.Graph().as_default() as graph:
        image = tf.compat.v1.placeholder(tf.float32, (1, None, None, 3))
        half = tf.constant(np.ones((3, 3, 3, 4), np.float16), name="stem/kernel")
        x = tf.nn.conv2d(image, tf.cast(half, tf.float32), strides=2, padding="SAME", name="Conv2D_7")
        x = tf.nn.bias_add(x, tf.constant(np.zeros(4, np.float32)))
        x = tf.nn.conv2d(
            x, tf.constant(np.ones((1, 1, 4, 4), np.float32), name="aspp/1/weights"), 1, "SAME", dilations=6
        )
        kernel = tf.identity(tf.constant(np.ones((3, 3, 4, 1), np.float32), name="block/depthwise_weights"))
        x = tf.space_to_batch(x, block_shape=[4, 4], paddings=[[0, 0], [0, 0]])
        x = tf.nn.depthwise_conv2d(x, kernel, [1, 1, 1, 1], "VALID")
        x = tf.batch_to_space(x, block_shape=[4, 4], crops=[[0, 0], [0, 0]])
        tf.nn.conv2d(x, tf.constant(np.ones((1, 5, 4, 2), np.float32)), 1, "SAME", name="classifier")
        tf.multiply(x, tf.constant(2.0))
    return inspect.open_graph(graph.as_graph_def())


def test_convolutions(network) -> None:
    assert inspect.convolutions(network) == [
        inspect.Convolution("stem", (3, 3), 3, 4, stride=2, rate=1, depthwise=False),
        inspect.Convolution("aspp/1", (1, 1), 4, 4, stride=1, rate=6, depthwise=False),
        inspect.Convolution("block", (3, 3), 4, 4, stride=1, rate=4, depthwise=True),
        inspect.Convolution("classifier", (1, 5), 4, 2, stride=1, rate=1, depthwise=False),
    ]


def test_operations_are_counted(network) -> None:
    counts = inspect.count_operations(network)
    assert counts["Conv2D"] == 3 and counts["DepthwiseConv2dNative"] == 1 and counts["BiasAdd"] == 1
    assert counts.total() == len(network.get_operations())


def test_parameters_are_the_floating_point_arrays(network) -> None:
    assert inspect.count_parameters(network) == 108 + 4 + 16 + 36 + 40


def test_the_bundled_network_is_the_planned_one() -> None:
    archive = DATA / "models" / "deeplab_street.tar.gz"
    layers = inspect.convolutions(inspect.open_graph(parse(archive.name, read_graph_bytes(archive))))
    assert [layer.rate for layer in layers if layer.rate > 1] == [2, 2, 2, 2, 3, 6, 12], "encoder, then the pyramid"
    strided = [layer for layer in layers if layer.stride > 1]
    assert np.prod([layer.stride for layer in strided]) == 16, "the output stride"
    assert layers[-1].outputs == 4 * CITYSCAPES.num_classes, "four positions at once"


@given(arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.integers(0, 255)))
def test_the_loop_gives_the_colours_of_the_fast_way(mask: np.ndarray) -> None:
    palette = CITYSCAPES.palette()
    np.testing.assert_array_equal(inspect.color_loop(mask, palette), colorize(mask, palette))
