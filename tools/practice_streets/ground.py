"""The ground: carriageway, kerbs, pavements and grass."""

import numpy as np

from tools.practice_streets.colours import pick, vary
from tools.practice_streets.shapes import Colour, Shape, Thing
from tools.practice_streets.world import World

KERB = 0.12


def strip(
    world: World, shape: Shape, s0, s1, x0, x1, z: float, material: str, part: str, colour: Colour, *, step=2.0, z1=None
) -> None:
    """A band between x0 and x1 that follows the line from s0 to s1; z1 is the height at x1."""
    count = max(2, int(np.ceil((s1 - s0) / step)) + 1)
    rows = []
    for s in np.linspace(s0, s1, count):
        (left, heading) = world.line.at(s, x0)
        right = left + (x1 - x0) * np.array([np.cos(heading), np.sin(heading)])
        rows += [[*left, z], [*right, z if z1 is None else z1]]
    k = np.arange(count - 1)[:, None] * 2
    shape.add(rows, k + [0, 1, 3, 2], material, part, colour)


def patch(
    world: World,
    shape: Shape,
    s: float,
    x: float,
    along,
    across,
    z: float,
    material: str,
    part: str,
    colour: Colour,
    *,
    turn=0.0,
) -> None:
    """A rectangle that lies on the road."""
    where, heading = world.line.at(s, x)
    a = heading + turn
    d, r = np.array([-np.sin(a), np.cos(a)]) * along / 2, np.array([np.cos(a), np.sin(a)]) * across / 2
    shape.quad([[*(where + p), z] for p in (-d - r, -d + r, d + r, d - r)], material, part, colour)


def pave(world: World, pavements, streets) -> None:
    """Carriageway, kerbs, pavements, side streets and the grass beyond."""
    rng, half, shape = world.rng, world.road_width / 2, Shape()
    end = len(world.line.headings) - 26 - 1
    grey = vary(rng, (0.085, 0.087, 0.092), 0.25)
    asphalt = "wet asphalt" if world.town.light.wet else "asphalt"
    world.asphalt, world.grey = asphalt, grey
    strip(world, shape, -25, end + 20, -half, half, 0, asphalt, "road", grey)
    big = 900
    shape.quad(
        [[-big, -big, -0.3], [big, -big, -0.3], [big, big, -0.3], [-big, big, -0.3]],
        "grass",
        "grass",
        (0.07, 0.085, 0.03),
    )
    paving = pick(rng, [(0.2, 0.19, 0.18), (0.26, 0.25, 0.23), (0.13, 0.13, 0.13), (0.24, 0.18, 0.15)])
    stone = vary(rng, (0.3, 0.29, 0.28))
    material = "paving" if rng.random() < 0.7 else asphalt
    for side in (-1, 1):
        bounds = [-25.0, *sorted(v for gap in world.gaps[side] for v in gap), end + 20.0]
        edge = half + pavements[side]
        verge = rng.random() < 0.4
        for a, b in zip(bounds[::2], bounds[1::2], strict=True):
            lanes = [
                (half + 0.14, edge, material, "sidewalk", paving),
                (edge - 0.05, edge + 60, "grass", "grass", (0.075, 0.1, 0.03)),
            ]
            if verge and pavements[side] > 2.4:
                lanes[:1] = [
                    (half + 0.14, half + 1.1, "grass", "grass", (0.07, 0.1, 0.03)),
                    (half + 1.1, edge, material, "sidewalk", paving),
                ]
            for x0, x1, *look in lanes:
                strip(world, shape, a, b, side * x0, side * x1, KERB - 0.006 * (x0 > half + 1.2), *look)
            strip(world, shape, a, b, side * half, side * (half + 0.02), 0, "concrete", "sidewalk", stone, z1=KERB)
            strip(world, shape, a, b, side * (half + 0.02), side * (half + 0.14), KERB, "concrete", "sidewalk", stone)
            # Yards behind the pavement are paved where houses stand close.
            strip(
                world,
                shape,
                a,
                b,
                side * (edge - 0.05),
                side * (edge + 1.2),
                KERB + 0.004,
                material,
                "sidewalk",
                paving * 0.9,
            )
    for side, mouth in streets:
        a, b = world.junction - mouth, world.junction + mouth
        strip(world, shape, a, b, side * half, side * (half + 90), 0, asphalt, "road", grey * 0.95)
        for flank, s in ((-1, a), (1, b)):
            lo, hi = sorted((s, s + flank * 1.8))
            x0 = half + pavements[side]
            strip(world, shape, lo, hi, side * x0, side * (half + 90), KERB + 0.008, material, "sidewalk", paving)
            lo, hi = sorted((s, s - flank * 0.1))
            strip(world, shape, lo, hi, side * half, side * (half + 90), KERB * 0.98, "concrete", "sidewalk", stone)
            strip(
                world, shape, lo, lo + 0.001, side * half, side * (half + 90), KERB, "concrete", "sidewalk", stone, z1=0
            )
    world.things.append(Thing(shape))
