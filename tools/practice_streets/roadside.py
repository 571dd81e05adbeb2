"""Lines a street with buildings, gardens, parks, side streets, street furniture and parked cars."""

import numpy as np

from tools.practice_streets import cycles, furniture, nature, signs
from tools.practice_streets.buildings import building, spire
from tools.practice_streets.markings import crossing
from tools.practice_streets.shapes import Thing
from tools.practice_streets.traffic import any_car
from tools.practice_streets.world import World

SETBACK = {"shops": (0, 0.3), "terrace": (0.5, 3), "villas": (4, 8), "office": (0, 5), "hall": (10, 18), "park": (0, 0)}
BUILDING = {"shops": "shop", "terrace": "house", "villas": "house", "office": "office", "hall": "hall"}
WIDTHS = {"shop": (5, 11), "house": (4.5, 8), "office": (12, 26), "hall": (22, 40)}


def choose_trees(rng: np.random.Generator, town) -> list[Thing]:
    """Five trees that a scene plants again and again, turned and scaled."""
    return [nature.tree(rng, bare=rng.random() < town.bare_trees) for _ in range(5)]


def _plant(world, trees, s, x, scale=1.0) -> None:
    """One of the trees, turned any way."""
    rng, model = world.rng, trees[world.rng.integers(len(trees))]
    thing = Thing(model.shape, scale=scale * rng.uniform(0.75, 1.2), envelope=model.envelope)
    world.place(thing, s, x, turn=rng.uniform(0, 6.28))


def frontage(world: World, side: int, edge: float, length: float, trees: list[Thing]) -> None:
    """Rows of buildings and parks along one side; `edge` is where the pavement ends."""
    rng, s = world.rng, -22.0
    names, weights = list(world.town.zones), np.array(list(world.town.zones.values()), float)
    while s < length:
        zone = str(rng.choice(names, p=weights / weights.sum()))
        end = s + rng.uniform(25, 60)
        if zone == "park":
            _park(world, side, edge, s, min(end, length), trees)
            s = end
            continue
        setback = rng.uniform(*SETBACK[zone])
        barrier = rng.choice(["wall", "fence", "hedge", "none"], p=[0.45, 0.2, 0.25, 0.1])
        while s < min(end, length):
            w = rng.uniform(*WIDTHS[BUILDING[zone]])
            blocked = [b for a, b in world.gaps[side] if s < b + 0.4 and s + w > a - 0.4]
            if blocked:
                s = max(max(blocked) + 0.5, s + 0.5)
                continue
            shape, depth = building(rng, BUILDING[zone], w)
            world.place(Thing(shape), s + w / 2, side * (edge + setback + 0.05), turn=side * np.pi / 2)
            if zone == "shops" and rng.random() < 0.35:
                world.place(
                    Thing(signs.shop_sign(rng)),
                    s + rng.uniform(0.1, 0.9) * w,
                    side * (edge + setback),
                    turn=side * np.pi / 2,
                    z=rng.uniform(2.7, 3.6),
                )
            if setback > 1 and zone in ("terrace", "villas"):
                _garden(world, side, edge, setback, s, w, barrier, trees)
            if zone == "hall":
                _forecourt(world, side, edge, setback, s, w)
            s += w + (rng.uniform(1.5, 4) if zone == "villas" or rng.random() < 0.08 else 0.02)


def _garden(world, side, edge, setback, s, w, barrier, trees) -> None:
    """What stands between a house and the pavement: a wall, fence or hedge with a gap for the path, and a bush."""
    rng = world.rng
    make = {"wall": furniture.wall, "fence": furniture.fence, "hedge": nature.hedge}.get(str(barrier))
    if make is not None:
        span = w - 1.2
        world.place(make(rng, span), s + 1.2 + span / 2, side * (edge + 0.3), turn=np.pi / 2)
    if setback > 3:
        for _ in range(rng.integers(0, 3)):
            world.place(nature.bush(rng), s + rng.uniform(0.5, w), side * (edge + rng.uniform(1.2, setback - 0.8)))
        if rng.random() < 0.3:
            _plant(world, trees, s + rng.uniform(0, w), side * (edge + setback / 2), 0.7)


def _forecourt(world, side, edge, setback, s, w) -> None:
    """Parked cars before a hall."""
    rng = world.rng
    for k in np.arange(s + 2, s + w - 1, 2.7):
        if rng.random() < 0.6:
            world.place(any_car(rng), k, side * (edge + setback * 0.45), turn=np.pi / 2 * rng.choice([-1, 1]))


def _park(world, side, edge, start, end, trees) -> None:
    """Grass with trees behind railings, a wall or a hedge."""
    rng = world.rng
    barrier = rng.choice(["fence", "wall", "hedge", "none"], p=[0.3, 0.3, 0.15, 0.25])
    dense = rng.uniform(0.15, 0.9)
    make = {"wall": furniture.wall, "fence": furniture.fence, "hedge": nature.hedge}.get(str(barrier))
    state = rng.bit_generator.state
    for s in np.arange(start, end - 3, 6.0):
        if make is not None and all(s + 6 < a or s > b for a, b in world.gaps[side]):
            rng.bit_generator.state = state  # the same barrier all along
            world.place(make(rng, 6.0), s + 3, side * (edge + 0.4), turn=np.pi / 2)
    for s in np.arange(start, end, 5.0):
        if rng.random() < dense and world.free(side, s, 2):
            _plant(world, trees, s + rng.uniform(-2, 2), side * (edge + rng.uniform(2, 9)))
        if rng.random() < dense + 0.2:
            _plant(world, trees, s, side * (edge + rng.uniform(14, 30)), 1.1)
        if rng.random() < 0.4:
            world.place(nature.bush(rng), s, side * (edge + rng.uniform(2, 12)))
    for s in np.arange(start, end, 14.0):
        shape, _ = building(rng, "house", rng.uniform(8, 12))
        world.place(Thing(shape), s, side * (edge + rng.uniform(32, 45)), turn=side * np.pi / 2)


def kerbside(world: World, side: int, pavement: float, length: float, trees: list[Thing]) -> None:
    """Lamps, signs, trees, bins, bollards, guard rails and parked cars along one kerb."""
    rng, kerb = world.rng, world.road_width / 2
    lit, face = world.town.light.lamps_on, np.pi
    for s in np.arange(rng.uniform(-5, 10), length, rng.uniform(20, 32)):
        if world.free(side, s, 1):
            lamp = furniture.street_lamp(rng, lit=lit) if rng.random() < 0.85 else furniture.telegraph_pole(rng)
            world.place(lamp, s, side * (kerb + 0.5), turn=side * np.pi / 2)
    for s in np.arange(rng.uniform(6, 18), min(length, 90), rng.uniform(14, 34)):
        if world.free(side, s, 1):
            world.place(signs.road_sign(rng), s, side * (kerb + 0.45), turn=face + rng.normal(0, 0.15))
    avenue = world.town.trees * rng.uniform(0, 1.8)
    for s in np.arange(rng.uniform(-12, 0), length, 10):
        if rng.random() < avenue and world.free(side, s, 2) and pavement > 2:
            _plant(world, trees, s + rng.uniform(-2, 2), side * (kerb + rng.uniform(0.8, 1.2)), 0.9)
    for _ in range(rng.integers(1, 6)):
        s, kind = rng.uniform(5, 50), rng.integers(4)
        if world.free(side, s, 1):
            thing = (furniture.bin_, furniture.bench, furniture.bin_, cycles.bicycle)[kind](rng)
            world.place(
                thing, s, side * (kerb + pavement - 0.5), turn=side * np.pi / 2 if kind < 3 else rng.normal(0, 0.2)
            )
    if rng.random() < 0.35:
        start = rng.uniform(8, 40)
        for s in np.arange(start, start + 12, 1.5):
            if world.free(side, s, 0.5):
                world.place(furniture.bollard(rng), s, side * (kerb + 0.4))
    elif rng.random() < 0.45:
        start = rng.uniform(8, 35)
        for s in (start, start + 4.0):
            if world.free(side, s, 3):
                world.place(furniture.fence(rng, 4.0), s, side * (kerb + 0.35), turn=np.pi / 2)
    if rng.random() < 0.4 * world.town.cars + 0.15:
        s = rng.uniform(6, 16)
        while s < length * 0.8:
            if rng.random() < 0.65 and world.free(side, s, 6):
                flip = np.pi if rng.random() < (0.85 if side > 0 else 0.15) else 0
                x = side * (kerb - rng.uniform(0.75, 1.05))
                if world.claim(s, x, 5.0):
                    world.place(any_car(rng), s, x, turn=flip + rng.normal(0, 0.02))
            s += rng.uniform(5.3, 8)


def side_street(world: World, side: int, half, pavement: float, trees: list[Thing]) -> None:
    """Buildings along a street that leaves to one side."""
    rng, edge = world.rng, world.road_width / 2
    for flank in (-1, 1):
        out = edge + pavement + 14.0
        while out < 75:
            w = rng.uniform(5, 9)
            shape, _ = building(rng, "house", w)
            s = world.junction + flank * (half + 2.0)
            world.place(Thing(shape), s, side * (out + w / 2), turn=np.pi if flank > 0 else 0.0)
            out += w + 0.02
        for out in np.arange(edge + 8, 50, 6.5):
            if rng.random() < 0.4:
                world.place(any_car(rng), world.junction + flank * (half - 1.0), side * out, turn=np.pi / 2 * flank)
    if rng.random() < 0.6:
        world.place(
            any_car(rng, lights=world.town.light.lamps_on),
            world.junction + half * 0.45 * side,
            side * (edge + rng.uniform(3, 9)),
            turn=side * np.pi / 2,
        )
    shape, _ = building(rng, "office", 30)
    world.place(Thing(shape), world.junction, side * 82, turn=side * np.pi / 2)


def junction_furniture(world: World, junction, *, signals) -> None:
    """Traffic lights and a crossing before a junction, or only a give-way."""
    rng, kerb = world.rng, world.road_width / 2
    if signals or rng.random() < 0.7:
        state = rng.integers(3)
        for side in (-1, 1):
            for s in (junction - 6.5, junction + 6.5):
                world.place(signs.traffic_light(rng, state), s, side * (kerb + 0.5), turn=np.pi + rng.normal(0, 0.1))
        crossing(world, junction - 8.5, zebra=rng.random() < 0.3)
    elif rng.random() < 0.6:
        crossing(world, junction - 8.5, zebra=True)
        for side in (-1, 1):
            world.place(furniture.beacon(rng), junction - 6.8, side * (kerb + 0.5))


def backdrop(world: World, length: float, trees: list[Thing]) -> None:
    """What closes the view at the street's end and above the roofs."""
    rng = world.rng
    if rng.random() < 0.6:
        x = -45.0
        while x < 45:
            w = rng.uniform(7, 16)
            shape, _ = building(rng, str(rng.choice(["shop", "house", "office"])), w)
            world.place(Thing(shape), length + 14, x + w / 2, turn=np.pi)
            x += w
    for x in np.arange(-80, 80, 6.0):
        _plant(world, trees, length + rng.uniform(18, 40), x, 1.5)
    if rng.random() < 0.4:
        world.place(Thing(spire(rng)), rng.uniform(60, length), rng.choice([-1, 1]) * rng.uniform(20, 30))
