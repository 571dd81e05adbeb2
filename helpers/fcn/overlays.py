"""From class ids to a picture that people can read: the guide's functions, thin over the ground floor."""

import cv2
import numpy as np

from helpers.labels import PASCAL_VOC, LabelSet
from helpers.masks import MaskError, colorize


def draw_segmentation_map(
    labels: np.ndarray, label_set: LabelSet = PASCAL_VOC, *, palette: str = "official"
) -> np.ndarray:
    """Give each class its colour of the label colour map.

    Args:
        labels: (H, W) integer class ids.
        label_set: whose colours.
        palette: "official" or "colorblind".

    Returns:
        (H, W, 3) uint8 RGB.
    """
    return colorize(labels, label_set.palette(palette))


def image_overlay(image: np.ndarray, segmented: np.ndarray, *, alpha: float = 0.6) -> np.ndarray:
    """Lay a colour map over the picture: (1 − alpha) · image + alpha · segmented, rounded.

    Args:
        image: (H, W, 3) uint8 RGB.
        segmented: (H, W, 3) uint8 RGB, from `draw_segmentation_map`.
        alpha: strength of the colours, 0 … 1.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        MaskError: the two differ in size.
    """
    image = np.asarray(image)
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha is {alpha}; it lies between 0 (picture) and 1 (colours)")
    if image.shape != segmented.shape:
        raise MaskError(f"picture is {image.shape} and colour map {segmented.shape}; both are (H, W, 3) of one size")
    return cv2.addWeighted(segmented, alpha, image, 1 - alpha, 0)
