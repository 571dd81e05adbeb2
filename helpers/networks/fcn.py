"""The bundled FCN: torchvision's class on a small encoder, put together from torchvision's EfficientNet parts."""

import torch
from torch import Tensor, nn
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.efficientnet import EfficientNet, FusedMBConvConfig
from torchvision.models.segmentation.fcn import FCN, FCNHead
from torchvision.ops import FeaturePyramidNetwork

CHANNELS = (24, 32, 64, 128)  # of the features at 1/2, 1/4, 1/8 and 1/16
WIDTH = 96  # channels of the pyramid

# Inverted bottlenecks whose expansion is a full 3x3 convolution, as in EfficientNetV2 (Tan & Le 2021): a CPU runs
# ordinary convolutions in bfloat16 much faster than depthwise ones.
STAGES = (
    FusedMBConvConfig(expand_ratio=3, kernel=3, stride=2, input_channels=24, out_channels=32, num_layers=2),
    FusedMBConvConfig(expand_ratio=3, kernel=3, stride=2, input_channels=32, out_channels=64, num_layers=3),
    FusedMBConvConfig(expand_ratio=2, kernel=3, stride=2, input_channels=64, out_channels=128, num_layers=5),
)


def fused_encoder() -> nn.Module:
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


class PyramidBackbone(nn.Module):
    """Encoder and feature pyramid: one map at a 4th of the picture's size, under the names that FCN looks for.

    The pyramid (Lin et al. 2017) adds the coarse maps to the fine ones, as the skips of FCN-8s (Long et al. 2015) do
    with scores: what a thing is comes from the coarse ones, where it ends from the fine ones.

    Args:
        aux: also give the map as "aux", for an auxiliary classifier.
    """

    def __init__(self, *, aux: bool = False):
        super().__init__()
        self.encoder = fused_encoder()
        self.pyramid = FeaturePyramidNetwork(list(CHANNELS[1:]), WIDTH)
        for index in (1, 2):  # only the finest map is asked for
            self.pyramid.layer_blocks[index] = nn.Identity()
        self.names = ("out", "aux") if aux else ("out",)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Standardised pictures (B, 3, H, W) to (B, 96, H/4, W/4)."""
        features = self.encoder(images)
        del features["2"]
        finest = self.pyramid(features)["4"]
        return dict.fromkeys(self.names, finest)


def street_fcn(num_classes: int = 21, *, aux_classes: int | None = None) -> FCN:
    """An FCN for street pictures with random weights.

    Args:
        num_classes: channels of the output "out"; 21 for Pascal VOC.
        aux_classes: channels of an auxiliary output "aux", which helps training and is dropped afterwards.

    Returns:
        A network from standardised pictures (B, 3, H, W), see `standardise`, to
        {"out": logits (B, num_classes, H, W)}.
    """
    aux = FCNHead(WIDTH, aux_classes) if aux_classes else None
    return FCN(PyramidBackbone(aux=aux is not None), FCNHead(WIDTH, num_classes), aux)
