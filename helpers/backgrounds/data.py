"""The lesson's pictures: rendered practice portraits whose alpha is known exactly, and a clip made of a photograph."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from helpers import paths
from helpers.images import read_image

PORTRAITS = paths.DATA / "portraits_practice"


@dataclass(frozen=True)
class Portrait:
    """A picture (H, W, 3) uint8 RGB of a person, and its true alpha (H, W) float32 in 0..1."""

    name: str
    image: np.ndarray
    alpha: np.ndarray


def practice_portraits(folder: Path = PORTRAITS) -> list[Portrait]:
    """The portraits of a folder: NAME.jpg with NAME_alpha.png, in the order of their names.

    Raises:
        FileNotFoundError: there are none, or one has no alpha.
    """
    portraits = []
    for path in sorted(folder.glob("*.jpg")):
        alpha = read_image(path.with_name(f"{path.stem}_alpha.png"), gray=True)[..., 0]
        portraits.append(Portrait(path.stem, read_image(path), alpha.astype(np.float32) / 255))
    if not portraits:
        raise FileNotFoundError(f"no portraits in {folder}: it holds NAME.jpg with NAME_alpha.png")
    return portraits


def handheld(image: np.ndarray, *, frames: int = 24, noise: float = 6.0, sway: float = 1.0) -> list[np.ndarray]:
    """A photograph as a hand-held camera in poor light would film it: it drifts, trembles and is noisy.

    Args:
        image: (H, W, 3) uint8 RGB.
        frames: how many; the last leads back to the first.
        noise: standard deviation of the grey levels.
        sway: how far it drifts; 0 for a camera on a stand.

    Returns:
        Pictures of the same size.
    """
    rng = np.random.default_rng(0)
    height, width = image.shape[:2]
    clip = []
    for turn in np.linspace(0, 2 * np.pi, frames, endpoint=False):
        matrix = cv2.getRotationMatrix2D(
            (width / 2, height / 2), 0.6 * sway * np.sin(turn), 1.06 + 0.02 * sway * np.cos(turn)
        )
        drift = 0.02 * width * np.array([np.sin(turn), 0.5 * np.sin(2 * turn)]) + rng.normal(0, 0.4, 2)
        matrix[:, 2] += sway * drift
        frame = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101)
        clip.append(cv2.add(frame, rng.normal(0, noise, frame.shape).astype(np.float32), dtype=cv2.CV_8U))
    return clip
