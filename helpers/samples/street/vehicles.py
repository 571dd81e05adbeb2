"""Cars, vans, trucks, buses, trams, motorcycles and bicycles. The front looks along +y, the wheels stand on z = 0."""

import numpy as np

from helpers.samples.street.buildings import letters, pick, vary
from helpers.samples.street.shapes import Shape, Thing, loft_faces

CAR_PAINTS = [(0.5, 0.51, 0.53), (0.3, 0.31, 0.33), (0.02, 0.02, 0.023), (0.7, 0.7, 0.68), (0.02, 0.05, 0.18),
              (0.35, 0.02, 0.02), (0.1, 0.12, 0.14), (0.03, 0.13, 0.12), (0.05, 0.16, 0.32), (0.3, 0.22, 0.1),
              (0.02, 0.09, 0.04), (0.55, 0.56, 0.58)]
BLACK, DARK = np.array([0.012, 0.012, 0.012]), np.array([0.03, 0.032, 0.036])

# Side views: (share of the length from the rear, height of the outline as a share of the whole height).
PROFILES = {
    "hatchback": [(0, .3), (0, .62), (.06, .66), (.19, .96), (.45, 1), (.6, .95), (.77, .66), (.93, .56), (1, .47), (1, .3)],
    "saloon": [(0, .3), (0, .62), (.15, .66), (.3, .96), (.48, 1), (.59, .95), (.74, .66), (.93, .56), (1, .47), (1, .3)],
    "estate": [(0, .3), (0, .62), (.02, .66), (.09, .95), (.42, 1), (.6, .96), (.76, .65), (.93, .56), (1, .47), (1, .3)],
    "suv": [(0, .3), (0, .6), (.02, .64), (.07, .96), (.42, 1), (.62, .97), (.74, .64), (.95, .6), (1, .5), (1, .3)],
    "van": [(0, .2), (0, .5), (.005, .52), (.02, .97), (.4, 1), (.72, .98), (.86, .58), (.96, .48), (1, .38), (1, .2)],
}
SIZES = {"hatchback": (3.7, 1.65, 1.43), "saloon": (4.5, 1.72, 1.42), "estate": (4.5, 1.75, 1.47),
         "suv": (4.5, 1.85, 1.75), "van": (4.9, 1.95, 2.05)}


def wheel(shape, x, y, radius, width, part) -> None:
    """A tyre with a bright hub that faces outwards."""
    side = np.sign(x) or 1
    inner, outer = np.array([x - side * width, y, radius]), np.array([x, y, radius])
    shape.rod(inner, outer, radius, "rubber", part, BLACK, sides=18)
    shape.rod(outer, outer + [side * 0.012, 0, 0], radius * 0.66, "metal", part, (0.35, 0.35, 0.36), sides=14)
    shape.rod(outer, outer + [side * 0.016, 0, 0], radius * 0.25, "plastic", part, DARK, sides=8)


def plate(shape, rng, y, z, part, rear, width=0.52) -> None:
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
        right = [(half * 0.88, floor), (half, floor + 0.14), (half * 1.005, low * 0.62 + 0.1), (half * 0.97, low),
                 (upper, top - 0.01), (upper * 0.75, top + crown * 0.7), (0.0, top + crown)]
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
        shape.box((sx * width * 0.4, -length / 2 - 0.01, belt * 0.66), (width * 0.14, 0.05, tall),
                  "lamp" if lights or braking else "paint", part, np.array(tail) * (12 if lights or braking else 1))
        shape.box((sx * width * 0.34, length * 0.478, height * 0.4), (width * 0.19, 0.16, 0.15),
                  "lamp" if lights else "metal", part, np.array(head) * (9 if lights else 1))
    bumper = BLACK * 2 if rng.random() < 0.4 else paint * 0.8
    for y in (-length / 2 - 0.03, length / 2 + 0.01):
        shape.box((0, y, floor + 0.05), (width * 0.9, 0.1, 0.24), "plastic", part, bumper)
    shape.box((0, length / 2 - 0.0, height * 0.36), (width * 0.42, 0.06, 0.12), "plastic", part, DARK)
    plate(shape, rng, -length / 2 - 0.09, belt * 0.55 if kind != "van" else 0.5, part, rear=True)
    plate(shape, rng, length / 2 + 0.075, floor + 0.12, part, rear=False)
    if kind == "van" and rng.random() < 0.5:
        side_text = Shape()
        letters(side_text, rng, -1.2, 0.6, height * 0.62, 0.28, 0, pick(rng, CAR_PAINTS))
        shape.join(_as(side_text, part), (width * 0.495, -0.6, 0), -np.pi / 2)
        shape.join(_as(side_text, part), (-width * 0.495, -0.6, 0), np.pi / 2)
    return Thing(shape, countable=True)


def _as(shape: Shape, part: str) -> Shape:
    """The same faces as another fine class."""
    relabelled = Shape()
    for verts, faces, material, _, colours in shape._blocks:
        relabelled.add(verts, faces, material, part, colours)
    return relabelled


def _side_glass(shape, rings, kind, part) -> None:
    """Triangular-ish side windows before and behind the middle pair, a pillar's width inside the body panels."""
    for s, inner in ((2, 3), (5, 5)):
        if kind == "van" and s == 2:
            continue
        for low, high in ((3, 4), (9, 8)):
            a, b = rings[s], rings[s + 1]
            corners = np.array([a[low], b[low], b[high], a[high]])
            middle = corners.mean(axis=0)
            corners = middle + (corners - middle) * 0.82
            corners[:, 0] *= 1.012
            shape.quad(corners, "glass", part, (0.015, 0.018, 0.02))


def coach(rng: np.random.Generator, part: str, *, length, width, height, colour, decks=1, skirt=0.35, lights=False,
          axles=(-0.3, 0.32), radius=0.48) -> Thing:
    """A long body with window bands: bus, coach or tram."""
    shape = Shape()
    body = height - skirt
    ys = np.array([-0.5, -0.49, -0.47, 0.47, 0.49, 0.5]) * length
    halves = np.array([0.9, 0.98, 1, 1, 0.98, 0.9]) * width / 2
    rings = [[(-h, y, skirt), (h, y, skirt), (h, y, skirt + body * 0.93), (h * 0.9, y, height), (-h * 0.9, y, height),
              (-h, y, skirt + body * 0.93)] for h, y in zip(halves, ys, strict=True)]
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
            shape.quad([[x, edges[0], z0 - 0.4], [x, edges[-1], z0 - 0.4], [x, edges[-1], z0 - 0.2],
                        [x, edges[0], z0 - 0.2]], "paint", part, stripe)
        for y in (length * 0.503, -length * 0.503):
            w = width * 0.44
            low = z0 - (body * 0.12 if y > 0 and base == bands[0][0] else 0)
            shape.quad([[-w, y, low], [w, y, low], [w * 0.97, y * 0.999, z1], [-w * 0.97, y * 0.999, z1]], "glass", part,
                       DARK * 0.6)
    for y, rear in ((length * 0.506, False), (-length * 0.506, True)):
        shape.box((0, y, height - 0.42), (width * 0.6, 0.03, 0.24), "plastic", part, BLACK)
        for x in np.linspace(-0.22, 0.22, 6) * width:
            shape.box((x, y * 1.002, height - 0.38), (0.09, 0.04, 0.16), "lamp", part, (1.2, 0.6, 0.05))
        glow = np.array((0.45, 0.015, 0.01) if rear else (0.6, 0.62, 0.65))
        for x in (-0.4, 0.4):
            shape.box((x * width, y, skirt + 0.25), (0.3, 0.04, 0.22), "lamp" if lights else "metal", part,
                      glow * (9 if lights else 1))
        plate(shape, rng, y * 1.002, skirt + 0.1, part, rear)
        shape.box((0, y, skirt), (width * 0.95, 0.06, 0.14), "plastic", part, DARK)
    for share in axles:
        for sx in (-1, 1):
            wheel(shape, sx * (width / 2 + 0.01), share * length, radius, 0.3, part)
    return Thing(shape, countable=True)


def bus(rng, *, lights=False) -> Thing:
    """A city bus, sometimes with two decks."""
    decks = int(rng.integers(1, 3))
    colour = pick(rng, [(0.45, 0.02, 0.02), (0.02, 0.1, 0.35), (0.6, 0.6, 0.55), (0.05, 0.3, 0.2), (0.55, 0.3, 0.03)])
    return coach(rng, "bus", length=rng.uniform(9, 11.5), width=2.5, height=3.05 if decks == 1 else 4.3, colour=colour,
                 decks=decks, lights=lights)


def tram(rng, *, lights=False) -> Thing:
    """A tram of three sections with a pantograph."""
    colour = pick(rng, [(0.6, 0.55, 0.1), (0.6, 0.6, 0.6), (0.1, 0.35, 0.2), (0.5, 0.05, 0.05)])
    thing = coach(rng, "tram", length=rng.uniform(20, 26), width=2.5, height=3.4, colour=colour, skirt=0.25,
                  lights=lights, axles=(-0.38, -0.3, 0.3, 0.38), radius=0.3)
    arm = np.array([[0, 0.8, 3.4], [0, -0.5, 3.9], [0, 0.6, 4.5]])
    thing.shape.path(arm, 0.04, "metal", "tram", DARK)
    thing.shape.box((0, 0.6, 4.5), (1.4, 0.1, 0.05), "metal", "tram", DARK)
    return thing


def truck(rng, *, lights=False) -> Thing:
    """A cab and a box body, or an open tipper."""
    shape, width = Shape(), 2.3
    length, tall = rng.uniform(5.5, 8.5), rng.uniform(2.2, 2.9)
    cab = pick(rng, CAR_PAINTS)
    front = length / 2
    shape.box((0, front - 0.9, 0.5), (width * 0.96, 1.8, 1.1), "paint", "truck", cab)
    shape.box((0, front - 0.95, 1.6), (width * 0.95, 1.7, 1.0), "paint", "truck", cab, taper=0.9)
    shape.quad([[-1, front - 0.085, 1.65], [1, front - 0.085, 1.65], [0.95, front - 0.17, 2.45],
                [-0.95, front - 0.17, 2.45]], "glass", "truck", DARK * 0.6)
    for sx in (-1, 1):
        x = sx * width * 0.478
        shape.quad([[x, front - 1.2, 1.65], [x, front - 0.3, 1.65], [x * 0.95, front - 0.4, 2.4],
                    [x * 0.95, front - 1.2, 2.4]], "glass", "truck", DARK * 0.6)
        shape.box((sx * 0.85, front, 0.75), (0.35, 0.05, 0.2), "lamp" if lights else "metal", "truck",
                  np.array([0.6, 0.62, 0.65]) * (9 if lights else 1))
        shape.box((sx * 0.9, -front - 0.02, 0.65), (0.3, 0.05, 0.14), "lamp" if lights else "paint", "truck",
                  np.array([0.45, 0.015, 0.01]) * (9 if lights else 1))
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
        shape.join(_as(text, "truck"), (sx * (width / 2 + 0.01), -1, 0), -sx * np.pi / 2)
    plate(shape, rng, -front - 0.02, 0.5, "truck", rear=True)
    return Thing(shape, countable=True)


def ring(shape, centre, radius, thick, material, part, colour, sides=20) -> None:
    """A hoop that stands in the plane x = 0, as a tyre does."""
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    points = np.c_[np.zeros(sides + 1), np.cos(angle) * radius, np.sin(angle) * radius] + centre
    shape.path(points, thick, material, part, colour, sides=5)


def bicycle(rng) -> Thing:
    """A bicycle of 1.75 m; its envelope fills the wheels."""
    shape, colour, r = Shape(), pick(rng, CAR_PAINTS), 0.34
    envelope = Shape()
    for y in (-0.52, 0.52):
        ring(shape, (0, y, r), r - 0.02, 0.02, "rubber", "bicycle", BLACK)
        angle = np.arange(8) * np.pi / 4
        spokes = np.c_[np.zeros(8), np.cos(angle), np.sin(angle)] * (r - 0.03)
        shape.tubes(np.tile([0, y, r], (8, 1)), spokes + [0, y, r], 0.003, 0.003, "metal", "bicycle", (0.4, 0.4, 0.4),
                    sides=3)
        envelope.rod((-0.02, y, r), (0.02, y, r), r, "rubber", "bicycle", BLACK, sides=16)
    seat, pedals, head = np.array([0, -0.2, 0.88]), np.array([0, -0.08, 0.3]), np.array([0, 0.36, 0.85])
    for a, b in ((seat, pedals), (pedals, head - [0, 0, 0.15]), (head, seat - [0, 0, 0.1]), (pedals, [0, -0.52, r]),
                 (seat - [0, 0, 0.1], [0, -0.52, r]), (head, [0, 0.52, r])):
        shape.rod(a, b, 0.018, "paint", "bicycle", colour, sides=6)
    shape.rod([-0.27, 0.36, 1.0], [0.27, 0.36, 1.0], 0.015, "plastic", "bicycle", BLACK, sides=6)
    shape.rod(head, [0, 0.36, 1.0], 0.016, "metal", "bicycle", (0.3, 0.3, 0.3), sides=6)
    shape.box((0, -0.22, 0.9), (0.14, 0.26, 0.05), "plastic", "bicycle", BLACK)
    if rng.random() < 0.3:
        shape.box((0, 0.5, 0.85), (0.36, 0.3, 0.25), "cloth", "bicycle", (0.25, 0.17, 0.08))
    return Thing(shape, countable=True, envelope=envelope)


def motorcycle(rng) -> Thing:
    """A motorcycle or scooter, 2 m long."""
    shape, colour, r = Shape(), pick(rng, CAR_PAINTS), 0.3
    for y in (-0.68, 0.7):
        shape.rod((-0.07, y, r), (0.07, y, r), r, "rubber", "motorcycle", BLACK, sides=16)
        shape.rod((-0.075, y, r), (0.075, y, r), r * 0.55, "metal", "motorcycle", (0.3, 0.3, 0.3), sides=12)
    shape.ball((0, 0.12, 0.82), (0.16, 0.32, 0.16), "paint", "motorcycle", colour)
    shape.ball((0, 0.05, 0.48), (0.2, 0.34, 0.22), "metal", "motorcycle", (0.12, 0.12, 0.12))
    shape.ball((0, -0.4, 0.82), (0.15, 0.42, 0.09), "plastic", "motorcycle", BLACK)
    shape.ball((0, -0.75, 0.78), (0.12, 0.22, 0.12), "paint", "motorcycle", colour)
    shape.ball((0, 0.55, 0.92), (0.2, 0.18, 0.26), "paint", "motorcycle", colour)
    shape.box((0, -0.97, 0.75), (0.16, 0.03, 0.1), "paint", "motorcycle", (0.4, 0.01, 0.01))
    for x in (-0.08, 0.08):
        shape.rod((x, 0.7, r), (x, 0.42, 1.0), 0.03, "metal", "motorcycle", (0.3, 0.3, 0.3), sides=6)
        shape.rod((2 * x, -0.2, 0.35), (2 * x, -0.95, 0.42), 0.05, "metal", "motorcycle", (0.4, 0.4, 0.4), sides=8)
    shape.rod((-0.36, 0.36, 1.05), (0.36, 0.36, 1.05), 0.02, "plastic", "motorcycle", BLACK, sides=6)
    plate(shape, rng, -0.99, 0.6, "motorcycle", rear=True, width=0.24)
    return Thing(shape, countable=True)
