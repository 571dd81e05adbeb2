"""What the bundled networks learn: Cityscapes train ids, or CamVid's labels as unions of them.

A target is a Cityscapes id where a picture has them (practice streets), else ``MERGED`` + the CamVid 11 id (real
CamVid), which stands for the union of the Cityscapes ids that fold to it, or ``IGNORE``.
"""

from pathlib import Path

import numpy as np
import torch

from helpers.datasets import camvid
from helpers.labels import CAMVID11, CITYSCAPES, fold
from helpers.masks import read_mask
from helpers.training.losses import inverse_log_weights
from helpers.training.street_samples import IGNORE, Frame, StreetCrops, read_frames

MERGED = CITYSCAPES.num_classes
CITYSCAPES_TO_CAMVID11 = fold(CITYSCAPES, CAMVID11)
_THINGS = ("pole", "traffic light", "traffic sign", "person", "rider", "car", "truck", "bus", "motorcycle", "bicycle")
_THING_IDS = np.array([CITYSCAPES.index(name) for name in _THINGS])
THINGS = np.concatenate([_THING_IDS, np.unique(CITYSCAPES_TO_CAMVID11[_THING_IDS]) + MERGED])

Mixture = list[tuple[StreetCrops, float]]


def read_streets(folder: Path, *, valid: bool = True) -> list[Frame]:
    """Read a folder in CamVid's layout; frames with Cityscapes ids in ``cityscapes/<stem>.png`` keep these finer ids.

    Args:
        folder: the data set.
        valid: whether to read the frames that ``valid.txt`` lists, too.

    Raises:
        DatasetError: the folder isn't in CamVid's layout, or lists classes that aren't CamVid's.
    """
    source = camvid.label_set(folder)
    paths, _ = camvid.split(folder, "none" if valid else "valid")

    def read_target(path: Path) -> np.ndarray:
        fine = folder / "cityscapes" / f"{path.stem}.png"
        if fine.exists():
            return read_mask(fine)
        mask = camvid.read_label(camvid.get_y_fn(path), source)
        return np.where(mask == CAMVID11.ignore_index, IGNORE, mask + MERGED).astype(np.uint8)

    return read_frames(paths, read_target)


def target_members() -> torch.Tensor:
    """(30, 19) bool: the Cityscapes ids that each target holds."""
    merged = torch.from_numpy(CITYSCAPES_TO_CAMVID11[:MERGED])
    unions = merged[None] == torch.arange(CAMVID11.num_classes)[:, None]
    return torch.cat([torch.eye(MERGED, dtype=torch.bool), unions])


def target_counts(mixture: Mixture) -> torch.Tensor:
    """(30,) int64: labelled pixels of each target, Cityscapes ids first, then CamVid's unions."""
    return torch.from_numpy(sum(crops.counts.sum(0) for crops, _ in mixture))[: MERGED + CAMVID11.num_classes]


def target_weights(mixture: Mixture) -> torch.Tensor:
    """(30,) weights of the targets: Cityscapes ids and CamVid ids each by their own frequencies."""
    parts = target_counts(mixture).split(MERGED)
    return torch.cat([inverse_log_weights(part) if part.any() else torch.zeros(len(part)) for part in parts])
