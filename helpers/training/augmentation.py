"""Augmentation of pictures and their masks for training: random views, random light, pasted objects (OpenCV)."""

import cv2
import numpy as np


def random_view(
    image: np.ndarray,
    mask: np.ndarray,
    *,
    size: tuple[int, int],
    scale: tuple[float, float],
    rng: np.random.Generator,
    centre: tuple[float, float] | None = None,
    rotation: float = 4.0,
    aspect: float = 1.15,
    ignore_index: int = 255,
) -> tuple[np.ndarray, np.ndarray]:
    """A random crop, scaled, turned, stretched and perhaps mirrored; one interpolation for all of it.

    The image is interpolated bilinearly (from a half-size copy where it shrinks to under 0.6, against aliasing),
    the mask takes the nearest pixel, so no class is invented.

    Args:
        image: (H, W, 3) uint8.
        mask: (H, W) uint8 class ids.
        size: (height, width) of the view.
        scale: smallest and largest magnification; drawn log-uniformly.
        rng: source of randomness.
        centre: (y, x) in the image that the view should show; a random one when left out.
        rotation: largest turn in degrees, either way.
        aspect: largest stretch of one side against the other.
        ignore_index: mask value outside the image, which there shows its own reflection.

    Returns:
        The view (height, width, 3) uint8 and its mask (height, width) uint8.
    """
    height, width = size
    rows, cols = mask.shape
    zoom = np.exp(rng.uniform(*np.log(scale)))
    stretch = np.exp(rng.uniform(-0.5, 0.5) * np.log(aspect))
    x_zoom, y_zoom = zoom * stretch, zoom / stretch
    y, x = centre or (rng.uniform(0, rows), rng.uniform(0, cols))
    # Stay inside the image as far as the view fits in it.
    half_y, half_x = height / y_zoom / 2, width / x_zoom / 2
    y = np.clip(y + rng.uniform(-0.5, 0.5) * half_y, half_y, rows - half_y) if 2 * half_y < rows else rows / 2
    x = np.clip(x + rng.uniform(-0.5, 0.5) * half_x, half_x, cols - half_x) if 2 * half_x < cols else cols / 2
    angle = np.deg2rad(rng.uniform(-rotation, rotation))
    mirror = rng.choice((-1.0, 1.0))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn @ np.diag([mirror * x_zoom, y_zoom])
    matrix = np.column_stack([linear, np.array([width / 2, height / 2]) - linear @ (x, y)])
    target = cv2.warpAffine(
        mask, matrix, (width, height), flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=ignore_index
    )
    if zoom < 0.6:
        image = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5)  # pixel centres: x = 2 x_half + 0.5
        matrix[:, :2] *= 2
    view = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return view, target


def random_light(image: np.ndarray, *, rng: np.random.Generator, strength: float = 1.0) -> np.ndarray:
    """Another light, camera and compression: shade, exposure, gamma, white balance, saturation, blur, noise, JPEG.

    Args:
        image: (H, W, 3) uint8 RGB.
        rng: source of randomness.
        strength: 0 leaves the picture nearly as it is, 1 varies it hard.

    Returns:
        (H, W, 3) uint8.
    """
    height, width = image.shape[:2]
    if rng.random() < 0.3:  # broad shade and light, as of clouds, buildings and street lamps
        field = np.exp(rng.normal(0, 0.35 * strength, (4, 5))).astype(np.float32)
        field = cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC)
        image = np.clip(image * field[..., None], 0, 255).astype(np.uint8)
    saturation = 0.0 if rng.random() < 0.08 else np.exp(rng.normal(0, 0.4 * strength))
    to_grey = np.tile(np.array([0.299, 0.587, 0.114]), (3, 1))
    image = cv2.transform(image, saturation * np.eye(3) + (1 - saturation) * to_grey)
    # Exposure, white balance, gamma and contrast are one table of 256 levels for each channel.
    level = np.linspace(0, 1, 256)[:, None]
    gain = np.exp(rng.normal(0, 0.3 * strength) + rng.normal(0, 0.12 * strength, 3))
    gamma = np.exp(rng.normal(0, 0.3 * strength) + rng.normal(0, 0.06 * strength, 3))
    contrast = np.exp(rng.normal(0, 0.2 * strength))
    curve = (np.clip(level * gain, 0, 1) ** gamma - 0.5) * contrast + 0.5 + rng.normal(0, 0.06 * strength)
    image = cv2.LUT(image, (np.clip(curve, 0, 1) * 255).round().astype(np.uint8).reshape(1, 256, 3))
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 0.3 + 1.2 * strength))
    if rng.random() < 0.3:
        noise = rng.standard_normal(image.shape, np.float32) * rng.uniform(1, 1 + 14 * strength)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        quality = int(rng.uniform(95 - 65 * strength, 95))
        # OpenCV takes the channels for BGR, coming and going; only its chroma weights notice.
        image = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    return image


def paste_classes(
    images: np.ndarray, masks: np.ndarray, *, classes: np.ndarray, share: float, rng: np.random.Generator
) -> None:
    """Paste the pixels of some classes from each picture's neighbour in the batch, in place.

    After ClassMix (Olsson et al. 2021): things of one drive then appear in the light and streets of another.

    Args:
        images: (B, H, W, 3) uint8.
        masks: (B, H, W) class ids.
        classes: ids that may be pasted.
        share: probability with which a picture receives something.
        rng: source of randomness.
    """
    originals, original_masks = images.copy(), masks.copy()
    for index in np.flatnonzero(rng.random(len(images)) < share):
        source = index - 1
        chosen = np.zeros(256, bool)
        chosen[classes[rng.random(len(classes)) < 0.6]] = True
        where = chosen[original_masks[source]]
        images[index][where] = originals[source][where]
        masks[index][where] = original_masks[source][where]
