"""A made-up town of a few small frames, for trying trainings."""

from pathlib import Path

import numpy as np
from PIL import Image

from helpers.training.street_samples import Step

SMALL = Step(1.0, (48, 64), 2, (0.5, 1.0))


def write_town(folder: Path, *, stems: tuple[str, ...], codes: tuple[str, ...], fine: bool = False) -> Path:
    """Frames with sky (or void), building and road in stripes."""
    for name in ("images", "labels", "cityscapes"):
        (folder / name).mkdir(parents=True)
    (folder / "codes.txt").write_text("\n".join(codes))
    stripes = [codes.index(name) for name in ("Void", "Building", "Road")]
    for number, stem in enumerate(stems):
        rng = np.random.default_rng(number)
        image = np.repeat(np.array([200, 120, 60], np.uint8), 20)[:, None, None].repeat(80, 1).repeat(3, 2)
        image = image + rng.integers(0, 30, image.shape, np.uint8)
        Image.fromarray(image).save(folder / "images" / f"{stem}.png")
        mask = np.repeat(np.array(stripes, np.uint8), 20)[:, None].repeat(80, 1)
        Image.fromarray(mask).save(folder / "labels" / f"{stem}_P.png")
        if fine:
            mask = np.repeat(np.array([10, 3, 0], np.uint8), 20)[:, None].repeat(80, 1)  # sky, wall, road
            Image.fromarray(mask).save(folder / "cityscapes" / f"{stem}.png")
    return folder
