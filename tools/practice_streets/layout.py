"""Lays out a street: surfaces, buildings, planting, furniture, traffic and people, all drawn from one seed."""

import numpy as np

from tools.practice_streets.ground import pave
from tools.practice_streets.line import Line
from tools.practice_streets.markings import paint_road
from tools.practice_streets.roadside import backdrop, choose_trees, frontage, junction_furniture, kerbside, side_street
from tools.practice_streets.towns import Town
from tools.practice_streets.traffic import drive, walk
from tools.practice_streets.world import World


def build(
    town: Town, scene: int, *, length: float = 150.0, junction: float | None = None, extras: tuple[str, ...] = ()
) -> World:
    """One street of a town.

    Args:
        town: its style.
        scene: number of the street in the town; town and scene seed everything.
        length: of the street ahead, metres.
        junction: where a side street meets it; drawn by chance when None.
        extras: rare things that must be in view: "bus", "truck", "tram", "motorcycle", "cone", "dog", "child"; and,
            near the camera, "rider" and "signals" (traffic lights).
    """
    rng = np.random.default_rng([town.seed, scene])
    width = rng.uniform(*town.road)
    if "tram" in extras:
        width = max(width, 10.0)
    world = World(town, Line.random(rng, length + 40), width, rng)
    pavements = {side: rng.uniform(1.6, 3.8) for side in (-1, 1)}
    if junction is None and rng.random() < 0.65:
        junction = rng.uniform(20, 52)
    if "signals" in extras:
        junction = 22.0
    world.junction, world.tracks = junction, "tram" in extras
    world.claim(2.0, -width / 4, 9.0)  # the camera's own car
    streets = []
    if junction is not None:
        sides = [(-1,), (1,), (-1, 1)][rng.integers(3)]
        for side in sides:
            half = rng.uniform(2.8, 4.0)
            world.gaps[side].append((junction - half, junction + half))
            streets.append((side, half))
    pave(world, pavements, streets)
    paint_road(world)
    trees = choose_trees(rng, town)
    drive(world, length, extras)
    for side in (-1, 1):
        frontage(world, side, width / 2 + pavements[side], length, trees)
        kerbside(world, side, pavements[side], length, trees)
    for side, half in streets:
        side_street(world, side, half, pavements[side], trees)
    if junction is not None:
        junction_furniture(world, junction, signals="signals" in extras)
    backdrop(world, length, trees)
    walk(world, pavements, extras)
    return world
