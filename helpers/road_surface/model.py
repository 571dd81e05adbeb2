"""The lesson's networks, how a trained one is kept, and how it predicts (torch)."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from helpers.labels import RTK, LabelSet
from helpers.metrics import ConfusionMatrix
from helpers.networks.street_encoder import StreetEncoder, standardise
from helpers.networks.unet import UNet
from helpers.paths import tier
from helpers.road_surface.data import Frame
from helpers.training.checkpoints import fill, load_checkpoint, parts_of, save_checkpoint
from helpers.training.devices import best_device

ENCODERS = ("imagenet", "random", "resnet34", "resnet50")
CHANNELS = (16, 24, 40, 112, 320)  # of EfficientNet-Lite0's features at 1/2 … 1/32
WIDTHS = (96, 64, 48, 32)  # of the decoder's blocks at 1/16 … 1/2
KEPT_STAGES = 2  # of the encoder: those whose features are as large as 1/2 and 1/4
LESSON = "road_surface"


class RoadNetwork(nn.Module):
    """Pictures in 0 … 255 in, logits of the same size out, whatever is inside.

    Args:
        network: standardised pictures (B, 3, H, W) to logits, which may be smaller.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, C, H, W) float32 of pictures (B, 3, H, W), RGB in 0 … 255."""
        logits = self.network(standardise(images)).float()
        return F.interpolate(logits, size=images.shape[2:], mode="bilinear")


def build(encoder: str = "imagenet", num_classes: int = RTK.num_classes) -> RoadNetwork:
    """A U-Net with its first weights.

    Args:
        encoder: "imagenet" or "random" for EfficientNet-Lite0 with ImageNet's weights or without; "resnet34" or
            "resnet50" for fastai's DynamicUnet, as RTK's authors train it (ImageNet weights in the full tier).
        num_classes: channels of the logits.
    """
    if encoder not in ENCODERS:
        raise ValueError(f"unknown encoder {encoder!r}; choose one of {', '.join(ENCODERS)}")
    if encoder in ("imagenet", "random"):
        inner = StreetEncoder(output_stride=32, imagenet=encoder == "imagenet")
        return trainable(RoadNetwork(UNet(inner, CHANNELS, WIDTHS, num_classes)), encoder)
    from fastai.vision.learner import create_unet_model
    from torchvision import models

    return RoadNetwork(
        create_unet_model(getattr(models, encoder), num_classes, (288, 352), pretrained=tier() == "full")
    )


def trainable(network: RoadNetwork, encoder: str) -> RoadNetwork:
    """Say which weights are trained: all, but for the first layers that come from ImageNet.

    They see edges and textures, which roads have too, at the largest sizes; leaving them as they are saves a third of
    a training step.
    """
    network.requires_grad_(True)
    if encoder == "imagenet":
        inner = network.network.encoder
        for layers in (inner.stem, *inner.stages[:KEPT_STAGES]):
            layers.requires_grad_(False)
    return network


@torch.inference_mode()
def logits(network: nn.Module, image: np.ndarray) -> np.ndarray:
    """(C, H, W) float32 logits of a picture (H, W, 3) uint8."""
    device = next(network.parameters()).device
    batch = torch.from_numpy(np.ascontiguousarray(image)).to(device).permute(2, 0, 1)[None]
    return network.eval()(batch)[0].float().cpu().numpy()


def predict(network: nn.Module, image: np.ndarray, *, shift: np.ndarray | None = None) -> np.ndarray:
    """Segment a picture.

    Args:
        network: from `build`, trained.
        image: (H, W, 3) uint8 RGB.
        shift: (C,) added to the logits before the largest is taken, see `adjustment`.

    Returns:
        (H, W) uint8 ids.
    """
    scores = logits(network, image)
    if shift is not None:
        scores = scores + np.asarray(shift, np.float32)[:, None, None]
    return scores.argmax(axis=0).astype(np.uint8)


def adjustment(counts: np.ndarray, *, strength: float = 1.0) -> np.ndarray:
    """What takes the classes' frequencies out of a finished network's logits: −strength · ln(frequency).

    Logit adjustment (Menon et al. 2021). A network trained without weights has learned how common each class is;
    subtracting it costs no training.

    Args:
        counts: (C,) pixels of each class in training.
        strength: 0 changes nothing, 1 takes the frequencies out wholly.

    Returns:
        (C,) float64; −inf for a class that training never saw.
    """
    share = np.asarray(counts, float) / np.sum(counts)
    return np.where(share > 0, -strength * np.log(np.maximum(share, 1e-300)), -np.inf)


def score(
    network: nn.Module, frames: Iterable[Frame], *, shift: np.ndarray | None = None, num_classes: int = RTK.num_classes
) -> ConfusionMatrix:
    """One confusion matrix over all of these pictures, at their own size."""
    matrix = ConfusionMatrix(num_classes)
    for image, mask in tqdm(frames, unit="frame", leave=False, disable=None):
        matrix.update(mask, predict(network, image, shift=shift))
    return matrix


@dataclass
class Trained:
    """A trained network and what one has to know to use it."""

    network: nn.Module
    encoder: str
    labels: LabelSet = RTK

    def save(self, path: str | Path, *, half: bool = False) -> None:
        """Write everything into one file, which `load` reads.

        Args:
            path: of the file.
            half: keep the weights in half precision, in half of the space.
        """
        weights = {key: value.cpu() for key, value in self.network.state_dict().items()}
        if half:
            weights = {key: value.half() if value.is_floating_point() else value for key, value in weights.items()}
        save_checkpoint(path, {"lesson": LESSON, "encoder": self.encoder, "weights": weights})

    def predict(self, image: np.ndarray) -> np.ndarray:
        """(H, W) uint8 RTK ids of a picture (H, W, 3) uint8 RGB."""
        return predict(self.network, image)


def load(path: str | Path) -> Trained:
    """Read what `Trained.save` wrote.

    Raises:
        ValueError: the file is something else.
    """
    saved = load_checkpoint(path)
    if saved.get("lesson") != LESSON:
        raise ValueError(f"{path} holds no network of the road lesson; name a weights.pt that `train road` wrote")
    with parts_of(path):
        encoder, weights = saved["encoder"], saved["weights"]
        network = build("random" if encoder == "imagenet" else encoder)
    fill(network, weights, path)
    return Trained(network.to(best_device(), memory_format=torch.channels_last).eval(), encoder)
