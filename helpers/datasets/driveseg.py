"""The truth of a driving clip: label frames, and the ten classes in which MIT's driving-scene tutorial scores its own.

Source of the classes: the tutorial of MIT 6.S094 merges Cityscapes predictions like this because the labels of its
clip, from MIT DriveSeg (Ding et al., 2020), don't tell those classes apart. Sky and void carry no label there.
"""

from pathlib import Path

import numpy as np

from helpers.images import read_image
from helpers.labels import CITYSCAPES, LabelSet
from helpers.masks import MaskError, read_mask

_MERGED = {
    "road": ["road"],
    "sidewalk": ["sidewalk"],
    "building": ["building", "wall", "fence"],
    "pole": ["pole"],
    "traffic light": ["traffic light"],
    "traffic sign": ["traffic sign"],
    "vegetation": ["vegetation"],
    "terrain": ["terrain"],
    "person": ["person", "rider"],
    "car": ["car", "truck", "bus"],
}

DRIVESEG = LabelSet(
    "driveseg",
    "MIT DriveSeg, merged",
    tuple(_MERGED),
    CITYSCAPES.colors[[CITYSCAPES.index(name) for name in _MERGED]],
    255,
    "Ding et al. 2020: MIT DriveSeg (Manual) Dataset",
)


def fold_to_driveseg() -> np.ndarray:
    """Lookup table (256,) uint8 from Cityscapes ids to those of `DRIVESEG`; what it doesn't score becomes 255.

    >>> fold_to_driveseg()[[0, 3, 12, 15, 10]].tolist()  # road, wall, rider, bus, sky
    [0, 2, 8, 9, 255]
    """
    table = np.full(256, DRIVESEG.ignore_index, np.uint8)
    for class_id, names in enumerate(_MERGED.values()):
        table[[CITYSCAPES.index(name) for name in names]] = class_id
    return table


def read_label_frames(folder: str | Path, *, count: int | None = None) -> list[np.ndarray]:
    """The true masks of a clip's frames, in the order of their names.

    Args:
        folder: holds one PNG a frame, also in folders below: ids as a grey or palette PNG, or three equal channels as
            MIT DriveSeg stores them.
        count: only the first so many.

    Returns:
        Masks (H, W) uint8.

    Raises:
        MaskError: there are none, or one holds colours.
    """
    paths = sorted(path for path in Path(folder).rglob("*.png") if not path.name.startswith("."))[:count]
    if not paths:
        raise MaskError(f"no label frames (*.png) in {folder}")
    return [_read_ids(path) for path in paths]


def _read_ids(path: Path) -> np.ndarray:
    try:
        return read_mask(path)
    except MaskError:
        channels = read_image(path)
        if (channels != channels[..., :1]).any():
            raise
        return channels[..., 0]
