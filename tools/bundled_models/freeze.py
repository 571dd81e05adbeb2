"""Rebuilds the bundled DeepLabV3+ in TensorFlow operations and packs it like a checkpoint of the DeepLab zoo.

    python -m tools.bundled_models.freeze RUN_DIR/weights.pt data/models/deeplab_street.tar.gz

The layers are those of helpers.networks.deeplab; a test compares the logits of both.
"""

import gzip
import io
import tarfile
from pathlib import Path
from typing import Annotated

import numpy as np
import tensorflow as tf
import torch
import typer
from torch import nn

from helpers.networks.deeplab import SKIPS, DeepLabV3Plus
from helpers.networks.street_encoder import ConvBN, InvertedBottleneck
from helpers.paths import replace_file
from helpers.training.checkpoints import load_checkpoint


def folded(layer: ConvBN) -> tuple[np.ndarray, np.ndarray]:
    """A layer's kernel (kh, kw, inputs, outputs) and bias (outputs,) with its normalisation inside, in float16.

    Of a depthwise layer the kernel is (kh, kw, channels, 1), as TensorFlow wants it.
    """
    bn = layer.bn
    with torch.no_grad():
        gain = bn.weight * torch.rsqrt(bn.running_var + bn.eps)
        kernel, bias = layer.conv.weight * gain[:, None, None, None], bn.bias - bn.running_mean * gain
    order = (2, 3, 0, 1) if layer.conv.groups > 1 else (2, 3, 1, 0)
    return kernel.permute(order).numpy().astype(np.float16), bias.numpy().astype(np.float16)


def stored(values: np.ndarray, name: str) -> tf.Tensor:
    """A constant in half precision, which halves the file; TensorFlow folds the cast when it optimises the graph."""
    return tf.cast(tf.constant(values, name=name), tf.float32)


def convolution(x: tf.Tensor, layer: ConvBN, name: str) -> tf.Tensor:
    """One layer; its weights are called NAME/kernel (depthwise: NAME/depthwise_weights) and NAME/bias."""
    kernel, bias = folded(layer)
    stride, rate = layer.conv.stride[0], layer.conv.dilation[0]
    if layer.conv.groups > 1:
        kernel = stored(kernel, f"{name}/depthwise_weights")
        x = tf.nn.depthwise_conv2d(x, kernel, [1, stride, stride, 1], "SAME", dilations=[rate, rate])
    else:
        x = tf.nn.conv2d(x, stored(kernel, f"{name}/kernel"), stride, "SAME", dilations=rate)
    x = tf.nn.bias_add(x, stored(bias, f"{name}/bias"))
    return tf.nn.relu6(x) if layer.relu else x


def sequence(x: tf.Tensor, layers: nn.Module, name: str) -> tf.Tensor:
    """What a module of convolutions does, one after the other."""
    if isinstance(layers, ConvBN):
        return convolution(x, layers, name)
    y = x
    for part, layer in layers.named_children():
        y = sequence(y, layer, f"{name}/{part}")
    return x + y if isinstance(layers, InvertedBottleneck) and layers.residual else y


def resized(x: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Bilinear, pixel centres at half pixels, as torch's ``align_corners=False``."""
    return tf.compat.v1.image.resize_bilinear(x, size, half_pixel_centers=True)


def build_graph(network: DeepLabV3Plus) -> tf.compat.v1.GraphDef:
    """The network as a frozen graph.

    Args:
        network: in evaluation mode, on the CPU.

    Returns:
        Graph from ``ImageTensor:0`` uint8 (1, H, W, 3) RGB, any size, to ``SemanticPredictions:0`` int64 (1, H, W)
        Cityscapes train ids. The input of its ArgMax are the logits, (1, H, W, 19) float32.
    """
    with tf.Graph().as_default() as graph:
        image = tf.compat.v1.placeholder(tf.uint8, (1, None, None, 3), name="ImageTensor")
        x = tf.cast(image, tf.float32)
        mean, variance = tf.nn.moments(x, axes=(1, 2), keepdims=True)
        x = (x - mean) * (0.45 * tf.math.rsqrt(variance + 1.0)) - 0.1  # see street_encoder.standardise
        x = convolution(x, network.encoder.stem, "encoder/stem")
        features = []
        for number, blocks in enumerate(network.encoder.stages):
            x = sequence(x, blocks, f"encoder/stages/{number}")
            features.append(x)
        branches = [sequence(x, branch, f"aspp/{number}") for number, branch in enumerate(network.aspp)]
        pooled = convolution(tf.reduce_mean(x, axis=(1, 2), keepdims=True), network.pooling, "pooling")
        branches.append(resized(pooled, tf.shape(x)[1:3]))
        x = convolution(tf.concat(branches, 3), network.projection, "projection")
        for name, feature in zip(SKIPS, (features[2], features[1]), strict=True):
            skip = convolution(feature, network.skips[name], f"skips/{name}")
            x = tf.concat([resized(x, tf.shape(skip)[1:3]), skip], 3)
            x = sequence(x, network.joins[name], f"joins/{name}")
        logits = resized(classified(x, network.classifier), tf.shape(image)[1:3])
        tf.identity(tf.argmax(logits, 3, name="ArgMax"), name="SemanticPredictions")
    return graph.as_graph_def()


def classified(x: tf.Tensor, classifier: nn.Conv2d) -> tf.Tensor:
    """Four logits a class for each position become the logits of four positions.

    torch's pixel_shuffle has a class's four values side by side, TensorFlow's depth_to_space one of each class.
    """
    kernel = classifier.weight.detach()[:, :, 0, 0].reshape(-1, 4, classifier.in_channels)
    kernel = kernel.permute(2, 1, 0).reshape(1, 1, classifier.in_channels, -1)
    bias = classifier.bias.detach().reshape(-1, 4).T.reshape(-1)
    x = tf.nn.conv2d(x, stored(kernel.numpy().astype(np.float16), "classifier/kernel"), 1, "SAME")
    x = tf.nn.bias_add(x, stored(bias.numpy().astype(np.float16), "classifier/bias"))
    return tf.nn.depth_to_space(x, 2)


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


def trained(weights: Path) -> DeepLabV3Plus:
    """The network with the weights of a training run, in evaluation mode.

    Raises:
        ValueError: the file holds something else.
    """
    network = DeepLabV3Plus()
    try:
        network.load_state_dict(load_checkpoint(weights))
    except (TypeError, AttributeError, RuntimeError) as error:
        raise ValueError(f"{weights} holds no weights of this network; name a weights.pt of train_deeplab") from error
    return network.eval()


def main(
    weights: Annotated[Path, typer.Argument(help="weights.pt of the training", exists=True, dir_okay=False)],
    archive: Annotated[Path, typer.Argument(help="the .tar.gz to write")],
) -> None:
    """Freeze trained weights into an archive like the DeepLab zoo's."""
    try:
        path = pack(build_graph(trained(weights)), archive)
    except (ValueError, OSError) as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(2) from error
    typer.echo(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    typer.run(main)
