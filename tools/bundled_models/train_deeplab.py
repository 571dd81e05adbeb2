"""Trains the bundled DeepLabV3+, from an ImageNet encoder, on CamVid frames and, if wanted, on practice streets.

python -m tools.bundled_models.train_deeplab RUN_DIR --dir CAMVID_DIR [--practice DIR] --minutes 55
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from helpers.labels import CAMVID11
from helpers.metrics import ConfusionMatrix
from helpers.networks.deeplab import DeepLabV3Plus
from helpers.training.checkpoints import save_checkpoint
from helpers.training.devices import best_device
from helpers.training.loop import Loss
from helpers.training.losses import superclass_cross_entropy
from helpers.training.street_samples import IGNORE, Frame
from tools.bundled_models.command import StreetModel, training_app
from tools.bundled_models.targets import CITYSCAPES_TO_CAMVID11, MERGED, Mixture, target_members, target_weights


def build(start: dict[str, Tensor] | None) -> DeepLabV3Plus:
    """A network with an ImageNet encoder, or one with the given weights."""
    network = DeepLabV3Plus(imagenet=start is None)
    if start:
        network.load_state_dict(start)
    return network


def street_loss(mixture: Mixture) -> Loss:
    """Cross-entropy of Cityscapes ids and of CamVid's unions of them."""
    device = best_device()
    members, weights = target_members().to(device), target_weights(mixture).to(device)

    def loss(network: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
        logits = network.half_size_logits(images)
        return superclass_cross_entropy(logits, targets, members=members, weights=weights, ignore_index=IGNORE)

    return loss


@torch.inference_mode()
def score(network: nn.Module, frames: list[Frame]) -> ConfusionMatrix:
    """Predict whole frames and compare with their CamVid 11 classes."""
    device = best_device()
    to_camvid = np.concatenate([CITYSCAPES_TO_CAMVID11[:MERGED], np.arange(CAMVID11.num_classes + 1, dtype=np.uint8)])
    matrix = ConfusionMatrix(CAMVID11.num_classes, ignore_index=CAMVID11.ignore_index)
    for frame in frames:
        batch = torch.from_numpy(frame.image).to(device).permute(2, 0, 1)[None]
        pred = network(batch)[0].argmax(0).byte().cpu().numpy()
        matrix.update(to_camvid[np.minimum(frame.target, len(to_camvid) - 1)], to_camvid[pred])
    return matrix


def export(network: DeepLabV3Plus, path: Path) -> None:
    """Write the weights as `tools.bundled_models.freeze` reads them."""
    save_checkpoint(path, network.state_dict())


DEEPLAB = StreetModel(
    "tools.bundled_models.train_deeplab",
    build,
    lambda network: network.encoder,
    street_loss,
    score,
    CAMVID11,
    "weights.pt",
    export,
)
app = training_app(DEEPLAB)

if __name__ == "__main__":
    app()
