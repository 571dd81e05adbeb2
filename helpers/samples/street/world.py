"""Lays out a street: surfaces, buildings, planting, furniture, traffic and people, all drawn from one seed."""

from dataclasses import dataclass, field

import numpy as np

from helpers.samples.street import furniture, nature, people, vehicles
from helpers.samples.street.buildings import building, pick, spire, vary
from helpers.samples.street.ground import Line, crossing, paint_road, pave
from helpers.samples.street.shapes import Shape, Thing
from helpers.samples.street.towns import Town

SETBACK = {"shops": (0, 0.3), "terrace": (0.5, 3), "villas": (4, 8), "office": (0, 5), "hall": (10, 18), "park": (0, 0)}
BUILDING = {"shops": "shop", "terrace": "house", "villas": "house", "office": "office", "hall": "hall"}
WIDTHS = {"shop": (5, 11), "house": (4.5, 8), "office": (12, 26), "hall": (22, 40)}


@dataclass
class World:
    """Things that stand or move in a street, and the line along which a camera drives."""

    town: Town
    line: Line
    road_width: float
    rng: np.random.Generator
    things: list[Thing] = field(default_factory=list)
    gaps: dict[int, list[tuple[float, float]]] = field(default_factory=lambda: {-1: [], 1: []})
    junction: float | None = None
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)
    tracks: bool = False
    asphalt: str = "asphalt"
    grey: np.ndarray | None = None

    def place(self, thing: Thing, s: float, x: float, *, turn: float = 0.0, z: float = 0.0) -> Thing:
        """Stands a thing at s along the line and x to its right, turned against the line's direction."""
        where, heading = self.line.at(s, x)
        thing.at, thing.turn = (where[0], where[1], z), heading + turn
        self.things.append(thing)
        return thing

    def claim(self, s: float, x: float, along: float, across: float = 2.1) -> bool:
        """Takes a rectangle of the road, unless something stands there already."""
        box = (s - along / 2, s + along / 2, x - across / 2, x + across / 2)
        if any(box[0] < b and a < box[1] and box[2] < d and c < box[3] for a, b, c, d in self.taken):
            return False
        self.taken.append(box)
        return True

    def free(self, side: int, s: float, margin: float = 0.0) -> bool:
        """Whether s lies on a kerb, not in the mouth of a side street."""
        return all(not a - margin < s < b + margin for a, b in self.gaps[side])


def build(town: Town, scene: int, *, length: float = 150.0, junction: float | None = None,
          extras: tuple[str, ...] = ()) -> World:
    """One street of a town.

    Args:
        town: its style.
        scene: number of the street in the town; town and scene seed everything.
        length: of the street ahead, metres.
        junction: where a side street meets it; drawn by chance when None.
        extras: rare things that must be in view: "bus", "truck", "tram", "motorcycle", "cone", "dog", "child".
    """
    rng = np.random.default_rng([town.seed, scene])
    width = rng.uniform(*town.road)
    if "tram" in extras:
        width = max(width, 10.0)
    world = World(town, Line.random(rng, length + 40), width, rng)
    pavements = {side: rng.uniform(1.6, 3.8) for side in (-1, 1)}
    if junction is None and rng.random() < 0.55:
        junction = rng.uniform(24, 60)
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
    trees = _trees(rng, town)
    _traffic(world, length, extras)
    for side in (-1, 1):
        _frontage(world, side, width / 2 + pavements[side], length, trees)
        _kerbside(world, side, pavements[side], length, trees)
    for side, half in streets:
        _side_street(world, side, half, pavements[side], trees)
    if junction is not None:
        _junction(world, junction, pavements)
    _backdrop(world, length, trees)
    _walkers(world, pavements, extras)
    return world


def _trees(rng, town) -> list[Thing]:
    """Five trees that a scene plants again and again, turned and scaled."""
    return [nature.tree(rng, bare=rng.random() < town.bare_trees) for _ in range(5)]


def _plant(world, trees, s, x, scale=1.0) -> None:
    """One of the trees, turned any way."""
    rng, model = world.rng, trees[world.rng.integers(len(trees))]
    thing = Thing(model.shape, scale=scale * rng.uniform(0.75, 1.2), envelope=model.envelope)
    world.place(thing, s, x, turn=rng.uniform(0, 6.28))


def _frontage(world, side, edge, length, trees) -> None:
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
        barrier = rng.choice(["wall", "fence", "hedge", "none"], p=[0.35, 0.25, 0.3, 0.1])
        while s < min(end, length):
            w = rng.uniform(*WIDTHS[BUILDING[zone]])
            blocked = [b for a, b in world.gaps[side] if s < b + 0.4 and s + w > a - 0.4]
            if blocked:
                s = max(max(blocked) + 0.5, s + 0.5)
                continue
            shape, depth = building(rng, BUILDING[zone], w)
            world.place(Thing(shape), s + w / 2, side * (edge + setback + 0.05), turn=side * np.pi / 2)
            if zone == "shops" and rng.random() < 0.35:
                world.place(Thing(furniture.shop_sign(rng)), s + rng.uniform(0.1, 0.9) * w,
                            side * (edge + setback), turn=side * np.pi / 2, z=rng.uniform(2.7, 3.6))
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
            world.place(_any_car(rng), k, side * (edge + setback * 0.45), turn=np.pi / 2 * rng.choice([-1, 1]))


def _park(world, side, edge, start, end, trees) -> None:
    """Grass with trees behind railings, a wall or a hedge."""
    rng = world.rng
    barrier = rng.choice(["fence", "wall", "hedge", "none"], p=[0.4, 0.25, 0.2, 0.15])
    make = {"wall": furniture.wall, "fence": furniture.fence, "hedge": nature.hedge}.get(str(barrier))
    state = rng.bit_generator.state
    for s in np.arange(start, end - 3, 6.0):
        if make is not None and all(s + 6 < a or s > b for a, b in world.gaps[side]):
            rng.bit_generator.state = state  # the same barrier all along
            world.place(make(rng, 6.0), s + 3, side * (edge + 0.4), turn=np.pi / 2)
    for s in np.arange(start, end, 5.0):
        if rng.random() < 0.75 and world.free(side, s, 2):
            _plant(world, trees, s + rng.uniform(-2, 2), side * (edge + rng.uniform(2, 9)))
        _plant(world, trees, s, side * (edge + rng.uniform(14, 30)), 1.2)
        if rng.random() < 0.4:
            world.place(nature.bush(rng), s, side * (edge + rng.uniform(2, 12)))
    for s in np.arange(start, end, 14.0):
        shape, _ = building(rng, "house", rng.uniform(8, 12))
        world.place(Thing(shape), s, side * (edge + rng.uniform(32, 45)), turn=side * np.pi / 2)


def _kerbside(world, side, pavement, length, trees) -> None:
    """Lamps, signs, trees, bins, bollards, guard rails and parked cars along one kerb."""
    rng, kerb = world.rng, world.road_width / 2
    lit, face = world.town.light.lamps_on, np.pi
    for s in np.arange(rng.uniform(-5, 10), length, rng.uniform(20, 32)):
        if world.free(side, s, 1):
            lamp = furniture.street_lamp(rng, lit=lit) if rng.random() < 0.85 else furniture.telegraph_pole(rng)
            world.place(lamp, s, side * (kerb + 0.5), turn=side * np.pi / 2)
    for s in np.arange(rng.uniform(6, 18), min(length, 90), rng.uniform(14, 34)):
        if world.free(side, s, 1):
            world.place(furniture.road_sign(rng), s, side * (kerb + 0.45), turn=face + rng.normal(0, 0.15))
    avenue = world.town.trees * rng.uniform(0, 1.8)
    for s in np.arange(rng.uniform(-12, 0), length, 10):
        if rng.random() < avenue and world.free(side, s, 2) and pavement > 2:
            _plant(world, trees, s + rng.uniform(-2, 2), side * (kerb + rng.uniform(0.8, 1.2)), 0.9)
    for _ in range(rng.integers(1, 6)):
        s, kind = rng.uniform(5, 50), rng.integers(4)
        if world.free(side, s, 1):
            thing = (furniture.bin_, furniture.bench, furniture.bin_, vehicles.bicycle)[kind](rng)
            world.place(thing, s, side * (kerb + pavement - 0.5), turn=side * np.pi / 2 if kind < 3 else rng.normal(0, 0.2))
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
                    world.place(_any_car(rng), s, x, turn=flip + rng.normal(0, 0.02))
            s += rng.uniform(5.3, 8)


def _any_car(rng, **kwargs) -> Thing:
    kind = rng.choice(["hatchback", "saloon", "estate", "suv", "van"], p=[0.38, 0.22, 0.15, 0.13, 0.12])
    return vehicles.car(rng, str(kind), **kwargs)


def _side_street(world, side, half, pavement, trees) -> None:
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
                world.place(_any_car(rng), world.junction + flank * (half - 1.0), side * out, turn=np.pi / 2 * flank)
    if rng.random() < 0.6:
        world.place(_any_car(rng, lights=world.town.light.lamps_on), world.junction + half * 0.45 * side,
                    side * (edge + rng.uniform(3, 9)), turn=side * np.pi / 2)
    shape, _ = building(rng, "office", 30)
    world.place(Thing(shape), world.junction, side * 82, turn=side * np.pi / 2)


def _junction(world, junction, pavements) -> None:
    """Traffic lights and a crossing before a junction, or only a give-way."""
    rng, kerb = world.rng, world.road_width / 2
    if rng.random() < 0.7:
        state = rng.integers(3)
        for side in (-1, 1):
            for s in (junction - 6.5, junction + 6.5):
                world.place(furniture.traffic_light(rng, state), s, side * (kerb + 0.5), turn=np.pi + rng.normal(0, 0.1))
        crossing(world, junction - 8.5, zebra=rng.random() < 0.3)
    elif rng.random() < 0.6:
        crossing(world, junction - 8.5, zebra=True)
        for side in (-1, 1):
            world.place(furniture.beacon(rng), junction - 6.8, side * (kerb + 0.5))


def _backdrop(world, length, trees) -> None:
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


def _traffic(world, length, extras) -> None:
    """Vehicles that drive, bicycles, and whatever rare thing was asked for."""
    rng, town, lane = world.rng, world.town, world.road_width / 4
    lit = town.light.lamps_on
    special = {"bus": vehicles.bus, "truck": vehicles.truck, "tram": vehicles.tram}
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
                vehicle = special[name](rng, lights=lit) if name else _any_car(rng, lights=lit, braking=rng.random() < 0.3)
                if world.claim(s, x, along):
                    world.place(vehicle, s, x, turn=direction).speed = rng.uniform(5, 7)
                s += along / 2
            s += rng.uniform(3, 22)
    for _ in range(rng.poisson(1.5 * town.bicycles)):
        _rider(world, rng.uniform(8, 34), rng.choice([-1, -1, 1]))
    if "motorcycle" in extras or rng.random() < 0.12:
        spots = [(rng.uniform(8, 20), lane * side * rng.uniform(0.4, 1.4), side) for side in (-1, -1, 1, 1, -1, 1)]
        for s, x, side in spots:
            if world.claim(s, x, 2.6, 1.2):
                turn = 0.0 if side < 0 else np.pi
                world.place(vehicles.motorcycle(rng), s, x, turn=turn).speed = 6.0
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
    for thing in (vehicles.bicycle(rng), people.rider(rng)):
        world.place(thing, s, x, turn=turn + lean).speed = 3.5


def _walkers(world, pavements, extras) -> None:
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
            world.place(people.pedestrian(rng, standing=False), world.junction - 8.5 + rng.uniform(-1, 1), x,
                        turn=rng.choice([-1, 1]) * np.pi / 2)
    for name, make in (("dog", people.dog), ("child", lambda r: people.pedestrian(r, child=True))):
        if name in extras:
            world.place(make(rng), rng.uniform(8, 14), -world.road_width / 2 - 0.9, z=0.12)
