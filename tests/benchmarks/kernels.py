"""Colouring, counting, laying over and run lengths, against the readable ways: python tests/benchmarks/kernels.py

Writes data/measured/kernels.json: seconds of each, and the ratio.
"""

import csv
from collections.abc import Callable

import numpy as np
import sklearn.metrics
from pycocotools import mask as coco
from timing import fastest_calls

from helpers import paths, records, rle
from helpers.labels import CAMVID
from helpers.masks import colorize, overlay
from helpers.metrics import ConfusionMatrix

RNG = np.random.default_rng(0)
# Blocks of 24 × 24 pixels: regions as in a street of 720 × 960, not noise.
MASK = RNG.integers(0, 32, (30, 40)).astype(np.uint8).repeat(24, 0).repeat(24, 1)
PRED = np.where(RNG.random(MASK.shape) < 0.9, MASK, 0).astype(np.uint8)
IMAGE = RNG.integers(0, 256, (*MASK.shape, 3)).astype(np.uint8)
PALETTE = CAMVID.palette()


def color_loop() -> np.ndarray:
    """One pass over the mask for each class and channel, as `decode_segmap` of the FCN guides does."""
    red, green, blue = (np.zeros_like(MASK) for _ in range(3))
    for class_id in range(32):
        inside = class_id == MASK
        red[inside], green[inside], blue[inside] = PALETTE[class_id]
    return np.stack([red, green, blue], axis=2)


def float_overlay() -> np.ndarray:
    return (0.5 * IMAGE.astype(np.float64) + 0.5 * PALETTE[MASK].astype(np.float64)).round().astype(np.uint8)


def pixel_loop(texts: list[str]) -> list[str]:
    """Decode and encode run lengths pixel after pixel down the columns, as it is told in words."""
    encoded = []
    for text in texts:
        numbers = list(map(int, text.split()))
        mask = np.zeros((256, 1600), bool)
        for start, length in zip(numbers[::2], numbers[1::2], strict=True):
            for pixel in range(start - 1, start - 1 + length):
                mask[pixel % 256, pixel // 256] = True
        numbers, before, start = [], False, 0
        for i, pixel in enumerate([*mask.T.ravel().tolist(), False]):
            if pixel and not before:
                start = i
            elif before and not pixel:
                numbers += [start + 1, i - start]
            before = pixel
        encoded.append(" ".join(map(str, numbers)))
    return encoded


def tasks() -> dict[str, tuple[Callable, Callable]]:
    """What is done → the readable way, and ours."""
    with open(paths.DATA / "severstal_practice" / "train.csv", newline="", encoding="utf-8") as file:
        texts = [row["EncodedPixels"] for row in csv.DictReader(file) if row["EncodedPixels"]][:100]
    masks = [rle.decode(text) for text in texts]
    coco_masks = [np.asfortranarray(mask.astype(np.uint8)) for mask in masks]
    return {
        "colorize 32 classes": (color_loop, lambda: colorize(MASK, PALETTE)),
        "overlay": (float_overlay, lambda: overlay(IMAGE, MASK, PALETTE)),
        "confusion matrix, scikit-learn": (
            lambda: sklearn.metrics.confusion_matrix(MASK.ravel(), PRED.ravel(), labels=range(32)),
            lambda: ConfusionMatrix(32).update(MASK, PRED),
        ),
        "10 run lengths, pixel loop": (
            lambda: pixel_loop(texts[:10]),
            lambda: [rle.encode(rle.decode(text)) for text in texts[:10]],
        ),
        "encode 100 masks, pycocotools": (
            lambda: list(map(coco.encode, coco_masks)),
            lambda: list(map(rle.encode, masks)),
        ),
    }


def main() -> None:
    found = {}
    for name, (readable, ours) in tasks().items():
        seconds = fastest_calls({"readable": readable, "ours": ours}, rounds=5)
        ratio = seconds["readable"] / seconds["ours"]
        print(f"{name}: {1e3 * seconds['readable']:.2f} ms → {1e3 * seconds['ours']:.2f} ms, {ratio:.1f}×")
        found[name] = {"milliseconds": {key: 1e3 * value for key, value in seconds.items()}, "ratio": ratio}
    print("record:", records.write("kernels", records.run_record(__file__, **found)))


if __name__ == "__main__":
    main()
