"""Road signs, hanging shop signs and traffic lights. They look along +y."""

import numpy as np

from tools.practice_streets.colours import pick, vary
from tools.practice_streets.facades import letters
from tools.practice_streets.furniture import BLACK, GREY, WHITE
from tools.practice_streets.shapes import Colour, Shape, Thing

RED, BLUE, YELLOW, GREEN = (
    np.array(c) for c in ([0.5, 0.01, 0.01], [0.01, 0.06, 0.35], [0.6, 0.42, 0.02], [0.01, 0.15, 0.05])
)


def sign_face(shape: Shape, rng: np.random.Generator, z: float, y: float = 0.06) -> float:
    """One road sign in the plane y that looks along +y; returns its height."""
    kind = rng.choice(["round", "warning", "board", "parking", "name", "no entry"])
    size = rng.uniform(0.5, 0.75)
    mid = np.array([0, y, z + size / 2])
    out = np.array([0, 0.012, 0])

    def disc(radius, colour, lift, sides=24):
        shape.rod(mid + out * lift, mid + out * (lift + 0.8), radius, "plaster", "sign", colour, sides=sides)

    if kind in ("round", "no entry"):
        inner = BLUE if rng.random() < 0.4 else WHITE
        disc(size / 2, RED if kind == "no entry" or inner is WHITE else BLUE, 0)
        if kind == "no entry":
            shape.box(mid + out * 1.5 - [0, 0, 0.06], (size * 0.7, 0.02, 0.12), "plaster", "sign", WHITE)
        else:
            disc(size * 0.39, inner, 1)
            letters_on(shape, rng, mid + out * 2.2, size * 0.5, size * 0.3, BLACK if inner is WHITE else WHITE)
    elif kind == "warning":
        for scale, colour, lift in ((1.0, RED, 0), (0.72, WHITE, 1.5)):
            r = size * 0.62 * scale
            corners = [mid + out * (lift + 1) + [r * np.cos(a), 0, r * np.sin(a)] for a in np.radians([90, 210, 330])]
            shape.add(corners, [[0, 1, 2]], "plaster", "sign", colour)
        letters_on(shape, rng, mid + out * 3 - [0, 0, 0.08], size * 0.15, size * 0.3, BLACK)
    else:
        colour = {"board": GREEN if rng.random() < 0.4 else BLUE, "parking": BLUE, "name": WHITE}[kind]
        w = {"board": rng.uniform(0.9, 2.0), "parking": size * 0.7, "name": rng.uniform(0.8, 1.2)}[kind]
        tall = {"board": rng.uniform(0.6, 1.4), "parking": size, "name": 0.3}[kind]
        shape.box((0, y, z), (w, 0.03, tall), "plaster", "sign", vary(rng, colour))
        for line in range(max(1, int(tall / 0.35))):
            letters_on(
                shape,
                rng,
                np.array([0, y + 0.02, z + tall * (line + 0.5) / max(1, int(tall / 0.35))]),
                w * 0.75,
                0.16,
                BLACK if kind == "name" else WHITE,
            )
        return tall
    return size


def letters_on(shape: Shape, rng: np.random.Generator, middle, width: float, height: float, colour: Colour) -> None:
    """Lettering of a sign, centred."""
    text = Shape()
    letters(text, rng, -width / 2, width / 2, 0, height, 0, colour)
    shape.join(text.relabelled("sign"), middle - [0, 0, height / 2])


def road_sign(rng: np.random.Generator) -> Thing:
    """A post with one or two signs."""
    shape, z = Shape(), rng.uniform(2.0, 2.5)
    top = z
    for _ in range(rng.integers(1, 3)):
        top += sign_face(shape, rng, top) + 0.05
    shape.rod((0, 0, 0), (0, 0, top), 0.045, "metal", "pole", vary(rng, GREY))
    return Thing(shape)


def shop_sign(rng: np.random.Generator) -> Shape:
    """A sign that hangs out from a façade, along +y from the wall."""
    shape, colour = Shape(), pick(rng, [RED, BLUE, YELLOW, GREEN, WHITE, BLACK])
    w, tall = rng.uniform(0.5, 0.9), rng.uniform(0.5, 1.0)
    shape.box((0, 0.3 + w / 2, 0), (0.12, w, tall), "paint", "sign", colour)
    text = Shape()
    letters(text, rng, -w * 0.4, w * 0.4, tall * 0.4, 0.2, 0, WHITE if colour.mean() < 0.4 else BLACK)
    for side in (-1, 1):
        shape.join(text.relabelled("sign"), (side * 0.065, 0.3 + w / 2, 0), -side * np.pi / 2)
    shape.rod((0, 0, tall * 0.9), (0, 0.3 + w, tall * 0.9), 0.02, "metal", "pole", BLACK, sides=5)
    return shape


def traffic_light(rng: np.random.Generator, state=None) -> Thing:
    """A signal on a post that looks along +y."""
    shape = Shape()
    state = rng.integers(3) if state is None else state
    z = rng.uniform(2.1, 2.5)
    shape.rod((0, 0, 0), (0, 0, z + 1.0), 0.055, "metal", "pole", GREY * 0.6)
    if rng.random() < 0.7:
        shape.box((0, 0.06, z - 0.1), (0.52, 0.04, 1.2), "plastic", "traffic light", BLACK)
    shape.box((0, 0.16, z), (0.3, 0.22, 0.98), "plastic", "traffic light", BLACK)
    for k, colour in enumerate(([0.02, 0.9, 0.4], [1.0, 0.5, 0.02], [1.0, 0.03, 0.02])):
        centre = np.array([0, 0.27, z + 0.2 + 0.29 * k])
        lit = k == state
        shape.rod(
            centre,
            centre + [0, 0.02, 0],
            0.1,
            "lamp" if lit else "plastic",
            "traffic light",
            np.array(colour) * (9 if lit else 0.06),
            sides=14,
        )
        shape.box(centre + [0, 0.08, 0.09], (0.22, 0.18, 0.02), "plastic", "traffic light", BLACK)
    return Thing(shape)
