"""Which streets are rendered, and from where they are seen."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tools.practice_streets.camera import develop
from tools.practice_streets.layout import build
from tools.practice_streets.towns import TOWNS
from tools.practice_streets.world import World

# What the scenes of a town show in turn, so that rare classes occur in each of them.
RARE = (
    ("bus",),
    ("motorcycle",),
    ("tram",),
    ("truck", "cone"),
    ("child", "dog"),
    (),
    ("bus", "motorcycle"),
    ("truck",),
)

FRAME = (360, 480)  # height, width in pixels


@dataclass(frozen=True)
class Shot:
    """One frame: a street of a town, seen from one place at one moment."""

    stem: str
    town: str
    scene: int
    extras: tuple[str, ...] = ()
    size: tuple[int, int] = FRAME
    valid: bool = False
    length: float = 150.0
    along: float | None = None  # metres down the street; drawn by chance when None
    seconds: float = 0.0  # how long the traffic has moved

    def world(self) -> World:
        """The street, built anew."""
        return build(TOWNS[self.town], self.scene, length=self.length, extras=self.extras)

    def view(self) -> dict[str, float]:
        """Where the camera stands and looks: arguments of `Stage.look`."""
        rng = self._random(1)
        width = self.road_width()
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

    def road_width(self) -> float:
        """The width of the road: `build` draws it first."""
        width = np.random.default_rng([TOWNS[self.town].seed, self.scene]).uniform(*TOWNS[self.town].road)
        return max(width, 10.0) if "tram" in self.extras else width

    def develop(self, linear: np.ndarray, metered: np.ndarray | None = None) -> np.ndarray:
        """The picture as a camera gives it; frames of one drive share the camera's settings but not the noise."""
        noise = self._random(3, int(self.seconds * 1000))
        return develop(linear, self._random(2), TOWNS[self.town].light, noise=noise, metered=metered)

    def path(self, folder: Path, kind: str) -> Path:
        """Where a file of this shot lies: kind is "image", "camvid", "cityscapes" or "instances"."""
        if self.size == FRAME:
            places = {
                "image": f"images/{self.stem}.jpg",
                "camvid": f"labels/{self.stem}_P.png",
                "cityscapes": f"cityscapes/{self.stem}.png",
                "instances": f"instances/{self.stem}.png",
            }
        else:
            places = {
                "image": f"{self.stem}.jpg",
                "camvid": f"{self.stem}_P.png",
                "cityscapes": f"{self.stem}_cityscapes.png",
                "instances": f"{self.stem}_instances.png",
            }
        path = folder / places[kind]
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _random(self, *purpose: int) -> np.random.Generator:
        return np.random.default_rng([TOWNS[self.town].seed, self.scene, *purpose])


def _frames(town: str, count: int, *, valid: bool = False) -> list[Shot]:
    return [Shot(f"{town}_{k:03}", town, k, RARE[k % len(RARE)], valid=valid) for k in range(count)]


_TOWNS = (
    _frames("elmbury", 28),
    _frames("norwick", 20),
    _frames("dunholt", 16),
    _frames("saltmere", 12),
    _frames("wexcombe", 20, valid=True),
)
# Town after town in turn: the first dozen already shows every light.
PRACTICE = [frames[k] for k in range(28) for frames in _TOWNS if k < len(frames)]

PICTURES = [
    Shot("street_sun", "elmbury", 118, ("bus", "rider", "signals"), (720, 960)),
    Shot("street_overcast", "norwick", 103, ("truck", "child"), (720, 960)),
    Shot("street_dusk", "saltmere", 105, ("bus",), (720, 960)),
    Shot("street_wet", "dunholt", 101, ("tram",), (720, 960)),
]

CLIP_FPS, CLIP_SECONDS, CLIP_SPEED = 10, 8, 7.0  # the camera's speed in metres a second
CLIP = Shot("clip", "harrowby", 12, ("bus",), length=240.0)


def clip_shots() -> list[Shot]:
    """The frames of the drive, in order."""
    times = [number / CLIP_FPS for number in range(CLIP_FPS * CLIP_SECONDS)]
    return [replace(CLIP, seconds=t, along=3 + CLIP_SPEED * t) for t in times]
