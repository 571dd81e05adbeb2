"""The checkers of lesson 01: right answers pass, likely mistakes don't."""

import numpy as np

from exercises import assert_accepts, assert_rejects
from helpers.deeplab.exercises import check_keep_confident, check_select, check_with_holes
from helpers.labels import CITYSCAPES


def ids(names):
    return [CITYSCAPES.index(name) for name in names]


def with_holes(kernel, rate):
    spread = np.zeros([(side - 1) * rate + 1 for side in kernel.shape], kernel.dtype)
    spread[::rate, ::rate] = kernel
    return spread


def test_with_holes() -> None:
    assert_accepts(check_with_holes, with_holes)
    assert_rejects(
        check_with_holes,
        {
            "zeros outside too": lambda kernel, rate: np.kron(kernel, np.eye(rate)[:, :1] @ np.eye(rate)[:1]),
            "one hole too many": lambda kernel, rate: with_holes(kernel, rate + 1),
            "repeated instead of spread": lambda kernel, rate: kernel.repeat(rate, 0).repeat(rate, 1),
            "transposed": lambda kernel, rate: with_holes(kernel, rate).T,
            "rows only": lambda kernel, rate: np.insert(kernel, 1, 0, axis=0),
        },
    )


def test_select() -> None:
    def keep_ids(mask, names):
        return np.where(np.isin(mask, ids(names)), mask, 0)

    def only_the_first(mask, names):
        return mask == ids(names)[0]

    assert_accepts(check_select, lambda mask, names: np.isin(mask, ids(names)))
    assert_rejects(
        check_select,
        {
            "ids instead of yes and no": keep_ids,
            "only the first name": only_the_first,
            "off by one class": lambda mask, names: np.isin(mask, np.array(ids(names)) + 1),
            "transposed": lambda mask, names: np.isin(mask, ids(names)).T,
            "unlabelled pixels selected": lambda mask, names: np.isin(mask, [*ids(names), 255]),
        },
    )


def test_select_must_not_change_the_mask() -> None:
    def in_place(mask, names):
        chosen = np.isin(mask, ids(names))
        mask[~chosen] = 255
        return chosen

    assert_rejects(check_select, {"in place": in_place, "also": in_place, "again": in_place})


def test_keep_confident() -> None:
    assert_accepts(
        check_keep_confident, lambda probs, threshold: np.where(probs.max(2) < threshold, 255, probs.argmax(2))
    )
    assert_rejects(
        check_keep_confident,
        {
            "no pixel left out": lambda probs, threshold: probs.argmax(2),
            "zero for unsure": lambda probs, threshold: np.where(probs.max(2) < threshold, 0, probs.argmax(2)),
            "the other way round": lambda probs, threshold: np.where(probs.max(2) >= threshold, 255, probs.argmax(2)),
            "classes on the wrong axis": lambda probs, threshold: np.where(
                probs.max(0) < threshold, 255, probs.argmax(0)
            ),
            "counted from one": lambda probs, threshold: np.where(probs.max(2) < threshold, 255, probs.argmax(2) + 1),
        },
    )
