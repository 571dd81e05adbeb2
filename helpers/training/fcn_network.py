"""The bundled FCN: torchvision's class on the street encoder."""

from torch import Tensor, nn
from torchvision.models.segmentation.fcn import FCN, FCNHead
from torchvision.ops import FeaturePyramidNetwork

from helpers.training.street_encoder import CHANNELS, street_encoder

WIDTH = 96  # channels of the pyramid


class PyramidBackbone(nn.Module):
    """Encoder and feature pyramid: one map at a 4th of the picture's size, under the names that FCN looks for.

    The pyramid (Lin et al. 2017) adds the coarse maps to the fine ones, as the skips of FCN-8s (Long et al. 2015) do
    with scores: what a thing is comes from the coarse ones, where it ends from the fine ones.

    Args:
        aux: also give the map as "aux", for an auxiliary classifier.
    """

    def __init__(self, *, aux: bool = False):
        super().__init__()
        self.encoder = street_encoder()
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
        A network from standardised pictures (B, 3, H, W), see `street_encoder.standardise`, to
        {"out": logits (B, num_classes, H, W)}.
    """
    aux = FCNHead(WIDTH, aux_classes) if aux_classes else None
    return FCN(PyramidBackbone(aux=aux is not None), FCNHead(WIDTH, num_classes), aux)
