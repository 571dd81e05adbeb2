"""Checks of lesson 03's exercises."""

from collections.abc import Callable

import numpy as np

from helpers.checker import checker, expect, expect_equal
from helpers.labels import PASCAL_VOC


@checker
def check_output_size(output_size: Callable[[int, int, int, int], int]) -> None:
    """Exercise 1, output_size"""
    cases = {
        (5, 3, 1, 0): 3,
        (5, 3, 1, 1): 5,
        (5, 3, 2, 1): 3,
        (6, 3, 2, 1): 3,  # the window doesn't reach the last column
        (360, 3, 2, 1): 180,
        (224, 7, 2, 3): 112,
        (7, 1, 1, 0): 7,
        (10, 4, 3, 2): 4,
        (3, 3, 5, 0): 1,
    }
    for arguments, size in cases.items():
        got = output_size(*arguments)
        what = "output_size(size={}, kernel={}, stride={}, padding={})".format(*arguments)
        expect_equal(got, size, what)
        expect(isinstance(got, int | np.integer), f"{what} is {got!r}; a number of cells is a whole number")


@checker
def check_voc_color(voc_color: Callable[[int], tuple[int, int, int]]) -> None:
    """Exercise 2, voc_color"""
    for class_id, (name, color) in enumerate(zip(PASCAL_VOC.class_names, PASCAL_VOC.colors, strict=True)):
        expect_equal([int(v) for v in voc_color(class_id)], [int(v) for v in color], f"voc_color({class_id}), {name},")
    expect_equal([int(v) for v in voc_color(255)], [224, 224, 192], "voc_color(255), the border of objects,")


@checker
def check_margin(margin: Callable[[np.ndarray], np.ndarray]) -> None:
    """Exercise 3, margin"""
    probs = np.array([[[0.5, 0.25], [0.0, 0.375]], [[0.25, 0.25], [1.0, 0.25]], [[0.25, 0.5], [0.0, 0.375]]])
    before = probs.copy()
    expect_equal(margin(probs), np.array([[0.25, 0.25], [1.0, 0.0]]), "margin of 2×2 pixels", tolerance=1e-6)
    expect(np.array_equal(probs, before), "margin changed the probabilities it was given; sort a copy")
    probs = np.random.default_rng(0).dirichlet(np.full(6, 0.5), (4, 5)).transpose(2, 0, 1)
    ordered = np.sort(probs, axis=0)
    expect_equal(margin(probs), ordered[-1] - ordered[-2], "margin of 4×5 pixels with 6 classes", tolerance=1e-6)
