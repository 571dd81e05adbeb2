"""Trains the bundled FCN, which speaks Pascal VOC, on CamVid frames and practice streets.

    python -m tools.bundled_models.train_fcn RUN_DIR --dir CAMVID_DIR [--practice DIR] [--start CHECKPOINT] --minutes 30

`--start` takes a checkpoint of this training.
"""

import copy
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.segmentation.fcn import FCN

from helpers.labels import CAMVID11, CITYSCAPES, PASCAL_VOC, TRAFFIC, fold
from helpers.metrics import ConfusionMatrix
from helpers.networks.fcn import standardise, street_fcn
from helpers.training.checkpoints import save_checkpoint
from helpers.training.devices import best_device
from helpers.training.loop import Loss
from helpers.training.losses import inverse_log_weights, superclass_cross_entropy
from helpers.training.street_samples import IGNORE, Frame
from tools.bundled_models.command import StreetModel, training_app
from tools.bundled_models.targets import MERGED, Mixture, target_counts, target_members, target_weights

# What CamVid's classes may be in Pascal VOC; all others are background.
CAMVID_IN_VOC = {
    "Car": ("car", "bus"),
    "Pedestrian": ("person",),
    "Bicyclist": ("person", "bicycle", "motorbike"),
}
# Added to the logits of car and bus in the end. On a drive that the network never saw, it missed more cars than it
# imagined; this trades some precision for more recall, see the card.
VEHICLE_BIAS = 0.8
AUX_WEIGHT = 0.5  # of the auxiliary loss on all Cityscapes classes: it teaches what the background is made of


def voc_members() -> Tensor:
    """(30, 21) bool: the Pascal VOC ids that each target may be; none for a truck, which VOC doesn't label."""
    members = torch.zeros(MERGED + CAMVID11.num_classes, PASCAL_VOC.num_classes, dtype=torch.bool)
    members[torch.arange(MERGED), torch.from_numpy(fold(CITYSCAPES, PASCAL_VOC)[:MERGED]).long()] = True
    members[CITYSCAPES.index("truck")] = False
    for index, name in enumerate(CAMVID11.class_names):
        for voc_name in CAMVID_IN_VOC.get(name, ("background",)):
            members[MERGED + index, PASCAL_VOC.index(voc_name)] = True
    return members


def voc_weights(counts: Tensor, members: Tensor) -> Tensor:
    """(30,) weights of the targets, equal for those that may be the same VOC ids, by how rare these are together."""
    unions, union = torch.unique(members, dim=0, return_inverse=True)
    labelled = counts * members.any(1)
    pixels = torch.zeros(len(unions), dtype=counts.dtype).scatter_add(0, union, labelled)
    return inverse_log_weights(pixels, offset=1.2)[union]


def build(start: dict[str, Tensor] | None) -> FCN:
    """A new network with an auxiliary classifier, or one with the given weights."""
    network = street_fcn(PASCAL_VOC.num_classes, aux_classes=MERGED)
    if start:
        network.load_state_dict(start)
    return network


def voc_loss(mixture: Mixture) -> Loss:
    """Cross-entropy of Pascal VOC ids and of the unions that CamVid labels, with the auxiliary one."""
    device = best_device()
    members, aux_members = voc_members(), target_members()
    # A target that may be nothing is left out.
    known = torch.cat([torch.where(members.any(1), torch.arange(len(members)), IGNORE), torch.full((226,), IGNORE)])
    members[~members.any(1)] = True  # never looked up; a row without members would have no logarithm
    weights = voc_weights(target_counts(mixture), voc_members())
    aux_weights = target_weights(mixture)
    known, members, weights, aux_members, aux_weights = (
        tensor.to(device) for tensor in (known, members, weights, aux_members, aux_weights)
    )

    def loss(network: FCN, images: Tensor, targets: Tensor) -> Tensor:
        images = standardise(images)
        features = network.backbone(images)
        logits = network.classifier(features["out"])
        aux_logits = network.aux_classifier(features["aux"])
        # As FCN.forward enlarges them, but only to the targets' size.
        logits, aux_logits = (
            F.interpolate(x.float(), size=targets.shape[1:], mode="bilinear") for x in (logits, aux_logits)
        )
        main = superclass_cross_entropy(logits, known[targets], members=members, weights=weights, ignore_index=IGNORE)
        aux = superclass_cross_entropy(
            aux_logits, targets, members=aux_members, weights=aux_weights, ignore_index=IGNORE
        )
        return main + AUX_WEIGHT * aux

    return loss


@torch.inference_mode()
def score(network: nn.Module, frames: list[Frame]) -> ConfusionMatrix:
    """Predict whole frames and compare cars (with buses) and people (with bicycles and motorbikes)."""
    device = best_device()
    matrix = ConfusionMatrix(TRAFFIC.num_classes, ignore_index=TRAFFIC.ignore_index)
    truth = np.full(256, TRAFFIC.ignore_index, np.uint8)
    truth[:MERGED] = fold(CITYSCAPES, TRAFFIC)[:MERGED]
    truth[MERGED : MERGED + CAMVID11.num_classes] = fold(CAMVID11, TRAFFIC)[: CAMVID11.num_classes]
    for frame in frames:
        batch = torch.from_numpy(frame.image).to(device).permute(2, 0, 1)[None]
        pred = network(standardise(batch))["out"][0].argmax(0).byte().cpu().numpy()
        matrix.update(truth[frame.target], fold(PASCAL_VOC, TRAFFIC)[pred])
    return matrix


def export(network: FCN, path: Path) -> None:
    """Write the weights without the auxiliary classifier, in half precision, with a bias towards vehicles."""
    network = copy.deepcopy(network)
    with torch.no_grad():
        for name in ("car", "bus"):
            network.classifier[-1].bias[PASCAL_VOC.index(name)] += VEHICLE_BIAS
    kept = {name: value for name, value in network.state_dict().items() if not name.startswith("aux_classifier")}
    save_checkpoint(path, {name: value.half() if value.is_floating_point() else value for name, value in kept.items()})


FCN_STREET = StreetModel(
    "tools.bundled_models.train_fcn", build, None, voc_loss, score, TRAFFIC, "fcn_street.pt", export
)
app = training_app(FCN_STREET)

if __name__ == "__main__":
    app()
