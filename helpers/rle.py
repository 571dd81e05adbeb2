"""Run-length encoding as the Severstal competition writes masks.

A mask is a list of runs "start length start length …". Pixels are counted from 1, down the first column, then down
the second (column-major order). Nearly every wrong result with these files comes from counting along the rows or
from 0: the picture still shows something, in the wrong place.
"""

import itertools
import math
import re
from collections.abc import Sequence

import numpy as np

from helpers.images import check_pixels

NUMBER = re.compile(r"-?[0-9]{1,18}")
DIGITS = re.compile(r"[0-9 ]*")
SENSELESS = 10**17  # stands for all numbers from there on: no picture has so many pixels


class RLEError(ValueError):
    """A run-length text doesn't describe a mask; the message names the run and what is wrong with it."""


def encode(mask: np.ndarray) -> str:
    """Write a binary mask as run lengths.

    Args:
        mask: (H, W) bool, or integers 0 and 1. Fastest in column-major memory order, as `decode` returns it.

    Returns:
        "start length start length …", 1-based, column-major; "" for an empty mask.

    Raises:
        RLEError: the mask is not (H, W) or holds other values.

    >>> encode(np.array([[0, 1, 1], [1, 1, 0]]))
    '2 4'
    """
    starts, ends = _runs(_binary(mask))
    numbers = np.stack([starts + 1, ends - starts], axis=1).ravel()
    return " ".join(map(str, numbers.tolist()))


def decode(rle: str | float | None, *, height: int = 256, width: int = 1600) -> np.ndarray:
    """Read run lengths into a mask.

    Args:
        rle: "start length start length …", 1-based, column-major. An empty text, None and NaN (what a table has for
            an empty cell) are an empty mask.
        height, width: of the image, in pixels.

    Returns:
        (height, width) bool, in column-major memory order.

    Raises:
        RLEError: the text can't describe a mask of this size; the message names the first wrong run.
        ImageError: the mask would have more pixels than `SEGMENTATION_MAX_MEGAPIXELS` allows.

    >>> decode("2 4", height=2, width=3).astype(int)
    array([[0, 1, 1],
           [1, 1, 0]])
    """
    check_pixels((width, height), "this mask")
    starts, ends = _parse(rle, height, width)
    # Lengths of background and foreground in turn; np.repeat fills them in.
    edges = np.concatenate([[0], np.stack([starts, ends], axis=1).ravel(), [height * width]])
    values = np.arange(len(edges) - 1) % 2 == 1
    return np.repeat(values, np.diff(edges)).reshape(height, width, order="F")


def area(rle: str | float | None, *, height: int = 256, width: int = 1600) -> int:
    """Number of pixels in a run-length text, without building the mask.

    >>> area("2 4", height=2, width=3)
    4
    """
    starts, ends = _parse(rle, height, width)
    return int((ends - starts).sum())


def unfit(rles: Sequence[str], *, height: int = 256, width: int = 1600) -> list[bool]:
    """Whether `area` would refuse them, for many texts at once and many times faster.

    >>> unfit(["2 4", "", "2 6"], height=2, width=3)
    [False, False, True]
    """
    words = [text.split() if text and DIGITS.fullmatch(text) else [] for text in rles]
    counts = np.array(list(map(len, words)), np.int64)
    refused = counts % 2 == 1
    texts = list(itertools.chain.from_iterable(row for row in words if len(row) % 2 == 0))
    if max(map(len, texts), default=0) >= 18:
        texts = [text if len(text) < 18 else SENSELESS for text in texts]
    numbers = np.array(list(map(int, texts)), np.int64)
    row = np.repeat(np.arange(len(words)), np.where(refused, 0, counts // 2))
    starts, ends = numbers[::2] - 1, numbers[::2] - 1 + numbers[1::2]
    before = np.concatenate([[0], ends])[: len(ends)] * (np.diff(row, prepend=-1) == 0)
    refused[row[(starts < before) | (ends <= starts) | (ends > height * width)]] = True
    for i, text in enumerate(rles):
        if not words[i] and text:  # not only digits and spaces: looked at one by one
            try:
                area(text, height=height, width=width)
            except RLEError:
                refused[i] = True
    return refused.tolist()


def _binary(mask: np.ndarray) -> np.ndarray:
    mask = np.asarray(mask)
    if mask.ndim != 2:
        raise RLEError(f"a mask is (H, W), found shape {mask.shape}; encode each class by itself")
    if mask.dtype == bool:
        return mask
    if mask.dtype.kind not in "iu" or (mask.size and (mask.min() < 0 or mask.max() > 1)):
        found = f"{mask.min()} … {mask.max()}" if mask.size else "none"
        raise RLEError(f"a mask holds True and False, or 0 and 1; found {mask.dtype} {found}. Pass mask == class_id")
    return mask.astype(bool)


def _runs(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends (exclusive) of the runs, 0-based in column-major order."""
    pixels = mask.ravel(order="F")
    edges = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    if pixels.size and pixels[0]:
        edges = np.concatenate([[0], edges])
    if pixels.size and pixels[-1]:
        edges = np.concatenate([edges, [pixels.size]])
    return edges[::2], edges[1::2]


def _parse(rle: str | float | None, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends (exclusive) of the runs, 0-based, checked."""
    if min(height, width) < 0:
        raise RLEError(f"a mask of {height}×{width} pixels can't be; height and width are counted in pixels")
    if rle is None or (isinstance(rle, float) and math.isnan(rle)):
        rle = ""
    if not isinstance(rle, str):
        raise RLEError(f"run lengths are a text of numbers, found {type(rle).__name__} {rle!r}")
    words = rle.split()
    for i, word in enumerate(words):
        if not NUMBER.fullmatch(word):
            raise RLEError(f"run {i // 2 + 1}: {word[:30]!r} is not a whole number")
    if len(words) % 2:
        raise RLEError(f"run {len(words) // 2 + 1}: start {words[-1]} has no length; there are {len(words)} numbers")
    numbers = np.array(list(map(int, words)), np.int64)
    starts, lengths = numbers[::2] - 1, numbers[1::2]
    ends = starts + lengths
    before = np.concatenate([[0], ends[:-1]])
    wrong = (starts < 0) | (lengths < 1) | (ends > height * width) | (starts < before)
    if wrong.any():
        i = int(wrong.argmax())
        raise RLEError(f"run {i + 1} ({words[2 * i]} {words[2 * i + 1]}): {_fault(i, starts, lengths, height, width)}")
    return starts, ends


def _fault(i: int, starts: np.ndarray, lengths: np.ndarray, height: int, width: int) -> str:
    """What is wrong with run i; all before it are right."""
    if starts[i] < 0:
        return "starts below 1; pixels are counted from 1"
    if lengths[i] < 1:
        return "has a length below 1"
    if starts[i] + lengths[i] > height * width:
        return f"ends at pixel {starts[i] + lengths[i]}, but an image of {height}×{width} has {height * width}"
    if starts[i] < starts[i - 1]:
        return f"comes after one that starts at {starts[i - 1] + 1}; runs must be sorted"
    return f"overlaps the one before, which ends at pixel {starts[i - 1] + lengths[i - 1]}"
