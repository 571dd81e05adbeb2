"""Reading a prediction: where the network is unsure, and what it takes for what."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from helpers.labels import LabelSet


def entropy(probs: np.ndarray) -> np.ndarray:
    """How undecided the network is at each pixel (Shannon 1948), as a share of the largest possible value.

    Args:
        probs: (C, H, W) floats, 0 … 1, summing to 1 over the classes.

    Returns:
        (H, W) float32: 0 where one class has everything, 1 where all have the same.

    >>> entropy(np.array([[[1.0, 0.5]], [[0.0, 0.5]]])).tolist()
    [[0.0, 1.0]]
    """
    bits = np.where(probs > 0, probs * np.log(np.maximum(probs, 1e-12)), 0).sum(axis=0)
    return np.abs(bits / np.log(len(probs))).astype(np.float32)


class Mistake(NamedTuple):
    """One region to which the network gave a wrong class."""

    frame: int
    taken_for: str
    really: str
    box: tuple[int, int, int, int]  # left, top, width, height in pixels
    pixels: int  # that are wrong
    region: np.ndarray  # (H, W) bool: which


def mistakes(
    preds: Sequence[np.ndarray], truths: Sequence[np.ndarray], wrong: Sequence[np.ndarray], *, labels: LabelSet,
    truth_labels: LabelSet, min_pixels: int = 150, min_share: float = 0.6,
) -> list[Mistake]:  # fmt: skip
    """Objects that the network sees where there are none, the largest first.

    Looked at are connected regions of one predicted class other than background. A region counts when most of it is
    wrong, so that borders that are off by a few pixels don't.

    Args:
        preds: (H, W) predicted ids, one for each frame.
        truths: (H, W) true ids, which may be finer than the network's classes: they name what it really is.
        wrong: (H, W) bool, True where the prediction counts as wrong.
        labels: of `preds`; id 0 is background.
        truth_labels: of `truths`.
        min_pixels: that must be wrong in a region.
        min_share: of a region that must be wrong.
    """
    found = []
    for frame, (pred, truth, errors) in enumerate(zip(preds, truths, wrong, strict=True)):
        for class_id in np.unique(pred[pred > 0]):
            regions, numbers, stats, _ = cv2.connectedComponentsWithStats((pred == class_id).astype(np.uint8))
            for number in range(1, regions):
                missed = (numbers == number) & errors
                if missed.sum() < max(min_pixels, min_share * stats[number, cv2.CC_STAT_AREA]):
                    continue
                really = truth_labels.class_names[int(np.bincount(truth[missed]).argmax())]
                box = tuple(int(value) for value in stats[number, :4])
                found.append(Mistake(frame, labels.class_names[class_id], really, box, int(missed.sum()), missed))
    return sorted(found, key=lambda mistake: -mistake.pixels)


def crop(image: np.ndarray, box: tuple[int, int, int, int], *, context: float = 2.0, least: int = 90) -> np.ndarray:
    """A square part of a picture around a box, so that one sees what stands there.

    Args:
        image: (H, W, 3) or (H, W).
        box: left, top, width, height in pixels.
        context: side of the square, in lengths of the box's longer side.
        least: smallest side of the square in pixels; the largest is the picture's shorter side.

    Returns:
        A view of the picture; near its edge the square is moved inside.
    """
    left, top, width, height = box
    side = min(max(round(context * max(width, height)), least), *image.shape[:2])
    row = min(max(0, top + height // 2 - side // 2), image.shape[0] - side)
    column = min(max(0, left + width // 2 - side // 2), image.shape[1] - side)
    return image[row : row + side, column : column + side]
