"""Rebuilds the bundled DeepLabV3+ in TensorFlow operations and packs it like a checkpoint of the DeepLab zoo.

    python -m tools.bundled_models.freeze RUN_DIR/weights.npz data/models/deeplab_street.tar.gz

The layers are those of helpers.training.deeplab_network, from the same plan; a test compares the logits of both.
"""

import gzip
import io
import tarfile
from pathlib import Path
from typing import Annotated

import numpy as np
import tensorflow as tf
import typer

from helpers.paths import replace_file
from helpers.training import deeplab_plan as plan


class _Layers:
    """Operations that find their weights by the names of the torch modules, with slashes for dots."""

    def __init__(self, weights: dict[str, np.ndarray]):
        self.weights = weights

    def conv(self, x: tf.Tensor, name: str, *, stride: int = 1, rate: int = 1, relu: bool = True) -> tf.Tensor:
        """Convolution with torch's symmetric padding (TensorFlow's SAME pads even sizes on one side only)."""
        kernel, bias = (
            # Stored in half precision, which halves the file; TensorFlow folds the casts when it optimises the graph.
            tf.cast(tf.constant(self.weights[f"{name}/{part}"], name=f"{name}/{part}"), tf.float32)
            for part in ("kernel", "bias")
        )
        margin = rate * (self.weights[f"{name}/kernel"].shape[0] // 2)
        if margin:
            x = tf.pad(x, [[0, 0], [margin, margin], [margin, margin], [0, 0]])
        x = tf.nn.bias_add(tf.nn.conv2d(x, kernel, stride, "VALID", dilations=rate), bias)
        return tf.nn.relu(x) if relu else x

    def bottleneck(self, x: tf.Tensor, name: str, *, stride: int) -> tf.Tensor:
        y = self.conv(self.conv(x, f"{name}/expand", stride=stride), f"{name}/project", relu=False)
        return x + y if stride == 1 and x.shape[3] == y.shape[3] else y


def _resize(x: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Bilinear, pixel centres at half pixels, as torch's ``align_corners=False``."""
    return tf.compat.v1.image.resize_bilinear(x, size, half_pixel_centers=True)


def build_graph(weights: dict[str, np.ndarray]) -> tf.compat.v1.GraphDef:
    """The network as a frozen graph.

    Args:
        weights: for each layer ``NAME/kernel`` (kh, kw, inputs, outputs) and ``NAME/bias`` (outputs,), float16, as
            helpers.training.deeplab_network.folded_weights gives them.

    Returns:
        Graph from ``ImageTensor:0`` uint8 (1, H, W, 3) RGB, any size, to ``SemanticPredictions:0`` int64 (1, H, W)
        Cityscapes train ids. The input of its ArgMax are the logits, (1, H, W, 19) float32.
    """
    layers = _Layers(weights)
    with tf.Graph().as_default() as graph:
        image = tf.compat.v1.placeholder(tf.uint8, (1, None, None, 3), name="ImageTensor")
        x = tf.cast(image, tf.float32)
        mean, variance = tf.nn.moments(x, axes=(1, 2), keepdims=True)
        x = layers.conv((x - mean) * tf.math.rsqrt(variance + 1.0), "stem", stride=2)
        features = []
        for number, stage in enumerate(plan.STAGES):
            for index in range(stage.blocks):
                x = layers.bottleneck(x, f"stages/{number}/{index}", stride=stage.stride if index == 0 else 1)
            features.append(x)
        branches = [layers.conv(x, "aspp/0")]
        branches += [layers.conv(x, f"aspp/{i}", rate=rate) for i, rate in enumerate(plan.ASPP_RATES, start=1)]
        pooled = layers.conv(tf.reduce_mean(x, axis=(1, 2), keepdims=True), "pooling")
        branches.append(_resize(pooled, tf.shape(x)[1:3]))
        x = layers.conv(tf.concat(branches, 3), "projection")
        skip = layers.conv(features[0], "skip")
        x = tf.concat([_resize(x, tf.shape(skip)[1:3]), skip], 3)
        x = layers.conv(layers.conv(x, "decoder/0"), "decoder/1")
        logits = _resize(layers.conv(x, "classifier", relu=False), tf.shape(image)[1:3])
        tf.identity(tf.argmax(logits, 3, name="ArgMax"), name="SemanticPredictions")
    return graph.as_graph_def()


def pack(graph: tf.compat.v1.GraphDef, path: str | Path) -> Path:
    """Write ``frozen_inference_graph.pb`` in a folder of the archive's name, as the zoo does.

    The archive holds no times and owners, so equal weights give equal bytes; it appears whole or not at all.

    Args:
        graph: a frozen graph.
        path: archive ending in ``.tar.gz``.

    Raises:
        ValueError: another ending.
    """
    path = Path(path)
    if not path.name.endswith(".tar.gz"):
        raise ValueError(f"{path} does not end in .tar.gz, as the zoo's archives do")
    content = graph.SerializeToString(deterministic=True)
    entry = tarfile.TarInfo(f"{path.name.removesuffix('.tar.gz')}/frozen_inference_graph.pb")
    entry.size = len(content)
    archive = io.BytesIO()
    with gzip.GzipFile("", "wb", fileobj=archive, mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        tar.addfile(entry, io.BytesIO(content))
    path.parent.mkdir(parents=True, exist_ok=True)
    return replace_file(path, archive.getvalue())


def main(
    weights: Annotated[Path, typer.Argument(help="weights.npz that the training wrote", exists=True, dir_okay=False)],
    archive: Annotated[Path, typer.Argument(help="the .tar.gz to write")],
) -> None:
    """Freeze trained weights into an archive like the DeepLab zoo's."""
    try:
        with np.load(weights) as file:
            path = pack(build_graph(dict(file)), archive)
    except (ValueError, OSError) as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(2) from error
    typer.echo(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    typer.run(main)
