"""From a network's alpha to an edge one would like to look at: six ways, from the blocky mask to the guided filter."""

from collections.abc import Callable

import cv2
import numpy as np

BAND = 12  # pixels to either side of a coarse mask's edge in which GrabCut decides


def argmax(image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The winner takes the pixel: 1 where alpha is over a half, else 0.

    Args:
        image: (H, W, 3) uint8 RGB; not looked at.
        alpha: (h, w) float32 in 0..1, of the picture's size or smaller.

    Returns:
        (H, W) float32, 0 or 1. A smaller mask is enlarged by nearest neighbour: its pixels become blocks.
    """
    mask = (np.asarray(alpha) > 0.5).astype(np.float32)
    return cv2.resize(mask, image.shape[1::-1], interpolation=cv2.INTER_NEAREST)


def dilate(image: np.ndarray, alpha: np.ndarray, *, radius: int = 4) -> np.ndarray:
    """The mask grown by some pixels, so that nothing of the person is lost; a rim of the old background comes along.

    Args:
        image, alpha: as for `argmax`.
        radius: pixels by which the mask grows.
    """
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.dilate(argmax(image, alpha), kernel)


def gaussian(image: np.ndarray, alpha: np.ndarray, *, sigma: float = 5.0) -> np.ndarray:
    """The mask blurred: no steps any more, but every edge is soft now, the sharp one of a shoulder as well.

    Args:
        image, alpha: as for `argmax`.
        sigma: of the Gaussian, in pixels.
    """
    return cv2.GaussianBlur(argmax(image, alpha), (0, 0), sigma)


def soft(image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """What the network says, softmax or sigmoid instead of argmax, enlarged to the picture's size."""
    return enlarged(alpha, image.shape[:2])


def guided(
    image: np.ndarray,
    alpha: np.ndarray,
    *,
    radius: int = 8,
    eps: float = 1e-3,
    steep: float = 4.0,
    scale: int | None = None,
) -> np.ndarray:
    """Let the picture guide the edge: within a small window, alpha becomes a linear function of brightness.

    The guided filter of He, Sun and Tang (ECCV 2010) in its fast form (He and Sun, arXiv:1505.00996): the coefficients
    are found in a smaller picture, then enlarged. So the edge of the alpha moves to the edge in the picture.

    A network's alpha between 0 and 1 mostly means doubt, not hair. So it is made steeper first; what is really soft,
    the filter finds in the picture.

    Args:
        image: (H, W, 3) uint8 RGB.
        alpha: (h, w) float32 in 0..1, of the picture's size or smaller.
        radius: of the window, in pixels of a picture whose longer side is 640; it grows with the picture, and is at
            least a pixel of the alpha.
        eps: how much the brightness (0..1) varies where nothing is an edge; larger is smoother.
        steep: how much steeper alpha becomes around a half; 1 leaves it as it is, much more makes a mask of it.
        scale: how much smaller the coefficients' picture is; by default 1 up to 640 pixels, then as it takes.

    Returns:
        (H, W) float32 in 0..1.
    """
    height, width = image.shape[:2]
    scale = scale or max(1, round(max(height, width) / 480))
    small = (max(1, width // scale), max(1, height // scale))
    window = max(1, round(max(radius * max(small) / 640, max(small) / max(np.shape(alpha)))))
    window = (2 * window + 1, 2 * window + 1)
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    guide = cv2.resize(gray, small, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    target = cv2.resize(np.asarray(alpha, np.float32), small, interpolation=cv2.INTER_LINEAR)
    target = np.clip((target - 0.5) * steep + 0.5, 0, 1)
    mean_guide, mean_target = cv2.blur(guide, window), cv2.blur(target, window)
    covariance = cv2.blur(guide * target, window) - mean_guide * mean_target
    variance = cv2.blur(guide * guide, window) - mean_guide * mean_guide
    slope = covariance / (variance + eps)
    offset = mean_target - slope * mean_guide
    # Every pixel lies in many windows: their mean.
    slope = cv2.resize(cv2.blur(slope, window) / 255, (width, height), interpolation=cv2.INTER_LINEAR)
    offset = cv2.resize(cv2.blur(offset, window), (width, height), interpolation=cv2.INTER_LINEAR)
    refined = cv2.multiply(gray, slope, dtype=cv2.CV_32F)
    refined += offset
    return np.clip(refined, 0, 1, out=refined)


def grabcut(image: np.ndarray, alpha: np.ndarray, *, band: int = BAND, rounds: int = 3) -> np.ndarray:
    """Decide the pixels near the edge anew, by the colours on either side (Rother, Kolmogorov, Blake 2004).

    Args:
        image, alpha: as for `argmax`.
        band: pixels to either side of the edge that are decided.
        rounds: how often colours and mask are found anew.

    Returns:
        (H, W) float32, 0 or 1: a mask again, fitted to the picture but hard.
    """
    mask = argmax(image, alpha).astype(np.uint8)
    if mask.min() == mask.max():
        return mask.astype(np.float32)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * band + 1, 2 * band + 1))
    sure, possible = cv2.erode(mask, kernel), cv2.dilate(mask, kernel)
    states = np.where(mask, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    states[sure == 1], states[possible == 0] = cv2.GC_FGD, cv2.GC_BGD
    cv2.setRNGSeed(0)  # it clusters colours from random starts
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(image[..., ::-1]), states, None, *models, rounds, cv2.GC_INIT_WITH_MASK)
    return np.isin(states, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)


# Name → a function of (image, alpha). The first is what early demos do, "guided" what the suite does.
EDGES: dict[str, Callable[..., np.ndarray]] = {
    "argmax": argmax,
    "dilate": dilate,
    "gaussian": gaussian,
    "soft": soft,
    "guided": guided,
    "grabcut": grabcut,
}


def soften(image: np.ndarray, alpha: np.ndarray, *, edge: str = "guided") -> np.ndarray:
    """Alpha with an edge of the named kind.

    Args:
        image: (H, W, 3) uint8 RGB.
        alpha: (h, w) float32 in 0..1, of the picture's size or smaller.
        edge: a key of `EDGES`.

    Returns:
        (H, W) float32 in 0..1.

    Raises:
        ValueError: there is no such edge.
    """
    if edge not in EDGES:
        raise ValueError(f"unknown edge {edge!r}; choose one of {', '.join(EDGES)}")
    return EDGES[edge](image, alpha)


def enlarged(alpha: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Alpha (h, w) brought to size (height, width), bilinearly."""
    alpha = np.asarray(alpha, np.float32)
    return alpha if alpha.shape == tuple(size) else cv2.resize(alpha, size[::-1], interpolation=cv2.INTER_LINEAR)
