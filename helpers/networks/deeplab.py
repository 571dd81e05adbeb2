"""DeepLabV3+ (Chen et al. 2018) on EfficientNet-Lite0, the bundled street network."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.networks.street_encoder import CHANNELS, ConvBN, StreetEncoder, standardise

NUM_CLASSES = 19  # Cityscapes train ids
ASPP_CHANNELS = 128
ASPP_RATES = (3, 6, 12)
SKIPS = {"8": (48, 96), "4": (24, 64)}  # feature: channels that its skip keeps, channels after joining it


class Separable(nn.Sequential):
    """A separable convolution, perhaps with holes: 3x3 for each channel, then 1x1 across them."""

    def __init__(self, inputs: int, outputs: int, *, rate: int = 1):
        super().__init__(
            ConvBN(inputs, inputs, kernel=3, rate=rate, depthwise=True, relu=False), ConvBN(inputs, outputs)
        )


class DeepLabV3Plus(nn.Module):
    """RGB pictures to logits of the Cityscapes train ids.

    Encoder at output stride 16, atrous spatial pyramid pooling, a decoder that joins the features at an 8th and a
    4th of the picture's size. The last layer gives four logits a class for each of its positions, which are the four
    positions at twice the resolution (Shi et al. 2016): thin poles cost nothing that way.

    Args:
        imagenet: begin with an ImageNet encoder, else with random weights.
    """

    def __init__(self, *, imagenet: bool = False):
        super().__init__()
        self.encoder = StreetEncoder(output_stride=16, imagenet=imagenet)
        inputs = CHANNELS[-1]
        self.aspp = nn.ModuleList([ConvBN(inputs, ASPP_CHANNELS)])
        self.aspp.extend(Separable(inputs, ASPP_CHANNELS, rate=rate) for rate in ASPP_RATES)
        self.pooling = ConvBN(inputs, ASPP_CHANNELS)
        self.projection = ConvBN(ASPP_CHANNELS * (len(ASPP_RATES) + 2), ASPP_CHANNELS)
        self.skips, self.joins = nn.ModuleDict(), nn.ModuleDict()
        channels = ASPP_CHANNELS
        for (name, (kept, joined)), features in zip(SKIPS.items(), (CHANNELS[2], CHANNELS[1]), strict=True):
            self.skips[name] = ConvBN(features, kept)
            self.joins[name] = Separable(channels + kept, joined)
            channels = joined
        self.dropout = nn.Dropout2d(0.1)
        self.classifier = nn.Conv2d(channels, 4 * NUM_CLASSES, 1)

    def half_size_logits(self, images: Tensor) -> Tensor:
        """Logits (B, 19, about H/2, about W/2) float32 of pictures (B, 3, H, W) in 0..255."""
        features = self.encoder(standardise(images))
        x = features["16"]
        pooled = self.pooling(x.mean((2, 3), keepdim=True)).expand(-1, -1, *x.shape[2:])
        x = self.projection(torch.cat([*(branch(x) for branch in self.aspp), pooled], 1))
        for name in SKIPS:
            skip = self.skips[name](features[name])
            x = self.joins[name](torch.cat([resized(x, skip.shape[2:]), skip], 1))
        return F.pixel_shuffle(self.classifier(self.dropout(x)).float(), 2)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits at the pictures' size.

        Args:
            images: (B, 3, H, W) RGB in 0..255, uint8 or float.

        Returns:
            (B, 19, H, W) float32.
        """
        return resized(self.half_size_logits(images), images.shape[2:])


def resized(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear, pixel centres at half pixels."""
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


def from_frozen_weights(weights: dict[str, np.ndarray]) -> DeepLabV3Plus:
    """The network of a frozen graph, in evaluation mode.

    Args:
        weights: for each layer ``NAME/kernel`` (kh, kw, inputs, outputs) or ``NAME/depthwise_weights``
            (kh, kw, channels, 1), and ``NAME/bias`` (outputs,): the graph's constants, normalisations folded in. NAME
            is the module's with slashes for dots.
    """
    network = DeepLabV3Plus().eval()
    arrays = {name: torch.from_numpy(value.astype(np.float32)) for name, value in weights.items()}
    with torch.no_grad():
        for name, module in network.named_modules():
            name = name.replace(".", "/")
            if isinstance(module, ConvBN):
                if module.conv.groups > 1:
                    kernel = arrays[f"{name}/depthwise_weights"].permute(2, 3, 0, 1)
                else:
                    kernel = arrays[f"{name}/kernel"].permute(3, 2, 0, 1)
                module.conv.weight.copy_(kernel)
                module.bn.eps = 0.0  # the fresh normalisation (mean 0, variance 1, gain 1) then only adds the bias
                module.bn.bias.copy_(arrays[f"{name}/bias"])
        # Of the four positions' logits, TensorFlow has those of one position side by side, torch those of one class.
        kernel = arrays["classifier/kernel"][0, 0].T.reshape(4, NUM_CLASSES, -1).transpose(0, 1)
        network.classifier.weight.copy_(kernel.reshape(4 * NUM_CLASSES, -1, 1, 1))
        network.classifier.bias.copy_(arrays["classifier/bias"].reshape(4, NUM_CLASSES).T.reshape(-1))
    return network
