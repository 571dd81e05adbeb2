"""The lesson's U-Net: a ResNet for grey sheets inside the shared U-Net."""

from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.feature_extraction import create_feature_extractor
from torchvision.models.resnet import BasicBlock, ResNet

from helpers.networks import unet

STEPS = ("relu", "layer1", "layer2", "layer3", "layer4")  # a ResNet's outputs at 1/2, 1/4, 1/8, 1/16 and 1/32
CHANNELS = (64, 64, 128, 256, 512)


class UNet(unet.UNet):
    """A ResNet that shrinks the picture, blocks that grow it back, and a skip connection at each size.

    Ronneberger et al. 2015 with the encoder of He et al. 2015. The skips bring back where exactly an edge was, which
    the small maps have lost.

    Args:
        num_classes: channels of the output.
        blocks: residual blocks at 1/4, 1/8, 1/16 and 1/32; (2, 2, 2, 2) is a ResNet-18.
        widths: channels of the decoder at 1/16, 1/8, 1/4 and 1/2.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        blocks: tuple[int, ...] = (1, 1, 1, 1),
        widths: tuple[int, ...] = (128, 64, 32, 16),
    ):
        resnet = ResNet(BasicBlock, list(blocks))
        resnet.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)  # grey pictures
        super().__init__(create_feature_extractor(resnet, list(STEPS)), CHANNELS, widths, num_classes)
        self.blocks = tuple(blocks)
        nn.init.constant_(self.head.bias, -3.0)  # defects are rare: start from "probably none"

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, num_classes, H, W) of pictures (B, 1, H, W), H and W of any size."""
        return F.interpolate(super().forward(images), size=images.shape[2:], mode="bilinear")
