"""Trees in leaf and bare, hedges and bushes."""

import numpy as np

from tools.practice_streets.colours import vary
from tools.practice_streets.shapes import Shape, Thing

BARK = (0.09, 0.072, 0.06)
LEAVES = [(0.08, 0.15, 0.03), (0.06, 0.12, 0.035), (0.13, 0.19, 0.04), (0.1, 0.13, 0.05), (0.18, 0.13, 0.04)]


def branches(rng: np.random.Generator, height: float, levels: int) -> list[tuple]:
    """A branching skeleton: one (starts, ends, radii, end radii) for each level, trunk first."""
    trunk = height * rng.uniform(0.22, 0.32)
    start, direction = np.zeros((1, 3)), np.array([[rng.normal(0, 0.05), rng.normal(0, 0.05), 1]])
    length, radius = np.array([trunk]), np.array([height * rng.uniform(0.018, 0.028)])
    grown = []
    for level in range(levels):
        end = start + direction * length[:, None]
        grown.append((start, end, radius, radius * 0.7))
        children = 4 if level < 2 else 3
        n = len(start) * children
        along = 1 - rng.random(n) ** 1.5 * (0.12 if level == 0 else 0.65)
        start = np.repeat(start, children, 0) * (1 - along[:, None]) + np.repeat(end, children, 0) * along[:, None]
        direction = np.repeat(direction, children, 0) + rng.normal(0, 0.5 if level else 0.42, (n, 3))
        direction[:, 2] += 0.12
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        length = np.repeat(length, children) * rng.uniform(0.55, 0.85, n)
        if level == 0:
            length = np.full(n, height * 0.3) * rng.uniform(0.8, 1.2, n)
        radius = np.repeat(radius, children) * rng.uniform(0.4, 0.6, n)
    return grown


def leaf_cards(rng: np.random.Generator, centres, size, spread) -> tuple[np.ndarray, np.ndarray]:
    """Small squares turned every way about the centres (n, 3): vertices (4n, 3) and faces (n, 4)."""
    n = len(centres)
    u = rng.normal(size=(n, 3))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    v = np.cross(u, rng.normal(size=(n, 3)))
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    half = size * rng.uniform(0.6, 1.3, (n, 1)) / 2
    middle = centres + rng.normal(0, spread, (n, 3))
    corners = np.stack([middle - u * half, middle - v * half * 0.6, middle + u * half, middle + v * half * 0.6], axis=1)
    return corners.reshape(-1, 3), np.arange(4 * n).reshape(-1, 4)


def crown_envelope(points: np.ndarray, radius: float) -> Shape:
    """Lumps about the branch ends, one for each occupied cell of a grid: the outline that a person would draw."""
    envelope = Shape()
    cells = np.unique(np.round(points / radius).astype(int), axis=0)
    for cell in cells:
        envelope.ball(cell * radius, (radius * 0.8,) * 3, "leaf", "tree", BARK, rings=4, sides=7)
    return envelope


def tree(rng: np.random.Generator, *, bare: bool) -> Thing:
    """A street tree of 6 to 13 m, its crown outlined by an envelope."""
    height, shape = rng.uniform(6, 13), Shape()
    grown = branches(rng, height, 6 if bare else 5)
    bark = vary(rng, BARK, 0.2)
    for level, (start, end, radius, end_radius) in enumerate(grown):
        sides = 10 if level == 0 else 5 if level < 3 else 3
        shape.tubes(
            start, end, np.maximum(radius, 0.012), np.maximum(end_radius, 0.008), "bark", "tree", bark, sides=sides
        )
    tips = np.vstack([g[1] for g in grown[3:]])
    if not bare:
        colour = LEAVES[rng.integers(len(LEAVES))]
        clusters = np.vstack([np.repeat(grown[-1][1], 40, axis=0), np.repeat(grown[-2][1], 60, axis=0)])
        centres = clusters[clusters[:, 2] > 3.2]  # nothing hangs before a windscreen
        verts, faces = leaf_cards(rng, centres, 0.25, 0.4)
        light = rng.normal(1, 0.22, (len(faces), 1)) * rng.normal(1, 0.06, (len(faces), 3))
        shape.add(verts, faces, "leaf", "tree", np.clip(vary(rng, colour) * light, 0.005, 0.5))
    return Thing(shape, envelope=crown_envelope(tips, 0.75 if bare else 0.6))


def hedge(rng: np.random.Generator, length: float) -> Thing:
    """A hedge along x, its leaves on a dark core."""
    shape, tall, deep = Shape(), rng.uniform(0.8, 2.0), rng.uniform(0.6, 1.1)
    colour = vary(rng, LEAVES[rng.integers(len(LEAVES))])
    shape.box((0, 0, 0), (length - 0.1, deep * 0.8, tall * 0.92), "leaf", "hedge", colour * 0.5, taper=0.93)
    n = int(length * 260)
    where = rng.uniform(-0.5, 0.5, (n, 3)) * [length, deep, tall] + [0, 0, tall / 2]
    face = rng.integers(0, 3, n)
    where[face == 0, 1] = deep / 2 * 0.85
    where[face == 1, 2] = tall * 0.95
    verts, faces = leaf_cards(rng, where, 0.16, 0.05)
    light = rng.normal(1, 0.25, (n, 1))
    return Thing(shape.add(verts, faces, "leaf", "hedge", np.clip(colour * light, 0.005, 0.5)))


def bush(rng: np.random.Generator) -> Thing:
    """A round bush."""
    shape, colour = Shape(), vary(rng, LEAVES[rng.integers(len(LEAVES))])
    r = rng.uniform(0.6, 1.4)
    direction = rng.normal(size=(700, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    shape.ball((0, 0, r * 0.7), (r * 0.85, r * 0.85, r * 0.7), "leaf", "hedge", colour * 0.45, rings=6, sides=9)
    verts, faces = leaf_cards(rng, direction * [r, r, r * 0.85] + [0, 0, r * 0.75], 0.25, 0.08)
    return Thing(shape.add(verts, faces, "leaf", "hedge", np.clip(colour * rng.normal(1, 0.25, (700, 1)), 0.005, 0.5)))
