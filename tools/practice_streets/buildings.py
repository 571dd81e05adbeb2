"""Houses, shops, offices, halls and church towers, built from a random generator.

A building's façade lies in the plane y = 0 and looks along +y; x runs along the street from -width / 2 to width / 2.
"""

import numpy as np

from tools.practice_streets.colours import BRICKS, CONCRETES, RENDERS, ROOFS, WHITE, pick, vary
from tools.practice_streets.facades import (
    bay,
    door,
    panel,
    shopfront,
    wall_with_holes,
    window,
    window_look,
    windows_in_row,
)
from tools.practice_streets.shapes import Colour, Shape


def pitched_roof(
    shape: Shape, rng: np.random.Generator, width: float, depth: float, height: float, material: str, colour: Colour
) -> None:
    """A roof with its ridge along the street, gables, a gutter, chimneys and sometimes a dormer or a skylight."""
    rise, over = depth * rng.uniform(0.25, 0.45), 0.3
    w = width / 2
    eave = height - over * rise / (depth / 2)
    tiles = pick(rng, ROOFS)
    ridge = [[-w, -depth / 2, height + rise], [w, -depth / 2, height + rise]]
    shape.quad([[w, over, eave], [-w, over, eave], *ridge], "roof", "building", tiles)
    shape.quad([[-w, -depth - over, eave], [w, -depth - over, eave], *ridge[::-1]], "roof", "building", tiles)
    for x in (-w, w):
        shape.add(
            [[x, 0, height], [x, -depth, height], [x, -depth / 2, height + rise]],
            [[0, 1, 2]],
            material,
            "building",
            colour,
        )
    shape.box((0, over, eave - 0.12), (width, 0.12, 0.12), "plastic", "building", (0.03, 0.03, 0.03))
    for x in rng.choice([-0.46, 0.46, 0.0], rng.integers(0, 3), replace=False) * width:
        foot = (x, -depth / 2 + rng.uniform(-0.6, 0.6), height + rise - 0.7)
        tall = rng.uniform(1.4, 2.4)
        shape.box(foot, (0.9, 0.55, tall), "brick", "building", vary(rng, colour))
        for dx in (-0.25, 0.0, 0.25):
            at = np.array([foot[0] + dx, foot[1], foot[2] + tall])
            shape.tubes(at, at + [0, 0, 0.45], 0.1, 0.08, "plaster", "building", (0.4, 0.2, 0.12))
    slope = rise / (depth / 2)
    if rng.random() < 0.35 and width > 5:
        for x in np.linspace(-w, w, rng.integers(1, 3) + 2)[1:-1]:
            y = -depth * 0.16
            foot = (x, y - 0.5, height + slope * depth * 0.16 - 0.1)
            shape.box(foot, (1.5, 1.2, 1.4), "plaster", "building", pick(rng, RENDERS))
            panel(shape, x - 0.5, x + 0.5, foot[2] + 0.35, foot[2] + 1.25, y + 0.11, "glass", (0.03, 0.035, 0.04))
            shape.box((x, y - 0.5, foot[2] + 1.4), (1.8, 1.5, 0.5), "roof", "building", tiles, taper=0.2)


def gable_roof(
    shape: Shape, rng: np.random.Generator, width: float, depth: float, height: float, material: str, colour: Colour
) -> None:
    """A roof with its ridge across the street: the gable is part of the façade."""
    rise, w = width * rng.uniform(0.35, 0.6), width / 2
    tiles = pick(rng, ROOFS)
    for y in (0, -depth):
        shape.add([[w, y, height], [-w, y, height], [0, y, height + rise]], [[0, 1, 2]], material, "building", colour)
    for side in (-1, 1):
        low, high = [side * (w + 0.25), height - 0.25 * rise / w], [0, height + rise]
        shape.quad(
            [[low[0], 0.25, low[1]], [high[0], 0.25, high[1]], [high[0], -depth, high[1]], [low[0], -depth, low[1]]],
            "roof",
            "building",
            tiles,
        )
        shape.add(
            [[low[0], 0.26, low[1] - 0.2], [low[0], 0.26, low[1]], [0, 0.26, high[1]], [0, 0.26, high[1] - 0.22]],
            [[0, 1, 2, 3]],
            "plaster",
            "building",
            WHITE,
        )


def flat_roof(
    shape: Shape, rng: np.random.Generator, width: float, depth: float, height: float, material: str, colour: Colour
) -> None:
    """A parapet, and boxes for lifts and air handling."""
    shape.box((0, 0, height - 0.1), (width + 0.1, 0.3, rng.uniform(0.3, 0.9)), material, "building", colour * 0.9)
    shape.quad(
        [[width / 2, 0, height], [-width / 2, 0, height], [-width / 2, -depth, height], [width / 2, -depth, height]],
        "concrete",
        "building",
        (0.2, 0.2, 0.2),
    )
    for _ in range(rng.integers(0, 3)):
        shape.box(
            (rng.uniform(-0.3, 0.3) * width, -depth * rng.uniform(0.3, 0.7), height),
            (rng.uniform(1.5, 3), 2, rng.uniform(1, 2.2)),
            "concrete",
            "building",
            pick(rng, CONCRETES),
        )


def building(rng: np.random.Generator, kind: str, width: float) -> tuple[Shape, float]:
    """One building.

    Args:
        rng: where all its choices come from.
        kind: "house", "shop", "office" or "hall".
        width: along the street, metres.

    Returns:
        The shape and its depth in metres.
    """
    shape, look = Shape(), window_look(rng)
    floors, storey, depth = {
        "house": (rng.integers(2, 4), rng.uniform(2.6, 3.0), rng.uniform(7, 9)),
        "shop": (rng.integers(2, 5), rng.uniform(2.9, 3.5), rng.uniform(8, 11)),
        "office": (rng.integers(3, 7), rng.uniform(3.1, 3.7), rng.uniform(11, 15)),
        "hall": (1, rng.uniform(4.5, 7), rng.uniform(14, 18)),
    }[kind]
    material = str(
        rng.choice(
            ["brick", "plaster", "concrete"],
            p={
                "house": [0.65, 0.35, 0],
                "shop": [0.45, 0.5, 0.05],
                "office": [0.4, 0.15, 0.45],
                "hall": [0.4, 0.2, 0.4],
            }[kind],
        )
    )
    colour = pick(rng, {"brick": BRICKS, "plaster": RENDERS, "concrete": CONCRETES}[material])
    ground = storey + (0.6 if kind == "shop" else 0.2)
    height = ground + storey * (floors - 1)
    ribbon = kind in ("office", "hall") and rng.random() < 0.6
    pane = (rng.uniform(0.85, 1.25), rng.uniform(1.25, 1.75))
    count = max(1, int((width - 1) / rng.uniform(1.7, 2.6)))
    if ribbon:
        pane = ((width - 1.2) / count * 0.93, storey * rng.uniform(0.5, 0.75))
    holes = []
    for level in range(1, floors):
        holes += windows_in_row(width, count, pane, ground + (level - 1) * storey + rng.uniform(0.7, 0.74))
    panes = list(holes)
    if kind == "shop" or (kind == "hall" and rng.random() < 0.7):
        holes.append(shopfront(shape, rng, -width / 2, width / 2, min(ground, 3.9)))
    else:
        low = windows_in_row(width, count, (pane[0], min(pane[1], ground - 1.3)), 0.95)
        at = 0 if rng.random() < 0.5 else len(low) - 1
        doorway = low.pop(at)
        holes.append(door(shape, rng, (doorway[0] + doorway[1]) / 2))
        panes += low
        holes += low
        if kind == "house" and low and rng.random() < 0.4:
            bay(shape, rng, low[-1 if at == 0 else 0], look, material, colour)
    for hole in panes:
        window(shape, rng, hole, look)
    wall_with_holes(shape, -width / 2, width / 2, 0, height, holes, material, colour)
    side = colour * rng.uniform(0.8, 1.0)
    w = width / 2
    for x in (-w, w):
        shape.quad([[x, 0, 0], [x, -depth, 0], [x, -depth, height], [x, 0, height]], material, "building", side)
    shape.quad([[-w, -depth, 0], [w, -depth, 0], [w, -depth, height], [-w, -depth, height]], material, "building", side)
    if rng.random() < 0.5 and floors > 1:
        z = ground - 0.1
        shape.box((0, 0.04, z), (width, 0.14, 0.18), "plaster", "building", look["trim"])
    if rng.random() < 0.6:
        x = (w - 0.2) * rng.choice([-1, 1])
        shape.tubes([x, 0.08, 0], [x, 0.08, height], 0.05, 0.05, "plastic", "building", (0.03, 0.03, 0.03), sides=5)
    roof = flat_roof if kind in ("office", "hall") or rng.random() < 0.1 else pitched_roof
    if roof is pitched_roof and width < 9 and rng.random() < 0.25:
        roof = gable_roof
    roof(shape, rng, width, depth, height, material, colour)
    return shape, depth


def spire(rng: np.random.Generator) -> Shape:
    """A church tower that stands above the roofs."""
    shape, stone = Shape(), pick(rng, CONCRETES)
    w, h = rng.uniform(5, 7), rng.uniform(18, 28)
    shape.box((0, 0, 0), (w, w, h), "concrete", "building", stone, taper=0.94)
    for x in (-0.25, 0.25):
        panel(shape, (x - 0.09) * w, (x + 0.09) * w, h * 0.7, h * 0.85, w * 0.487, "plastic", (0.02, 0.02, 0.02))
    for dx in (-0.42, 0.42):
        for dy in (-0.42, 0.42):
            shape.box((dx * w, dy * w, h), (0.7, 0.7, 3), "concrete", "building", stone, taper=0.1)
    if rng.random() < 0.6:
        shape.box((0, 0, h), (w * 0.8, w * 0.8, rng.uniform(6, 14)), "concrete", "building", stone * 0.7, taper=0.02)
    return shape
