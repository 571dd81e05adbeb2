"""The checkers of lesson 08: right answers pass, likely mistakes don't."""

import numpy as np

from exercises import assert_accepts, assert_rejects
from helpers.keras_unet.exercises import check_masked_cross_entropy, check_mean_iou, check_view_pair


def view_pair(image, mask, row, column, mirrored):
    window = np.s_[row : row + 2, column : column + 2]
    view, its_mask = image[window], mask[window]
    return (view[:, ::-1], its_mask[:, ::-1]) if mirrored else (view, its_mask)


def test_view_pair() -> None:
    assert_accepts(check_view_pair, view_pair)
    assert_rejects(
        check_view_pair,
        {
            "the mask stays": lambda image, mask, r, c, m: (view_pair(image, mask, r, c, m)[0], mask[:2, :2]),
            "only the picture is mirrored": lambda image, mask, r, c, m: (
                view_pair(image, mask, r, c, m)[0],
                view_pair(image, mask, r, c, False)[1],
            ),
            "upside down": lambda image, mask, r, c, m: tuple(
                part[::-1] if m else part for part in view_pair(image, mask, r, c, False)
            ),
            "rows and columns swapped": lambda image, mask, r, c, m: view_pair(image, mask, c, r, m),
            "only the picture": lambda image, mask, r, c, m: view_pair(image, mask, r, c, m)[0],
        },
    )


def masked_cross_entropy(probs, target, ignored):
    counts = target != ignored
    if not counts.any():
        return 0.0
    return float(-np.log(probs[counts, target[counts]]).mean())


def test_masked_cross_entropy() -> None:
    assert_accepts(check_masked_cross_entropy, masked_cross_entropy)
    assert_rejects(
        check_masked_cross_entropy,
        {
            "divided by all pixels": lambda p, t, i: masked_cross_entropy(p, t, i) * (t != i).mean(),
            "void is class 0": lambda p, t, i: float(-np.log(p[np.arange(len(t)), np.where(t < 2, t, 0)]).mean()),
            "the sign is missing": lambda p, t, i: -masked_cross_entropy(p, t, i),
            "always 255": lambda p, t, i: masked_cross_entropy(p, np.where(t < 2, t, 255), 255),
        },
    )


def mean_iou(matrix):
    hits, union = np.diag(matrix), matrix.sum(0) + matrix.sum(1) - np.diag(matrix)
    return float((hits[union > 0] / union[union > 0]).mean())


def test_mean_iou() -> None:
    def absent_is(value):
        def answer(matrix):
            hits, union = np.diag(matrix), matrix.sum(0) + matrix.sum(1) - np.diag(matrix)
            return float(np.where(union > 0, hits / np.maximum(union, 1), value).mean())

        return answer

    assert_accepts(check_mean_iou, mean_iou)
    assert_rejects(
        check_mean_iou,
        {
            "absent counts as 1": absent_is(1.0),
            "absent counts as 0": absent_is(0.0),
            "false alarms don't matter": lambda matrix: float(
                np.mean([matrix[c, c] / matrix[c].sum() for c in range(len(matrix)) if matrix[c].sum()])
            ),
            "pixel accuracy": lambda matrix: float(np.diag(matrix).sum() / matrix.sum()),
        },
    )
