"""Pedestrians and riders: bodies of capsules with clothes, posed by joint angles. They look along +y."""

import numpy as np

from tools.practice_streets.colours import pick
from tools.practice_streets.shapes import Colour, Shape, Thing

TOPS = [
    (0.02, 0.02, 0.025),
    (0.03, 0.04, 0.09),
    (0.3, 0.03, 0.03),
    (0.15, 0.15, 0.16),
    (0.5, 0.5, 0.48),
    (0.05, 0.1, 0.06),
    (0.35, 0.25, 0.12),
    (0.1, 0.2, 0.4),
    (0.5, 0.1, 0.25),
    (0.04, 0.04, 0.04),
]
TROUSERS = [(0.015, 0.015, 0.02), (0.03, 0.05, 0.11), (0.06, 0.07, 0.1), (0.2, 0.16, 0.1), (0.08, 0.08, 0.08)]
SKINS = [(0.5, 0.3, 0.21), (0.4, 0.23, 0.15), (0.2, 0.1, 0.06), (0.1, 0.05, 0.03), (0.55, 0.36, 0.27)]
HAIR = [(0.01, 0.008, 0.006), (0.05, 0.025, 0.012), (0.2, 0.12, 0.05), (0.35, 0.33, 0.3), (0.12, 0.03, 0.01)]


def limb(shape: Shape, points, radii, material: str, part: str, colour: Colour) -> None:
    """A bent limb through joints, each joint rounded."""
    for a, b, ra, rb in zip(points[:-1], points[1:], radii[:-1], radii[1:], strict=True):
        shape.rod(a, b, ra, material, part, colour, end_radius=rb, sides=8)
        shape.ball(b, (rb, rb, rb), material, part, colour, rings=4, sides=8)


def body(rng: np.random.Generator, shape: Shape, part: str, *, hips, lean, legs, arms, bulk=1.0, helmet=False) -> None:
    """Trunk, head and four limbs.

    Args:
        hips: height of the hips, metres.
        lean: of the trunk to the front, radians.
        legs: (thigh, shin) angles from straight down for the left and the right leg, radians, positive to the front.
        arms: the same for (upper arm, forearm).
    """
    coat, trousers, skin, hair = pick(rng, TOPS), pick(rng, TROUSERS), pick(rng, SKINS), pick(rng, HAIR)
    if helmet:
        hair = pick(rng, [(0.6, 0.6, 0.58), (0.02, 0.02, 0.02), (0.4, 0.03, 0.03), (0.02, 0.08, 0.3)])
    if rng.random() < 0.12 + 0.2 * helmet:
        coat = np.array([0.55, 0.65, 0.02])  # high visibility
    up = np.array([0, np.sin(lean), np.cos(lean)])
    hip = np.array([0, 0, hips])
    chest, neck = hip + up * 0.36, hip + up * 0.56
    skirt = rng.random() < 0.2 and not helmet
    levels = [(0, 0.15, 0.11), (0.12, 0.145, 0.1), (0.3, 0.175, 0.115), (0.45, 0.19, 0.11), (0.54, 0.1, 0.08)]
    if rng.random() < 0.4 and not helmet:
        levels = [(-0.25, 0.19, 0.15), *levels]  # a long coat
    angle = np.arange(12) * np.pi / 6
    rings = [
        hip + up * h + np.c_[np.cos(angle) * a * bulk, np.sin(angle) * b * bulk, np.zeros(12)] for h, a, b in levels
    ]
    shape.loft(rings, "cloth", part, coat)
    for side, (thigh, shin), (upper, fore) in zip((-1, 1), legs, arms, strict=True):
        a = hip + [side * 0.09, 0, 0]
        knee = a + 0.43 * hips / 0.9 * np.array([0, np.sin(thigh), -np.cos(thigh)])
        ankle = knee + 0.43 * hips / 0.9 * np.array([0, np.sin(shin), -np.cos(shin)])
        if part != "person" and part != "child":
            ankle = knee + 0.43 * np.array([0, np.sin(shin), -np.cos(shin)])
        limb(shape, [a, knee, ankle], [0.085 * bulk, 0.06 * bulk, 0.045], "cloth", part, skin if skirt else trousers)
        shape.box(ankle + [0, 0.07, -0.07], (0.09, 0.26, 0.09), "plastic", part, pick(rng, TROUSERS))
        shoulder = chest + up * 0.12 + [side * 0.2 * bulk, 0, 0]
        elbow = shoulder + 0.28 * np.array([side * 0.15, np.sin(upper), -np.cos(upper)])
        hand = elbow + 0.26 * np.array([0, np.sin(fore), -np.cos(fore)])
        limb(shape, [shoulder, elbow, hand], [0.06 * bulk, 0.05 * bulk, 0.04], "cloth", part, coat)
        shape.ball(hand, (0.04, 0.05, 0.05), "skin", part, skin, rings=4, sides=6)
    shape.rod(neck - up * 0.04, neck + up * 0.1, 0.055, "skin", part, skin, sides=8)
    head = neck + up * 0.165 + [0, 0.02, 0]
    shape.ball(head, (0.078, 0.095, 0.115), "skin", part, skin, rings=8, sides=12)
    cap = 0.12 if helmet else 0.095
    shape.ball(head + [0, -0.018, 0.035], (cap * 0.9, cap, cap), "plastic" if helmet else "cloth", part, hair)
    if rng.random() < 0.3:
        shape.ball(chest + [0, -0.17, 0.02], (0.15, 0.1, 0.22), "cloth", part, pick(rng, TOPS))  # a rucksack


def pedestrian(rng: np.random.Generator, *, child=False, standing=None) -> Thing:
    """Somebody who walks or stands."""
    shape = Shape()
    part = "child" if child else "person"
    standing = rng.random() < 0.35 if standing is None else standing
    stride = 0.06 if standing else rng.uniform(0.25, 0.5) * rng.choice([-1, 1])
    legs = ((stride, stride - 0.1), (-stride, -stride - 0.3))
    swing = stride * rng.uniform(0.6, 1)
    bent = rng.uniform(0.2, 1.2)
    arms = ((-swing, -swing + bent), (swing, swing + bent))
    body(rng, shape, part, hips=0.86, lean=rng.uniform(0, 0.08), legs=legs, arms=arms, bulk=rng.uniform(0.92, 1.2))
    scale = rng.uniform(0.62, 0.8) if child else rng.uniform(0.93, 1.07)
    if not child and rng.random() < 0.25:
        bag = np.array([0.32 * rng.choice([-1, 1]), 0.05, 0.32])
        shape.box(bag, (0.12, 0.3, 0.32), "cloth", "luggage", pick(rng, TOPS), taper=0.8)
    return Thing(shape, scale=scale, countable=True)


def rider(rng: np.random.Generator, *, motor=False) -> Thing:
    """Somebody on a bicycle (or motorcycle): place it at the same spot as the machine."""
    inner, outer = Shape(), Shape()
    high = rng.uniform(-0.5, 0.5)
    legs = ((1.1 + 0.35 * high, -0.25 + 0.3 * high), (0.75 - 0.35 * high, -0.1 - 0.3 * high))
    arms = ((0.75, 1.15), (0.75, 1.15))
    if motor:
        legs, arms = ((1.25, 0.1), (1.25, 0.1)), ((0.7, 1.2), (0.7, 1.2))
    body(
        rng,
        inner,
        "motorcyclist" if motor else "rider",
        hips=0.9 if motor else 1.0,
        lean=0.2 if motor else 0.45,
        legs=legs,
        arms=arms,
        helmet=motor or rng.random() < 0.55,
    )
    outer.join(inner, (0, -0.22, 0))
    return Thing(outer, countable=True)


def dog(rng: np.random.Generator) -> Thing:
    """A dog on a walk."""
    shape, coat = Shape(), pick(rng, [(0.3, 0.2, 0.1), (0.03, 0.03, 0.03), (0.5, 0.45, 0.38)])
    shape.ball((0, 0, 0.42), (0.13, 0.34, 0.15), "cloth", "animal", coat)
    shape.ball((0, 0.42, 0.6), (0.08, 0.14, 0.09), "cloth", "animal", coat)
    shape.rod((0, 0.25, 0.48), (0, 0.4, 0.6), 0.08, "cloth", "animal", coat)
    shape.rod((0, -0.32, 0.48), (0, -0.5, 0.66), 0.025, "cloth", "animal", coat)
    for x in (-0.08, 0.08):
        for y in (-0.22, 0.22):
            shape.rod((x, y, 0.0), (x, y, 0.4), 0.035, "cloth", "animal", coat, sides=6)
    return Thing(shape, countable=True)
