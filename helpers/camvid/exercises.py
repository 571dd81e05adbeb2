"""Checks of lesson 04's exercises."""

from collections.abc import Callable, Sequence

import numpy as np

from helpers.checker import checker, expect, expect_equal


@checker
def check_split_by_drive(split_by_drive: Callable[[Sequence[str], str], tuple[list[str], list[str]]]) -> None:
    """Exercise 1, split_by_drive"""
    stems = ["0006R0_f00930", "0016E5_08400", "0001TP_008850", "0016E5_00390", "0006R0_f01020"]
    answer = split_by_drive(stems, "0016E5")
    pair = isinstance(answer, tuple) and len(answer) == 2
    expect(pair, f"return two lists, train and valid: `return train, valid`; yours returns {type(answer).__name__}")
    train, valid = answer
    wanted = ["0006R0_f00930", "0001TP_008850", "0006R0_f01020"]
    expect_equal(list(train), wanted, "train with 0016E5 left out (in the given order)")
    expect_equal(list(valid), ["0016E5_08400", "0016E5_00390"], "valid with 0016E5 left out (in the given order)")
    train, valid = split_by_drive(["0016E50_1", "10016E5_2", "0016E5_3", "0006R0_0016E5"], "0016E5")
    hint = "; the drive is all of the name before the first underscore"
    expect(list(valid) == ["0016E5_3"], f"of 0016E50_1, 10016E5_2, 0016E5_3 and 0006R0_0016E5 valid has {valid}{hint}")
    expect(len(train) == 3, f"and train has {train}")


@checker
def check_join_skip(join_skip: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> None:
    """Exercise 2, join_skip"""
    deep = np.array([[[1.0, 2.0, 3.0]]])  # one map of 1×3
    skip = np.array([np.full((2, 6), 7.0), np.full((2, 6), 8.0)])  # two maps of 2×6
    doubled = np.array([[1.0, 1, 2, 2, 3, 3]] * 2)
    expect_equal(join_skip(deep, skip), np.stack([doubled, *skip]), "join_skip of 1 map of 1×3 and 2 maps of 2×6")
    rng = np.random.default_rng(0)
    deep, skip = rng.random((3, 4, 5)), rng.random((2, 8, 10))
    rows, columns = np.arange(8) // 2, np.arange(10) // 2
    wanted = np.concatenate([deep[:, rows[:, None], columns], skip])
    expect_equal(join_skip(deep, skip), wanted, "join_skip of 3 maps of 4×5 and 2 maps of 8×10")


@checker
def check_class_weights(class_weights: Callable[[np.ndarray, int], np.ndarray]) -> None:
    """Exercise 3, class_weights"""
    counts = np.array([70, 30, 0, 50])  # the last one is Void
    wanted = np.array([1 / np.log(1.02 + 0.7), 1 / np.log(1.02 + 0.3), 1 / np.log(1.02), 0])
    expect_equal(
        class_weights(counts, 3), wanted, "the weights for counts 70, 30, 0 and 50 of Void (class 3)", tolerance=1e-6
    )
    counts = np.array([10, 400, 90, 500])
    wanted = np.array([0, *1 / np.log(1.02 + counts[1:] / 990)])
    expect_equal(
        class_weights(counts, 0), wanted, "the weights for counts 10 of Void (class 0), 400, 90 and 500", tolerance=1e-6
    )
    expect(counts.tolist() == [10, 400, 90, 500], "class_weights changed the counts it was given; make a new array")
