"""Reading, writing and resizing pictures: whatever a person has on disk becomes (H, W, 3) uint8 RGB."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from helpers.paths import MISSING, limit, replacing, unreadable

# What is read, whatever a file is called. Left out: formats that start other programs (EPS) or are no plain pictures.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "DIB", "TIFF", "GIF", "PPM", "AVIF", "JPEG2000", "TGA", "PCX", "QOI")
# Their suffixes, by which the pictures in a folder are found.
IMAGE_SUFFIXES = (
    ".png",
    ".apng",
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".webp",
    ".bmp",
    ".dib",
    ".tif",
    ".tiff",
    ".gif",
    ".ppm",
    ".pgm",
    ".pbm",
    ".pnm",
    ".pfm",
    ".avif",
    ".avifs",
    ".jp2",
    ".j2k",
    ".jpc",
    ".jpf",
    ".jpx",
    ".j2c",
    ".tga",
    ".icb",
    ".vda",
    ".vst",
    ".pcx",
    ".qoi",
)

ORIENTATION = 274  # the EXIF tag: how a camera was held, 1 … 8; 1 is upright
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Photo(NamedTuple):
    """A photograph that comes with a package of the suite.

    Attributes:
        package: that holds it, as it is imported.
        file: its place in the package.
        credit: who made it, and under which terms; to be named wherever it is shown.
    """

    package: str
    file: str
    credit: str


PHOTOS = {
    "astronaut": Photo("skimage", "data/astronaut.png", "Eileen Collins, NASA, public domain"),
    "chelsea": Photo("skimage", "data/chelsea.png", "Chelsea the cat, Stéfan van der Walt, CC0"),
    "china": Photo("sklearn", "datasets/images/china.jpg", "Summer Palace, danielbuechele, CC BY 2.0"),
    "coffee": Photo("skimage", "data/coffee.png", "Rachel Michetti, Pikolo Espresso Bar, CC0"),
    "flower": Photo("sklearn", "datasets/images/flower.jpg", "vultilion, CC BY 2.0"),
    "grace_hopper": Photo(
        "matplotlib", "mpl-data/sample_data/grace_hopper.jpg", "Grace Hopper, James S. Davis, U.S. Navy, public domain"
    ),
    "motorcycle": Photo(
        "skimage", "data/motorcycle_left.png", "Middlebury Stereo Datasets 2014, D. Scharstein et al., for research"
    ),
    "rocket": Photo("skimage", "data/rocket.jpg", "SpaceX, CC0"),
}


class ImageError(ValueError):
    """A file is not a picture that can be read; the message names the file and the reason."""


def read_image(path: str | Path, gray: bool = False) -> np.ndarray:
    """Read a picture upright, whatever its mode.

    EXIF orientation is applied, palettes and CMYK are converted, transparent pixels are laid on white, 16-bit values
    are divided by 257 (with a warning, since detail is lost); of an animation the first frame is read.

    Args:
        path: a file of one of `FORMATS`.
        gray: give one channel instead of three.

    Returns:
        (H, W, 3) uint8 RGB, or (H, W, 1) uint8 with `gray`.

    Raises:
        FileNotFoundError: there is no such file.
        ImageError: it is a folder, not a picture, cut short, or too large to be safe.
    """
    return opened_image(path, gray=gray)[0]


def opened_image(path: str | Path, *, gray: bool = False) -> tuple[np.ndarray, int]:
    """A picture as `read_image` gives it, and the EXIF orientation by which it was turned (1 where it was upright)."""
    path = Path(path)
    try:
        opened = open_picture(path)
        return _pixels(opened, path, gray=gray), opened.orientation
    except (ImageError, FileNotFoundError):
        raise
    except Exception as error:  # converting, too, fails in ways that depend on the file
        raise ImageError(f"cannot read {path} as a picture: {error or type(error).__name__}") from error


class Opened(NamedTuple):
    """A picture file that was read.

    Attributes:
        picture: its pixels, upright.
        orientation: the EXIF orientation by which they were turned.
        format: "PNG", "JPEG", … by its content.
        stored: how Pillow unpacked the pixels, e.g. "L;4" for 4 bits of grey, "L;I" where white was stored as 0.
    """

    picture: Image.Image
    orientation: int
    format: str
    stored: str


def open_picture(path: Path, *, what: str = "picture") -> Opened:
    """Open and decode a picture file; whatever a decoder raises becomes one line about this file.

    Of EXIF only the orientation is read: cameras and programs write the rest wrongly in many ways.

    Raises:
        FileNotFoundError: there is no such file.
        ImageError: it is no file, not a picture, damaged, or larger than the limit.
    """
    if reason := unreadable(path):
        if reason == MISSING:
            raise FileNotFoundError(f"no {what} at {path}; check the path (current folder: {Path.cwd()})")
        raise ImageError(f"cannot read {path} as a {what}: {reason}")
    most = limit("SEGMENTATION_MAX_MEGAPIXELS")
    try:
        with _only_our_limit(most), Image.open(path, formats=FORMATS) as file:
            check_pixels(file.size, path)
            stored, kind = " ".join(str(tile[3]) for tile in file.tile), file.format
            before = _orientation(file)
            file.load()
            turned = _orientation(file)  # a PNG may have it behind the pixels; a TIFF was turned while it was loaded
            picture = file.transpose(_TURNS[turned]) if turned in _TURNS else file.copy()
            return Opened(picture, max(before, turned), kind, stored)
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageError(f"cannot read {path} as a {what}: there is not enough memory for it") from error
    except Exception as error:  # a damaged file can raise nearly anything inside a decoder
        reason = str(error).replace(repr(str(path)), "it") or type(error).__name__
        raise ImageError(f"cannot read {path} as a {what}: {reason}; is it damaged or another kind of file?") from error


def check_pixels(size: tuple[int, int], name: str | Path) -> None:
    """Refuse what is larger than the user allows, before its pixels are decoded.

    Args:
        size: its two sides in pixels.
        name: for the message.

    Raises:
        ImageError: it has more pixels than `SEGMENTATION_MAX_MEGAPIXELS` allows.
    """
    millions, most = size[0] * size[1] / 1e6, limit("SEGMENTATION_MAX_MEGAPIXELS")
    if millions > most:
        raise ImageError(
            f"{name} is too large: {size[0]}×{size[1]} are {millions:.0f} million pixels, the limit is {most:g}; if "
            f"you trust it and have the memory, set SEGMENTATION_MAX_MEGAPIXELS={int(millions) + 1}"
        )


@contextmanager
def _only_our_limit(millions: float) -> Iterator[None]:
    """Lets Pillow open what the user's limit allows, without Pillow's own warnings."""
    Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS or 0, int(millions * 1e6))
    with warnings.catch_warnings(action="ignore"):
        yield


def _orientation(file: Image.Image) -> int:
    try:
        found = file.getexif().get(ORIENTATION, 1)
    except Exception:  # damaged EXIF says nothing; the pixels are there all the same
        return 1
    return found if found in _TURNS else 1


def _pixels(opened: Opened, path: Path, *, gray: bool) -> np.ndarray:
    image = opened.picture
    if re.search(r"(RGB\w?|LA);16[BLN]", opened.stored):  # of 16-bit colours Pillow keeps the upper 8 bits
        _warn_of_16_bits(path.name)
    rgb = to_rgb(image, name=path.name)
    if gray:
        rgb = rgb.convert("L")
    array = np.asarray(rgb, np.uint8)
    return (array[..., None] if gray else array).copy()


def photo(name: str) -> np.ndarray:
    """Read a real photograph that a package of the suite brings along, so no network is needed; see its `credit`.

    Args:
        name: a key of `PHOTOS`.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ImageError: no such name, or its package isn't installed.
    """
    if name not in PHOTOS:
        raise ImageError(f"no photograph {name!r}; choose one of {', '.join(PHOTOS)}")
    package, file, _ = PHOTOS[name]
    found = find_spec(package)  # finds the folder without importing what may take seconds
    if found is None:
        raise ImageError(f"the photograph {name!r} comes with the package {package}, which isn't installed")
    return read_image(Path(found.origin).parent / file)


def to_rgb(image: Image.Image, *, name: str = "the picture") -> Image.Image:
    """Convert any of Pillow's modes to RGB as `read_image` does; `name` stands in its warnings."""
    if image.mode.startswith(("I", "F")):  # 16-bit and float greys: Pillow would clip them at 255
        values = np.asarray(image).astype(np.float64)
        if not np.isfinite(values).all():
            raise ImageError(f"{name} holds values that are no numbers (NaN or infinity), so it can't be shown")
        if image.mode == "F" and values.min() >= 0 and values.max() <= 1:
            values = values * 255
        elif image.mode.startswith("I;16") or values.max() > 255:
            _warn_of_16_bits(name, values)
            values = values / 257
        image = Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def _warn_of_16_bits(name: str, values: np.ndarray | None = None) -> None:
    said = "has 16 bits a channel; scaled to 8 bits"
    if values is not None and 0 < (used := int(values.max()).bit_length()) < 16:
        said += f", but its values need {used} bits only, so it comes out dark; multiply them by {1 << 16 - used}"
    elif values is not None and values.max() >= 2**16:
        said = "holds values beyond 16 bits, which come out white"
    warnings.warn(f"{name} {said}", stacklevel=5)


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
