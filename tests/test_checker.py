"""The machinery of the exercises' checkers."""

import numpy as np
import pytest

from exercises import assert_accepts, assert_rejects
from helpers.checker import StillToDo, WrongAnswer, checker, expect, expect_equal

MASK = np.array([[0, 0, 1], [2, 255, 1]])


@checker
def check_flip(flip) -> None:
    """mirrored mask"""
    expect_equal(flip(MASK), MASK[:, ::-1], "flip(mask)")


def test_right_answer_gets_a_tick(capsys: pytest.CaptureFixture) -> None:
    assert_accepts(check_flip, np.fliplr)
    assert "✔ mirrored mask: right" in capsys.readouterr().out


def test_wrong_answers_are_rejected_with_a_place() -> None:
    assert_rejects(
        check_flip,
        {
            "upside down": np.flipud,
            "transposed": np.transpose,
            "floats": lambda mask: np.fliplr(mask) / 1,
            "nothing returned": lambda mask: None,
        },
    )
    with pytest.raises(WrongAnswer, match=r"✘ mirrored mask: flip\(mask\) differs in 6 of 6 values.*\(0, 0\): 2, exp"):
        check_flip(np.flipud)


def test_a_crash_is_explained() -> None:
    with pytest.raises(WrongAnswer, match="your code stopped with ZeroDivisionError"):
        check_flip(lambda mask: 1 / 0)


def test_notebooks_show_the_message_without_a_stack() -> None:
    with pytest.raises(StillToDo) as todo:
        check_flip(lambda mask: exec("raise NotImplementedError('write flip()')"))
    assert todo.value._render_traceback_() == ["✎ mirrored mask: still to do. write flip()"]
    assert WrongAnswer("✘ no")._render_traceback_() == ["✘ no"]


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (1, 1.0),
        (np.float32(0.5), 0.5),
        ([1, 2], np.array([1, 2])),
        ("road", "road"),
        (np.nan, np.nan),
        ((1, 2), [1, 2]),
    ],
)
def test_equal_answers(got: object, want: object) -> None:
    expect_equal(got, want, "answer")


@pytest.mark.parametrize(
    ("got", "want", "hint"),
    [
        (2, 1, "is 2, expected 1"),
        (0.3334, 1 / 3, "is 0.3334, expected 0.333333"),
        ("street", "road", "'street', expected 'road'"),
        ("1", 1, "expected numbers"),
        ([[1]], [1], r"shape \(1, 1\), expected \(1,\)"),
        ([1.0], [1], "floating-point"),
        ([True], [1], "true/false"),
        ([1, np.nan], [1.0, 2.0], r"\(1,\): nan, expected 2"),
        (None, 0, "return"),
    ],
)
def test_unequal_answers(got: object, want: object, hint: str) -> None:
    with pytest.raises(WrongAnswer, match=hint):
        expect_equal(got, want, "answer")


def test_tolerance_is_absolute() -> None:
    expect_equal(0.33, 1 / 3, "share", tolerance=0.01)
    with pytest.raises(WrongAnswer):
        expect_equal(0.3, 1 / 3, "share", tolerance=0.01)


def test_expect() -> None:
    expect(True, "fine")
    with pytest.raises(WrongAnswer, match="too small"):
        expect(False, "too small")
