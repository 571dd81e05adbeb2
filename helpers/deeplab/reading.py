"""Reading a prediction: from class ids to colours the slow way."""

import numpy as np


def color_loop(mask: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """Colour a mask pixel by pixel: easy to read and far too slow, see `masks.colorize`.

    Args:
        mask: (H, W) integer class ids.
        colors: (N, 3) uint8 RGB, one row for each id.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    height, width = mask.shape
    picture = np.zeros((height, width, 3), np.uint8)
    for row in range(height):
        for column in range(width):
            class_id = mask[row, column]
            picture[row, column] = colors[class_id]
    return picture
