"""The towns: what each is built of, and the light in which it is seen."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Light:
    """Sun, sky and weather. Angles in degrees; strengths in Blender's units, tuned by eye."""

    sun: float  # strength of the sun lamp, 0 for none
    sun_height: float
    sun_colour: tuple[float, float, float]
    zenith: tuple[float, float, float]
    horizon: tuple[float, float, float]
    clouds: float  # share of the sky
    cloud_colour: tuple[float, float, float]
    exposure: float  # stops above the meter's choice
    wet: bool = False
    lamps_on: bool = False


SUN = Light(4.2, 32, (1.0, 0.92, 0.8), (0.4, 0.58, 0.92), (0.85, 0.92, 1.0), 0.3, (1.3, 1.3, 1.3), 0.4)
HAZY_SUN = Light(3.0, 26, (1.0, 0.9, 0.78), (0.75, 0.88, 1.05), (1.25, 1.28, 1.3), 0.6, (1.6, 1.6, 1.6), 0.45)
OVERCAST = Light(0.0, 50, (1, 1, 1), (0.75, 0.8, 0.88), (1.0, 1.02, 1.05), 0.8, (1.15, 1.15, 1.18), 0.25)
DUSK = Light(
    0.15, 8, (1.0, 0.6, 0.35), (0.22, 0.32, 0.5), (0.75, 0.68, 0.6), 0.65, (0.32, 0.36, 0.42), -0.75, lamps_on=True
)
WET = Light(
    0.0, 50, (1, 1, 1), (0.55, 0.6, 0.68), (0.9, 0.92, 0.95), 0.9, (0.6, 0.63, 0.68), 0.1, wet=True, lamps_on=True
)


@dataclass(frozen=True)
class Town:
    """One sequence: a style of building and planting, its traffic and its light."""

    name: str
    seed: int
    light: Light
    zones: dict[str, float]  # how much of the kerb is lined by what
    bare_trees: float
    trees: float  # chance of a street tree every 10 m
    cars: float
    people: float
    bicycles: float
    road: tuple[float, float] = (7.0, 11.5)


TOWNS = {
    town.name: town
    for town in (
        Town(
            "elmbury", 11, SUN, {"shops": 4, "terrace": 3, "park": 2, "office": 1, "hall": 1}, 0.8, 0.35, 0.7, 1.0, 1.0
        ),
        Town("norwick", 22, OVERCAST, {"terrace": 4, "villas": 3, "shops": 2, "park": 2}, 0.3, 0.6, 1.2, 0.6, 0.6),
        Town("saltmere", 33, DUSK, {"shops": 5, "office": 3, "terrace": 2, "park": 1}, 0.6, 0.3, 1.0, 1.2, 1.0),
        Town("dunholt", 44, WET, {"villas": 3, "shops": 3, "office": 2, "park": 2, "hall": 1}, 0.4, 0.5, 0.9, 0.7, 0.7),
        Town(
            "ashwell",
            55,
            HAZY_SUN,
            {"shops": 4, "terrace": 2, "villas": 2, "office": 2, "park": 2},
            0.9,
            0.4,
            0.9,
            1.0,
            1.2,
        ),
        Town(
            "wexcombe",
            66,
            HAZY_SUN,
            {"terrace": 3, "shops": 3, "office": 2, "park": 2, "villas": 1},
            0.6,
            0.4,
            0.9,
            1.0,
            1.0,
        ),
        Town("harrowby", 77, SUN, {"shops": 3, "terrace": 3, "office": 2, "park": 2}, 0.5, 0.5, 0.9, 1.0, 1.0),
    )
}
