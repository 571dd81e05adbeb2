"""Checks of lesson 08's exercises."""

from collections.abc import Callable

import numpy as np

from helpers.checker import checker, expect, expect_equal


@checker
def check_view_pair(
    view_pair: Callable[[np.ndarray, np.ndarray, int, int, bool], tuple[np.ndarray, np.ndarray]],
) -> None:
    """Exercise 1, view_pair"""
    image = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    mask = np.arange(4 * 6, dtype=np.uint8).reshape(4, 6)
    answer = view_pair(image, mask, 1, 2, False)
    pair = isinstance(answer, tuple) and len(answer) == 2
    expect(pair, f"return both, picture and mask: `return view, its_mask`; yours returns {type(answer).__name__}")
    expect_equal(answer[0], image[1:3, 2:4], "the view at row 1, column 2")
    expect_equal(answer[1], mask[1:3, 2:4], "its mask at row 1, column 2")
    view, its_mask = view_pair(image, mask, 2, 3, True)
    expect_equal(view, image[2:4, 3:5][:, ::-1], "the mirrored view at row 2, column 3")
    expect_equal(
        its_mask, mask[2:4, 3:5][:, ::-1], "its mask at row 2, column 3, mirrored (left and right, not up and down)"
    )


@checker
def check_masked_cross_entropy(masked_cross_entropy: Callable[[np.ndarray, np.ndarray, int], float]) -> None:
    """Exercise 2, masked_cross_entropy"""
    probs = np.array([[0.5, 0.5], [0.25, 0.75], [0.9, 0.1], [0.2, 0.8]])
    target = np.array([0, 1, 255, 255])
    wanted = -(np.log(0.5) + np.log(0.75)) / 2
    answer = masked_cross_entropy(probs, target, 255)
    hint = "; divide by the number of pixels that count, not by all of them"
    expect(not np.isclose(answer, wanted / 2), f"the loss of two labelled and two ignored pixels is {answer:.4f}{hint}")
    expect_equal(answer, wanted, "the loss of two labelled and two ignored pixels", tolerance=1e-6)
    expect_equal(
        masked_cross_entropy(probs, np.array([0, 1, 0, 1]), 0),
        -np.log(probs[[1, 3], 1]).mean(),
        "the loss of the targets 0, 1, 0, 1 where 0 is ignored",
        tolerance=1e-6,
    )
    expect_equal(masked_cross_entropy(probs, np.array([7, 7, 7, 7]), 7), 0.0, "the loss where every pixel is ignored")


@checker
def check_mean_iou(mean_iou: Callable[[np.ndarray], float]) -> None:
    """Exercise 3, mean_iou"""
    matrix = np.array([[6, 2, 0], [1, 3, 0], [0, 0, 0]])
    wanted = (6 / 9 + 3 / 6) / 2
    answer = mean_iou(matrix)
    expect(not np.isclose(answer, (6 / 9 + 3 / 6 + 1) / 3), "class 2 occurs nowhere, yet your mean counts it as 1")
    expect(not np.isclose(answer, (6 / 9 + 3 / 6) / 3), "class 2 occurs nowhere, yet your mean counts it as 0")
    expect_equal(answer, wanted, "the mean IoU of [[6, 2, 0], [1, 3, 0], [0, 0, 0]]", tolerance=1e-6)
    false_alarms = np.array([[4, 0, 4], [0, 2, 0], [0, 0, 0]])
    expect_equal(
        mean_iou(false_alarms),
        (4 / 8 + 1 + 0) / 3,
        "the mean where class 2 is predicted but never true, an IoU of 0",
        tolerance=1e-6,
    )
