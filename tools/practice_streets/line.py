"""The line that a street follows."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Line:
    """A street's middle, sampled every metre from s = -25."""

    points: np.ndarray  # (n, 2)
    headings: np.ndarray  # (n,)

    @classmethod
    def random(cls, rng: np.random.Generator, length: float) -> "Line":
        """Straight, or with bends of at least 130 m radius."""
        n = int(length) + 26
        curve = np.zeros(n)
        if rng.random() < 0.6:
            for _ in range(2):
                start = rng.integers(20, max(21, n - 20))
                curve[start : start + rng.integers(25, 80)] = rng.uniform(-1, 1) / 130
        headings = np.cumsum(curve)
        steps = np.c_[-np.sin(headings), np.cos(headings)]
        points = np.vstack([[0, -25], steps]).cumsum(axis=0)[:n]
        return cls(points, headings)

    def at(self, s: float, x: float = 0.0) -> tuple[np.ndarray, float]:
        """The place at s along the line and x to its right, and the line's heading there (radians)."""
        index = np.arange(len(self.headings)) - 25.0
        heading = float(np.interp(s, index, self.headings))
        over = max(0.0, s - index[-1])
        where = np.array([np.interp(s, index, self.points[:, k]) for k in (0, 1)])
        where += over * np.array([-np.sin(heading), np.cos(heading)])
        return where + x * np.array([np.cos(heading), np.sin(heading)]), heading
