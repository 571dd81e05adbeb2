"""Reading, writing and resizing pictures: whatever a person has on disk becomes (H, W, 3) uint8 RGB."""

import re
import warnings
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from helpers.paths import replacing

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".pgm")


class ImageError(ValueError):
    """A file is not a picture that can be read; the message names the file and the reason."""


def read_image(path: str | Path, gray: bool = False) -> np.ndarray:
    """Read a picture upright, whatever its mode.

    EXIF orientation is applied, palettes and CMYK are converted, transparent pixels are laid on white, 16-bit values
    are divided by 257 (with a warning, since detail is lost); of an animation the first frame is read.

    Args:
        path: any file that Pillow reads (PNG, JPEG, WebP, TIFF, BMP, GIF, …).
        gray: give one channel instead of three.

    Returns:
        (H, W, 3) uint8 RGB, or (H, W, 1) uint8 with `gray`.

    Raises:
        FileNotFoundError: there is no such file.
        ImageError: it is a folder, not a picture, cut short, or too large to be safe.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"no picture at {path}; check the path (current folder: {Path.cwd()})")
    if path.is_dir():
        raise ImageError(f"{path} is a folder, not a picture; name a file in it")
    try:
        with Image.open(path) as file:
            stored = str(file.tile)  # how Pillow unpacks the pixels; of 16-bit colours it keeps the upper 8 bits
            image = ImageOps.exif_transpose(file)
            image.load()
    except Image.DecompressionBombError as error:
        raise ImageError(f"{path} is too large to be opened safely: {error}") from error
    except (OSError, SyntaxError, ValueError) as error:  # Pillow raises all three for damaged files
        raise ImageError(f"cannot read {path} as a picture: {error}; is it damaged or another kind of file?") from error
    if re.search(r"(RGB\w?|LA);16[BLN]", stored):
        _warn_of_16_bits(path.name)
    rgb = to_rgb(image, name=path.name)
    if gray:
        rgb = rgb.convert("L")
    array = np.asarray(rgb, np.uint8)
    return (array[..., None] if gray else array).copy()


def to_rgb(image: Image.Image, *, name: str = "the picture") -> Image.Image:
    """Convert any of Pillow's modes to RGB as `read_image` does; `name` stands in its warnings."""
    if image.mode.startswith(("I", "F")):  # 16-bit and float greys: Pillow would clip them at 255
        values = np.asarray(image).astype(np.float64)
        if image.mode == "F" and values.min() >= 0 and values.max() <= 1:
            values = values * 255
        elif image.mode.startswith("I;16") or values.max() > 255:
            _warn_of_16_bits(name)
            values = values / 257
        image = Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def _warn_of_16_bits(name: str) -> None:
    warnings.warn(f"{name} has 16 bits a channel; scaled to 8 bits", stacklevel=4)


def save_image(path: str | Path, image: np.ndarray, *, quality: int = 92) -> Path:
    """Write a picture; the file appears whole or not at all.

    Args:
        path: where to; the suffix chooses the format.
        image: (H, W, 3) uint8 RGB or (H, W) / (H, W, 1) uint8 grey.
        quality: JPEG and WebP quality, 1 … 95.
    """
    image = np.asarray(image)
    if image.dtype != np.uint8:
        raise ImageError(f"a picture to save must be uint8 in 0 … 255, this one is {image.dtype}")
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[..., 0]
    return save_pil(path, Image.fromarray(image), quality=quality)


def save_pil(path: str | Path, picture: Image.Image, **options) -> Path:
    """Write a Pillow picture through a temporary file beside it, so that no half-written file is ever seen."""
    path = Path(path)
    if path.suffix.lower() not in Image.registered_extensions():
        raise ImageError(f"cannot tell the format of {path.name!r}; use a suffix such as .png or .jpg")
    with replacing(path) as temporary:
        picture.save(temporary, **options)
    return path


def resize_image(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize a picture to size (height, width): area averaging when it shrinks, bilinear when it grows.

    For pictures only. A mask resized this way gets classes that were never there: use `masks.resize_mask`.

    Args:
        image: (H, W, 3) or (H, W, 1) uint8.
        size: (height, width) in pixels.

    Returns:
        (height, width, C) uint8.
    """
    height, width = _checked_size(size)
    shrinks = height * width < image.shape[0] * image.shape[1]
    resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return resized.reshape(height, width, *image.shape[2:])


def fit_within(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """The (height, width) that keeps the shape of `size` and whose longer side is at most `longest` pixels.

    >>> fit_within((1080, 1920), 513)
    (289, 513)
    """
    height, width = _checked_size(size)
    scale = min(1.0, longest / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def _checked_size(size: tuple[int, int]) -> tuple[int, int]:
    height, width = (int(v) for v in size)
    if height < 1 or width < 1:
        raise ImageError(f"size {tuple(size)} is not (height, width) in pixels of at least 1")
    return height, width
