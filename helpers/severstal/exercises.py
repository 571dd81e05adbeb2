"""Checks of lesson 05's exercises."""

from collections.abc import Callable

import numpy as np

from helpers import rle, severstal
from helpers.checker import checker, expect, expect_equal


@checker
def check_decode(decode: Callable[[str, int, int], np.ndarray]) -> None:
    """Exercise 1, decode"""
    got = decode("2 4", 2, 3)
    expect_equal(got, np.array([[0, 1, 1], [1, 1, 0]], bool), 'decode("2 4", 2, 3)')
    expect_equal(decode("", 2, 3), np.zeros((2, 3), bool), "decode of an empty text")
    expect_equal(decode("1 1 6 1", 2, 3), np.array([[1, 0, 0], [0, 0, 1]], bool), 'decode("1 1 6 1", 2, 3)')
    mask = np.random.default_rng(0).random((5, 9)) < 0.4
    expect_equal(decode(rle.encode(mask), 5, 9), mask, "a random mask of 5×9, encoded and decoded")


@checker
def check_mean_dice(mean_dice: Callable[[np.ndarray, np.ndarray], float]) -> None:
    """Exercise 2, mean_dice"""
    targets, preds = np.zeros((2, 2, 4), bool), np.zeros((2, 2, 4), bool)
    expect_equal(mean_dice(targets, preds), 1.0, "mean_dice where all masks are empty, which counts as right")
    targets[0, 0], preds[0, 0, :2] = True, True
    expect_equal(
        mean_dice(targets, preds), (4 / 6 + 1) / 2, "mean_dice of Dice 4/6 and empty against empty", tolerance=1e-9
    )
    preds[1, 1, 3] = True
    expect_equal(mean_dice(targets, preds), (4 / 6 + 0) / 2, "mean_dice of Dice 4/6 and a false alarm", tolerance=1e-9)
    rng = np.random.default_rng(1)
    targets, preds = rng.random((5, 6, 7)) < 0.3, rng.random((5, 6, 7)) < 0.6
    wanted = severstal.dice(targets, preds).mean()
    expect_equal(mean_dice(targets, preds), wanted, "mean_dice of five random pairs", tolerance=1e-9)


@checker
def check_false_alarm_rate(false_alarm_rate: Callable[[np.ndarray, np.ndarray], float]) -> None:
    """Exercise 3, false_alarm_rate"""
    has_defect = np.array([True, False, False, True, False, False])
    flagged = np.array([True, True, False, False, False, False])
    expect_equal(
        false_alarm_rate(has_defect, flagged), 1 / 4, "false_alarm_rate with 1 of 4 good sheets stopped", tolerance=1e-9
    )
    expect_equal(
        false_alarm_rate(has_defect, ~flagged),
        3 / 4,
        "false_alarm_rate with 3 of 4 good sheets stopped",
        tolerance=1e-9,
    )
    rate = false_alarm_rate(np.array([True, True]), np.array([True, False]))
    expect(rate == 0, f"without good sheets there is no false alarm, so the rate is 0; yours is {rate}")
