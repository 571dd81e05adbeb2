"""The bundled DeepLabV3+ in torch; tools.bundled_models.freeze builds the same network in TensorFlow."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.training import deeplab_plan as plan


class ConvBN(nn.Module):
    """Convolution without bias, batch normalisation and, unless ``relu`` is off, a ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, *, stride: int = 1, rate: int = 1, relu: bool = True
    ):  # fmt: skip
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, rate * (kernel // 2), rate, bias=False)
        self.bn = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True) if relu else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.bn(self.conv(x)))


class Bottleneck(nn.Module):
    """Fused inverted bottleneck: 3x3 to more channels, 1x1 back; added to its input where the shapes allow it."""

    def __init__(self, inputs: int, outputs: int, *, stride: int, expansion: int):
        super().__init__()
        self.expand = ConvBN(inputs, inputs * expansion, 3, stride=stride)
        self.project = ConvBN(inputs * expansion, outputs, relu=False)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.expand(x))
        return x + y if self.residual else y


class DeepLabV3Plus(nn.Module):
    """RGB pictures to logits of the Cityscapes train ids.

    Each picture is standardised by its own mean and deviation per channel inside the network, so exposure and
    white balance matter little, and callers have no constants to get wrong.
    """

    def __init__(self) -> None:
        super().__init__()
        channels = plan.STEM_CHANNELS
        self.stem = ConvBN(3, channels, 3, stride=2)
        self.stages = nn.ModuleList()
        for stage in plan.STAGES:
            blocks = nn.ModuleList()
            for index in range(stage.blocks):
                stride = stage.stride if index == 0 else 1
                blocks.append(Bottleneck(channels, stage.channels, stride=stride, expansion=stage.expansion))
                channels = stage.channels
            self.stages.append(blocks)
        self.aspp = nn.ModuleList([ConvBN(channels, plan.ASPP_CHANNELS)])
        self.aspp.extend(ConvBN(channels, plan.ASPP_CHANNELS, 3, rate=rate) for rate in plan.ASPP_RATES)
        self.pooling = ConvBN(channels, plan.ASPP_CHANNELS)
        self.projection = ConvBN(plan.ASPP_CHANNELS * (len(plan.ASPP_RATES) + 2), plan.PROJECTION_CHANNELS)
        self.skip = ConvBN(plan.STAGES[0].channels, plan.SKIP_CHANNELS)
        self.decoder = nn.ModuleList(
            [
                ConvBN(plan.PROJECTION_CHANNELS + plan.SKIP_CHANNELS, plan.DECODER_CHANNELS, 3),
                ConvBN(plan.DECODER_CHANNELS, plan.DECODER_CHANNELS, 3),
            ]
        )
        self.dropout = nn.Dropout2d(0.1)
        self.classifier = nn.Conv2d(plan.DECODER_CHANNELS, plan.NUM_CLASSES, 1)

    def forward(self, images: Tensor, *, size: tuple[int, int] | None = None) -> Tensor:
        """Return float32 logits.

        Args:
            images: (B, 3, H, W) RGB in 0..255, uint8 or float.
            size: (height, width) of the logits; the pictures' own when left out.

        Returns:
            (B, 19, height, width) float32.
        """
        x = images.float()
        variance, mean = torch.var_mean(x, dim=(2, 3), correction=0, keepdim=True)
        x = self.stem((x - mean) * torch.rsqrt(variance + 1.0))
        features = []
        for blocks in self.stages:
            for block in blocks:
                x = block(x)
            features.append(x)
        pooled = self.pooling(x.mean((2, 3), keepdim=True)).expand(-1, -1, *x.shape[2:])
        x = self.projection(torch.cat([*(branch(x) for branch in self.aspp), pooled], 1))
        skip = self.skip(features[0])
        x = torch.cat([F.interpolate(x, size=skip.shape[2:], mode="bilinear", align_corners=False), skip], 1)
        for layer in self.decoder:
            x = layer(x)
        logits = self.classifier(self.dropout(x)).float()
        return F.interpolate(logits, size=size or images.shape[2:], mode="bilinear", align_corners=False)


def folded_weights(network: DeepLabV3Plus) -> dict[str, np.ndarray]:
    """Batch normalisations folded into their convolutions, as the frozen graph stores them.

    Returns:
        For each layer ``NAME/kernel`` (kh, kw, inputs, outputs) and ``NAME/bias`` (outputs,), both float16; NAME is
        the module's, with slashes for dots.
    """
    layers = {}
    with torch.no_grad():
        for name, module in network.named_modules():
            if isinstance(module, ConvBN):
                bn = module.bn
                gain = bn.weight * torch.rsqrt(bn.running_var + bn.eps)
                kernel, bias = module.conv.weight * gain[:, None, None, None], bn.bias - bn.running_mean * gain
                layers[name.replace(".", "/")] = kernel, bias
        layers["classifier"] = network.classifier.weight, network.classifier.bias
    weights = {}
    for name, (kernel, bias) in layers.items():
        weights[f"{name}/kernel"] = kernel.detach().permute(2, 3, 1, 0).numpy().astype(np.float16)
        weights[f"{name}/bias"] = bias.detach().numpy().astype(np.float16)
    return weights


def from_folded_weights(weights: dict[str, np.ndarray]) -> DeepLabV3Plus:
    """The network, in evaluation mode, with the weights that :func:`folded_weights` gave."""
    network = DeepLabV3Plus().eval()
    with torch.no_grad():
        for name, module in network.named_modules():
            if isinstance(module, ConvBN):
                name = name.replace(".", "/")
                module.bn.eps = 0.0  # the fresh normalisation (mean 0, variance 1, gain 1) then only adds the bias
                module.conv.weight.copy_(torch.from_numpy(weights[f"{name}/kernel"]).permute(3, 2, 0, 1))
                module.bn.bias.copy_(torch.from_numpy(weights[f"{name}/bias"]))
        network.classifier.weight.copy_(torch.from_numpy(weights["classifier/kernel"]).permute(3, 2, 0, 1))
        network.classifier.bias.copy_(torch.from_numpy(weights["classifier/bias"]))
    return network
