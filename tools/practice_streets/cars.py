"""Cars and vans. The front looks along +y, the wheels stand on z = 0."""

import numpy as np

from tools.practice_streets.colours import CAR_PAINTS, pick, vary
from tools.practice_streets.facades import letters
from tools.practice_streets.shapes import Shape, Thing, loft_faces

BLACK, DARK = np.array([0.012, 0.012, 0.012]), np.array([0.03, 0.032, 0.036])

# Side views: (share of the length from the rear, height of the outline as a share of the whole height).
PROFILES = {
    "hatchback": [
        (0, 0.3),
        (0, 0.62),
        (0.06, 0.66),
        (0.19, 0.96),
        (0.45, 1),
        (0.6, 0.95),
        (0.77, 0.66),
        (0.93, 0.56),
        (1, 0.47),
        (1, 0.3),
    ],
    "saloon": [
        (0, 0.3),
        (0, 0.62),
        (0.15, 0.66),
        (0.3, 0.96),
        (0.48, 1),
        (0.59, 0.95),
        (0.74, 0.66),
        (0.93, 0.56),
        (1, 0.47),
        (1, 0.3),
    ],
    "estate": [
        (0, 0.3),
        (0, 0.62),
        (0.02, 0.66),
        (0.09, 0.95),
        (0.42, 1),
        (0.6, 0.96),
        (0.76, 0.65),
        (0.93, 0.56),
        (1, 0.47),
        (1, 0.3),
    ],
    "suv": [
        (0, 0.3),
        (0, 0.6),
        (0.02, 0.64),
        (0.07, 0.96),
        (0.42, 1),
        (0.62, 0.97),
        (0.74, 0.64),
        (0.95, 0.6),
        (1, 0.5),
        (1, 0.3),
    ],
    "van": [
        (0, 0.2),
        (0, 0.5),
        (0.005, 0.52),
        (0.02, 0.97),
        (0.4, 1),
        (0.72, 0.98),
        (0.86, 0.58),
        (0.96, 0.48),
        (1, 0.38),
        (1, 0.2),
    ],
}
SIZES = {
    "hatchback": (3.7, 1.65, 1.43),
    "saloon": (4.5, 1.72, 1.42),
    "estate": (4.5, 1.75, 1.47),
    "suv": (4.5, 1.85, 1.75),
    "van": (4.9, 1.95, 2.05),
}


def wheel(shape: Shape, x: float, y: float, radius: float, width: float, part: str) -> None:
    """A tyre with a bright hub that faces outwards."""
    side = np.sign(x) or 1
    inner, outer = np.array([x - side * width, y, radius]), np.array([x, y, radius])
    shape.rod(inner, outer, radius, "rubber", part, BLACK, sides=18)
    shape.rod(outer, outer + [side * 0.012, 0, 0], radius * 0.66, "metal", part, (0.35, 0.35, 0.36), sides=14)
    shape.rod(outer, outer + [side * 0.016, 0, 0], radius * 0.25, "plastic", part, DARK, sides=8)


def plate(shape: Shape, rng: np.random.Generator, y: float, z: float, part: str, rear, width: float = 0.52) -> None:
    """A number plate with marks for its characters."""
    out = -1 if rear else 1
    shape.box((0, y, z), (width, 0.02, 0.11), "plaster", part, (0.6, 0.42, 0.03) if rear else (0.7, 0.7, 0.7))
    for x in np.linspace(-0.39, 0.39, 7) * width + rng.normal(0, 0.002, 7):
        shape.box((x, y + out * 0.012, z + 0.02), (0.067 * width, 0.004, 0.07), "plastic", part, BLACK)


def car(rng: np.random.Generator, kind: str, *, lights=False, braking=False) -> Thing:
    """A car or van, its body skinned over cross-sections of a side view."""
    length, width, height = np.array(SIZES[kind]) * rng.normal(1, 0.04, 3)
    part = "van" if kind in ("van", "suv") else "car"
    paint = pick(rng, CAR_PAINTS) if kind != "van" or rng.random() < 0.35 else vary(rng, (0.68, 0.68, 0.66))
    outline = np.array(PROFILES[kind])
    ys, tops = (outline[:, 0] - 0.5) * length, outline[:, 1] * height
    tops[2:-2] += rng.normal(0, 0.012, len(tops) - 4)
    belt, floor = outline[2, 1] * height, 0.19 * rng.uniform(0.8, 1.2)
    roof_half = width * rng.uniform(0.36, 0.4)
    rings = []
    for y, top in zip(ys, tops, strict=True):
        end = abs(y) / (length / 2)
        half = width / 2 * (1 - 0.1 * end**4)
        low = min(belt, top - 0.02)
        share = max(0.0, (top - belt) / (height - belt))
        upper = half * 0.97 - (half * 0.97 - roof_half) * share
        crown = 0.035 * (1 if share > 0.5 else 1.4)
        right = [
            (half * 0.88, floor),
            (half, floor + 0.14),
            (half * 1.005, low * 0.62 + 0.1),
            (half * 0.97, low),
            (upper, top - 0.01),
            (upper * 0.75, top + crown * 0.7),
            (0.0, top + crown),
        ]
        ring = [(x, y, z) for x, z in right] + [(-x, y, z) for x, z in right[-2::-1]]
        rings.append(ring)
    rings, shape = np.array(rings), Shape()
    faces = loft_faces(len(rings), rings.shape[1])
    glassy = np.zeros(faces.shape[:2], bool)
    side, across = [3, 8], [4, 5, 6, 7]
    cabin = range(3, 6) if kind != "van" else range(5, 6)
    for s in range(2, 7):
        if s in cabin and s in (3, 4):
            glassy[s, side] = True
    rear_glass, front_glass = 2, 5
    if kind != "van" or rng.random() < 0.5:
        glassy[rear_glass, across] = True
    glassy[front_glass, across] = True
    if kind == "van":
        glassy[4, side] = glassy[5, side] = False
    flat = rings.reshape(-1, 3)
    shape.add(flat, faces[~glassy], "paint", part, paint)
    shape.add(flat, faces[glassy], "glass", part, np.array([0.015, 0.018, 0.02]))
    for ring in (rings[0], rings[-1]):
        shape.add(ring, [np.arange(len(ring))], "paint", part, paint)
    _side_glass(shape, rings, kind, part)
    radius, axle = height * 0.205 if kind != "suv" else height * 0.2, length * rng.uniform(0.29, 0.315)
    if kind == "van":
        radius = 0.32
    for sx in (-1, 1):
        for y in (-axle, axle):
            x = sx * (width / 2 + 0.005)
            arch = np.array([x - sx * 0.02, y, radius * 1.02])
            shape.rod(arch - [sx * 0.2, 0, 0], arch, radius * 1.16, "plastic", part, BLACK, sides=18)
            wheel(shape, x + sx * 0.005, y, radius, 0.2, part)
        for y in (-length * 0.05, length * 0.16) if kind != "van" else (length * 0.2,):
            shape.box((sx * width * 0.499, y, belt * 0.4), (0.02, 0.012, belt * 0.55), "plastic", part, paint * 0.25)
        shape.box((sx * (width / 2 + 0.08), length * 0.2, belt + 0.02), (0.2, 0.1, 0.14), "paint", part, paint * 0.8)
        tail, head = (0.45, 0.015, 0.01), (0.6, 0.62, 0.65)
        tall = 0.13 if kind == "saloon" else 0.32
        shape.box(
            (sx * width * 0.4, -length / 2 - 0.01, belt * 0.66),
            (width * 0.14, 0.05, tall),
            "lamp" if lights or braking else "paint",
            part,
            np.array(tail) * (12 if lights or braking else 1),
        )
        shape.box(
            (sx * width * 0.34, length * 0.478, height * 0.4),
            (width * 0.19, 0.16, 0.15),
            "lamp" if lights else "metal",
            part,
            np.array(head) * (9 if lights else 1),
        )
    bumper = BLACK * 2 if rng.random() < 0.4 else paint * 0.8
    for y in (-length / 2 - 0.03, length / 2 + 0.01):
        shape.box((0, y, floor + 0.05), (width * 0.9, 0.1, 0.24), "plastic", part, bumper)
    shape.box((0, length / 2 - 0.0, height * 0.36), (width * 0.42, 0.06, 0.12), "plastic", part, DARK)
    plate(shape, rng, -length / 2 - 0.09, belt * 0.55 if kind != "van" else 0.5, part, rear=True)
    plate(shape, rng, length / 2 + 0.075, floor + 0.12, part, rear=False)
    if kind == "van" and rng.random() < 0.5:
        side_text = Shape()
        letters(side_text, rng, -1.2, 0.6, height * 0.62, 0.28, 0, pick(rng, CAR_PAINTS))
        shape.join(side_text.relabelled(part), (width * 0.495, -0.6, 0), -np.pi / 2)
        shape.join(side_text.relabelled(part), (-width * 0.495, -0.6, 0), np.pi / 2)
    return Thing(shape, countable=True)


def _side_glass(shape, rings, kind, part) -> None:
    """Small side windows before and behind the middle pair, a pillar's width inside the body panels."""
    for s in (2, 5):
        if kind == "van" and s == 2:
            continue
        for low, high in ((3, 4), (9, 8)):
            a, b = rings[s], rings[s + 1]
            corners = np.array([a[low], b[low], b[high], a[high]])
            middle = corners.mean(axis=0)
            corners = middle + (corners - middle) * 0.82
            corners[:, 0] *= 1.012
            shape.quad(corners, "glass", part, (0.015, 0.018, 0.02))
