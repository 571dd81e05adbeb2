"""Colours in linear RGB, and how each thing gets one of its own."""

import numpy as np

from tools.practice_streets.shapes import Colour

BRICKS = [(0.28, 0.12, 0.075), (0.36, 0.27, 0.15), (0.42, 0.33, 0.2), (0.2, 0.1, 0.07), (0.33, 0.2, 0.13)]
RENDERS = [
    (0.72, 0.7, 0.64),
    (0.62, 0.56, 0.45),
    (0.55, 0.55, 0.53),
    (0.68, 0.6, 0.5),
    (0.5, 0.56, 0.6),
    (0.66, 0.5, 0.42),
    (0.78, 0.77, 0.74),
]
CONCRETES = [(0.42, 0.41, 0.38), (0.34, 0.33, 0.32), (0.5, 0.46, 0.4), (0.3, 0.31, 0.33)]
ROOFS = [(0.1, 0.1, 0.115), (0.2, 0.1, 0.07), (0.26, 0.14, 0.09), (0.14, 0.12, 0.11)]
PAINTS = [
    (0.02, 0.1, 0.06),
    (0.35, 0.03, 0.03),
    (0.02, 0.05, 0.2),
    (0.02, 0.02, 0.025),
    (0.5, 0.35, 0.05),
    (0.1, 0.3, 0.35),
    (0.6, 0.58, 0.55),
    (0.3, 0.1, 0.25),
    (0.05, 0.25, 0.1),
    (0.5, 0.12, 0.03),
]
WHITE = np.array([0.75, 0.75, 0.73])
CAR_PAINTS = [
    (0.5, 0.51, 0.53),
    (0.3, 0.31, 0.33),
    (0.02, 0.02, 0.023),
    (0.7, 0.7, 0.68),
    (0.02, 0.05, 0.18),
    (0.35, 0.02, 0.02),
    (0.1, 0.12, 0.14),
    (0.03, 0.13, 0.12),
    (0.05, 0.16, 0.32),
    (0.3, 0.22, 0.1),
    (0.02, 0.09, 0.04),
    (0.55, 0.56, 0.58),
]


def vary(rng: np.random.Generator, colour: Colour, amount: float = 0.12) -> np.ndarray:
    """A colour near to this one, both lighter or darker and a little off in hue."""
    return np.clip(np.asarray(colour) * rng.normal(1, amount) * rng.normal(1, amount / 3, 3), 0.01, 0.95)


def pick(rng: np.random.Generator, colours, amount: float = 0.12) -> np.ndarray:
    """One of the colours, varied."""
    return vary(rng, colours[rng.integers(len(colours))], amount)
