"""Who stands before the camera: one random person after the other, as plain values."""

from dataclasses import dataclass, field

import numpy as np

# Skin from light to dark, linear RGB, after the ten tones of Monk's scale (skintone.google, 2022).
SKIN = (
    (0.91, 0.75, 0.66),
    (0.84, 0.62, 0.50),
    (0.76, 0.50, 0.37),
    (0.64, 0.38, 0.24),
    (0.50, 0.28, 0.16),
    (0.38, 0.20, 0.11),
    (0.26, 0.125, 0.065),
    (0.15, 0.07, 0.036),
    (0.085, 0.038, 0.02),
    (0.05, 0.024, 0.015),
)
HAIR = {
    "black": (0.012, 0.009, 0.008),
    "brown": (0.07, 0.032, 0.016),
    "chestnut": (0.13, 0.05, 0.02),
    "blond": (0.48, 0.30, 0.12),
    "red": (0.32, 0.085, 0.02),
    "grey": (0.42, 0.42, 0.42),
    "white": (0.78, 0.78, 0.76),
}
EYES = ((0.05, 0.02, 0.008), (0.10, 0.05, 0.015), (0.08, 0.16, 0.28), (0.07, 0.15, 0.07), (0.03, 0.012, 0.006))
CLOTH = (
    (0.8, 0.8, 0.78),
    (0.02, 0.02, 0.022),
    (0.03, 0.06, 0.2),
    (0.4, 0.03, 0.03),
    (0.05, 0.2, 0.09),
    (0.5, 0.33, 0.08),
    (0.15, 0.15, 0.16),
    (0.2, 0.32, 0.5),
    (0.5, 0.22, 0.3),
    (0.25, 0.14, 0.07),
    (0.6, 0.55, 0.42),
    (0.02, 0.2, 0.22),
    (0.7, 0.25, 0.04),
    (0.25, 0.1, 0.35),
)
# Arms as (lift, forward, bend) in degrees.
ARMS = {
    "hanging": ((9, 6), (4, 8), (14, 10)),
    "on hips": ((38, 5), (-8, 5), (85, 8)),
    "folded": ((14, 3), (26, 4), (88, 6)),
    "waving": ((78, 15), (10, 8), (100, 15)),
    "raised": ((150, 15), (5, 10), (20, 12)),
    "pointing": ((25, 10), (62, 15), (12, 8)),
    "to the face": ((22, 5), (42, 8), (128, 6)),
}
LENGTHS = {"shaven": 0.008, "short": 0.035, "bob": 0.13, "long": 0.30, "very long": 0.42}


@dataclass
class Person:
    """Everything that `scene.build` needs to know. Colours are linear RGB, lengths metres, angles degrees."""

    shape: dict
    skin: tuple
    lips: tuple
    eyes: tuple
    hair: dict
    arms: dict
    turns: dict
    sleeves: str
    neckline: float
    top: dict | tuple
    bottom: dict | tuple
    jacket: dict | tuple | None
    skirt: bool
    glasses: dict | None
    hat: str | None
    hat_colour: tuple
    view: tuple[float, float]
    lens: float
    framing: str
    outdoors: bool
    note: dict = field(default_factory=dict)


def random_person(rng: np.random.Generator) -> Person:
    """A person of any origin, age and build, in clothes and a pose that go together."""
    female = bool(rng.random() < 0.5)
    years = float(rng.choice([9, 14, 22, 30, 40, 52, 65, 78], p=[0.08, 0.07, 0.2, 0.2, 0.15, 0.12, 0.1, 0.08]))
    age = float(np.interp(years, [1, 12, 25, 90], [0, 0.1875, 0.5, 1]))
    origin = rng.choice(["african", "asian", "caucasian"])
    shares = dict.fromkeys(["african", "asian", "caucasian"], 0.0)
    shares[origin] += rng.uniform(0.6, 1.0)
    shares[rng.choice(list(shares))] += 1 - sum(shares.values())
    tone = {"african": rng.integers(5, 10), "asian": rng.integers(1, 6), "caucasian": rng.integers(0, 4)}[origin]
    skin = tuple(np.array(SKIN[tone]) * rng.uniform(0.88, 1.08))
    details = {}
    for name in (
        "nose/nose-hump",
        "nose/nose-scale-horiz",
        "head/head-fat",
        "head/head-scale-horiz",
        "nose/nose-volume",
    ):
        details[f"{name}-{rng.choice(['incr', 'decr'])}"] = rng.uniform(0, 0.6)
    for name in ("head/head-oval", "head/head-round", "head/head-square", "head/head-rectangular"):
        details[name] = rng.uniform(0, 0.5)
    expression = f"expression/units/{origin}"
    if rng.random() < 0.7:
        details[f"{expression}/mouth-corner-puller"] = rng.uniform(0.3, 0.9)
    if rng.random() < 0.3:
        details[f"{expression}/mouth-open"] = rng.uniform(0.1, 0.5)
    shape = {
        "female": float(female),
        "age": age,
        "muscle": rng.uniform(0.35, 0.7),
        "weight": rng.uniform(0.35, 0.8),
        "height": rng.uniform(0.35, 0.65),
        "origins": shares,
        "details": details,
    }
    left, right = rng.choice(list(ARMS), p=[0.46, 0.14, 0.12, 0.08, 0.04, 0.06, 0.1], size=2)
    if "folded" in (left, right):
        left = right = "folded"
    arms = {}
    for side, pose in (("L", left), ("R", right)):
        arms[side] = {k: rng.normal(*v) for k, v in zip(("lift", "forward", "bend"), ARMS[pose], strict=True)}
    nod, turn, tilt = rng.normal(0, (6, 18, 6))
    stride = rng.normal(0, 14)
    turns = {
        "neck02": ((0, 0, 1), turn / 2),
        "head": ((0, 0, 1), turn / 2),
        "neck01": ((1, 0, 0), nod),
        "neck03": ((0, 1, 0), tilt),
        "spine03": ((0, 1, 0), rng.normal(0, 4)),
        "spine02": ((0, 0, 1), rng.normal(0, 8)),
        "upperleg01.L": ((1, 0, 0), stride),
        "upperleg01.R": ((1, 0, 0), -stride),
        "lowerleg01.L": ((1, 0, 0), max(0, -stride)),
    }
    framing = str(rng.choice(["face", "bust", "half", "three quarters", "whole"], p=[0.15, 0.35, 0.3, 0.1, 0.1]))
    glasses = None
    if rng.random() < 0.3:
        glasses = {
            "frame": CLOTH[rng.choice([1, 1, 9, 6])],
            "tall": rng.uniform(0.8, 1.0),
            "dark": bool(rng.random() < 0.3),
        }
    hat = rng.choice([None, "beanie", "cap", "straw"], p=[0.76, 0.1, 0.08, 0.06])
    return Person(
        shape=shape,
        skin=skin,
        lips=tuple(np.array(skin) * (0.95, 0.55, 0.55)),
        eyes=EYES[rng.integers(len(EYES) if tone < 4 else 2)],
        hair=_hair(rng, female, years, origin),
        arms=arms,
        turns=turns,
        sleeves=str(rng.choice(["long", "short", "none"], p=[0.45, 0.42, 0.13])),
        neckline=rng.uniform(0.02, 0.11 if female else 0.05),
        top=_cloth(rng, 0.4),
        bottom=_cloth(rng, 0.1),
        jacket=_cloth(rng, 0.15) if rng.random() < 0.35 else None,
        skirt=bool(female and rng.random() < 0.35),
        glasses=glasses,
        hat=None if hat is None else str(hat),
        hat_colour=(0.55, 0.42, 0.2) if hat == "straw" else CLOTH[rng.integers(len(CLOTH))],
        view=(rng.normal(0, 22), rng.normal(3, 7)),
        lens=float(rng.choice([35, 50, 85])),
        framing=framing,
        outdoors=bool(rng.random() < 0.5),
        note={"years": years, "origin": str(origin), "arms": [str(left), str(right)]},
    )


def _hair(rng: np.random.Generator, female: bool, years: float, origin: str) -> dict:
    """Length, curl and colour: "cover" says whether there is any, "beard" is its length or 0."""
    names = list(HAIR)
    chances = {
        "african": (0.75, 0.2, 0.05, 0, 0, 0, 0),
        "asian": (0.75, 0.2, 0.05, 0, 0, 0, 0),
        "caucasian": (0.15, 0.3, 0.2, 0.25, 0.1, 0, 0),
    }[origin]
    colour = names[rng.choice(7, p=chances)]
    if years > 55 and rng.random() < 0.75:
        colour = str(rng.choice(["grey", "white"]))
    style = str(rng.choice(list(LENGTHS), p=(0.02, 0.13, 0.3, 0.4, 0.15) if female else (0.2, 0.65, 0.1, 0.05, 0)))
    curly = rng.random() < (0.7 if origin == "african" else 0.2)
    lift = {"shaven": 0.9, "short": 0.55}.get(style, 0.25)
    if curly and style in ("short", "bob"):
        lift, style = 0.9, "short" if style == "short" else "bob"
    length = LENGTHS[style] * rng.uniform(0.85, 1.2) * (0.7 if curly and lift > 0.8 else 1)
    beard = 0.0 if female or years < 18 or rng.random() < 0.6 else float(rng.choice([0.003, 0.007, 0.02]))
    return {
        "colour": HAIR[colour],
        "cover": not (not female and years > 35 and rng.random() < 0.18),
        "beard": beard,
        "length": length,
        "curl": rng.uniform(0.5, 1.2) if curly else 0.08,
        "frizz": 0.25 if curly else rng.uniform(0.04, 0.1),
        "count": 6000 if length < 0.06 else 4500,
        "lift": lift,
        "part": rng.uniform(-0.04, 0.04),
        "thick": 0.001,
    }


def _cloth(rng: np.random.Generator, patterned: float) -> dict:
    first, second = rng.choice(len(CLOTH), 2, replace=False)
    pattern = str(rng.choice(["stripes", "checks"])) if rng.random() < patterned else None
    return {"colour": CLOTH[first], "second": CLOTH[second], "pattern": pattern}
