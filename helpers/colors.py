"""Colours that can be told apart: by everybody, and by people with red-green colour blindness."""

from functools import lru_cache

import cv2
import numpy as np


def evenly_spaced_colors(n: int) -> np.ndarray:
    """n clearly different colours for classes that have no official ones: hues evenly around the colour circle.

    Neighbouring ids get alternating brightness, so that ids that often touch in a picture differ in two ways.

    Returns:
        (n, 3) uint8 RGB, all different for n ≤ 180.

    >>> evenly_spaced_colors(3).tolist()
    [[255, 51, 51], [41, 204, 41], [51, 51, 255]]
    """
    if n < 1:
        raise ValueError(f"n is {n}; ask for at least one colour")
    hsv = np.zeros((1, n, 3), np.float32)
    hsv[0, :, 0] = np.arange(n) * 360 / n  # degrees
    hsv[0, :, 1] = 0.8
    hsv[0, :, 2] = np.where(np.arange(n) % 2, 0.8, 1.0)
    return np.rint(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0] * 255).astype(np.uint8)


# Deuteranopia at full severity on linear RGB: Machado, Oliveira & Fernandes, IEEE TVCG 15(6), 2009, table 1.
_DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)


def simulate_deuteranopia(colors: np.ndarray) -> np.ndarray:
    """How a person without green cones sees the colours (Machado et al., 2009).

    Args:
        colors: (N, 3) uint8 sRGB.

    Returns:
        (N, 3) float64 linear RGB in 0 … 1.
    """
    srgb = np.asarray(colors, np.float64) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return np.clip(linear @ _DEUTERANOPIA.T, 0, 1)


@lru_cache
def colorblind_colors(official: bytes) -> np.ndarray:
    """For each official colour the nearest one that stays apart from those already chosen, seen both ways.

    Tries a large distance first and a smaller one until every class has found a colour.
    """
    wanted = np.frombuffer(official, np.uint8).reshape(-1, 3)
    steps = np.linspace(0, 255, 12).astype(np.uint8)
    candidates = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3)
    seen, simulated = _lab(candidates), _lab_linear(simulate_deuteranopia(candidates))
    to_wanted = np.linalg.norm(_lab(wanted)[:, None] - seen[None], axis=-1)  # (classes, candidates)
    order = wanted.sum(axis=1).argsort(kind="stable")  # darkest first: black, the colour of Void, stays black
    for distance in np.arange(40, 0, -0.5):
        free, chosen = np.ones(len(candidates), bool), {}
        for i in order:
            if not free.any():
                break
            pick = chosen[i] = int(np.where(free, to_wanted[i], np.inf).argmin())
            apart = np.minimum(
                np.linalg.norm(seen - seen[pick], axis=1), np.linalg.norm(simulated - simulated[pick], axis=1)
            )
            free &= apart >= distance
        if len(chosen) == len(wanted):
            break
    return candidates[[chosen[i] for i in range(len(wanted))]]


def _lab(colors: np.ndarray) -> np.ndarray:
    return cv2.cvtColor((colors[None] / 255).astype(np.float32), cv2.COLOR_RGB2LAB)[0]


def _lab_linear(colors: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(colors[None].astype(np.float32), cv2.COLOR_LRGB2LAB)[0]
