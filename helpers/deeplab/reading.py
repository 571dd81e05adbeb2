"""Reading a prediction: from class ids to colours the slow way, and where it is wrong."""

import numpy as np

WRONG = (230, 30, 30)  # red


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


def mark_errors(
    image: np.ndarray, target: np.ndarray, pred: np.ndarray, *, ignore_index: int | None = None
) -> np.ndarray:
    """The picture in grey with wrong pixels in red; pixels without a label are darkened.

    Args:
        image: (H, W, 3) uint8 RGB.
        target: (H, W) true class ids.
        pred: (H, W) predicted class ids.
        ignore_index: id of pixels without a label.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    if not image.shape[:2] == target.shape == pred.shape:
        raise ValueError(
            f"picture, target and prediction differ in size: {image.shape[:2]}, {target.shape}, {pred.shape}"
        )
    labelled = np.ones(target.shape, bool) if ignore_index is None else target != ignore_index
    marked = np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2)
    marked[~labelled] *= 0.3
    wrong = labelled & (target != pred)
    marked[wrong] = 0.3 * marked[wrong] + 0.7 * np.array(WRONG)
    return marked.astype(np.uint8)
