"""Puts vehicles, riders and people into a street."""

import numpy as np

from tools.practice_streets import coaches, cycles, furniture, people
from tools.practice_streets.cars import car
from tools.practice_streets.shapes import Thing
from tools.practice_streets.world import World


def any_car(rng: np.random.Generator, **kwargs) -> Thing:
    """A car or van of any kind."""
    kind = rng.choice(["hatchback", "saloon", "estate", "suv", "van"], p=[0.38, 0.22, 0.15, 0.13, 0.12])
    return car(rng, str(kind), **kwargs)


def drive(world: World, length: float, extras: tuple[str, ...]) -> None:
    """Vehicles that drive, bicycles, and whatever rare thing was asked for."""
    rng, town, lane = world.rng, world.town, world.road_width / 4
    lit = town.light.lamps_on
    special = {"bus": coaches.bus, "truck": coaches.truck, "tram": coaches.tram}
    lengths = {"bus": 12.0, "truck": 9.0, "tram": 27.0}
    queue = [name for name in extras if name in special]
    for direction, chance in ((0, 0.5), (np.pi, 0.7)):
        s = rng.uniform(13, 32) if direction == 0 else rng.uniform(8, 28)
        while s < length * 0.8:
            name = queue.pop() if queue and (direction or rng.random() < 0.4) else None
            if name is None and rng.random() < 0.1:
                name = str(rng.choice(["bus", "truck"]))
            if name or rng.random() < chance * min(1, town.cars):
                along = lengths.get(name, 5.0)
                s += along / 2
                x = (-lane if direction == 0 else lane) * rng.uniform(0.75, 0.95) + rng.normal(0, 0.1)
                vehicle = (
                    special[name](rng, lights=lit) if name else any_car(rng, lights=lit, braking=rng.random() < 0.3)
                )
                if world.claim(s, x, along):
                    world.place(vehicle, s, x, turn=direction).speed = rng.uniform(5, 7)
                s += along / 2
            s += rng.uniform(3, 22)
    if "rider" in extras:
        _rider(world, 10.0, -1)
    for _ in range(rng.poisson(1.5 * town.bicycles)):
        _rider(world, rng.uniform(8, 34), rng.choice([-1, -1, 1]))
    if "motorcycle" in extras or rng.random() < 0.12:
        spots = [(rng.uniform(8, 20), lane * side * rng.uniform(0.4, 1.4), side) for side in (-1, -1, 1, 1, -1, 1)]
        for s, x, side in spots:
            if world.claim(s, x, 2.6, 1.2):
                turn = 0.0 if side < 0 else np.pi
                world.place(cycles.motorcycle(rng), s, x, turn=turn).speed = 6.0
                world.place(people.rider(rng, motor=True), s, x, turn=turn).speed = 6.0
                break
    if "cone" in extras:
        for k in range(5):
            world.place(furniture.cone(rng), 12 + 2.2 * k, -world.road_width / 2 + 0.5 + 0.25 * k)


def _rider(world, s, side) -> None:

    rng = world.rng
    x, turn = side * (world.road_width / 2 - rng.uniform(0.7, 1.6)), 0.0 if side < 0 else np.pi
    if rng.random() < 0.3:
        x = side * world.road_width / 4
    lean = rng.normal(0, 0.06)
    if not world.claim(s, x, 2.4, 1.0):
        return
    for thing in (cycles.bicycle(rng), people.rider(rng)):
        world.place(thing, s, x, turn=turn + lean).speed = 3.5


def walk(world: World, pavements, extras: tuple[str, ...]) -> None:
    """People on the pavements, alone and in groups, and some who cross."""
    rng, town = world.rng, world.town
    for side in (-1, 1):
        for _ in range(rng.poisson(4.5 * town.people)):
            s = 5 + 65 * rng.random() ** 1.3
            direction = rng.choice([0, np.pi])
            for _ in range(rng.choice([1, 1, 2, 3])):
                x = side * (world.road_width / 2 + rng.uniform(0.4, max(0.6, pavements[side] - 0.3)))
                who = people.pedestrian(rng, child=rng.random() < 0.08)
                world.place(who, s + rng.normal(0, 0.5), x, turn=direction + rng.normal(0, 0.2), z=0.12).speed = 1.3
    if world.junction is not None and rng.random() < 0.5 * town.people:
        for _ in range(rng.integers(1, 4)):
            x = rng.uniform(-0.45, 0.45) * world.road_width
            world.place(
                people.pedestrian(rng, standing=False),
                world.junction - 8.5 + rng.uniform(-1, 1),
                x,
                turn=rng.choice([-1, 1]) * np.pi / 2,
            )
    for name, make in (("dog", people.dog), ("child", lambda r: people.pedestrian(r, child=True))):
        if name in extras:
            world.place(make(rng), rng.uniform(8, 14), -world.road_width / 2 - 0.9, z=0.12)
