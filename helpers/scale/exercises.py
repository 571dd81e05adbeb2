"""Checks of lesson 09's exercises."""

import heapq
from collections.abc import Callable, Sequence

import numpy as np

from helpers.checker import checker, expect, expect_equal
from helpers.metrics import ConfusionMatrix


@checker
def check_cost(cost: Callable[[int, float, int, float, float], float]) -> None:
    """Exercise 1, cost"""
    expect_equal(cost(36_000, 10, 1, 2.0, 0), 2.0, "cost of an hour on one machine at 2.00", tolerance=1e-9)
    what = "cost of the same work shared by 4 machines that start in no time"
    expect_equal(cost(36_000, 10, 4, 2.0, 0), 2.0, what, tolerance=1e-9)
    what = "cost with 4 machines, each of which is paid for 360 s before its first frame,"
    expect_equal(cost(36_000, 10, 4, 2.0, 360), 2.8, what, tolerance=1e-9)
    expect_equal(cost(0, 10, 3, 1.5, 60), 0.075, "cost of 3 machines that start for nothing", tolerance=1e-9)


@checker
def check_merged_iou(merged_iou: Callable[[Sequence[np.ndarray]], float]) -> None:
    """Exercise 2, merged_iou"""
    # Worker 1 sees 90 pixels of road and finds all, worker 2 sees 10 and loses 5 of them to class 1.
    matrices = [np.array([[90, 0], [0, 0]]), np.array([[5, 5], [0, 0]])]
    kept = [matrix.copy() for matrix in matrices]
    expect_equal(merged_iou(matrices), (0.95 + 0) / 2, "mIoU of two workers who saw 90 and 10 pixels", tolerance=1e-9)
    unchanged = all(np.array_equal(a, b) for a, b in zip(matrices, kept, strict=True))
    expect(unchanged, "merged_iou changed the matrices it was given; start the sum with a new array")
    absent = [np.diag([8, 0, 2]), np.array([[4, 0, 0], [0, 0, 0], [4, 0, 0]])]
    what = "mIoU where class 1 occurs nowhere, which then has no part in the mean,"
    expect_equal(merged_iou(absent), np.mean([12 / 16, 2 / 6]), what, tolerance=1e-9)
    rng = np.random.default_rng(0)
    many = [rng.integers(0, 50, (4, 4)) for _ in range(5)]
    whole = ConfusionMatrix(4).merge(np.pad(np.sum(many, 0), ((0, 0), (0, 1))))
    expect_equal(merged_iou(many), whole.mean_iou(), "mIoU of five workers", tolerance=1e-9)


@checker
def check_finish(finish: Callable[[Sequence[float], int, int], float]) -> None:
    """Exercise 3, finish"""
    expect_equal(finish([1, 1, 1, 1], 1, 2), 4.0, "finish of four frames of 1 s with one worker", tolerance=1e-9)
    expect_equal(finish([1, 1, 1, 1], 2, 1), 2.0, "finish of the same with two workers", tolerance=1e-9)
    expect_equal(finish([1, 1, 1, 9], 2, 2), 10.0, "finish of 1, 1, 1, 9 s in batches of two", tolerance=1e-9)
    what = "finish of 4, 1, 1, 1, 1 s with two workers: who is free takes the next frame, so it"
    expect_equal(finish([4, 1, 1, 1, 1], 2, 1), 4.0, what, tolerance=1e-9)
    what = "finish of five frames of 1 s in batches of two, the last of which has one frame, with three workers"
    expect_equal(finish([1, 1, 1, 1, 1], 3, 2), 2.0, what, tolerance=1e-9)
    seconds = np.random.default_rng(0).exponential(size=50)
    for workers, batch in ((3, 1), (4, 7), (8, 16)):
        free = [0.0] * workers
        for start in range(0, 50, batch):
            heapq.heapreplace(free, free[0] + seconds[start : start + batch].sum())
        what = f"finish of 50 uneven frames with {workers} workers in batches of {batch}"
        expect_equal(finish(list(seconds), workers, batch), max(free), what, tolerance=1e-9)
