"""Checks of lesson 07's exercises."""

from collections.abc import Callable, Sequence

import numpy as np

from helpers.checker import checker, expect, expect_equal


@checker
def check_mix(mix: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]) -> None:
    """Exercise 1, mix"""
    rng = np.random.default_rng(0)
    person, behind = rng.integers(0, 256, (2, 3, 4, 3), dtype=np.uint8)
    alpha = np.array([[0, 1, 0.5, 0.25], [1, 0, 0.75, 0.5], [0.1, 0.9, 0, 1]], np.float32)
    before = person.copy(), behind.copy(), alpha.copy()
    got = mix(person, behind, alpha)
    expect(isinstance(got, np.ndarray), f"mix gives a {type(got).__name__}; a picture is an array")
    expect(
        got.shape == person.shape,
        f"the picture has shape {got.shape}, expected {person.shape}; give alpha a third axis",
    )
    expect(got.dtype == np.uint8, f"the picture is {got.dtype}; round, then turn it into np.uint8")
    unchanged = all(np.array_equal(a, b) for a, b in zip(before, (person, behind, alpha), strict=True))
    expect(unchanged, "mix changed what it was given; make a new picture")
    expect_equal(got[0, 0], behind[0, 0], "the pixel with alpha 0")
    expect_equal(got[0, 1], person[0, 1], "the pixel with alpha 1")
    want = np.rint(alpha[..., None] * person.astype(float) + (1 - alpha[..., None]) * behind.astype(float))
    off = int(np.abs(got.astype(int) - want).max())
    expect(off <= 1, f"a mixed pixel is {off} grey levels off; is it alpha · person + (1 − alpha) · behind, in floats?")


@checker
def check_mean_light(mean_light: Callable[[float, float], float]) -> None:
    """Exercise 2, mean_light"""
    for a, b in ((0, 255), (255, 0), (64, 64), (0, 0), (255, 255), (20, 220), (100, 130)):
        want = 255 * (((a / 255) ** 2.2 + (b / 255) ** 2.2) / 2) ** (1 / 2.2)
        hint = f"mean_light({a}, {b})"
        got = mean_light(a, b)
        expect(got is not None, f"{hint} is None: did you forget the return statement?")
        expect(
            a == b or abs(got - (a + b) / 2) > 1e-6 or abs(want - (a + b) / 2) < 1e-6,
            f"{hint} is {got:.4g}, the mean of the grey levels; to light first (** 2.2), then the mean, then back",
        )
        expect_equal(got, want, hint, tolerance=0.5)


@checker
def check_steady(steady: Callable[[Sequence[np.ndarray], float], list[np.ndarray]]) -> None:
    """Exercise 3, steady"""
    alphas = [np.full((2, 3), value) for value in (1.0, 0.0, 0.0, 1.0)]
    before = [alpha.copy() for alpha in alphas]
    got = steady(alphas, 0.75)
    expect(got is not None, "steady gives None: did you forget the return statement?")
    got = list(got)
    expect(len(got) == 4, f"steady gives {len(got)} alphas for 4 frames; the first frame has one too")
    for i, want in enumerate((1.0, 0.75, 0.5625, 0.671875)):
        expect_equal(got[i], np.full((2, 3), want), f"frame {i} with keep 0.75", tolerance=1e-6)
    expect(
        all(np.array_equal(a, b) for a, b in zip(alphas, before, strict=True)), "steady changed the alphas it was given"
    )
    for i, (one, other) in enumerate(zip(steady(alphas, 0.0), alphas, strict=True)):
        expect_equal(one, other, f"frame {i} with keep 0", tolerance=1e-6)
