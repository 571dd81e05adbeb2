"""Façades: walls with real openings, windows, doors, bays, shopfronts and lettering.

A façade lies in the plane y = 0 and looks along +y; x runs along the street, z up.
"""

import numpy as np

from tools.practice_streets.colours import PAINTS, RENDERS, ROOFS, WHITE, pick, vary
from tools.practice_streets.shapes import Colour, Shape

Hole = tuple[float, float, float, float]  # x0, x1, z0, z1 of an opening


def wall_with_holes(
    shape: Shape, left, right, bottom, top, holes: list[Hole], material: str, colour: Colour, y: float = 0.0
) -> None:
    """A wall in the plane y with rectangular holes (x0, x1, z0, z1)."""
    xs = np.unique(np.clip([left, right, *[x for hole in holes for x in hole[:2]]], left, right))
    zs = np.unique(np.clip([bottom, top, *[z for hole in holes for z in hole[2:]]], bottom, top))
    x0, z0 = (a.ravel() for a in np.meshgrid(xs[:-1], zs[:-1], indexing="ij"))
    x1, z1 = (a.ravel() for a in np.meshgrid(xs[1:], zs[1:], indexing="ij"))
    x_mid, z_mid = (x0 + x1) / 2, (z0 + z1) / 2
    solid = np.ones(len(x0), bool)
    for hx0, hx1, hz0, hz1 in holes:
        solid &= ~((x_mid > hx0) & (x_mid < hx1) & (z_mid > hz0) & (z_mid < hz1))
    x0, x1, z0, z1 = x0[solid], x1[solid], z0[solid], z1[solid]
    ys = np.full(len(x0), y)
    verts = np.stack([np.c_[x1, ys, z0], np.c_[x0, ys, z0], np.c_[x0, ys, z1], np.c_[x1, ys, z1]], axis=1)
    shape.add(verts.reshape(-1, 3), np.arange(4 * len(x0)).reshape(-1, 4), material, "building", colour)


def reveal(shape: Shape, hole: Hole, depth: float, colour: Colour, y: float = 0.0) -> None:
    """The four inner sides of an opening."""
    x0, x1, z0, z1 = hole
    front = np.array([[x0, y, z0], [x1, y, z0], [x1, y, z1], [x0, y, z1]])
    back = front - [0, depth, 0]
    shape.add(
        np.vstack([front, back]),
        [[0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7]],
        "plaster",
        "building",
        colour,
    )


def panel(shape: Shape, x0, x1, z0, z1, y: float, material: str, colour: Colour) -> None:
    """A flat upright rectangle that looks along +y."""
    shape.quad([[x1, y, z0], [x0, y, z0], [x0, y, z1], [x1, y, z1]], material, "building", colour)


def window(shape: Shape, rng: np.random.Generator, hole: Hole, look: dict, y: float = 0.0) -> None:
    """Glass, frame, glazing bars, sill and sometimes a blind in an opening; `look` is one for the whole building."""
    x0, x1, z0, z1 = hole
    depth = look["depth"]
    reveal(shape, hole, depth, look["trim"] * 0.9, y)
    shade = rng.uniform(0.5, 1.6)
    panel(shape, x0, x1, z0, z1, y - depth, "glass", np.array([0.02, 0.025, 0.03]) * shade)
    if rng.random() < look["blinds"]:
        panel(
            shape,
            x0,
            x1,
            z1 - (z1 - z0) * rng.choice([0.3, 0.5, 1.0]),
            z1,
            y - depth + 0.01,
            "blind",
            vary(rng, (0.5, 0.48, 0.42)),
        )
    bar, front = look["bar"], y - depth + 0.03
    for a, b, c, d in ((x0, x0 + bar, z0, z1), (x1 - bar, x1, z0, z1), (x0, x1, z0, z0 + bar), (x0, x1, z1 - bar, z1)):
        panel(shape, a, b, c, d, front, "plaster", look["frame"])
    for share in look["cross bars"]:
        z = z0 + (z1 - z0) * share
        panel(shape, x0, x1, z - bar / 2, z + bar / 2, front, "plaster", look["frame"])
    for share in look["up bars"]:
        x = x0 + (x1 - x0) * share
        panel(shape, x - bar / 2, x + bar / 2, z0, z1, front, "plaster", look["frame"])
    if look["sill"]:
        shape.box(((x0 + x1) / 2, y + 0.04, z0 - 0.1), (x1 - x0 + 0.2, 0.18, 0.1), "plaster", "building", look["trim"])
    if look["lintel"]:
        shape.box(((x0 + x1) / 2, y + 0.015, z1), (x1 - x0 + 0.25, 0.05, 0.22), "plaster", "building", look["trim"])


def window_look(rng: np.random.Generator) -> dict:
    """How the windows of one building look."""
    frame = WHITE if rng.random() < 0.75 else pick(rng, PAINTS)
    up, cross = [([], [0.5]), ([0.5], []), ([0.5], [0.5]), ([0.33, 0.66], [0.25, 0.5, 0.75]), ([], [])][rng.integers(5)]
    return {
        "depth": rng.uniform(0.06, 0.22),
        "frame": frame,
        "bar": rng.uniform(0.05, 0.09),
        "up bars": up,
        "cross bars": cross,
        "sill": rng.random() < 0.7,
        "lintel": rng.random() < 0.4,
        "trim": pick(rng, RENDERS),
        "blinds": rng.uniform(0.1, 0.5),
    }


def windows_in_row(width: float, count, size, bottom, margin=0.6) -> list[tuple]:
    """Openings of size (width, height), evenly spaced about x = 0."""
    centres = (np.arange(count) + 0.5) / count * (width - 2 * margin) - (width - 2 * margin) / 2
    return [(x - size[0] / 2, x + size[0] / 2, bottom, bottom + size[1]) for x in centres]


def door(shape: Shape, rng: np.random.Generator, x: float, y: float = 0.0) -> tuple:
    """A front door with a fanlight; returns its opening."""
    hole = (x - 0.5, x + 0.5, 0.15, 2.55)
    reveal(shape, hole, 0.2, WHITE * 0.8, y)
    paint = pick(rng, PAINTS)
    panel(shape, x - 0.42, x + 0.42, 0.15, 2.15, y - 0.18, "paint", paint)
    panel(shape, x - 0.5, x + 0.5, 0.15, 2.55, y - 0.2, "plaster", WHITE)
    panel(shape, x - 0.4, x + 0.4, 2.2, 2.5, y - 0.17, "glass", (0.03, 0.03, 0.04))
    shape.box((x, y + 0.25, 0), (1.3, 0.5, 0.15), "concrete", "building", (0.4, 0.4, 0.38))
    return hole


def letters(shape: Shape, rng: np.random.Generator, x0, x1, z: float, height: float, y: float, colour: Colour) -> None:
    """Marks that read as lettering from the road: strokes, not a script."""
    x = x0
    while x < x1:
        w = height * rng.uniform(0.45, 0.8)
        if rng.random() < 0.85:
            for stroke in range(rng.integers(1, 4)):
                a = x + (w - 0.12 * height) * stroke / 2
                panel(shape, a, a + 0.13 * height, z, z + height, y, "plaster", colour)
            for level in rng.choice([0.0, 0.45, 0.87], rng.integers(1, 3), replace=False):
                panel(
                    shape,
                    x,
                    x + w * 0.85,
                    z + level * height,
                    z + (level + 0.13) * height,
                    y + 0.003,
                    "plaster",
                    colour,
                )
        x += w * 1.1


def shopfront(shape: Shape, rng: np.random.Generator, left, right, height: float) -> tuple:
    """Big panes, a fascia with lettering, sometimes an awning; returns the opening."""
    paint = pick(rng, PAINTS)
    hole = (left + 0.25, right - 0.25, 0.05, height - 0.75)
    x0, x1, z0, z1 = hole
    reveal(shape, hole, 0.35, paint, 0)
    riser = rng.choice([0.0, 0.35, 0.6])
    panel(shape, x0, x1, z0, z0 + riser, -0.2, "paint", paint)
    panel(shape, x0, x1, z0 + riser, z1, -0.3, "shop window", np.array([0.3, 0.3, 0.3]) * rng.uniform(0.3, 1.5))
    entrance = rng.uniform(x0 + 0.3, max(x0 + 0.4, x1 - 1.3))
    panel(shape, entrance, entrance + 1.0, z0, 2.2, -0.28, "glass", (0.02, 0.02, 0.02))
    for x in np.linspace(x0, x1, rng.integers(3, 7)):
        panel(shape, x - 0.04, x + 0.04, z0, z1, -0.19, "paint", paint)
    panel(shape, x0, x1, 2.3, 2.38, -0.19, "paint", paint)
    for _ in range(rng.integers(0, 4)):
        x, w = rng.uniform(x0, x1 - 0.9), rng.uniform(0.4, 0.9)
        panel(shape, x, x + w, 1.0, 1.0 + w * 1.3, -0.25, "plaster", pick(rng, PAINTS) * 1.3)
    board = paint if rng.random() < 0.6 else pick(rng, PAINTS)
    shape.box(((left + right) / 2, 0.06, height - 0.7), (right - left - 0.2, 0.16, 0.6), "paint", "building", board)
    bright = WHITE if board.mean() < 0.35 else np.array([0.05, 0.05, 0.06])
    if rng.random() < 0.3:
        bright = np.array([0.7, 0.5, 0.08])
    start = rng.uniform(left + 0.4, left + (right - left) * 0.4)
    letters(shape, rng, start, min(start + rng.uniform(1.5, 4), right - 0.6), height - 0.55, 0.32, 0.15, bright)
    if rng.random() < 0.3:
        w, drop = right - left - 0.3, rng.uniform(0.9, 1.4)
        mid, z = (left + right) / 2, height - 0.75
        cloth = pick(rng, PAINTS)
        stripes = max(2, int(w / 0.4))
        for k in range(stripes):
            a, b = mid - w / 2 + w * k / stripes, mid - w / 2 + w * (k + 1) / stripes
            shape.quad(
                [[b, drop, z - 0.5], [a, drop, z - 0.5], [a, 0.1, z], [b, 0.1, z]],
                "cloth",
                "building",
                cloth if k % 2 else WHITE,
            )
    return hole


def bay(shape: Shape, rng: np.random.Generator, hole: Hole, look: dict, material: str, colour: Colour) -> None:
    """A bay window before an opening of the ground floor."""
    x0, x1, z0, z1 = hole[0] - 0.35, hole[1] + 0.35, 0.0, hole[3] + 0.25
    mid, out = (x0 + x1) / 2, 0.7
    shape.box((mid, out / 2, z0), (x1 - x0, out, hole[2]), material, "building", colour)
    shape.box((mid, out / 2, hole[2]), (x1 - x0 - 0.1, out - 0.05, z1 - hole[2]), "plaster", "building", look["frame"])
    for k in range(3):
        a = x0 + 0.1 + (x1 - x0 - 0.2) * k / 3
        panel(
            shape,
            a + 0.05,
            a + (x1 - x0 - 0.2) / 3 - 0.05,
            hole[2] + 0.1,
            z1 - 0.15,
            out + 0.005,
            "glass",
            np.array([0.03, 0.035, 0.04]) * rng.uniform(0.5, 1.5),
        )
    shape.box((mid, out / 2, z1), (x1 - x0 + 0.2, out + 0.2, 0.5), "roof", "building", pick(rng, ROOFS), taper=0.5)
