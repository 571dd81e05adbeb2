"""What stands on a pavement: lamps, fences, walls, bollards, bins, cones."""

import numpy as np

from tools.practice_streets.colours import BRICKS, CONCRETES, pick, vary
from tools.practice_streets.shapes import Shape, Thing

GREY, BLACK, WHITE = np.array([0.25, 0.26, 0.27]), np.array([0.015, 0.015, 0.016]), np.array([0.75, 0.75, 0.75])


def street_lamp(rng: np.random.Generator, *, lit=False) -> Thing:
    """A lamp post; its arm reaches along +y, over the road."""
    shape, tall = Shape(), rng.uniform(5, 9)
    colour = vary(rng, GREY if rng.random() < 0.7 else BLACK, 0.2)
    shape.rod((0, 0, 0), (0, 0, 1.2), 0.1, "metal", "pole", colour)
    shape.rod((0, 0, 1.2), (0, 0, tall), 0.07, "metal", "pole", colour, end_radius=0.045)
    lamps = []
    glow = np.array([1.0, 0.65, 0.3]) * 12 if lit else np.array([0.6, 0.6, 0.55])
    if rng.random() < 0.75:
        reach = rng.uniform(0.8, 1.8)
        shape.path(
            [[0, 0, tall - 0.1], [0, reach * 0.5, tall + 0.12], [0, reach, tall + 0.15]], 0.04, "metal", "pole", colour
        )
        shape.box((0, reach + 0.2, tall + 0.08), (0.25, 0.6, 0.14), "metal", "pole", colour)
        shape.box((0, reach + 0.2, tall + 0.05), (0.2, 0.5, 0.03), "lamp" if lit else "plaster", "pole", glow)
    else:
        shape.box(
            (0, 0, tall), (0.28, 0.28, 0.5), "lamp" if lit else "glass", "pole", glow if lit else GREY * 0.3, taper=1.4
        )
        shape.box((0, 0, tall + 0.5), (0.45, 0.45, 0.2), "metal", "pole", colour, taper=0.2)
    if lit:
        lamps.append(((0, 1, tall - 0.3), 150.0, (1.0, 0.72, 0.42)))
    return Thing(shape, lamps=lamps)


def telegraph_pole(rng: np.random.Generator) -> Thing:
    """A wooden pole with a cross arm."""
    shape, tall = Shape(), rng.uniform(7, 9)
    shape.rod((0, 0, 0), (0, 0, tall), 0.12, "bark", "pole", (0.09, 0.06, 0.04), end_radius=0.09)
    shape.box((0, 0, tall - 0.6), (1.6, 0.1, 0.1), "bark", "pole", (0.09, 0.06, 0.04))
    return Thing(shape)


def fence(rng: np.random.Generator, length: float) -> Thing:
    """Railings, a guard rail or a panel fence along x; the envelope is its whole area."""
    shape, envelope = Shape(), Shape()
    kind, tall = rng.choice(["railings", "guard", "panels"], p=[0.45, 0.3, 0.25]), rng.uniform(0.9, 1.5)
    colour = pick(rng, [BLACK, GREY, (0.02, 0.08, 0.04), (0.3, 0.3, 0.3)])
    if kind == "panels":
        tall, colour = rng.uniform(1.3, 2.0), pick(rng, [(0.25, 0.15, 0.07), (0.15, 0.1, 0.06), (0.35, 0.26, 0.15)])
        for x in np.arange(-length / 2, length / 2, 0.16):
            shape.box((x + 0.08, rng.normal(0, 0.004), 0), (0.15, 0.03, tall), "bark", "fence", vary(rng, colour))
        for x in np.arange(-length / 2, length / 2 + 0.1, 2.0):
            shape.box((x, 0, 0), (0.12, 0.12, tall + 0.08), "concrete", "fence", colour)
        return Thing(shape)
    gap = 0.12 if kind == "railings" else 0.11
    x = np.arange(-length / 2, length / 2, gap)
    foot = np.c_[x, np.zeros_like(x), np.full_like(x, 0.1)]
    shape.tubes(
        foot, foot + [0, 0, tall - (0.1 if kind == "guard" else 0)], 0.011, 0.011, "metal", "fence", colour, sides=4
    )
    for z in (0.12, tall - 0.08):
        shape.box((0, 0, z), (length, 0.035, 0.04), "metal", "fence", colour)
    for x in np.arange(-length / 2, length / 2 + 0.1, 2.0):
        shape.box((x, 0, 0), (0.06, 0.06, tall), "metal", "fence", colour)
    envelope.box((0, 0, 0), (length, 0.03, tall), "metal", "fence", colour)
    return Thing(shape, envelope=envelope)


def wall(rng: np.random.Generator, length: float) -> Thing:
    """A garden wall with a coping along x."""
    shape, tall = Shape(), rng.choice([0.8, 1.1, 1.8, 2.3]) * rng.uniform(0.9, 1.1)
    if rng.random() < 0.75:
        material, colour = "brick", pick(rng, BRICKS)
    else:
        material, colour = "concrete", pick(rng, CONCRETES)
    shape.box((0, 0, 0), (length, 0.25, tall), material, "wall", colour)
    shape.box((0, 0, tall), (length, 0.34, 0.08), "concrete", "wall", colour * 0.9)
    return Thing(shape)


def bollard(rng: np.random.Generator) -> Thing:
    """A short post."""
    shape, colour = Shape(), pick(rng, [BLACK, GREY, (0.3, 0.02, 0.02)])
    shape.rod((0, 0, 0), (0, 0, 0.95), 0.07, "metal", "pole", colour)
    shape.rod((0, 0, 0.75), (0, 0, 0.85), 0.075, "plaster", "pole", WHITE)
    return Thing(shape)


def beacon(rng: np.random.Generator) -> Thing:
    """A striped post with an amber globe beside a crossing."""
    shape = Shape()
    for k in range(6):
        shape.rod((0, 0, k * 0.42), (0, 0, k * 0.42 + 0.42), 0.05, "plaster", "pole", WHITE if k % 2 else BLACK)
    shape.ball((0, 0, 2.7), (0.17, 0.17, 0.17), "lamp", "traffic light", (1.0, 0.4, 0.02))
    return Thing(shape)


def bin_(rng: np.random.Generator) -> Thing:
    """A litter bin, wheelie bin or post box."""
    shape, colour = Shape(), pick(rng, [BLACK, (0.02, 0.08, 0.03), (0.4, 0.01, 0.01), (0.02, 0.05, 0.2)])
    tall = rng.uniform(0.9, 1.4)
    if rng.random() < 0.5:
        shape.box((0, 0, 0), (0.55, 0.6, tall), "plastic", "clutter", colour, taper=1.1)
        shape.box((0, 0, tall), (0.62, 0.7, 0.08), "plastic", "clutter", colour)
    else:
        shape.rod((0, 0, 0), (0, 0, tall), 0.26, "paint", "clutter", colour, sides=16)
        shape.ball((0, 0, tall), (0.27, 0.27, 0.12), "paint", "clutter", colour)
    return Thing(shape)


def bench(rng: np.random.Generator) -> Thing:
    """A bench."""
    shape, wood = Shape(), vary(rng, (0.2, 0.12, 0.06), 0.3)
    for k in range(4):
        shape.box((0, 0.1 * k, 0.45), (1.7, 0.08, 0.04), "bark", "clutter", wood)
        shape.box((0, -0.06, 0.5 + 0.12 * k), (1.7, 0.04, 0.09), "bark", "clutter", wood)
    for x in (-0.7, 0.7):
        shape.box((x, 0.15, 0), (0.07, 0.45, 0.45), "metal", "clutter", BLACK)
    return Thing(shape)


def cone(rng: np.random.Generator) -> Thing:
    """A traffic cone."""
    shape = Shape()
    shape.box((0, 0, 0), (0.4, 0.4, 0.04), "plastic", "traffic cone", BLACK)
    for z0, z1, colour in ((0.04, 0.3, [0.7, 0.08, 0.01]), (0.3, 0.5, WHITE), (0.5, 0.75, [0.7, 0.08, 0.01])):
        shape.rod(
            (0, 0, z0), (0, 0, z1), 0.16 * (1 - z0), "plastic", "traffic cone", colour, end_radius=0.16 * (1 - z1)
        )
    return Thing(shape)
