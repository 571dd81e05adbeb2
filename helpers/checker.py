"""Checks of the exercises: one module per lesson, beside the code that the lesson teaches.

A checker is a function that gets the reader's answer (a function, mostly), tries it on cases whose result is known,
and raises with a hint as soon as one is wrong:

>>> @checker
... def check_double(double):
...     '''double'''
...     expect_equal(double(3), 6, "double(3)")
>>> check_double(lambda x: 2 * x)
✔ double: right
>>> check_double(lambda x: x + 2)
Traceback (most recent call last):
    ...
helpers.checker.WrongAnswer: ✘ double: double(3) is 5, expected 6
"""

import functools
from collections.abc import Callable

import numpy as np

KINDS = {"b": "true/false values", "i": "whole numbers", "u": "whole numbers", "f": "floating-point numbers"}


class WrongAnswer(AssertionError):
    """The answer runs, but it is not right; the message says where. Notebooks show the message alone."""

    def _render_traceback_(self) -> list[str]:  # IPython asks for this: a hint is no crash, so no stack is shown
        return [str(self)]


class StillToDo(NotImplementedError):
    """The exercise still holds its stub."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def checker(check: Callable[..., None]) -> Callable[..., None]:
    """Turn a function that raises for a wrong answer into one that also prints ✔ and explains crashes.

    The first line of the checker's docstring is the name of the exercise in all messages.
    """
    name = (check.__doc__ or check.__name__).strip().splitlines()[0].rstrip(".")

    @functools.wraps(check)
    def run(*answers, **options) -> None:
        try:
            check(*answers, **options)
        except NotImplementedError as todo:
            raise StillToDo(f"✎ {name}: still to do. {todo}") from None
        except WrongAnswer as wrong:
            raise WrongAnswer(f"✘ {name}: {wrong}") from None
        except Exception as error:
            raise WrongAnswer(f"✘ {name}: your code stopped with {type(error).__name__}: {error}") from error
        print(f"✔ {name}: right")

    return run


def expect(condition: bool, hint: str) -> None:
    """Raise WrongAnswer with the hint unless the condition holds."""
    if not condition:
        raise WrongAnswer(hint)


def expect_equal(got: object, want: object, what: str, *, tolerance: float = 0.0) -> None:
    """Compare an answer with the known result and say how they differ: type, shape, then the first place.

    Args:
        got: the reader's number, string or array.
        want: the known result.
        what: what the answer is, as it starts the message: "iou of the 4×4 example".
        tolerance: largest absolute difference that is still right, for floats.

    Raises:
        WrongAnswer: they differ. NaN equals NaN.
    """
    expect(got is not None, f"{what} is None: did you forget the return statement?")
    if np.asarray(want).dtype.kind not in KINDS:
        expect(got == want, f"{what} is {got!r}, expected {want!r}")
        return
    got, want = np.asarray(got), np.asarray(want)
    expect(got.dtype.kind in KINDS, f"{what} has type {got.dtype}, expected numbers")
    expect(got.shape == want.shape, f"{what} has shape {got.shape}, expected {want.shape}")
    if want.ndim:  # a mask of floats is a mistake; a single 1 for 1.0 is not
        same_kind = KINDS[got.dtype.kind] == KINDS[want.dtype.kind]
        expect(same_kind, f"{what} holds {KINDS[got.dtype.kind]} ({got.dtype}), expected {KINDS[want.dtype.kind]}")
    near = np.isclose(got.astype(float), want.astype(float), rtol=0, atol=tolerance, equal_nan=True)
    if near.all():
        return
    if not want.ndim:
        raise WrongAnswer(f"{what} is {got.item():.6g}, expected {want.item():.6g}")
    where = tuple(int(i) for i in np.argwhere(~near)[0])
    raise WrongAnswer(
        f"{what} differs in {np.count_nonzero(~near)} of {near.size} values; the first is at {where}: "
        f"{got[where].item():.6g}, expected {want[where].item():.6g}"
    )
