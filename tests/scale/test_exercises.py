"""The checkers of lesson 09's exercises."""

import numpy as np

from exercises import assert_accepts, assert_rejects
from helpers.scale.exercises import check_cost, check_finish, check_merged_iou


def test_cost() -> None:
    def cost(frames, rate, machines, price, start):
        return machines * (start + frames / (machines * rate)) / 3600 * price

    assert_accepts(check_cost, cost)
    assert_rejects(
        check_cost,
        {
            "starts are free": lambda frames, rate, machines, price, start: frames / rate / 3600 * price,
            "only one machine's start is paid": lambda f, r, m, p, s: (s + f / r) / 3600 * p,
            "one machine is paid, all work": lambda f, r, m, p, s: (s + f / (m * r)) / 3600 * p,
            "every machine does all the work": lambda f, r, m, p, s: m * (s + f / r) / 3600 * p,
            "a price for a minute": lambda f, r, m, p, s: cost(f, r, m, p, s) * 60,
        },
    )


def iou(matrix: np.ndarray) -> np.ndarray:
    hit = np.diag(matrix)
    with np.errstate(invalid="ignore"):
        return hit / (matrix.sum(0) + matrix.sum(1) - hit)


def test_merged_iou() -> None:
    assert_accepts(check_merged_iou, lambda matrices: np.nanmean(iou(np.sum(matrices, 0))))

    def in_place(matrices):
        total = matrices[0]
        for other in matrices[1:]:
            total += other
        return np.nanmean(iou(total))

    assert_rejects(
        check_merged_iou,
        {
            "mean of the workers' mIoUs": lambda matrices: np.mean([np.nanmean(iou(m)) for m in matrices]),
            "mean over workers first, class by class": lambda ms: np.nanmean(np.nanmean([iou(m) for m in ms], 0)),
            "an absent class counts as 0": lambda ms: np.nan_to_num(iou(np.sum(ms, 0))).mean(),
            "pixel accuracy": lambda ms: np.trace(np.sum(ms, 0)) / np.sum(ms),
            "the first matrix is overwritten": in_place,
        },
    )


def test_finish() -> None:
    def finish(seconds, workers, batch):
        free = [0.0] * workers
        for start in range(0, len(seconds), batch):
            first = free.index(min(free))
            free[first] += sum(seconds[start : start + batch])
        return max(free)

    assert_accepts(check_finish, finish)

    def in_turn(seconds, workers, batch):
        free = [0.0] * workers
        for number, start in enumerate(range(0, len(seconds), batch)):
            free[number % workers] += sum(seconds[start : start + batch])
        return max(free)

    assert_rejects(
        check_finish,
        {
            "the work divides evenly": lambda seconds, workers, batch: sum(seconds) / workers,
            "one frame at a time": lambda seconds, workers, batch: finish(seconds, workers, 1),
            "batches are dealt out in turn": in_turn,
            "equal shares": lambda s, w, b: finish(s, w, -(-len(s) // w)),
            "when the first is free": lambda s, w, b: min(finish(s, w, b), sum(s) / w),
        },
    )
