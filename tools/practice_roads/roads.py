"""The sequences: which road each drives along, in what light, and what lies on it."""

from dataclasses import dataclass, replace

import numpy as np

from tools.practice_roads.surface import WHITE, YELLOW, Surface
from tools.practice_streets.line import Line
from tools.practice_streets.towns import HAZY_SUN, OVERCAST, SUN, WET, Light, Town
from tools.practice_streets.world import World

FRAMES, SPACING, VIEW = 8, 5.0, 48.0  # frames a sequence, metres between them, metres drawn in detail ahead
HIGH_SUN = replace(SUN, sun_height=48, sun=4.6)
PALE = replace(OVERCAST, cloud_colour=(1.3, 1.3, 1.32))


@dataclass(frozen=True)
class Road:
    """One sequence.

    Attributes:
        pavements: (kind, metres from which it lies) in order along the road.
        kerb: whether a kerb and a pavement for walkers line it; a verge otherwise.
        lines: what is painted: "none", "centre", "edges" or "double".
        many: how many of each thing lie along it.
    """

    name: str
    seed: int
    light: Light
    pavements: tuple[tuple[str, float], ...]
    kerb: bool
    half: float
    lines: str
    many: dict[str, int]
    zones: dict[str, float]
    valid: bool = False
    dirt: float = 0.5  # how dirty the lens is, 0 … 1

    @property
    def length(self) -> float:
        return FRAMES * SPACING + VIEW

    def surface(self) -> Surface:
        """The road, drawn anew: the same seed gives the same road."""
        rng = np.random.default_rng([self.seed, 1])
        surface = Surface(rng, self.length, self.half, 0.0 if self.kerb else 1.4, wet=self.light.wet)
        for kind, start, end in self._stretches():
            surface.pave(kind, start, end, rng.uniform(0.9, 1.1) * rng.uniform(0.96, 1.04, 3))
        self._paint(surface, rng)
        for name, count in self.many.items():
            _strew(surface, name, count, rng)
        return surface

    def _paint(self, surface: Surface, rng) -> None:
        colour = YELLOW if rng.random() < 0.5 else WHITE
        paved = [(start, end) for kind, start, end in self._stretches() if kind == "asphalt"]
        for start, end in paved:
            if self.lines == "double":
                for x in (-0.12, 0.12):
                    surface.line(start, end, x, 0.1, colour)
            elif self.lines != "none":
                for s in np.arange(start, end, 6.0):
                    surface.line(s, min(end, s + 2.5), 0.0, 0.12, colour)
            if self.lines in ("edges", "double"):
                for side in (-1, 1):
                    surface.line(start, end, side * (self.half - 0.7), 0.11)

    def _stretches(self):
        ends = [start for _, start in self.pavements[1:]] + [self.length]
        return [(kind, start, end) for (kind, start), end in zip(self.pavements, ends, strict=True)]

    def world(self) -> World:
        """Where it leads through, as yet empty."""
        rng = np.random.default_rng([self.seed, 2])
        town = Town(self.name, self.seed, self.light, self.zones, 0.25, 0.5, 0.5, 0.0, 0.0)
        return World(town, Line.random(rng, self.length + 60), 2 * self.half, rng)


def _strew(surface: Surface, name: str, count: int, rng) -> None:
    """Lay so many of a thing along a road, one in each stretch of it: chance alone would leave long empty ones."""
    placed, last = 0, surface.length - 24
    for k in range(count):
        for _ in range(30):
            if _place(surface, name, 4 + (k + rng.uniform(0, 1)) / count * (last - 4), rng):
                placed += 1
                break
    if placed < count / 2:
        raise RuntimeError(f"only {placed} of {count} things named {name!r} found a free place")


def _place(surface: Surface, name: str, s: float, rng) -> bool:
    """Lay one thing about s metres along the road, unless something lies there already."""
    half = surface.half
    side, x = int(rng.choice([-1, 1])), rng.uniform(-half + 0.5, half - 0.5)
    if name == "bump":
        if fits := surface.free(s, 0, 1.1, half * 0.7):
            surface.bump(s, colour=YELLOW if rng.random() < 0.6 else WHITE)
    elif name == "zebra":
        if fits := surface.free(s, half / 2, 1.6, 0.6):
            surface.zebra(s)
    elif name == "drain":
        if fits := surface.free(s, side * (half - 0.3), 0.6, 0.28):
            surface.drain(s, side)
    elif name == "manhole":
        if fits := surface.free(s, x, 0.5, 0.5):
            surface.manhole(s, x)
    elif name == "cats_eyes":  # a row along the middle
        if fits := surface.pavement(s) == "asphalt":
            surface.cats_eyes += [(s + 2.0 * step, 0.0) for step in range(5)]
    elif name == "patch":
        along, across = rng.uniform(0.7, 3.5), rng.uniform(0.5, 1.5)
        if fits := surface.free(s, x, along / 2, across / 2):
            surface.patch(s, x, along, across)
    elif name in ("pothole", "puddle"):
        across = rng.uniform(0.25, 0.6) if name == "pothole" else rng.uniform(0.4, 1.3)
        along = across * rng.uniform(0.8, 1.7)
        if fits := surface.free(s, x, along, across, earth=True):
            getattr(surface, name)(s, x, along, across)
    elif name == "crazing":
        x, along = side * half * rng.uniform(0.4, 0.7), rng.uniform(0.8, 2.2)
        if fits := surface.pavement(s) == "asphalt" and surface.free(s, x, along, 0.4):
            surface.crazing(s, x, along, rng.uniform(0.35, 0.8))
    elif fits := surface.pavement(s) == "asphalt":
        if rng.random() < 0.6:
            surface.crack(s, x, along=rng.uniform(2, 7), across=rng.normal(0, 0.4))
        else:
            surface.crack(s, -half * 0.8, along=rng.normal(0, 0.5), across=half * rng.uniform(0.7, 1.6))
    return fits


TOWN = {"villas": 4, "park": 2, "terrace": 1}
VILLAGE = {"villas": 3, "park": 4}
COUNTRY = {"park": 1}

ROADS = [
    Road(
        "araucaria",
        11,
        HIGH_SUN,
        (("asphalt", 0),),
        True,
        3.6,
        "edges",
        {"bump": 3, "zebra": 1, "drain": 12, "manhole": 7, "cats_eyes": 1, "patch": 5, "crack": 6, "crazing": 2},
        TOWN,
    ),
    Road(
        "bromelia",
        12,
        PALE,
        (("asphalt", 0),),
        False,
        3.4,
        "centre",
        {"bump": 1, "pothole": 9, "patch": 9, "puddle": 3, "crack": 9, "crazing": 6},
        COUNTRY,
        dirt=0.8,
    ),
    Road(
        "caboclo",
        13,
        WET,
        (("asphalt", 0),),
        True,
        3.8,
        "double",
        {"bump": 1, "drain": 12, "manhole": 6, "cats_eyes": 2, "puddle": 9, "patch": 6, "crack": 5, "crazing": 2},
        TOWN,
    ),
    Road(
        "figueira",
        14,
        SUN,
        (("paved", 0),),
        True,
        3.3,
        "none",
        {"bump": 2, "drain": 10, "manhole": 7, "patch": 7, "pothole": 5, "puddle": 3},
        VILLAGE,
    ),
    Road(
        "garapuvu",
        15,
        PALE,
        (("paved", 0), ("asphalt", 38)),
        False,
        3.2,
        "centre",
        {"bump": 2, "zebra": 1, "manhole": 4, "patch": 7, "pothole": 6, "puddle": 4, "crack": 3, "cats_eyes": 1},
        VILLAGE,
    ),
    Road("ipe", 16, HIGH_SUN, (("unpaved", 0),), False, 2.9, "none", {"pothole": 16, "puddle": 5}, COUNTRY, dirt=0.9),
    Road("jatoba", 17, WET, (("unpaved", 0),), False, 3.1, "none", {"puddle": 14, "pothole": 10}, COUNTRY),
    Road(
        "lapacho",
        18,
        HAZY_SUN,
        (("asphalt", 0),),
        True,
        3.5,
        "edges",
        {
            "bump": 2,
            "zebra": 1,
            "drain": 11,
            "manhole": 6,
            "cats_eyes": 1,
            "patch": 6,
            "pothole": 4,
            "puddle": 3,
            "crack": 7,
            "crazing": 4,
        },
        TOWN,
        valid=True,
    ),
    Road(
        "mandacaru",
        19,
        PALE,
        (("paved", 0),),
        True,
        3.4,
        "none",
        {"bump": 2, "drain": 9, "manhole": 6, "patch": 6, "pothole": 5, "puddle": 4},
        VILLAGE,
        valid=True,
    ),
    Road(
        "oiti",
        20,
        SUN,
        (("unpaved", 0), ("asphalt", 34)),
        False,
        3.0,
        "centre",
        {"bump": 1, "patch": 2, "pothole": 11, "puddle": 6, "crack": 3, "cats_eyes": 2},
        COUNTRY,
        valid=True,
    ),
]
