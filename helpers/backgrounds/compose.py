"""Putting a person before another background: fast, in the right light, without a halo."""

import cv2
import numpy as np

from helpers.images import resize_image

# sRGB → linear light (IEC 61966-2-1), for each grey level.
_LEVELS = np.arange(256, dtype=np.float32) / 255
LINEAR = np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4).astype(np.float32)
# And back, for 4,096 steps of linear light: finer than what a grey level covers, but for the darkest few.
_STEPS = np.arange(4096, dtype=np.float32) / 4095
_SRGB = np.where(_STEPS <= 0.0031308, 12.92 * _STEPS, 1.055 * _STEPS ** (1 / 2.4) - 0.055)
SRGB = np.rint(255 * _SRGB).astype(np.uint8)
MIXED = 0.02  # alpha up to here, or as near to 1, is no mix: a network is never quite sure


def composite(foreground: np.ndarray, background: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The compositing equation (Porter and Duff 1984): alpha · foreground + (1 − alpha) · background, rounded.

    Args:
        foreground, background: (H, W, 3) uint8 RGB.
        alpha: (H, W) float32 in 0..1.

    Returns:
        (H, W, 3) uint8 RGB, within 1 grey level of the same in float64.

    Raises:
        ValueError: their sizes differ.
    """
    if not foreground.shape == background.shape == (*np.shape(alpha), 3):
        shapes = foreground.shape, background.shape, np.shape(alpha)
        raise ValueError("foreground {}, background {} and alpha {} differ in size".format(*shapes))
    alpha = np.asarray(alpha, np.float32)
    return cv2.blendLinear(foreground, background, alpha, 1 - alpha)


def estimate_foreground(image: np.ndarray, alpha: np.ndarray, *, radius: int = 16) -> np.ndarray:
    """The person's own colours where alpha is between 0 and 1.

    There, a pixel of the picture is a mix with the old background, and would carry it along as a halo. Its person's
    colour is estimated as the mean of those near by, the background's likewise, and then corrected so that their mix
    gives the picture (Forte: Approximate fast foreground colour estimation, ICIP 2021; twice, the second time with a
    small radius). Means vary slowly, so they are taken in a smaller picture; the correction is at full size.

    Args:
        image: (H, W, 3) uint8 RGB.
        alpha: (H, W) float32 in 0..1.
        radius: of "near by", in pixels of a picture whose longer side is 480.

    Returns:
        (H, W, 3) uint8 RGB; the picture itself where alpha is about 0 or 1.
    """
    alpha = np.asarray(alpha, np.float32)
    result = image.copy()
    mixed = cv2.inRange(alpha, MIXED, 1 - MIXED)
    if not mixed.any():
        return result
    height, width = alpha.shape
    scale = max(1, max(height, width) / 480)
    small = (max(1, round(width / scale)), max(1, round(height / scale)))
    part = cv2.resize(image, small, interpolation=cv2.INTER_AREA).astype(np.float32)
    weight = cv2.merge(3 * [cv2.resize(alpha, small, interpolation=cv2.INTER_AREA)])  # numpy broadcasts 3 slowly
    foreground = background = part
    for window in (2 * radius + 1, 2 * (radius // 6) + 1):
        foreground, background = (
            _weighted_mean(foreground, weight, window),
            _weighted_mean(background, 1 - weight, window),
        )
        rest = part - weight * foreground - (1 - weight) * background
        foreground = np.clip(foreground + weight * rest, 0, 255)
    rows, columns = np.nonzero(mixed)
    foreground, background = (
        cv2.resize(layer, (width, height), interpolation=cv2.INTER_LINEAR)[rows, columns]
        for layer in (foreground, background)
    )
    weight = alpha[rows, columns, None]
    rest = image[rows, columns] - weight * foreground - (1 - weight) * background
    result[rows, columns] = np.rint(np.clip(foreground + weight * rest, 0, 255))
    return result


def _weighted_mean(layer: np.ndarray, weight: np.ndarray, window: int) -> np.ndarray:
    """The mean of (H, W, 3) over a square window, each value with its weight."""
    return cv2.blur(layer * weight, (window, window)) / (cv2.blur(weight, (window, window)) + 1e-5)


def replace_background(
    image: np.ndarray, alpha: np.ndarray, *, background: np.ndarray | tuple[int, int, int] | str, halo: bool = False
) -> np.ndarray:
    """Put the person of a picture before another background.

    Args:
        image: (H, W, 3) uint8 RGB.
        alpha: (H, W) float32 in 0..1, 1 where the person is.
        background: a picture (h, w, 3) uint8 RGB, which is scaled to cover the whole and cut; or a colour, as
            "#rrggbb" or three numbers 0..255; or "blur", for its own out of focus, see `blur_background`.
        halo: keep the picture's colours at the edge, as simple demos do; by default the person's own are estimated.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: the background is neither, or alpha is of another size.
    """
    if isinstance(background, str) and background == "blur":
        return blur_background(image, alpha)
    _checked(image, alpha)
    behind = as_background(background, image.shape[:2])
    return composite(image if halo else estimate_foreground(image, alpha), behind, alpha)


def blur_background(image: np.ndarray, alpha: np.ndarray, *, radius: float = 12.0) -> np.ndarray:
    """Put what is behind the person out of focus, as a large lens does.

    A lens spreads light, so the blur works on linear light: a lamp becomes a bright disc, not a grey one. The person
    is left out of it (each mean is taken over the background alone), so none of their colours glow around them.

    Args:
        image: (H, W, 3) uint8 RGB.
        alpha: (H, W) float32 in 0..1, 1 where the person is.
        radius: of the disc that a point becomes, in pixels of a picture whose longer side is 640; it grows with it.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    _checked(image, alpha)
    alpha = np.asarray(alpha, np.float32)
    foreground = cv2.LUT(estimate_foreground(image, alpha), LINEAR)
    behind = _out_of_focus(cv2.LUT(image, LINEAR), 1 - alpha, radius * max(image.shape[:2]) / 640)
    mixed = cv2.blendLinear(foreground, behind, alpha, 1 - alpha)
    return SRGB[np.rint(np.clip(mixed, 0, 1) * (len(SRGB) - 1)).astype(np.uint16)]


def _out_of_focus(light: np.ndarray, weight: np.ndarray, radius: float) -> np.ndarray:
    """Linear light (H, W, 3) through a lens that makes a disc of that radius of a point, each pixel with its weight."""
    shrink = max(1, int(radius / 6))  # a disc of more than 6 pixels is as good in a smaller picture, and much faster
    small = (max(1, light.shape[1] // shrink), max(1, light.shape[0] // shrink))
    weight = np.where(weight > 1 - MIXED, weight, 0)  # mixed pixels belong to nobody
    layer = cv2.resize(light * cv2.merge(3 * [weight]), small, interpolation=cv2.INTER_AREA)
    weight = cv2.resize(weight, small, interpolation=cv2.INTER_AREA)
    disc = _disc(radius / shrink)
    total = cv2.filter2D(layer, -1, disc, borderType=cv2.BORDER_REFLECT)
    count = cv2.filter2D(weight, -1, disc, borderType=cv2.BORDER_REFLECT)
    window = 2 * len(disc) + 1
    # Deep inside the person no background is in reach of the disc; means over larger and larger windows fill the hole.
    while count.min() < 1e-3 and window < 4 * max(small):
        empty = count < 1e-3
        total[empty], count[empty] = (cv2.blur(side, (window, window))[empty] for side in (total, count))
        window = 2 * window + 1
    means = total / cv2.merge(3 * [np.maximum(count, 1e-6)])
    return cv2.resize(means, light.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def _disc(radius: float) -> np.ndarray:
    """Weights of a disc, which sum to 1; its rim falls off over one pixel."""
    reach = int(np.ceil(radius))
    distance = np.hypot(*np.mgrid[-reach : reach + 1, -reach : reach + 1])
    disc = np.clip(radius + 0.5 - distance, 0, 1).astype(np.float32)
    return disc / disc.sum()


def as_background(background: np.ndarray | tuple[int, int, int] | str, size: tuple[int, int]) -> np.ndarray:
    """A background of size (height, width) from a picture, which covers it and is cut, or a colour.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        ValueError: it is neither a picture nor a colour.
    """
    if isinstance(background, str):
        background = parse_colour(background)
    behind = np.asarray(background)
    if behind.shape == (3,) and behind.min() >= 0 and behind.max() <= 255:
        return np.broadcast_to(behind.astype(np.uint8), (*size, 3)).copy()
    if behind.ndim != 3 or behind.shape[2] != 3 or behind.dtype != np.uint8 or 0 in behind.shape:
        found = f"{behind.shape} {behind.dtype}"
        raise ValueError(
            f"a background is a picture (h, w, 3) uint8 RGB or a colour of three numbers 0–255, not {found}"
        )
    if behind.shape[:2] == tuple(size):
        return np.ascontiguousarray(behind)
    scale = max(size[0] / behind.shape[0], size[1] / behind.shape[1])
    height, width = (max(side, round(scale * own)) for side, own in zip(size, behind.shape, strict=False))
    top, left = (height - size[0]) // 2, (width - size[1]) // 2
    return np.ascontiguousarray(resize_image(behind, (height, width))[top : top + size[0], left : left + size[1]])


def parse_colour(text: str) -> tuple[int, int, int]:
    """The red, green and blue of "#rrggbb".

    >>> parse_colour("#00b140")
    (0, 177, 64)
    """
    digits = text.removeprefix("#")
    try:
        if len(digits) != 6 or not text.startswith("#"):
            raise ValueError
        return tuple(bytes.fromhex(digits))
    except ValueError:
        raise ValueError(f"{text!r} is no colour; write it as #rrggbb, such as #00b140 for a green screen") from None


def _checked(image: np.ndarray, alpha: np.ndarray) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"a picture is (H, W, 3) uint8 RGB, this one is {image.shape} {image.dtype}")
    if image.shape[:2] != np.shape(alpha):
        raise ValueError(f"picture is {image.shape[:2]} and alpha {np.shape(alpha)} (height, width); make them equal")
