"""The lesson's networks, how a trained one is kept in a file, and how it predicts (torch)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.images import fit_within, resize_image
from helpers.labels import LABEL_SETS, LabelSet
from helpers.networks.street_encoder import StreetEncoder, has_imagenet, standardise
from helpers.networks.unet import UNet
from helpers.paths import tier
from helpers.training.checkpoints import fill, load_checkpoint, parts_of, save_checkpoint
from helpers.training.devices import WAYS, Predictor, best_device

ARCHS = ("small", "resnet18", "resnet34")
WIDTHS = (96, 64, 48, 32)  # of the small network's decoder at 1/16, 1/8, 1/4 and 1/2
LESSON = "camvid"
SMALLER = 0.8  # of the second size at which a picture is looked at


class StreetNetwork(nn.Module):
    """Pictures as they are in, logits of any size out, whatever network is inside.

    Args:
        network: standardised pictures (B, 3, H, W) to logits, which may be smaller than the pictures.

    Attributes:
        way: how it computes, where nobody around it says so.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network
        self.way = WAYS["plain"]

    def forward(self, images: Tensor, size: tuple[int, int] | None = None) -> Tensor:
        """Logits (B, num_classes, height, width) float32.

        Args:
            images: (B, 3, H, W) RGB in 0 … 255, uint8 or float.
            size: (height, width) of the logits; the pictures' own when left out.
        """
        # A context around this one call closes whatever happens in it, also when somebody interrupts a training.
        with self.way.autocast(images.device):
            logits = self.network(self.way.order(standardise(images)))
        return F.interpolate(logits.float(), size=size or images.shape[2:], mode="bilinear")


def build(arch: str, num_classes: int, *, pretrained: bool | None = None) -> StreetNetwork:
    """A network with its first weights.

    Args:
        arch: "small" for a U-Net on the street encoder, which learns most in a CPU minute; "resnet18" or "resnet34"
            for fastai's DynamicUnet, as in its CamVid lesson.
        num_classes: channels of the logits.
        pretrained: whether the encoder begins with ImageNet weights. Those of "small" come with a package and are the
            default where it is installed; those of a ResNet are torchvision's, which are downloaded, by default in the
            full tier only.
    """
    if arch not in ARCHS:
        raise ValueError(f"unknown arch {arch!r}; choose one of {', '.join(ARCHS)}")
    pretrained = has_first_weights(arch) if pretrained is None else pretrained
    if arch == "small":
        encoder = StreetEncoder(output_stride=32, imagenet=pretrained)
        return StreetNetwork(UNet(encoder, list(encoder.channels.values()), WIDTHS, num_classes))
    from fastai.vision.learner import create_unet_model
    from torchvision import models

    return StreetNetwork(create_unet_model(getattr(models, arch), num_classes, (224, 224), pretrained=pretrained))


def has_first_weights(arch: str) -> bool:
    """Whether a network's encoder begins with ImageNet weights unless told otherwise."""
    return has_imagenet() if arch == "small" else tier() == "full"


@dataclass
class CamVidSegmenter:
    """A trained network and what one has to know to use it."""

    network: nn.Module
    arch: str
    labels: LabelSet
    size: int  # longest side of the pictures that it was trained on

    def save(self, path: str | Path) -> None:
        """Write everything into one file, which `load` reads."""
        weights = {key: value.cpu() for key, value in self.network.state_dict().items()}
        about = {"lesson": LESSON, "arch": self.arch, "labels": self.labels.key, "size": self.size}
        save_checkpoint(path, about | {"weights": weights})

    @cached_property
    def _predictor(self) -> Predictor:
        return Predictor(self.network.eval())

    def predict(self, image: np.ndarray, *, size: int | None = None, tta: bool = True) -> np.ndarray:
        """Segment a picture.

        Args:
            image: (H, W, 3) uint8 RGB.
            size: longest side in pixels that the network sees; by default that of its training.
            tta: test-time augmentation: also look at it mirrored and smaller, and average the probabilities; takes
                three times as long.

        Returns:
            (H, W) uint8 ids of `labels`.
        """
        size = size or self.size
        sizes = (size, round(SMALLER * size)) if tta else (size,)
        mirrors = (False, True) if tta else (False,)
        probs = sum(self._probs(image, size, mirror) for size in sizes for mirror in mirrors)
        return probs.argmax(0).byte().cpu().numpy()

    @torch.inference_mode()
    def _probs(self, image: np.ndarray, size: int, mirror: bool) -> Tensor:
        """(C, H, W) probabilities at the picture's own size, of the picture shrunk to a longest side."""
        device = next(self.network.parameters()).device
        seen = resize_image(image, fit_within(image.shape[:2], size))
        batch = torch.from_numpy(seen).to(device).permute(2, 0, 1)[None]
        logits = self._predictor(batch.flip(3) if mirror else batch)
        logits = F.interpolate(logits, size=image.shape[:2], mode="bilinear")
        return (logits.flip(3) if mirror else logits)[0].softmax(0)


def load(path: str | Path) -> CamVidSegmenter:
    """Read what `CamVidSegmenter.save` wrote.

    Raises:
        ValueError: the file is something else.
    """
    saved = load_checkpoint(path)
    if saved.get("lesson") != LESSON:
        raise ValueError(f"{path} holds no network of the CamVid lesson; name a weights.pt that `train camvid` wrote")
    with parts_of(path):
        labels, arch, size, weights = LABEL_SETS[saved["labels"]], saved["arch"], int(saved["size"]), saved["weights"]
        network = build(arch, labels.num_classes, pretrained=False)
    if size < 32:
        raise ValueError(f"{path} was trained on pictures of {size} pixels, which can't be")
    fill(network, weights, path)
    return CamVidSegmenter(network.to(best_device()).eval(), arch, labels, size)


def load_model(path: str | Path, *, size: int | None = None) -> tuple[Callable[[np.ndarray], np.ndarray], LabelSet]:
    """A trained network as the commands use it: a function from picture to mask, and what the mask's ids mean."""
    trained = load(path)
    return lambda image: trained.predict(image, size=size), trained.labels
