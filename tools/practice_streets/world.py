"""A street as it is laid out: things, where they stand, and the line along which a camera drives."""

from dataclasses import dataclass, field

import numpy as np

from tools.practice_streets.line import Line
from tools.practice_streets.shapes import Thing
from tools.practice_streets.towns import Town


@dataclass
class World:
    """Things that stand or move in a street, and the line along which a camera drives."""

    town: Town
    line: Line
    road_width: float
    rng: np.random.Generator
    things: list[Thing] = field(default_factory=list)
    gaps: dict[int, list[tuple[float, float]]] = field(default_factory=lambda: {-1: [], 1: []})
    junction: float | None = None
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)
    tracks: bool = False
    asphalt: str = "asphalt"
    grey: np.ndarray | None = None

    def place(self, thing: Thing, s: float, x: float, *, turn: float = 0.0, z: float = 0.0) -> Thing:
        """Stands a thing at s along the line and x to its right, turned against the line's direction."""
        where, heading = self.line.at(s, x)
        thing.at, thing.turn = (where[0], where[1], z), heading + turn
        self.things.append(thing)
        return thing

    def claim(self, s: float, x: float, along: float, across: float = 2.1) -> bool:
        """Takes a rectangle of the road, unless something stands there already."""
        box = (s - along / 2, s + along / 2, x - across / 2, x + across / 2)
        if any(box[0] < b and a < box[1] and box[2] < d and c < box[3] for a, b, c, d in self.taken):
            return False
        self.taken.append(box)
        return True

    def free(self, side: int, s: float, margin: float = 0.0) -> bool:
        """Whether s lies on a kerb, not in the mouth of a side street."""
        return all(not a - margin < s < b + margin for a, b in self.gaps[side])
