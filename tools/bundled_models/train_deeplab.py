"""Trains the bundled DeepLabV3+ from scratch on CamVid frames and, if wanted, on practice streets.

python -m tools.bundled_models.train_deeplab RUN_DIR --dir CAMVID_DIR [--practice DIR] --minutes 55
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from helpers.labels import CAMVID11, CITYSCAPES
from helpers.metrics import ConfusionMatrix
from helpers.paths import replacing
from helpers.training.deeplab_network import DeepLabV3Plus, folded_weights
from helpers.training.devices import best_device
from helpers.training.loop import Loss
from helpers.training.losses import superclass_cross_entropy
from helpers.training.street_samples import IGNORE, Frame
from tools.bundled_models.command import StreetModel, training_app
from tools.bundled_models.targets import CITYSCAPES_TO_CAMVID11, MERGED, Mixture, target_members, target_weights

# The classes that stand for a union until practice streets teach the others.
MAIN_CLASSES = ("road", "sidewalk", "building", "fence", "pole", "traffic sign", "vegetation", "sky", "person", "car",
                "bicycle")  # fmt: skip


def build(start: dict[str, Tensor] | None) -> DeepLabV3Plus:
    """A new network, or one with the given weights."""
    network = DeepLabV3Plus()
    if start:
        network.load_state_dict(start)
    else:
        bias = [0.0 if name in MAIN_CLASSES else -3.0 for name in CITYSCAPES.class_names]
        network.classifier.bias.data = torch.tensor(bias)
    return network


def street_loss(mixture: Mixture) -> Loss:
    """Cross-entropy of Cityscapes ids and of CamVid's unions of them."""
    device = best_device()
    members, weights = target_members().to(device), target_weights(mixture).to(device)

    def loss(network: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
        logits = network(images, size=targets.shape[1:])
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
    with replacing(path) as temporary:
        np.savez(temporary, **folded_weights(network))


DEEPLAB = StreetModel("tools.bundled_models.train_deeplab", build, street_loss, score, CAMVID11, "weights.npz", export)
app = training_app(DEEPLAB)

if __name__ == "__main__":
    app()
