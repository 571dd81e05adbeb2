"""Masks: (H, W) arrays of class ids. Checking, resizing, colouring, laying over a picture, reading and writing."""

import re
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from helpers import images
from helpers.labels import LabelSet

WRONG = (230, 30, 30)  # red
LOSSY = ("JPEG", "MPO", "JPEG2000", "WEBP", "AVIF")


class MaskError(ValueError):
    """A mask does not fit what it is used with; the message says what was found and what to do."""


class LossyMaskError(MaskError):
    """A mask was compressed with loss, so that its ids are no longer what they were."""


def validate_mask(mask: np.ndarray, label_set: LabelSet | int, *, ignore_index: int | None = None) -> np.ndarray:
    """Check on the CPU what a GPU would only report as a "device-side assert".

    Args:
        mask: (H, W) of an integer or boolean type.
        label_set: the classes that are allowed, or their number.
        ignore_index: one more allowed value; by default the label set's own.

    Returns:
        The mask, unchanged.

    Raises:
        MaskError: wrong shape or type, or values that are no class; the message lists them.
    """
    mask = np.asarray(mask)
    if mask.ndim != 2:
        hint = "; a colour picture is not a mask: read it with read_mask, or translate colours to ids first"
        raise MaskError(f"a mask has shape (H, W), this one has {mask.shape}{hint if mask.ndim == 3 else ''}")
    if not (np.issubdtype(mask.dtype, np.integer) or mask.dtype == bool):
        hint = "was it resized or normalised as a picture?"
        raise MaskError(f"a mask holds integers, this one holds {mask.dtype}; {hint}")
    if isinstance(label_set, LabelSet):
        num_classes, name = label_set.num_classes, f"LabelSet {label_set.name!r}"
        ignore_index = label_set.ignore_index if ignore_index is None else ignore_index
    else:
        num_classes, name = label_set, f"a task with {label_set} classes"
    values = np.unique(mask)
    bad = [int(v) for v in values if not 0 <= v < num_classes and v != ignore_index]
    if bad:
        raise MaskError(
            f"mask has class {', '.join(map(str, bad[:8]))}{' …' if len(bad) > 8 else ''}, but {name} has classes "
            f"0–{num_classes - 1}{f' and ignores {ignore_index}' if ignore_index is not None else ''}; {_advice(bad)}"
        )
    return mask


def _advice(bad: list[int]) -> str:
    if bad == [255]:
        return (
            "if 255 marks pixels without a label pass ignore_index=255; "
            "if it marks an object in a 0/255 mask, divide by 255"
        )
    return "check that the mask was resized with nearest (resize_mask) and belongs to this label set"


def resize_mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize a mask to size (height, width) by nearest neighbour, the only way that invents no class.

    Args:
        mask: (H, W) integers or booleans.
        size: (height, width) in pixels.

    Returns:
        (height, width) of the same type; its classes are among the mask's.

    >>> resize_mask(np.array([[0, 7]]), (2, 4)).tolist()
    [[0, 0, 7, 7], [0, 0, 7, 7]]
    """
    if mask.ndim != 2:
        raise MaskError(f"a mask has shape (H, W), this one has {mask.shape}")
    height, width = size
    if height < 1 or width < 1:
        raise MaskError(f"size {tuple(size)} is not (height, width) in pixels of at least 1")
    # The source pixel that lies under each target pixel's centre; plain indexing keeps every integer type.
    rows = ((np.arange(height) + 0.5) * mask.shape[0] / height).astype(int)
    columns = ((np.arange(width) + 0.5) * mask.shape[1] / width).astype(int)
    return mask[rows[:, None], columns]


def colorize(mask: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Give each class id its colour, `palette[mask]`, by OpenCV's table look-up where the mask is uint8.

    Args:
        mask: (H, W) integers.
        palette: (N, 3) uint8 RGB with a row for each id in the mask, such as `LabelSet.palette()`.

    Returns:
        (H, W, 3) uint8 RGB.

    >>> colorize(np.array([[0, 1]]), np.array([[0, 0, 0], [255, 0, 128]])).tolist()
    [[[0, 0, 0], [255, 0, 128]]]
    """
    mask = np.asarray(mask)
    palette = np.asarray(palette, np.uint8)
    if mask.ndim != 2:
        raise MaskError(f"a mask has shape (H, W), this one has {mask.shape}")
    if mask.dtype == bool:
        mask = mask.view(np.uint8)
    if mask.size and not 0 <= mask.min() <= mask.max() < len(palette):
        raise MaskError(f"mask has ids {mask.min()}–{mask.max()}, but the palette has {len(palette)} colours")
    if mask.dtype != np.uint8:
        return palette[mask]
    table = np.zeros((256, 1, 3), np.uint8)
    table[: len(palette), 0] = palette[:256]
    return cv2.applyColorMap(np.ascontiguousarray(mask), table)


def overlay(
    image: np.ndarray, mask: np.ndarray, palette: np.ndarray, *, alpha: float = 0.5, ignore_index: int | None = None
) -> np.ndarray:
    """Lay the coloured mask over the picture: (1 − alpha) · image + alpha · colour, rounded.

    Args:
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) integers, of the picture's size.
        palette: (N, 3) uint8 RGB.
        alpha: 0 (only the picture) … 1 (only the mask).
        ignore_index: pixels with this id show the picture alone.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha is {alpha}; it lies between 0 (picture) and 1 (mask)")
    if image.shape[:2] != np.shape(mask):
        raise MaskError(
            f"picture is {image.shape[:2]} and mask {np.shape(mask)} (height, width); "
            "resize the mask to the picture with resize_mask(mask, image.shape[:2])"
        )
    blended = cv2.addWeighted(image, 1 - alpha, colorize(mask, palette), alpha, 0)
    if ignore_index is not None:
        ignored = mask == ignore_index
        blended[ignored] = image[ignored]
    return blended


def outline(image: np.ndarray, mask: np.ndarray, palette: np.ndarray, *, width: int = 2) -> np.ndarray:
    """Draw each region's border in its class colour and leave the inside of the picture free.

    Args:
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) integers, of the picture's size.
        palette: (N, 3) uint8 RGB.
        width: of the line in pixels, inside the region.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    if image.shape[:2] != np.shape(mask):
        raise MaskError(f"picture is {image.shape[:2]} and mask {np.shape(mask)} (height, width); make them equal")
    ids = np.asarray(mask).astype(np.int16)
    kernel = np.ones((2 * width + 1, 2 * width + 1), np.uint8)
    border = cv2.dilate(ids, kernel) != cv2.erode(ids, kernel)
    drawn = image.copy()
    drawn[border] = colorize(mask, palette)[border]
    return drawn


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
        raise MaskError(
            f"picture, target and prediction differ in size: {image.shape[:2]}, {target.shape}, {pred.shape}"
        )
    labelled = np.ones(target.shape, bool) if ignore_index is None else target != ignore_index
    marked = np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2)
    marked[~labelled] *= 0.3
    wrong = labelled & (target != pred)
    marked[wrong] = 0.3 * marked[wrong] + 0.7 * np.array(WRONG)
    return marked.astype(np.uint8)


def read_mask(path: str | Path) -> np.ndarray:
    """Read class ids from a grey or palette picture (PNG, TIFF, …), exactly as its writer meant them.

    Grey values of 1, 2, 4, 8 or 16 bits and the indices of a palette are ids. Like a picture, a mask is turned by its
    own EXIF orientation.

    Returns:
        (H, W) uint8, or uint16 where the file holds 16 bits.

    Raises:
        FileNotFoundError: there is no such file.
        MaskError: not a picture, a picture of colours instead of ids, or one of which nobody can tell the ids: a JPEG,
            a palette of greys that are not their own indices, a TIFF that stores white as 0.
    """
    return opened_mask(path)[0]


def opened_mask(path: str | Path) -> tuple[np.ndarray, int]:
    """A mask as `read_mask` gives it, and the EXIF orientation by which it was turned (1 where it was upright)."""
    path = Path(path)
    try:
        opened = images.open_picture(path, what="mask")
        array = np.asarray(opened.picture)
    except images.ImageError as error:
        raise MaskError(str(error)) from error
    mode = opened.picture.mode
    if opened.format in LOSSY:
        raise LossyMaskError(f"{path} is a {opened.format}, whose compression changes class ids; labels have to be PNG")
    if re.search(r"\b[1L];\d?I", opened.stored):
        raise MaskError(f"{path} stores white as 0, so nobody can tell whether ids are turned round; save it as PNG")
    if mode == "P" and _greys_that_may_be_ids(opened.picture):
        raise MaskError(
            f"{path} has a palette of greys that differ from their indices: nobody can tell which of the two are the "
            "ids (optimisers of PNG files make such palettes); save it as a grey PNG"
        )
    if mode == "1":
        return array.astype(np.uint8), opened.orientation
    if mode in ("L", "P") or mode.startswith("I"):
        # Pillow spreads 2 and 4 bits, and the values of a PGM, over 0 … 255 or 0 … 65535.
        if found := re.search(r"\bL;([24])|\('\w+', (\d+)\)", opened.stored):
            highest = 2 ** int(found[1]) - 1 if found[1] else int(found[2])
            array = np.rint(array * (highest / (255 if mode == "L" else 65535))).astype(array.dtype)
        if array.size and not 0 <= array.min() <= array.max() < 2**16:
            raise MaskError(f"{path} holds values {array.min()} … {array.max()}; class ids are 0 … 65535")
        return array.astype(np.uint16 if mode.startswith("I") else np.uint8), opened.orientation
    what = "fractions" if mode == "F" else "colours"
    raise MaskError(f"{path} holds {what} (mode {mode}), not class ids; a mask is a grey or palette PNG")


def _greys_that_may_be_ids(picture: Image.Image) -> bool:
    """Whether a palette holds greys only, and one that is in use isn't its own index."""
    palette = np.array(picture.getpalette("RGB"), np.uint8).reshape(-1, 3)
    grey = (palette == palette[:, :1]).all(axis=1)
    used = [index for _, index in picture.getcolors(256)]
    return bool(grey.all()) and any(index < len(palette) and palette[index, 0] != index for index in used)


def save_mask(path: str | Path, mask: np.ndarray, palette: np.ndarray) -> Path:
    """Write a mask as a palette PNG: viewers show the colours, readers get the ids back.

    Args:
        path: ends in .png; written whole or not at all.
        mask: (H, W) integers 0 … 255.
        palette: (N ≤ 256, 3) uint8 RGB.

    Raises:
        MaskError: another suffix, shape or type, or ids beyond 255; nothing is written then.
    """
    mask = np.asarray(mask)
    if Path(path).suffix.lower() != ".png":
        raise MaskError(f"{Path(path).name}: a mask is saved as .png; JPEG would change the ids")
    if not (np.issubdtype(mask.dtype, np.integer) or mask.dtype == bool):
        raise MaskError(f"a mask to save holds integers, this one holds {mask.dtype}; of probabilities take the argmax")
    if mask.ndim != 2 or (mask.size and not 0 <= mask.min() <= mask.max() <= 255):
        raise MaskError(f"a mask to save has shape (H, W) and ids 0 … 255, this one has shape {mask.shape}")
    picture = Image.fromarray(mask.astype(np.uint8))
    picture.putpalette(np.asarray(palette, np.uint8)[:256].tobytes())
    if _greys_that_may_be_ids(picture):
        raise MaskError("a palette of greys would be taken for ids by some readers; choose colours")
    return images.save_pil(path, picture, optimize=True)
