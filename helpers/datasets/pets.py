"""Oxford-IIIT Pets: 7,390 photos of cats and dogs, each with a trimap of animal, background and a border between."""

from pathlib import Path

import numpy as np

from helpers.assets import fetch
from helpers.datasets.pairing import DatasetError, image_files
from helpers.labels import LabelSet
from helpers.masks import MaskError, read_mask

PETS = LabelSet(
    "pets",
    "Oxford-IIIT Pets",
    ("background", "pet"),
    np.array([[60, 60, 60], [255, 170, 0]], np.uint8),
    ignore_index=255,
    source="Parkhi, Vedaldi, Zisserman, Jawahar: Cats and Dogs, CVPR 2012; the colours are ours",
)
# What a trimap says: 1 pet, 2 background, 3 border. The border is where the annotators were not sure: no class.
_IDS = np.array([PETS.ignore_index, PETS.index("pet"), PETS.index("background"), PETS.ignore_index], np.uint8)


def fetch_pets() -> tuple[Path, Path]:
    """Have both archives of the data set on this machine, downloaded, checked and unpacked.

    Returns:
        The folders images/ and annotations/.

    Raises:
        AssetError: one can't be had; the message says what to place where.
    """
    return fetch("pets_images"), fetch("pets_annotations")


def split(images: str | Path, annotations: str | Path) -> tuple[list[Path], list[Path]]:
    """The photos to train on and to validate on, as trainval.txt and test.txt list them.

    Args:
        images: holds <stem>.jpg.
        annotations: holds trimaps/<stem>.png and the two lists.

    Returns:
        (train_paths, valid_paths).

    Raises:
        DatasetError: a part of this is missing.
    """
    present = {path.stem: path for path in image_files(images)} if Path(images).is_dir() else {}
    parts = []
    for name in ("trainval.txt", "test.txt"):
        path = Path(annotations) / name
        if not path.is_file():
            raise DatasetError(f"{path} is missing; it comes in annotations.tar.gz")
        stems = [line.split()[0] for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        if absent := [stem for stem in stems if stem not in present]:
            raise DatasetError(f"{name} names {absent[0]}, which is not in {images} ({len(absent)} are missing)")
        parts.append([present[stem] for stem in stems])
    return tuple(parts)


def read_trimap(path: str | Path) -> np.ndarray:
    """Read a trimap as a mask: (H, W) uint8, 0 background, 1 pet, 255 border.

    Raises:
        MaskError: it holds other values than 1, 2 and 3.
    """
    trimap = read_mask(path)
    if trimap.min() < 1 or trimap.max() > 3:
        raise MaskError(f"{path} holds the values {trimap.min()} … {trimap.max()}, but a trimap has 1, 2 and 3")
    return _IDS[trimap]
