"""Colouring, counting and laying over one 720 × 960 frame against the ways the tutorials do it."""

import numpy as np
import sklearn.metrics
from speed import speed_up

from helpers.labels import CAMVID
from helpers.masks import colorize, overlay
from helpers.metrics import ConfusionMatrix

RNG = np.random.default_rng(0)
# Blocks of 24 × 24 pixels: regions as in a street, not noise.
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


def test_colorize():
    assert (color_loop() == colorize(MASK, PALETTE)).all()
    speed_up("colorize, 32 classes", color_loop, lambda: colorize(MASK, PALETTE), target=20)


def test_overlay():
    assert np.abs(float_overlay().astype(int) - overlay(IMAGE, MASK, PALETTE)).max() <= 1
    speed_up("overlay", float_overlay, lambda: overlay(IMAGE, MASK, PALETTE), target=5)


def test_confusion_matrix():
    def oracle():
        return sklearn.metrics.confusion_matrix(MASK.ravel(), PRED.ravel(), labels=range(32))

    assert (ConfusionMatrix(32).update(MASK, PRED).matrix == oracle()).all()
    speed_up("confusion matrix", oracle, lambda: ConfusionMatrix(32).update(MASK, PRED), target=10)
