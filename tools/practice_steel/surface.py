"""Sheets without defects: rolling texture, oxide, stains, bands, uneven light, dark ends."""

from typing import NamedTuple

import cv2
import numpy as np

HEIGHT, WIDTH = 256, 1600


class Canvas(NamedTuple):
    """A sheet being made: brightness (H, W) float32 in 0 … 255, and x where sheet begins and ends."""

    light: np.ndarray
    left: int
    right: int


def noise(rng: np.random.Generator, grain_y: float, grain_x: float) -> np.ndarray:
    """Smooth random field of mean 0 and deviation 1 whose blobs are about (grain_y, grain_x) pixels large."""
    small = rng.standard_normal((int(HEIGHT / grain_y) + 3, int(WIDTH / grain_x) + 3), np.float32)
    field = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    if min(grain_x, grain_y) > 3:  # blobs without the corners of the grid
        field = cv2.GaussianBlur(field, (0, 0), sigmaX=grain_x / 3, sigmaY=grain_y / 3)
    return (field - field.mean()) / (field.std() + 1e-6)


def bump(rng: np.random.Generator, width: float) -> np.ndarray:
    """(1, W) window around a random column, 1 at its middle, falling off over about `width` pixels."""
    x = np.arange(WIDTH, dtype=np.float32)[None]
    return np.exp(-(((x - rng.uniform(0, WIDTH)) / width) ** 2))


def surface(rng: np.random.Generator) -> Canvas:
    """A sheet without defects, but with all that a beginner's model takes for one: oxide, shade, streaks, seams."""
    y = np.linspace(-1, 1, HEIGHT, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, WIDTH, dtype=np.float32)[None]
    level = rng.uniform(18, 30) if rng.random() < 0.08 else rng.uniform(65, 130)
    light = 1 + rng.uniform(-0.1, 0.4) * y + 0.06 * noise(rng, 300, 350) - rng.uniform(0, 0.3) * x**2
    for _ in range(rng.integers(0, 4)):  # bands that a roll or a guide has left, with a straight edge
        edge = rng.uniform(-1, 1)
        light *= np.where((x > edge) & (x < edge + rng.uniform(0.1, 0.8)), rng.uniform(0.86, 1.1), 1)
    ripple = noise(rng, 1.6, rng.uniform(6, 20))
    streaks = noise(rng, rng.uniform(40, 120), 1.5)
    light *= 1 + 0.03 * ripple + rng.uniform(0.01, 0.05) * streaks + 0.03 * noise(rng, 5, 4)
    light *= 1 + rng.uniform(0.05, 0.11) * noise(rng, 1, 1)
    light *= 1 - 0.25 * np.clip(noise(rng, 50, 3) - 2.2, 0, 1.5)  # single darker streaks, no defects
    if rng.random() < 0.45:  # oxide: brighter islands, drawn out down the sheet
        island = noise(rng, 110, 18) + 0.6 * noise(rng, 20, 4) + 0.35 * noise(rng, 3, 2)
        island = island * bump(rng, rng.uniform(150, 500)) > rng.uniform(0.7, 1.3)
        light *= np.where(island, rng.uniform(1.2, 1.5) + 0.05 * ripple, 1)
    if rng.random() < 0.55:  # stains: dark dashes
        stain = (0.6 * noise(rng, 14, 3) + 0.5 * noise(rng, 4, 12) + 0.6 * noise(rng, 30, 40)) * bump(rng, 250)
        light *= 1 - 0.3 * np.clip(stain - 1.0, 0, 1)
    if rng.random() < 0.3:  # brushed lines, aslant
        phase = 40 * x + rng.uniform(-8, 8) * y + 1.5 * noise(rng, 120, 250)
        light *= 1 + 0.08 * np.clip(np.sin(rng.uniform(0.5, 2.5) * phase), -0.2, 1) * bump(rng, 300)
    light = (light * level).astype(np.float32)
    if rng.random() < 0.12:  # a wet seam: overexposed drops in a column
        drops = noise(rng, 7, 5) + 3.2 * bump(rng, rng.uniform(5, 14)) > 2.7
        light[drops] = rng.uniform(200, 255)
    glints = rng.random((HEIGHT, WIDTH)) < rng.uniform(0, 0.002)
    light[glints] *= rng.uniform(1.3, 2.2)
    left, right = 0, WIDTH
    if rng.random() < 0.25:  # the sheet ends inside the picture
        if rng.random() < 0.5:
            left = int(rng.uniform(40, 700))
        else:
            right = int(rng.uniform(900, 1560))
    return Canvas(light, left, right)
