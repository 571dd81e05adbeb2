"""Which streets are rendered, and from where."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers.samples.street.camera import develop
from helpers.samples.street.layout import build
from helpers.samples.street.towns import TOWNS
from helpers.samples.street.world import World

# One scene in eight shows each of these, so that rare classes occur in every town.
RARE = [
    ("bus",),
    ("motorcycle",),
    ("tram",),
    ("truck", "cone"),
    ("child", "dog"),
    (),
    ("bus", "motorcycle"),
    ("truck",),
]


@dataclass(frozen=True)
class Shot:
    """One frame: a street of a town, seen from one place."""

    stem: str
    town: str
    scene: int
    extras: tuple[str, ...] = ()
    size: tuple[int, int] = (360, 480)
    valid: bool = False
    length: float = 150.0
    along: float | None = None  # metres down the street; drawn by chance when None
    seconds: float = 0.0  # how long traffic has moved

    def world(self) -> World:
        """The street, built anew."""
        return build(TOWNS[self.town], self.scene, length=self.length, extras=self.extras)

    def view(self) -> dict[str, float]:
        """Where the camera stands and looks."""
        rng = np.random.default_rng([TOWNS[self.town].seed, self.scene, 1])
        width = self.world_width()
        view = {
            "x": -width / 4 * rng.uniform(0.75, 1.1),
            "height": rng.uniform(1.2, 1.6),
            "yaw": rng.normal(0, 0.22 if rng.random() < 0.2 else 0.05),
            "pitch": rng.normal(-0.01, 0.025),
            "lens": rng.uniform(27, 36),
            "s": rng.uniform(2, 5),
        }
        if self.along is not None:
            view.update(s=self.along, yaw=0.0, pitch=-0.02, lens=30.0)
        return view

    def world_width(self) -> float:
        """The width of the road, as `build` draws it first."""
        width = np.random.default_rng([TOWNS[self.town].seed, self.scene]).uniform(*TOWNS[self.town].road)
        return max(width, 10.0) if "tram" in self.extras else width

    def develop(self, linear: np.ndarray) -> np.ndarray:
        """The picture as a camera gives it; frames of one drive share exposure but not noise."""
        town = TOWNS[self.town]
        return develop(
            linear,
            np.random.default_rng([town.seed, self.scene, 2]),
            town.light,
            noise=np.random.default_rng([town.seed, self.scene, 3, int(self.seconds * 1000)]),
        )

    def path(self, folder: Path, kind: str) -> Path:
        """Where a file of this shot lies: "image", "camvid", "cityscapes" or "instances"."""
        if self.size == (360, 480):
            place = {
                "image": f"images/{self.stem}.jpg",
                "camvid": f"labels/{self.stem}_P.png",
                "cityscapes": f"cityscapes/{self.stem}.png",
                "instances": f"instances/{self.stem}.png",
            }
        else:
            place = {
                "image": f"{self.stem}.jpg",
                "camvid": f"{self.stem}_P.png",
                "cityscapes": f"{self.stem}_cityscapes.png",
                "instances": f"{self.stem}_instances.png",
            }
        path = folder / place[kind]
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def _frames(town: str, count: int, *, valid: bool = False) -> list[Shot]:
    return [Shot(f"{town}_{k:03}", town, k, RARE[k % len(RARE)], valid=valid) for k in range(count)]


_TRAIN = [_frames("elmbury", 28), _frames("norwick", 20), _frames("dunholt", 16), _frames("saltmere", 12)]
_VALID = _frames("wexcombe", 20, valid=True)
# Town after town in turn: the first dozen already shows every light.
PRACTICE = [town[k] for k in range(28) for town in (*_TRAIN, _VALID) if k < len(town)]

PICTURES = [
    Shot("street_sun", "elmbury", 101, ("bus",), (720, 960)),
    Shot("street_overcast", "norwick", 101, ("truck", "child"), (720, 960)),
    Shot("street_dusk", "saltmere", 101, ("bus",), (720, 960)),
    Shot("street_wet", "dunholt", 101, ("tram",), (720, 960)),
]

CLIP_FPS, CLIP_SECONDS, CLIP_SPEED = 10, 8, 7.0  # metres a second
CLIP = Shot("clip", "harrowby", 1, ("bus",), length=240.0)


def clip_shots() -> list[Shot]:
    """The frames of the drive, in order."""
    from dataclasses import replace

    times = [n / CLIP_FPS for n in range(CLIP_FPS * CLIP_SECONDS)]
    return [replace(CLIP, seconds=t, along=3 + CLIP_SPEED * t) for t in times]
