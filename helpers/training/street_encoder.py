"""A small encoder for street pictures, put together from torchvision's EfficientNet parts."""

import torch
from torch import Tensor, nn
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.efficientnet import EfficientNet, FusedMBConvConfig

CHANNELS = (24, 32, 64, 128)  # of the features at 1/2, 1/4, 1/8 and 1/16

# Inverted bottlenecks whose expansion is a full 3x3 convolution, as in EfficientNetV2 (Tan & Le 2021): a CPU runs
# ordinary convolutions in bfloat16 much faster than depthwise ones.
STAGES = (
    FusedMBConvConfig(expand_ratio=3, kernel=3, stride=2, input_channels=24, out_channels=32, num_layers=2),
    FusedMBConvConfig(expand_ratio=3, kernel=3, stride=2, input_channels=32, out_channels=64, num_layers=3),
    FusedMBConvConfig(expand_ratio=2, kernel=3, stride=2, input_channels=64, out_channels=128, num_layers=5),
)


def street_encoder() -> nn.Module:
    """The encoder: pictures (B, 3, H, W) to an ordered dict of features "2", "4", "8", "16" (by how much they shrink).

    Its 1.7 million weights start at random; nothing is downloaded.
    """
    features = EfficientNet(list(STAGES), dropout=0.0, stochastic_depth_prob=0.05, last_channel=CHANNELS[-1]).features
    return IntermediateLayerGetter(features, {"0": "2", "1": "4", "2": "8", "3": "16"})


def standardise(images: Tensor) -> Tensor:
    """Take each picture's own mean and deviation out of each of its channels.

    Exposure and white balance then matter little, and no constants have to be known.

    Args:
        images: (B, 3, H, W) in 0..255, uint8 or float.

    Returns:
        (B, 3, H, W) float32.
    """
    images = images.float()
    variance, mean = torch.var_mean(images, dim=(2, 3), correction=0, keepdim=True)
    return (images - mean) * torch.rsqrt(variance + 1.0)
