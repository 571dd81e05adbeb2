"""The checkers of lesson 03: right answers pass, likely mistakes don't."""

import numpy as np

from exercises import assert_accepts, assert_rejects
from helpers.fcn.exercises import check_margin, check_output_size, check_voc_color


def voc_color(class_id, *, bits=(0, 1, 2), top=7):
    color = [0, 0, 0]
    for step in range(3):
        for channel, bit in enumerate(bits):
            color[channel] |= (class_id >> (3 * step + bit) & 1) << (top - step)
    return tuple(color)


def test_output_size() -> None:
    assert_accepts(check_output_size, lambda n, k, s, p: (n + 2 * p - k) // s + 1)
    assert_rejects(
        check_output_size,
        {
            "padding on one side only": lambda n, k, s, p: (n + p - k) // s + 1,
            "one window missing": lambda n, k, s, p: (n + 2 * p - k) // s,
            "rounded up": lambda n, k, s, p: -(-(n + 2 * p - k) // s) + 1,
            "a fraction": lambda n, k, s, p: (n + 2 * p - k) / s + 1,
            "padding ignored": lambda n, k, s, p: n // s,
            "a float": lambda n, k, s, p: float((n + 2 * p - k) // s + 1),
        },
    )


def test_voc_color() -> None:
    assert_accepts(check_voc_color, voc_color)
    assert_rejects(
        check_voc_color,
        {
            "blue, green, red": lambda i: voc_color(i, bits=(2, 1, 0)),
            "off by one class": lambda i: voc_color(i + 1),
            "only the first three bits": lambda i: voc_color(i & 7),
            "bits from below": lambda i: tuple(128 * (i >> bit & 1) for bit in range(3)),
            "one bit too low": lambda i: voc_color(i, top=6),
            "a grey": lambda i: (i, i, i),
        },
    )


def test_margin() -> None:
    def in_place(probs):
        probs.sort(axis=0)
        return probs[-1] - probs[-2]

    assert_accepts(check_margin, lambda probs: np.sort(probs, axis=0)[-1] - np.sort(probs, axis=0)[-2])
    assert_rejects(
        check_margin,
        {
            "the highest alone": lambda probs: probs.max(axis=0),
            "highest minus lowest": lambda probs: probs.max(axis=0) - probs.min(axis=0),
            "classes on the last axis": lambda probs: np.sort(probs, axis=2)[..., -1] - np.sort(probs, axis=2)[..., -2],
            "the other way round": lambda probs: np.sort(probs, axis=0)[-2] - np.sort(probs, axis=0)[-1],
            "second and third": lambda probs: np.sort(probs, axis=0)[-2] - np.sort(probs, axis=0)[-3],
            "sorted in place": in_place,
        },
    )
