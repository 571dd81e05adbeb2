"""Bicycles and motorcycles. The front looks along +y, the wheels stand on z = 0."""

import numpy as np

from tools.practice_streets.cars import BLACK, plate
from tools.practice_streets.colours import CAR_PAINTS, pick
from tools.practice_streets.shapes import Colour, Shape, Thing


def ring(shape: Shape, centre, radius: float, thick: float, material: str, part: str, colour: Colour, sides=20) -> None:
    """A hoop that stands in the plane x = 0, as a tyre does."""
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    points = np.c_[np.zeros(sides + 1), np.cos(angle) * radius, np.sin(angle) * radius] + centre
    shape.path(points, thick, material, part, colour, sides=5)


def bicycle(rng: np.random.Generator) -> Thing:
    """A bicycle of 1.75 m; its envelope fills the wheels."""
    shape, colour, r = Shape(), pick(rng, CAR_PAINTS), 0.34
    envelope = Shape()
    for y in (-0.52, 0.52):
        ring(shape, (0, y, r), r - 0.02, 0.02, "rubber", "bicycle", BLACK)
        angle = np.arange(8) * np.pi / 4
        spokes = np.c_[np.zeros(8), np.cos(angle), np.sin(angle)] * (r - 0.03)
        shape.tubes(
            np.tile([0, y, r], (8, 1)), spokes + [0, y, r], 0.003, 0.003, "metal", "bicycle", (0.4, 0.4, 0.4), sides=3
        )
        envelope.rod((-0.02, y, r), (0.02, y, r), r, "rubber", "bicycle", BLACK, sides=16)
    seat, pedals, head = np.array([0, -0.2, 0.88]), np.array([0, -0.08, 0.3]), np.array([0, 0.36, 0.85])
    for a, b in (
        (seat, pedals),
        (pedals, head - [0, 0, 0.15]),
        (head, seat - [0, 0, 0.1]),
        (pedals, [0, -0.52, r]),
        (seat - [0, 0, 0.1], [0, -0.52, r]),
        (head, [0, 0.52, r]),
    ):
        shape.rod(a, b, 0.018, "paint", "bicycle", colour, sides=6)
    shape.rod([-0.27, 0.36, 1.0], [0.27, 0.36, 1.0], 0.015, "plastic", "bicycle", BLACK, sides=6)
    shape.rod(head, [0, 0.36, 1.0], 0.016, "metal", "bicycle", (0.3, 0.3, 0.3), sides=6)
    shape.box((0, -0.22, 0.9), (0.14, 0.26, 0.05), "plastic", "bicycle", BLACK)
    if rng.random() < 0.3:
        shape.box((0, 0.5, 0.85), (0.36, 0.3, 0.25), "cloth", "bicycle", (0.25, 0.17, 0.08))
    return Thing(shape, countable=True, envelope=envelope)


def motorcycle(rng: np.random.Generator) -> Thing:
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
