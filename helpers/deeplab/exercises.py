"""Checks of lesson 01's exercises."""

from collections.abc import Callable, Sequence

import numpy as np

from helpers.checker import checker, expect, expect_equal
from helpers.labels import CITYSCAPES


@checker
def check_with_holes(with_holes: Callable[[np.ndarray, int], np.ndarray]) -> None:
    """Exercise 3, with_holes"""
    kernel = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    spread = np.array([[1.0, 0, 2, 0, 3], [0, 0, 0, 0, 0], [4, 0, 5, 0, 6]])
    expect_equal(with_holes(kernel, 2), spread, "with_holes of a 2×3 kernel at rate 2")
    expect_equal(with_holes(kernel, 1), kernel, "with_holes at rate 1 (no holes)")
    kernel = np.arange(1.0, 10).reshape(3, 3)
    spread = np.zeros((7, 7))
    spread[[[0], [3], [6]], [0, 3, 6]] = kernel
    expect_equal(with_holes(kernel, 3), spread, "with_holes of a 3×3 kernel at rate 3")


@checker
def check_select(select: Callable[[np.ndarray, Sequence[str]], np.ndarray]) -> None:
    """Exercise 1, select"""
    mask = np.array([[0, 1, 13], [13, 255, 0]], np.uint8)
    expect_equal(select(mask, ["car"]), mask == 13, "select(mask, ['car'])")
    expect_equal(select(mask, ["road", "sidewalk"]), mask < 2, "select(mask, ['road', 'sidewalk'])")
    expect_equal(select(mask, ["bus"]), np.zeros((2, 3), bool), "select of a class that does not occur")
    ids = np.resize(np.append(np.arange(CITYSCAPES.num_classes), CITYSCAPES.ignore_index), 54)
    mask = np.random.default_rng(1).permutation(ids).reshape(6, 9).astype(np.uint8)
    before = mask.copy()
    names = ["person", "rider", "bicycle"]
    want = (mask == 11) | (mask == 12) | (mask == 18)
    expect_equal(select(mask, names), want, "select of three classes in a 6×9 mask")
    expect(np.array_equal(mask, before), "select changed the mask it was given; make a new one")


@checker
def check_keep_confident(keep_confident: Callable[[np.ndarray, float], np.ndarray]) -> None:
    """Exercise 2, keep_confident"""
    probs = np.array([[[0.9, 0.1, 0.0], [0.4, 0.35, 0.25]], [[0.2, 0.2, 0.6], [0.0, 1.0, 0.0]]])
    expect_equal(keep_confident(probs, 0.5), np.array([[0, 255], [2, 1]]), "keep_confident of 2×2 pixels at 0.5")
    expect_equal(keep_confident(probs, 0.0), np.array([[0, 0], [2, 1]]), "keep_confident at 0, where nothing is unsure")
    said = "keep_confident at 0.6: exactly 0.6 isn't below"
    expect_equal(keep_confident(probs, 0.6), np.array([[0, 255], [2, 1]]), said)
    probs = np.random.default_rng(2).dirichlet(np.full(5, 0.4), (4, 7))
    want = np.where(probs.max(2) < 0.7, 255, probs.argmax(2))
    expect_equal(keep_confident(probs, 0.7), want, "keep_confident of 4×7 pixels with 5 classes at 0.7")
