"""Reading and writing run lengths against a loop over pixels, and against pycocotools, which is written in C."""

import csv
import os
from pathlib import Path

import numpy as np
from pycocotools import mask as coco
from speed import speed_up

from helpers import rle
from helpers.paths import DATA

REAL = os.environ.get("SEGMENTATION_REAL_DATA")
TABLE = Path(REAL, "severstal", "train_rle_rows.csv") if REAL else DATA / "severstal_practice" / "train.csv"
with open(TABLE, newline="") as file:
    TEXTS = [row["EncodedPixels"] for row in csv.DictReader(file) if row["EncodedPixels"]][:100]
MASKS = [rle.decode(text) for text in TEXTS]
COCO_MASKS = [np.asfortranarray(mask.astype(np.uint8)) for mask in MASKS]
COCO = [coco.encode(mask) for mask in COCO_MASKS]


def encode_loop(mask: np.ndarray) -> str:
    """Pixel after pixel down the columns, as it is told in words."""
    numbers, before, start = [], False, 0
    for i, pixel in enumerate([*mask.T.ravel().tolist(), False]):
        if pixel and not before:
            start = i
        elif before and not pixel:
            numbers += [start + 1, i - start]
        before = pixel
    return " ".join(map(str, numbers))


def decode_loop(text: str) -> np.ndarray:
    numbers = list(map(int, text.split()))
    mask = np.zeros((256, 1600), bool)
    for start, length in zip(numbers[::2], numbers[1::2], strict=True):
        for pixel in range(start - 1, start - 1 + length):
            mask[pixel % 256, pixel // 256] = True
    return mask


def test_against_the_pixel_loop():
    print(f"\n{len(TEXTS)} masks of {TABLE.parent.name}/{TABLE.name}")
    texts, masks = TEXTS[:10], MASKS[:10]
    assert [encode_loop(mask) for mask in masks] == [rle.encode(mask) for mask in masks] == texts
    assert all(np.array_equal(decode_loop(text), mask) for text, mask in zip(texts, masks, strict=True))

    def both_loops():
        return [encode_loop(decode_loop(text)) for text in texts]

    def both_ours():
        return [rle.encode(rle.decode(text)) for text in texts]

    speed_up("RLE decode + encode, pixel loop", both_loops, both_ours, target=10, rounds=2)


def test_encode_against_pycocotools():
    # In the order that decode returns. Theirs gives a compressed text, ours readable numbers.
    theirs, ours = (lambda: list(map(coco.encode, COCO_MASKS))), (lambda: list(map(rle.encode, MASKS)))
    speed_up("RLE encode, pycocotools", theirs, ours, target=0.5)


def test_decode_against_pycocotools():
    theirs, ours = (lambda: list(map(coco.decode, COCO))), (lambda: list(map(rle.decode, TEXTS)))
    speed_up("RLE decode, pycocotools", theirs, ours, target=0.5)
