"""What is painted on the road, and what wear has done to it."""

import numpy as np

from tools.practice_streets.facades import letters
from tools.practice_streets.ground import patch, strip
from tools.practice_streets.shapes import Colour, Shape, Thing
from tools.practice_streets.world import World

WHITE, YELLOW = (0.6, 0.6, 0.58), (0.5, 0.36, 0.05)


def dashes(
    world: World,
    shape: Shape,
    x: float,
    start,
    end,
    on,
    off,
    width: float,
    colour: Colour = WHITE,
    z: float = 0.006,
    part: str = "lane marking",
) -> None:
    """A broken line along the street."""
    for s in np.arange(start, end, on + off):
        strip(world, shape, s, s + on, x - width / 2, x + width / 2, z, "marking", part, colour, step=3)


def paint_road(world: World) -> None:
    """Markings, patches of newer asphalt, manhole covers, drains and cracks."""
    rng, half, shape = world.rng, world.road_width / 2, Shape()
    end = len(world.line.headings) - 30
    grey = world.grey
    # Surfaces in one plane would shade each other black: each lies a little higher than the one before.
    for k in range(rng.integers(4, 14)):
        patch(
            world,
            shape,
            rng.uniform(-2, 45),
            rng.uniform(-half, half) * 0.8,
            rng.uniform(1, 9),
            rng.uniform(0.6, 2.2),
            0.0018 + 0.0001 * k,
            world.asphalt,
            "road",
            grey * rng.uniform(0.6, 1.35),
        )
    for _ in range(rng.integers(2, 7)):
        where, _ = world.line.at(rng.uniform(2, 30), rng.uniform(-half, half) * 0.85)
        shape.rod([*where, -0.05], [*where, 0.004], rng.uniform(0.28, 0.4), "rubber", "road", grey * 0.55, sides=18)
    for _ in range(rng.integers(2, 8)):
        s, x, turn = rng.uniform(0, 25), rng.uniform(-half, half) * 0.8, rng.normal(0, 0.6)
        for k in range(12):
            patch(
                world,
                shape,
                s,
                x,
                0.9,
                rng.uniform(0.02, 0.06),
                0.0034 + 0.00005 * k,
                world.asphalt,
                "road",
                grey * 0.4,
                turn=turn,
            )
            turn += rng.normal(0, 0.25)
            s, x = s + 0.75 * np.cos(turn), x - 0.75 * np.sin(turn)
    for side in (-1, 1):
        strip(world, shape, -25, end, side * half, side * (half - 0.25), 0.0012, world.asphalt, "road", grey * 0.75)
        for s in np.arange(rng.uniform(0, 10), end, 18):
            patch(world, shape, s, side * (half - 0.25), 0.5, 0.4, 0.0048, "rubber", "road", grey * 0.35)
    style = rng.choice(["dashed", "long dashes", "double", "hatched"], p=[0.45, 0.3, 0.1, 0.15])
    if style == "double":
        for x in (-0.12, 0.12):
            strip(world, shape, -25, end, x - 0.05, x + 0.05, 0.006, "marking", "lane marking", WHITE)
    elif style == "hatched":
        for x in (-0.7, 0.7):
            dashes(world, shape, x, -25, end, 4, 2, 0.1)
        for s in np.arange(-20, end, 3.5):
            patch(world, shape, s, 0, 0.15, 1.7, 0.006, "marking", "hatched marking", WHITE, turn=0.7)
    else:
        on, off = (2, 4) if style == "dashed" else (4, 2)
        dashes(world, shape, 0, -20 + rng.uniform(0, 5), end, on, off, 0.12)
    for side in (-1, 1):
        edge = rng.choice(
            ["none", "double yellow", "single yellow", "bays", "cycle lane"], p=[0.25, 0.3, 0.15, 0.2, 0.1]
        )
        if "yellow" in edge:
            for x in (0.3, 0.5)[: 2 if edge == "double yellow" else 1]:
                strip(
                    world,
                    shape,
                    -25,
                    end,
                    side * (half - x),
                    side * (half - x - 0.09),
                    0.005,
                    "marking",
                    "lane marking",
                    YELLOW,
                )
        elif edge == "bays":
            strip(
                world, shape, 5, end, side * (half - 2.0), side * (half - 2.1), 0.005, "marking", "lane marking", WHITE
            )
            for s in np.arange(5, end, 6.0):
                patch(world, shape, s, side * (half - 1), 0.1, 2.0, 0.005, "marking", "lane marking", WHITE)
        elif edge == "cycle lane":
            dashes(world, shape, side * (half - 1.5), -20, end, 1, 1, 0.1)
            if rng.random() < 0.5:
                strip(
                    world,
                    shape,
                    -25,
                    end,
                    side * half,
                    side * (half - 1.4),
                    0.0035,
                    world.asphalt,
                    "road",
                    (0.2, 0.07, 0.05),
                )
    for _ in range(rng.integers(0, 3)):
        arrow(world, shape, rng.uniform(6, 30), rng.choice([-1, 1]) * half / 2)
    if rng.random() < 0.3:
        road_text(world, shape, rng.uniform(8, 25), -half / 2)
    if world.junction is not None and rng.random() < 0.4:
        box_junction(world, shape, world.junction)
    if world.tracks:
        for x in (-half / 2, half / 2):
            for rail in (-0.72, 0.72):
                strip(
                    world, shape, -25, end, x + rail - 0.04, x + rail + 0.04, 0.0065, "metal", "road", (0.3, 0.3, 0.3)
                )
    world.things.append(Thing(shape))


def arrow(world: World, shape: Shape, s: float, x: float) -> None:
    """A straight-on arrow in a lane."""
    patch(world, shape, s, x, 2.6, 0.16, 0.006, "marking", "lane marking", WHITE)
    (tip, heading), (foot, _) = world.line.at(s + 2.3, x), world.line.at(s + 1.2, x)
    r = np.array([np.cos(heading), np.sin(heading)]) * 0.45
    shape.add(
        [[*(foot - r), 0.006], [*(foot + r), 0.006], [*tip, 0.006]], [[0, 1, 2]], "marking", "lane marking", WHITE
    )


def road_text(world: World, shape: Shape, s: float, x: float) -> None:
    """Tall letters on the road, as in SLOW."""
    text = Shape()
    letters(text, world.rng, -1.0, 1.0, 0, 0.55, 0, WHITE)
    where, heading = world.line.at(s, x)

    def lie(verts):
        return np.c_[-verts[:, 0], verts[:, 2] * 4, 0.006 + verts[:, 1]]  # drawn long, to be read from afar

    shape.join(text.relabelled("lane marking", "marking").bent(lie), (*where, 0), heading)


def box_junction(world: World, shape: Shape, s: float) -> None:
    """A yellow box with crossed lines."""
    half = world.road_width / 2
    for turn in (0.85, -0.85):
        for offset in np.arange(-4, 4.1, 1.6):
            patch(
                world,
                shape,
                s + offset,
                0,
                0.14,
                world.road_width * 1.1,
                0.005,
                "marking",
                "hatched marking",
                YELLOW,
                turn=turn,
            )
    for x in (-half + 0.2, half - 0.2):
        strip(world, shape, s - 5, s + 5, x - 0.07, x + 0.07, 0.006, "marking", "hatched marking", YELLOW)


def crossing(world: World, s: float, *, zebra: bool) -> None:
    """A zebra, or two lines of studs with a stop line before them."""
    half, shape = world.road_width / 2, Shape()
    if zebra:
        for x in np.arange(-half + 0.4, half - 0.3, 1.1):
            strip(world, shape, s - 1.3, s + 1.3, x, x + 0.55, 0.007, "marking", "lane marking", WHITE)
    else:
        for ds in (-1.2, 1.2):
            for x in np.arange(-half + 0.2, half, 0.5):
                patch(world, shape, s + ds, x, 0.12, 0.12, 0.007, "marking", "lane marking", WHITE)
    patch(world, shape, s - 2.6, -half / 2, 0.25, half - 0.4, 0.007, "marking", "lane marking", WHITE)
    world.things.append(Thing(shape))
