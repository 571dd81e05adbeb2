"""The lesson's network: the suite's encoder, and a small decoder that tells persons from everything else (torch)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.networks.street_encoder import StreetEncoder

SKIPS = {"16": 112, "8": 40, "4": 24, "2": 16}  # the encoder's features that the decoder meets on its way up
WIDTHS = (96, 64, 40, 24)  # the decoder's own at 1/16, 1/8, 1/4 and 1/2
DEEPEST = 320  # the encoder's at 1/32


class PersonNet(nn.Module):
    """Pictures to the log-odds of "person" at half their size.

    A U-Net (Ronneberger et al. 2015) on EfficientNet-Lite0. A phone's portrait is half person, a street's a tenth of a
    percent: what the whole picture holds, pooled, is added at the deepest place (Liu et al.: ParseNet, 2015).

    Args:
        imagenet: begin with the encoder's ImageNet weights instead of random ones.
    """

    def __init__(self, *, imagenet: bool = False):
        super().__init__()
        self.encoder = StreetEncoder(output_stride=32, imagenet=imagenet)
        self.near = _convolution(DEEPEST, WIDTHS[0], kernel=1)
        self.whole = nn.Sequential(nn.Linear(DEEPEST, WIDTHS[0]), nn.ReLU(inplace=True))
        inputs = WIDTHS[0]
        self.steps = nn.ModuleList()
        for skip, width in zip(SKIPS.values(), WIDTHS, strict=True):
            self.steps.append(nn.Sequential(_convolution(inputs + skip, width, kernel=1), _separable(width)))
            inputs = width
        self.head = nn.Conv2d(inputs, 1, 1)

    def train(self, mode: bool = True) -> "PersonNet":
        """Training mode for the decoder; the encoder keeps the statistics it came with, since batches are small."""
        super().train(mode)
        self.encoder.eval()
        return self

    def forward(self, images: Tensor) -> Tensor:
        """Log-odds (B, 1, H/2, W/2), sides rounded up, of standardised pictures (B, 3, H, W)."""
        features = self.encoder(images)
        deepest = features["32"]
        x = self.near(deepest) + self.whole(deepest.mean((2, 3)))[..., None, None]
        for step, name in zip(self.steps, SKIPS, strict=True):
            skip = features[name]
            x = F.interpolate(x, size=skip.shape[2:], mode="bilinear", align_corners=False)
            x = step(torch.cat([x, skip], 1))
        return self.head(x)


def _convolution(inputs: int, outputs: int, *, kernel: int, groups: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def _separable(width: int) -> nn.Sequential:
    """5×5 within each channel, then 1×1 between them: a look around at little cost (Howard et al. 2017)."""
    return nn.Sequential(*_convolution(width, width, kernel=5, groups=width), *_convolution(width, width, kernel=1))
