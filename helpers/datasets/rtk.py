"""RTK road surface: 701 labelled frames, 352×288, thirteen classes (Rateke and von Wangenheim)."""

from collections.abc import Iterator
from pathlib import Path

from helpers.datasets.pairing import Problem, check_pairs

RTK_CLASSES = 13  # ids 0 (background) to 12 (cracks)


def check_folder(folder: Path) -> Iterator[Problem]:
    """RTK road surface: images/ and masks/ with equal names, or both folders as its archives unpack them."""
    images = _first_folder(folder, "images", "RTK_SemanticSegmentationGT_originalFrames")
    masks = _first_folder(folder, "masks", "labels", "RTK_SemanticSegmentationGT_NoColorMapMasks")
    yield from check_pairs(images, masks, suffix="", num_classes=RTK_CLASSES, size=(288, 352))


def _first_folder(folder: Path, *names: str) -> Path:
    return next((folder / name for name in names if (folder / name).is_dir()), folder / names[0])
