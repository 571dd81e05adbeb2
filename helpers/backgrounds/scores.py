"""How good is a cut-out? Its area, its outline, and the alpha along its edge."""

import cv2
import numpy as np

BAND = 10  # pixels to either side of the true edge in which alpha is compared


def person_iou(mask: np.ndarray, target: np.ndarray) -> float:
    """Intersection over union of two masks (H, W); NaN where both are empty."""
    mask, target = np.asarray(mask) > 0.5, np.asarray(target) > 0.5
    union = np.count_nonzero(mask | target)
    return np.count_nonzero(mask & target) / union if union else float("nan")


def boundary_f(mask: np.ndarray, target: np.ndarray, *, tolerance: float = 2.0) -> float:
    """F-score of the outlines, as in the DAVIS benchmark (Perazzi et al. 2016).

    Precision is the share of the mask's outline that lies within `tolerance` pixels of the target's, recall the other
    way round; F is their harmonic mean. A large person's IoU hardly notices a ragged outline, this score does.

    Args:
        mask, target: (H, W); a person where over a half.
        tolerance: in pixels.

    Returns:
        0..1; 1 where neither has an outline, 0 where only one has.
    """
    outlines = [_outline(np.asarray(side) > 0.5) for side in (mask, target)]
    if not outlines[0].any() or not outlines[1].any():
        return float(outlines[0].any() == outlines[1].any())
    far = [cv2.distanceTransform((~outline).astype(np.uint8), cv2.DIST_L2, 5) for outline in outlines]
    precision = np.mean(far[1][outlines[0]] <= tolerance)
    recall = np.mean(far[0][outlines[1]] <= tolerance)
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def _outline(mask: np.ndarray) -> np.ndarray:
    """The mask's pixels that have a neighbour outside it; the picture's own border is no outline."""
    inside = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    return mask & (inside == 0)


def edge_band(target: np.ndarray, *, width: int = BAND) -> np.ndarray:
    """Where a cut-out is difficult: (H, W) bool, within `width` pixels of where the true alpha changes.

    Args:
        target: (H, W) float in 0..1, the true alpha.
        width: in pixels.
    """
    target = np.asarray(target, np.float32)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * width + 1, 2 * width + 1))
    return cv2.dilate(target, kernel) - cv2.erode(target, kernel) > 0.1


def alpha_error(alpha: np.ndarray, target: np.ndarray, *, width: int = BAND) -> float:
    """Mean absolute difference of alpha within `edge_band`, in percent of full scale.

    The mean over the whole picture, which papers give, mostly counts pixels that nobody gets wrong.

    Args:
        alpha, target: (H, W) float in 0..1.
        width: of the band, in pixels.

    Returns:
        0 (equal) .. 100; NaN where the target has no edge.
    """
    band = edge_band(target, width=width)
    return float(100 * np.abs(np.asarray(alpha, np.float64) - target)[band].mean()) if band.any() else float("nan")
