"""CrackForest: 118 photos of cracked asphalt, 480×320, in lists of pairs.

Shi, Cui, Qi, Meng & Chen: Automatic road crack detection using random structured forests, 2016.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers.datasets.pairing import DatasetError
from helpers.images import read_image
from helpers.masks import read_mask

CLASSES = ("asphalt", "crack")
CRACK = 1  # ids 2 and 3, on a few photos, are areas between cracks; they are not counted as crack


class Photo(NamedTuple):
    """A photo (H, W, 3) uint8 RGB, its mask (H, W) uint8 of 0 and 1, and where it lies."""

    image: np.ndarray
    mask: np.ndarray
    path: Path


def read_photos(folder: str | Path, list_name: str) -> list[Photo]:
    """Read the photos that a list names, one "JPEGImages/001.jpg Annotations/001.png" a line.

    Raises:
        DatasetError: the list or files that it names are missing or don't fit; all of them are named.
    """
    folder = Path(folder)
    try:
        lines = [line.split() for line in (folder / list_name).read_text(encoding="utf-8").splitlines() if line.strip()]
    except OSError as error:
        raise DatasetError(f"{folder} has no list {list_name} that can be read: {error.strerror}") from error
    photos, problems = [], []
    for number, names in enumerate(lines, start=1):
        try:
            image_path, mask_path = (folder / name for name in names)
            image, mask = read_image(image_path), read_mask(mask_path) == CRACK
            if image.shape[:2] != mask.shape:
                raise ValueError(f"{image_path.name} and its mask differ in size")
            photos.append(Photo(image, mask.astype(np.uint8), image_path))
        except (ValueError, OSError) as error:
            problems.append(f"{list_name}, line {number}: {error}")
    if problems or not photos:
        raise DatasetError("\n".join(problems) or f"{folder / list_name} names no photo")
    return photos
