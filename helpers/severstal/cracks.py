"""CrackForest: real photos of cracked asphalt, trained on with the steel lesson's loss, metric and run lengths.

Shi, Cui, Qi, Meng & Chen: Automatic road crack detection using random structured forests, 2016.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers import rle
from helpers.datasets.pairing import DatasetError
from helpers.images import read_image
from helpers.masks import read_mask
from helpers.severstal.scores import Areas

CRACK = 1  # ids 2 and 3, on a few photos, are areas between cracks; they are not counted as crack


@dataclass(frozen=True)
class Photo:
    """A photo and the run lengths of its cracks; trains as a `Sheet` of one class does."""

    path: Path
    runs: str
    size: tuple[int, int]

    @property
    def pattern(self) -> str:
        return "crack" if self.runs else ""

    def image(self) -> np.ndarray:
        """The photo, (H, W, 1) uint8."""
        return read_image(self.path, gray=True)

    def targets(self) -> np.ndarray:
        """(1, H, W) bool."""
        return rle.decode(self.runs, height=self.size[0], width=self.size[1])[None]


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
            mask = read_mask(mask_path) == CRACK
            if read_image(image_path).shape[:2] != mask.shape:
                raise ValueError(f"{image_path.name} and its mask differ in size")
            photos.append(Photo(image_path, rle.encode(mask), mask.shape))
        except (ValueError, OSError) as error:
            problems.append(f"{list_name}, line {number}: {error}")
    if problems or not photos:
        raise DatasetError("\n".join(problems) or f"{folder / list_name} names no photo")
    return photos


def crack_f1(areas: Areas) -> float:
    """F1 (which is Dice) of all crack pixels of all photos together."""
    return float(2 * areas.common.sum() / (areas.target.sum() + areas.pred.sum()))
