"""RTK's folder: pairs, a split by sequence, how common each class is, and what weights follow from that."""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from helpers.datasets import rtk
from helpers.datasets.pairing import DatasetError, image_files
from helpers.labels import RTK
from helpers.masks import read_mask
from helpers.paths import DATA, tier

PAVEMENTS = ("roadAsphalt", "roadPaved", "roadUnpaved")

# Rateke & von Wangenheim's second training, in the order of the ids. The 0 is the manhole covers'.
AUTHORS = (1, 5, 6, 7, 75, 1000, 3100, 3300, 0, 270, 2200, 1000, 180)

SCHEMES = ("none", "inverse", "median", "enet", "authors")


def default_folder() -> Path:
    """The practice roads, or in the full tier the folder that the environment variable RTK_DIR names.

    Raises:
        DatasetError: the full tier has no such folder.
    """
    if tier() != "full":
        return DATA / "rtk_practice"
    folder = os.environ.get("RTK_DIR")
    if not folder:
        raise DatasetError("the full tier needs the RTK data set: get it from its authors (LAPiX, UFSC), unpack it, and "
                           "set the environment variable RTK_DIR to its folder")  # fmt: skip
    return Path(folder).expanduser()


def get_y_fn(image_path: str | Path) -> Path:
    """The mask of a picture: same stem, in the folder of masks beside that of the pictures."""
    image_path = Path(image_path)
    return rtk.mask_folder(image_path.parent.parent) / f"{image_path.stem}.png"


def sequence(path: str | Path) -> str:
    """The drive that a practice frame is from.

    >>> sequence("images/jatoba_003.jpg")
    'jatoba'
    """
    return Path(path).stem.rsplit("_", 1)[0]


def split(folder: str | Path) -> tuple[list[Path], list[Path]]:
    """Pictures to train on and pictures to validate on, each sorted by name.

    The list valid.txt decides. RTK itself comes without one: there the last fifth of the frames is left out, in one
    piece, since neighbouring frames of a drive show the same metres of road.

    Raises:
        DatasetError: one of the two would be empty, or valid.txt names a picture that isn't there.
    """
    folder = Path(folder)
    paths = image_files(rtk.image_folder(folder))
    if (folder / "valid.txt").is_file():
        names = set((folder / "valid.txt").read_text(encoding="utf-8").split())
        if unknown := sorted(names - {path.name for path in paths}):
            raise DatasetError(f"{folder / 'valid.txt'} names {unknown[0]}, which is not among the pictures")
    else:
        names = {path.name for path in paths[-(len(paths) // 5) :]}
    train, valid = ([path for path in paths if (path.name in names) is kept] for kept in (False, True))
    if not train or not valid:
        raise DatasetError(f"{folder} leaves {len(train)} pictures to train on and {len(valid)} to validate on")
    return train, valid


def class_counts(image_paths: Iterable[Path]) -> np.ndarray:
    """(N, 13) int64: pixels of each class in the mask of each of these pictures."""
    masks = (read_mask(get_y_fn(path)) for path in image_paths)
    return np.array([np.bincount(mask.ravel(), minlength=RTK.num_classes) for mask in masks])


def class_weights(counts: np.ndarray, scheme: str = "enet") -> np.ndarray:
    """Weights of the classes in the loss, from how common they are.

    Args:
        counts: (N, C) pixels of each class in each training mask, or (C,) in all of them together.
        scheme: "none", all alike; "inverse", 1 / frequency; "median", 1 / frequency within the pictures that show the
            class, after Eigen & Fergus 2015, whose common factor, the median, makes no difference here; "enet",
            1 / ln(1.02 + frequency), after Paszke et al. 2016; "authors", the list of RTK's own second training.

    Returns:
        (C,) float32, scaled so that the commonest class has weight 1 (the authors' list as published); 0 for a class
        without pixels: nothing can be learned about it.

    Raises:
        ValueError: no such scheme, no pixel at all, or a list that doesn't fit.

    >>> class_weights(np.array([900, 90, 10]), "inverse").tolist()
    [1.0, 10.0, 90.0]
    """
    counts = np.atleast_2d(np.asarray(counts, np.float64))
    total = counts.sum(axis=0)
    if scheme not in SCHEMES:
        raise ValueError(f"unknown scheme {scheme!r}; choose one of {', '.join(SCHEMES)}")
    if total.sum() == 0:
        raise ValueError("there is no labelled pixel to count; check the masks")
    if scheme == "authors":
        if len(total) != len(AUTHORS):
            raise ValueError(f"the authors' list has {len(AUTHORS)} weights, there are {len(total)} classes")
        return np.array(AUTHORS, np.float32)
    shown_in = ((counts > 0) * counts.sum(axis=1, keepdims=True)).sum(axis=0)  # pixels of the pictures that show it
    share = np.where(total > 0, total / np.where(scheme == "median", np.maximum(shown_in, 1), total.sum()), 1.0)
    raw = {"none": np.ones_like(share), "enet": 1 / np.log(1.02 + share)}.get(scheme, 1 / share)
    return np.where(total > 0, raw / raw[total.argmax()], 0).astype(np.float32)


def found(iou: np.ndarray, *, above: float = 0.2) -> list[str]:
    """The classes, background left out, whose IoU is above a bound."""
    return [name for name, value in zip(RTK.class_names[1:], iou[1:], strict=True) if value > above]


def pavement_iou(iou: np.ndarray) -> float:
    """Mean IoU of asphalt, paved and unpaved road."""
    return float(np.nanmean([iou[RTK.index(name)] for name in PAVEMENTS]))
