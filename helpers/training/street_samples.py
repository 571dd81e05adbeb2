"""Frames of streets, their targets and training views.

A target is a Cityscapes train id where a picture has them (practice streets), else ``MERGED`` + the CamVid 11 id
(real CamVid), which stands for the union of the Cityscapes ids that fold to it, or ``IGNORE``.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from helpers.datasets.pairing import image_files
from helpers.images import fit_within, read_image, resize_image
from helpers.labels import CAMVID, CAMVID11, CITYSCAPES, fold
from helpers.masks import read_mask, resize_mask
from helpers.paths import read_lines
from helpers.training.augmentation import paste_classes, random_light, random_view
from helpers.training.losses import inverse_log_weights

LONGEST_SIDE = 480  # of the frames in the SegNet split, to which the views' scales refer
IGNORE = 255
MERGED = CITYSCAPES.num_classes
CITYSCAPES_TO_CAMVID11 = fold(CITYSCAPES, CAMVID11)
THINGS = ("pole", "traffic light", "traffic sign", "person", "rider", "car", "truck", "bus", "motorcycle", "bicycle")


class Step(NamedTuple):
    """Views used until a share of the time has passed; small ones first learn more in a minute."""

    until: float
    size: tuple[int, int]
    batch: int  # of each worker
    scale: tuple[float, float]


class Frame(NamedTuple):
    """A labelled picture: image (H, W, 3) uint8, target (H, W) uint8."""

    stem: str
    image: np.ndarray
    target: np.ndarray

    @property
    def drive(self) -> str:
        """The sequence that the picture is from: its name up to the first underscore."""
        return self.stem.split("_")[0]


def read_frames(folder: Path, *, valid: bool = True) -> list[Frame]:
    """Read a folder in CamVid's layout: ``images/``, ``labels/<stem>_P.png``, ``codes.txt`` of 32 or 11 classes.

    Larger pictures, like the 960x720 originals, are shrunk to 480 pixels. Those that also have Cityscapes ids in
    ``cityscapes/<stem>.png`` keep these finer ids.

    Args:
        folder: the data set.
        valid: whether to read the frames that ``valid.txt`` lists, too.

    Raises:
        ValueError: no pictures, or codes.txt names another number of classes.
    """
    image_paths = image_files(folder / "images") if (folder / "images").is_dir() else []
    if not valid:
        held_back = {Path(name).stem for name in read_lines(folder / "valid.txt")}
        image_paths = [path for path in image_paths if path.stem not in held_back]
    if not image_paths:
        raise ValueError(f"{folder} has no pictures in images/; give a folder in CamVid's layout")
    codes = read_lines(folder / "codes.txt")
    if len(codes) not in (11, 12, 32):
        raise ValueError(f"{folder / 'codes.txt'} names {len(codes)} classes; expected CamVid's 32, or its 11 and Void")
    to_merged = fold(CAMVID if len(codes) == 32 else CAMVID11, CAMVID11)
    to_target = np.where(to_merged < CAMVID11.num_classes, to_merged + MERGED, IGNORE).astype(np.uint8)
    frames = []
    for path in image_paths:
        fine = folder / "cityscapes" / f"{path.stem}.png"
        target = read_mask(fine) if fine.exists() else to_target[read_mask(folder / "labels" / f"{path.stem}_P.png")]
        image = read_image(path)
        size = fit_within(target.shape, LONGEST_SIDE)
        frames.append(Frame(path.stem, resize_image(image, size), resize_mask(target, size)))
    return frames


class Pool:
    """Frames to draw training views from; drives with few frames and rare classes come up more often."""

    def __init__(self, frames: list[Frame]):
        if not frames:
            raise ValueError("no frames are left to learn from; leave out fewer or give another folder")
        self.frames = frames
        drives = [frame.drive for frame in frames]
        share = np.array([drives.count(drive) ** -0.5 for drive in drives])
        self.share = share / share.sum()
        self.counts = np.array([np.bincount(frame.target.ravel(), minlength=256) for frame in frames])
        self.classes = [c for c in range(IGNORE) if (self.counts[:, c] > 30).any()]
        if not self.classes:
            raise ValueError(
                "no class has more than 30 labelled pixels on any picture, so there is nothing to learn from"
            )

    def draw(self, step: Step, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """One view and its target; every second one looks at a class drawn from all classes alike."""
        centre, share = None, self.share
        if rng.random() < 0.5:
            wanted = rng.choice(self.classes)
            share = self.share * (self.counts[:, wanted] > 30)
        frame = self.frames[rng.choice(len(self.frames), p=share / share.sum())]
        if share is not self.share:
            centre = divmod(int(rng.choice(np.flatnonzero(frame.target == wanted))), frame.target.shape[1])
        view, target = random_view(
            frame.image, frame.target, size=step.size, scale=step.scale, rng=rng, centre=centre, ignore_index=IGNORE
        )
        return random_light(view, rng=rng), target


def draw_batch(pools: list[tuple[Pool, float]], step: Step, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A batch of views, (B, H, W, 3) uint8, and targets, (B, H, W) uint8, from pools with their shares."""
    chosen = rng.choice(len(pools), step.batch, p=[share for _, share in pools])
    views, targets = zip(*(pools[index][0].draw(step, rng) for index in chosen), strict=True)
    images, targets = np.stack(views), np.stack(targets)
    things = np.array([CITYSCAPES.index(name) for name in THINGS])
    things = np.concatenate([things, np.unique(CITYSCAPES_TO_CAMVID11[things]) + MERGED])
    paste_classes(images, targets, classes=things, share=0.4, rng=rng)
    return images, targets


def target_members() -> torch.Tensor:
    """(30, 19) bool: the Cityscapes ids that each target holds."""
    merged = torch.from_numpy(CITYSCAPES_TO_CAMVID11[:MERGED])
    unions = merged[None] == torch.arange(CAMVID11.num_classes)[:, None]
    return torch.cat([torch.eye(MERGED, dtype=torch.bool), unions])


def target_counts(pools: list[tuple[Pool, float]]) -> torch.Tensor:
    """(30,) int64: labelled pixels of each target, Cityscapes ids first, then CamVid's unions."""
    return torch.from_numpy(sum(pool.counts.sum(0) for pool, _ in pools))[: MERGED + CAMVID11.num_classes]


def target_weights(pools: list[tuple[Pool, float]]) -> torch.Tensor:
    """(30,) weights of the targets: Cityscapes ids and CamVid ids each by their own frequencies."""
    parts = target_counts(pools).split(MERGED)
    return torch.cat([inverse_log_weights(part) if part.any() else torch.zeros(len(part)) for part in parts])
