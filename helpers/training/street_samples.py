"""Labelled frames of streets, and the random crops of them that networks learn from."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from helpers.datasets.camvid import sequence
from helpers.images import fit_within, read_image, resize_image
from helpers.masks import resize_mask
from helpers.training.augmentation import paste_classes, random_light, random_view

LONGEST_SIDE = 480  # of the frames in the SegNet split, to which the crops' scales refer
IGNORE = 255
LABELLED = 30  # pixels of a class that make a frame one of those that show it


class Step(NamedTuple):
    """Crops used until a share of the training has passed; small ones first learn more in a minute."""

    until: float
    size: tuple[int, int]
    batch: int
    scale: tuple[float, float]


CURRICULUM = (
    Step(0.60, (160, 224), 16, (0.35, 1.1)),
    Step(0.85, (224, 320), 10, (0.5, 1.25)),
    Step(1.00, (320, 448), 8, (0.7, 1.4)),
)


def curriculum(size: int = LONGEST_SIDE, batch: int = CURRICULUM[0].batch) -> tuple[Step, ...]:
    """Fit the curriculum to frames of another longest side, and to another number of crops in the first steps."""
    scale, share = size / LONGEST_SIDE, batch / CURRICULUM[0].batch
    return tuple(
        step._replace(
            size=tuple(max(32, 16 * round(side * scale / 16)) for side in step.size),
            batch=max(2, round(step.batch * share)),
        )
        for step in CURRICULUM
    )


class Frame(NamedTuple):
    """A labelled picture: image (H, W, 3) uint8, target (H, W) uint8."""

    stem: str
    image: np.ndarray
    target: np.ndarray

    @property
    def sequence(self) -> str:
        """The drive that the picture is from."""
        return sequence(self.stem)


def read_frames(
    image_paths: Iterable[Path], read_target: Callable[[Path], np.ndarray], *, size: int = LONGEST_SIDE
) -> list[Frame]:
    """Read pictures once and keep them, shrunk to a longest side in pixels.

    Args:
        image_paths: the pictures.
        read_target: from a picture's path to its target (H, W) uint8, `IGNORE` where nobody knows.
        size: larger pictures are shrunk to it.
    """
    frames = []
    for path in tqdm(image_paths, unit="frame", leave=False, disable=None):
        target = read_target(path)
        small = fit_within(target.shape, size)
        frames.append(Frame(path.stem, resize_image(read_image(path), small), resize_mask(target, small)))
    return frames


class StreetCrops:
    """Frames to draw random crops from; sequences with few frames and rare classes come up more often.

    Attributes:
        frames: to learn from.
        counts: (frames, 256) labelled pixels of each id.
    """

    def __init__(self, frames: list[Frame]):
        if not frames:
            raise ValueError("no frames are left to learn from; leave out fewer or give another folder")
        self.frames = frames
        sequences = [frame.sequence for frame in frames]
        share = np.array([sequences.count(name) ** -0.5 for name in sequences])
        self.share = share / share.sum()
        self.counts = np.array([np.bincount(frame.target.ravel(), minlength=256) for frame in frames])
        self.classes = [c for c in range(IGNORE) if (self.counts[:, c] > LABELLED).any()]
        if not self.classes:
            raise ValueError(f"no class has more than {LABELLED} labelled pixels on any picture; nothing can be learnt")

    def draw(self, step: Step, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw a crop and its target; every second one looks at a class drawn from all classes alike."""
        centre, share = None, self.share
        if rng.random() < 0.5:
            wanted = rng.choice(self.classes)
            share = self.share * (self.counts[:, wanted] > LABELLED)
        frame = self.frames[rng.choice(len(self.frames), p=share / share.sum())]
        if share is not self.share:
            centre = divmod(int(rng.choice(np.flatnonzero(frame.target == wanted))), frame.target.shape[1])
        crop, target = random_view(
            frame.image, frame.target, size=step.size, scale=step.scale, rng=rng, centre=centre, ignore_index=IGNORE
        )
        return random_light(crop, rng=rng), target


def drawing(
    mixture: list[tuple[StreetCrops, float]], steps: tuple[Step, ...], *, things: np.ndarray
) -> Callable[[np.random.Generator, float], tuple[Tensor, Tensor]]:
    """Make the function that `loop.train` draws batches with.

    Args:
        mixture: sets of frames, and the share of the crops that each gives.
        steps: what crops to draw when.
        things: ids of things that are also pasted into other streets.

    Returns:
        From a random generator and the progress to images (B, 3, H, W) uint8 and targets (B, H/2, W/2) int64: half the
        resolution is a quarter of the loss's cost.
    """

    def draw(rng: np.random.Generator, progress: float) -> tuple[Tensor, Tensor]:
        step = next((step for step in steps if progress < step.until), steps[-1])
        images, targets = draw_batch(mixture, step, rng, things=things)
        offset = int(rng.integers(2))  # random, so that edges stay where they are
        targets = np.ascontiguousarray(targets[:, offset::2, offset::2])
        return torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(targets).long()

    return draw


def draw_batch(
    mixture: list[tuple[StreetCrops, float]], step: Step, rng: np.random.Generator, *, things: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Draw crops (B, H, W, 3) uint8 and targets (B, H, W) uint8 from a mixture, with things pasted in."""
    chosen = rng.choice(len(mixture), step.batch, p=[share for _, share in mixture])
    crops, targets = zip(*(mixture[index][0].draw(step, rng) for index in chosen), strict=True)
    images, targets = np.stack(crops), np.stack(targets)
    paste_classes(images, targets, classes=things, share=0.4, rng=rng)
    return images, targets
