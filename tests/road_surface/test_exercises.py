"""The checkers of lesson 06: right answers pass, likely mistakes don't."""

import numpy as np

from exercises import assert_accepts, assert_rejects
from helpers.road_surface.data import class_weights
from helpers.road_surface.exercises import check_adjust, check_inverse_weights, check_voice


def inverse_weights(counts):
    return np.where(counts > 0, counts.max() / np.maximum(counts, 1), 0)


def voice(counts, weights):
    return counts * weights / (counts * weights).sum()


def adjust(logits, counts):
    return (logits - np.log(counts / counts.sum())[:, None, None]).argmax(axis=0)


def test_inverse_weights() -> None:
    assert_accepts(check_inverse_weights, inverse_weights)
    assert_accepts(check_inverse_weights, lambda counts: class_weights(counts, "inverse"))
    assert_rejects(
        check_inverse_weights,
        {
            "infinite where a class is absent": lambda counts: counts.max() / np.where(counts > 0, counts, 1e-300),
            "an absent class counts as one pixel": lambda counts: counts.max() / np.maximum(counts, 1),
            "not scaled": lambda counts: np.where(counts > 0, counts.sum() / np.maximum(counts, 1), 0),
            "scaled by the first class": lambda counts: np.where(counts > 0, counts[0] / np.maximum(counts, 1), 0),
            "the frequencies themselves": lambda counts: counts / counts.max(),
            "ENet's logarithm": lambda counts: class_weights(counts, "enet"),
            "no return": lambda counts: None,
        },
    )


def test_voice() -> None:
    assert_accepts(check_voice, voice)
    assert_rejects(
        check_voice,
        {
            "weights alone": lambda counts, weights: weights / weights.sum(),
            "counts alone": lambda counts, weights: counts / counts.sum(),
            "not shares": lambda counts, weights: counts * weights,
            "divided by the pixels": lambda counts, weights: counts * weights / counts.sum(),
            "divided by the weights": lambda counts, weights: counts * weights / weights.sum(),
        },
    )


def test_adjust() -> None:
    assert_accepts(check_adjust, adjust)

    def in_place(logits, counts):
        logits -= np.log(counts / counts.sum())[:, None, None].astype(np.float32)
        return logits.argmax(axis=0)

    assert_rejects(
        check_adjust,
        {
            "added instead of subtracted": lambda logits, counts: (
                logits + np.log(counts / counts.sum())[:, None, None]
            ).argmax(axis=0),
            "nothing adjusted": lambda logits, counts: logits.argmax(axis=0),
            "frequencies without their logarithm": lambda logits, counts: (
                logits - (counts / counts.sum())[:, None, None]
            ).argmax(axis=0),
            "argmax over the rows": lambda logits, counts: logits.argmax(axis=1),
            "the logits instead of the mask": lambda logits, counts: (
                logits - np.log(counts / counts.sum())[:, None, None]
            ),
            "changes the logits": in_place,
        },
    )
