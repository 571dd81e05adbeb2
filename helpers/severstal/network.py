"""A U-Net put together from torchvision's parts."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.feature_extraction import create_feature_extractor
from torchvision.models.resnet import BasicBlock, ResNet
from torchvision.ops.misc import Conv2dNormActivation

STEPS = ("relu", "layer1", "layer2", "layer3", "layer4")  # a ResNet's outputs at 1/2, 1/4, 1/8, 1/16 and 1/32


class UNet(nn.Module):
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
        super().__init__()
        self.blocks = tuple(blocks)
        resnet = ResNet(BasicBlock, list(blocks))
        resnet.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)  # grey pictures
        self.encoder = create_feature_extractor(resnet, list(STEPS))
        below, self.decoder = 512, nn.ModuleList()
        for skip, width in zip((256, 128, 64, 64), widths, strict=True):
            self.decoder.append(Conv2dNormActivation(below + skip, width))
            below = width
        self.head = nn.Conv2d(below, num_classes, kernel_size=1)
        nn.init.constant_(self.head.bias, -3.0)  # defects are rare: start from "probably none"

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, num_classes, H, W) of pictures (B, 1, H, W), H and W of any size."""
        *skips, x = self.encoder(images).values()
        for block, skip in zip(self.decoder, reversed(skips), strict=True):
            x = block(torch.cat([F.interpolate(x, size=skip.shape[2:]), skip], dim=1))
        return F.interpolate(self.head(x), size=images.shape[2:], mode="bilinear")
