"""The checkers of lesson 06's exercises."""

from collections.abc import Callable

import numpy as np

from helpers.checker import checker, expect, expect_equal

COUNTS = np.array([9000, 800, 0, 200])


@checker
def check_inverse_weights(inverse_weights: Callable[[np.ndarray], np.ndarray]) -> None:
    """Exercise 1, inverse_weights"""
    kept = COUNTS.copy()
    weights = inverse_weights(COUNTS)
    expect_equal(np.shape(weights), (4,), "the shape of the weights of 4 classes")
    weights = np.asarray(weights, float)
    expect(bool(np.isfinite(weights).all()), f"the class without pixels has weight {weights[2]}; it should be 0")
    expect_equal(weights[2], 0.0, "the weight of the class without pixels")
    expect_equal(weights[0], 1.0, "the weight of the commonest class, 9,000 of 10,000 pixels,", tolerance=1e-6)
    expect_equal(weights, np.array([1, 11.25, 0, 45]), "the weights for 9000, 800, 0 and 200 pixels", tolerance=1e-4)
    last = np.array([10, 0, 40])
    expect_equal(
        np.asarray(inverse_weights(last), float),
        np.array([4.0, 0, 1]),
        "the weights for 10, 0 and 40 pixels (the commonest class comes last)",
        tolerance=1e-6,
    )
    expect_equal(COUNTS, kept, "counts after the call (change a copy, not the counts)")


@checker
def check_voice(voice: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> None:
    """Exercise 2, voice"""
    counts = np.array([90, 9, 1])
    cases = [([1, 1, 1], [0.9, 0.09, 0.01]), ([1, 10, 90], [1 / 3, 1 / 3, 1 / 3]), ([1, 0, 10], [0.9, 0, 0.1])]
    for weights, want in cases:
        got = np.asarray(voice(counts, np.array(weights)), float)
        expect_equal(got, np.array(want), f"the voice of 90, 9 and 1 pixels with weights {weights}", tolerance=1e-6)


@checker
def check_adjust(adjust: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> None:
    """Exercise 3, adjust"""
    logits = np.zeros((3, 1, 4), np.float32)
    logits[0] = 4.0  # a common class that wins everywhere by a little or a lot
    logits[1, 0] = [3.0, 1.0, 3.0, 0.0]
    logits[2, 0] = [0.0, 0.0, 1.0, 5.0]
    counts = np.array([900, 90, 10])
    kept = logits.copy()
    got = adjust(logits, counts)
    expect_equal(np.shape(got), (1, 4), "the shape of the mask of logits (3, 1, 4)")
    expect(
        np.asarray(got).dtype.kind in "iu", f"the mask holds {np.asarray(got).dtype}; take the argmax over the classes"
    )
    # Added to the logits: 0.105, 2.408 and 4.605.
    expect_equal(np.asarray(got), np.array([[1, 2, 2, 2]]), "the mask of the example with 900, 90 and 10 pixels")
    even = adjust(logits, np.array([50, 50, 50]))
    expect_equal(np.asarray(even), np.array([[0, 0, 0, 2]]), "the mask where all classes are equally common")
    expect_equal(logits, kept, "logits after the call (change a copy)")
