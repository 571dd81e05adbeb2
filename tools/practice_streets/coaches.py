"""Buses, trams and trucks. The front looks along +y, the wheels stand on z = 0."""

import numpy as np

from tools.practice_streets.cars import BLACK, DARK, plate, wheel
from tools.practice_streets.colours import CAR_PAINTS, pick, vary
from tools.practice_streets.facades import letters
from tools.practice_streets.shapes import Colour, Shape, Thing


def coach(
    rng: np.random.Generator,
    part: str,
    *,
    length: float,
    width: float,
    height: float,
    colour: Colour,
    decks=1,
    skirt=0.35,
    lights=False,
    axles=(-0.3, 0.32),
    radius: float = 0.48,
) -> Thing:
    """A long body with window bands: bus, coach or tram."""
    shape = Shape()
    body = height - skirt
    ys = np.array([-0.5, -0.49, -0.47, 0.47, 0.49, 0.5]) * length
    halves = np.array([0.9, 0.98, 1, 1, 0.98, 0.9]) * width / 2
    rings = [
        [
            (-h, y, skirt),
            (h, y, skirt),
            (h, y, skirt + body * 0.93),
            (h * 0.9, y, height),
            (-h * 0.9, y, height),
            (-h, y, skirt + body * 0.93),
        ]
        for h, y in zip(halves, ys, strict=True)
    ]
    shape.loft(rings, "paint", part, colour)
    bands = [(0.42, 0.42)] if decks == 1 else [(0.22, 0.24), (0.63, 0.22)]
    stripe = pick(rng, CAR_PAINTS)
    for base, tall in bands:
        z0, z1 = skirt + body * base, skirt + body * (base + tall)
        count = int(length / rng.uniform(1.2, 1.6))
        edges = np.linspace(-0.46, 0.46, count + 1) * length
        for sx in (-1, 1):
            x = sx * (width / 2 + 0.006)
            for a, b in zip(edges[:-1] + 0.05, edges[1:] - 0.05, strict=True):
                shape.quad([[x, a, z0], [x, b, z0], [x, b, z1], [x, a, z1]], "glass", part, DARK * 0.6)
            x += sx * 0.001
            shape.quad(
                [[x, edges[0], z0 - 0.4], [x, edges[-1], z0 - 0.4], [x, edges[-1], z0 - 0.2], [x, edges[0], z0 - 0.2]],
                "paint",
                part,
                stripe,
            )
        for y in (length * 0.503, -length * 0.503):
            w = width * 0.44
            low = z0 - (body * 0.12 if y > 0 and base == bands[0][0] else 0)
            shape.quad(
                [[-w, y, low], [w, y, low], [w * 0.97, y * 0.999, z1], [-w * 0.97, y * 0.999, z1]],
                "glass",
                part,
                DARK * 0.6,
            )
    for y, rear in ((length * 0.506, False), (-length * 0.506, True)):
        shape.box((0, y, height - 0.42), (width * 0.6, 0.03, 0.24), "plastic", part, BLACK)
        for x in np.linspace(-0.22, 0.22, 6) * width:
            shape.box((x, y * 1.002, height - 0.38), (0.09, 0.04, 0.16), "lamp", part, (1.2, 0.6, 0.05))
        glow = np.array((0.45, 0.015, 0.01) if rear else (0.6, 0.62, 0.65))
        for x in (-0.4, 0.4):
            shape.box(
                (x * width, y, skirt + 0.25),
                (0.3, 0.04, 0.22),
                "lamp" if lights else "metal",
                part,
                glow * (9 if lights else 1),
            )
        plate(shape, rng, y * 1.002, skirt + 0.1, part, rear)
        shape.box((0, y, skirt), (width * 0.95, 0.06, 0.14), "plastic", part, DARK)
    for share in axles:
        for sx in (-1, 1):
            wheel(shape, sx * (width / 2 + 0.01), share * length, radius, 0.3, part)
    return Thing(shape, countable=True)


def bus(rng: np.random.Generator, *, lights=False) -> Thing:
    """A city bus, sometimes with two decks."""
    decks = int(rng.integers(1, 3))
    colour = pick(rng, [(0.45, 0.02, 0.02), (0.02, 0.1, 0.35), (0.6, 0.6, 0.55), (0.05, 0.3, 0.2), (0.55, 0.3, 0.03)])
    return coach(
        rng,
        "bus",
        length=rng.uniform(9, 11.5),
        width=2.5,
        height=3.05 if decks == 1 else 4.3,
        colour=colour,
        decks=decks,
        lights=lights,
    )


def tram(rng: np.random.Generator, *, lights=False) -> Thing:
    """A tram of three sections with a pantograph."""
    colour = pick(rng, [(0.6, 0.55, 0.1), (0.6, 0.6, 0.6), (0.1, 0.35, 0.2), (0.5, 0.05, 0.05)])
    thing = coach(
        rng,
        "tram",
        length=rng.uniform(20, 26),
        width=2.5,
        height=3.4,
        colour=colour,
        skirt=0.25,
        lights=lights,
        axles=(-0.38, -0.3, 0.3, 0.38),
        radius=0.3,
    )
    arm = np.array([[0, 0.8, 3.4], [0, -0.5, 3.9], [0, 0.6, 4.5]])
    thing.shape.path(arm, 0.04, "metal", "tram", DARK)
    thing.shape.box((0, 0.6, 4.5), (1.4, 0.1, 0.05), "metal", "tram", DARK)
    return thing


def truck(rng: np.random.Generator, *, lights=False) -> Thing:
    """A cab and a box body, or an open tipper."""
    shape, width = Shape(), 2.3
    length, tall = rng.uniform(5.5, 8.5), rng.uniform(2.2, 2.9)
    cab = pick(rng, CAR_PAINTS)
    front = length / 2
    shape.box((0, front - 0.9, 0.5), (width * 0.96, 1.8, 1.1), "paint", "truck", cab)
    shape.box((0, front - 0.95, 1.6), (width * 0.95, 1.7, 1.0), "paint", "truck", cab, taper=0.9)
    shape.quad(
        [[-1, front - 0.085, 1.65], [1, front - 0.085, 1.65], [0.95, front - 0.17, 2.45], [-0.95, front - 0.17, 2.45]],
        "glass",
        "truck",
        DARK * 0.6,
    )
    for sx in (-1, 1):
        x = sx * width * 0.478
        shape.quad(
            [
                [x, front - 1.2, 1.65],
                [x, front - 0.3, 1.65],
                [x * 0.95, front - 0.4, 2.4],
                [x * 0.95, front - 1.2, 2.4],
            ],
            "glass",
            "truck",
            DARK * 0.6,
        )
        shape.box(
            (sx * 0.85, front, 0.75),
            (0.35, 0.05, 0.2),
            "lamp" if lights else "metal",
            "truck",
            np.array([0.6, 0.62, 0.65]) * (9 if lights else 1),
        )
        shape.box(
            (sx * 0.9, -front - 0.02, 0.65),
            (0.3, 0.05, 0.14),
            "lamp" if lights else "paint",
            "truck",
            np.array([0.45, 0.015, 0.01]) * (9 if lights else 1),
        )
        for y in (front - 0.95, -front + 1.2, -front + 2.2):
            wheel(shape, sx * (width / 2 - 0.02), y, 0.45, 0.3, "truck")
    body = vary(rng, (0.6, 0.6, 0.58)) if rng.random() < 0.6 else pick(rng, CAR_PAINTS)
    shape.box((0, -1.0, 0.75), (width, length - 2.1, 0.25), "plastic", "truck", DARK)
    shape.box((0, -1.0, 1.0), (width, length - 2.1, tall if rng.random() < 0.7 else 1.1), "paint", "truck", body)
    for x in (-0.02, width / 2 - 0.1, -width / 2 + 0.1):
        shape.box((x, -front + 0.03, 1.05), (0.06, 0.06, 0.9), "plastic", "truck", DARK)
    text = Shape()
    letters(text, rng, -1.3, 1.2, 1.0 + tall * 0.5, 0.4, 0, pick(rng, CAR_PAINTS))
    for sx in (-1, 1):
        shape.join(text.relabelled("truck"), (sx * (width / 2 + 0.01), -1, 0), -sx * np.pi / 2)
    plate(shape, rng, -front - 0.02, 0.5, "truck", rear=True)
    return Thing(shape, countable=True)
