"""How common each class of road surface is, and what weights in the loss follow from that."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers.assets import fetch
from helpers.datasets.rtk import get_y_fn
from helpers.images import read_image
from helpers.labels import RTK
from helpers.masks import read_mask
from helpers.paths import DATA, tier

PAVEMENTS = ("roadAsphalt", "roadPaved", "roadUnpaved")

# Rateke & von Wangenheim's second training, in the order of the ids. The 0 is the manhole covers'.
AUTHORS = (1, 5, 6, 7, 75, 1000, 3100, 3300, 0, 270, 2200, 1000, 180)

SCHEMES = ("none", "inverse", "median", "enet", "authors")


def default_folder() -> Path:
    """The practice roads, or in the full tier RTK, as the environment variable RTK_DIR names it.

    Raises:
        AssetError: the full tier has no such folder; the message says how to get one.
    """
    return fetch("rtk") if tier() == "full" else DATA / "rtk_practice"


class Frame(NamedTuple):
    """A picture (H, W, 3) uint8 and its mask (H, W) of ids, decoded."""

    image: np.ndarray
    mask: np.ndarray


def read_frames(image_paths: Iterable[Path]) -> list[Frame]:
    """Pictures in RTK's layout with their masks, decoded once: all of RTK takes 300 MB."""
    return [Frame(read_image(path), read_mask(get_y_fn(path))) for path in image_paths]


def class_counts(frames: Iterable[Frame], num_classes: int = RTK.num_classes) -> np.ndarray:
    """(N, C) int64: pixels of each class in each mask."""
    return np.array([np.bincount(frame.mask.ravel(), minlength=num_classes) for frame in frames])


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
