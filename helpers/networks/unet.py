"""A U-Net put together from torchvision's parts, on any encoder."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops.misc import Conv2dNormActivation


class UNet(nn.Module):
    """An encoder that shrinks the picture, blocks that grow it back, and a skip connection at each size.

    Ronneberger et al. 2015. What a thing is comes from the small maps, where exactly it ends from the skips.

    Args:
        encoder: pictures to an ordered dict of features, large ones first.
        channels: of these features.
        widths: channels of the decoder's blocks, from small maps to large ones; one less than features.
        num_classes: channels of the output.
    """

    def __init__(self, encoder: nn.Module, channels: Sequence[int], widths: Sequence[int], num_classes: int):
        super().__init__()
        self.encoder = encoder
        *skips, below = channels
        self.decoder = nn.ModuleList()
        for skip, width in zip(reversed(skips), widths, strict=True):
            self.decoder.append(Conv2dNormActivation(below + skip, width))
            below = width
        self.head = nn.Conv2d(below, num_classes, kernel_size=1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, num_classes, h, w) of pictures (B, C, H, W), at the size of the encoder's largest features."""
        *skips, x = self.encoder(images).values()
        for block, skip in zip(self.decoder, reversed(skips), strict=True):
            x = block(torch.cat([F.interpolate(x, size=skip.shape[2:]), skip], dim=1))
        return self.head(x)
