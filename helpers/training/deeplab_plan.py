"""The plan of the bundled DeepLabV3+: the numbers that its torch build and its TensorFlow build share.

An encoder of inverted bottlenecks whose expansion is a full 3x3 convolution ("fused", as in MobileNet-EdgeTPU and
EfficientNetV2-S: Gupta & Akin 2020, Tan & Le 2021), output stride 16; atrous spatial pyramid pooling and a decoder
that joins it with the stride-4 features (Chen et al. 2018, DeepLabV3+). Fused bottlenecks, because a CPU runs
ordinary convolutions in bfloat16 much faster than depthwise ones.
"""

from typing import NamedTuple


class Stage(NamedTuple):
    """A run of inverted bottlenecks; only the first has the stride."""

    channels: int
    blocks: int
    stride: int
    expansion: int


NUM_CLASSES = 19  # Cityscapes train ids
STEM_CHANNELS = 24  # stride 2
STAGES = (Stage(32, 2, 2, 3), Stage(64, 3, 2, 3), Stage(128, 5, 2, 2))
ASPP_CHANNELS = 64
ASPP_RATES = (3, 6, 12)
PROJECTION_CHANNELS = 96
SKIP_CHANNELS = 24  # of the stride-4 features in the decoder
DECODER_CHANNELS = 64
