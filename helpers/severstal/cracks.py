"""CrackForest: real photos of cracked asphalt, trained on with the steel lesson's loss, metric and run lengths."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers import rle
from helpers.datasets import crackforest
from helpers.images import read_image
from helpers.severstal.scores import Areas


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
    """Read the photos that a list names, see `crackforest.read_photos`."""
    return [
        Photo(photo.path, rle.encode(photo.mask == crackforest.CRACK), photo.mask.shape)
        for photo in crackforest.read_photos(folder, list_name)
    ]


def crack_f1(areas: Areas) -> float:
    """F1 (which is Dice) of all crack pixels of all photos together."""
    return float(2 * areas.common.sum() / (areas.target.sum() + areas.pred.sum()))
