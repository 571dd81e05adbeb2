"""What the lesson trains with, in fastai's own terms: a DataBlock, losses, a Learner; and the runs that are compared."""

import tempfile
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

import fastai.callback.progress
import fastai.callback.schedule  # noqa: F401  both add methods to Learner: no_bar, fit_one_cycle
import numpy as np
import torch
from fastai.data.block import DataBlock
from fastai.data.core import DataLoaders
from fastai.data.transforms import FuncSplitter, Normalize
from fastai.learner import Learner
from fastai.losses import CrossEntropyLossFlat, DiceLoss, FocalLossFlat
from fastai.vision.augment import RandTransform
from fastai.vision.core import PILImage, PILMask
from fastai.vision.data import ImageBlock, MaskBlock
from torch import Tensor, nn

from helpers.images import read_image
from helpers.labels import RTK
from helpers.masks import read_mask
from helpers.road_surface.data import get_y_fn
from helpers.training.augmentation import random_light, random_view
from helpers.training.callbacks import Averaged
from helpers.training.cpu_speed import CpuSpeed

KEPT = 1000  # decoded frames that stay in memory: all of RTK, 300 MB
COMMON = 4  # ids below are background and the pavements; every crop shows some of them anyway


class RandomView(RandTransform):
    """A random crop of picture and mask, turned a little, perhaps mirrored, in another light; for training only.

    Args:
        size: (height, width) of the crop.
        balanced: share of the crops whose middle is a pixel of a class drawn evenly from those in the frame, the
            common ones left out; the others lie anywhere.
        seed: of all this.
    """

    split_idx = 0  # fastai's number of the training set: validation frames stay whole

    def __init__(self, size: tuple[int, int], *, balanced: float = 0.0, seed: int = 0):
        super().__init__(p=1.0)
        self.size, self.balanced, self.rng = size, balanced, np.random.default_rng(seed)

    def encodes(self, pair: tuple) -> tuple:
        """Move picture and mask alike; change the light of the picture only."""
        image, mask = np.asarray(pair[0]), np.asarray(pair[1])
        view, target = random_view(image, mask, size=self.size, scale=(0.8, 1.5), rng=self.rng,
                                   centre=self.centre(mask), rotation=3.0, ignore_index=0)  # fmt: skip
        view = random_light(view, rng=self.rng, strength=0.5)
        return PILImage.create(view), PILMask.create(target)

    def centre(self, mask: np.ndarray) -> tuple[float, float] | None:
        """(y, x) that the crop should show; None for any place."""
        rare = [label for label in np.unique(mask) if label >= COMMON]
        if not rare or self.rng.random() >= self.balanced:
            return None
        places = np.argwhere(mask == self.rng.choice(rare))
        return tuple(places[self.rng.integers(len(places))] + 0.5)


@lru_cache(maxsize=KEPT)
def get_x(image_path: Path) -> np.ndarray:
    """A picture (H, W, 3) uint8, decoded once."""
    return read_image(image_path)


@lru_cache(maxsize=KEPT)
def get_y(image_path: Path) -> np.ndarray:
    """Its mask (H, W), decoded once."""
    return read_mask(get_y_fn(image_path))


def loaders(
    train_paths: list[Path], valid_paths: list[Path], *, size: tuple[int, int], batch: int, balanced: float = 0.0,
    seed: int = 0,
) -> DataLoaders:  # fmt: skip
    """Batches of random crops to train on and of whole frames to validate on; the notebook writes out the same."""
    valid = set(valid_paths)
    block = DataBlock(
        blocks=(ImageBlock, MaskBlock(list(RTK.class_names))),
        get_items=lambda paths: paths,
        splitter=FuncSplitter(valid.__contains__),
        get_x=get_x,
        get_y=get_y,
        item_tfms=[RandomView(size, balanced=balanced, seed=seed)],
        batch_tfms=[Normalize.from_stats([0] * 3, [1 / 255] * 3)],  # back to 0 … 255, as the network takes them
    )
    return block.dataloaders([*train_paths, *valid_paths], bs=batch, num_workers=0)


class CrossEntropyDice(nn.Module):
    """Cross-entropy plus the soft Dice loss, which gives each class the same say whatever its size."""

    def __init__(self):
        super().__init__()
        self.cross_entropy, self.dice = CrossEntropyLossFlat(axis=1), DiceLoss(axis=1, smooth=1.0, reduction="mean")

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Scalar loss of logits (B, C, H, W) and ids (B, H, W)."""
        return self.cross_entropy(logits, target) + self.dice(logits, target)


def loss_function(name: str, weights: np.ndarray | None = None) -> nn.Module | Callable:
    """A loss by name: "cross_entropy" (with class weights, if given), "focal" or "dice" (cross-entropy and Dice)."""
    if name == "dice":
        return CrossEntropyDice()
    weight = None if weights is None else torch.as_tensor(weights, dtype=torch.float32)
    if name == "focal":
        return FocalLossFlat(axis=1, gamma=2.0, weight=weight)
    return CrossEntropyLossFlat(axis=1, weight=weight)


def learner(dls: DataLoaders, network: nn.Module, loss: nn.Module) -> Learner:
    """Data, network, loss and callbacks in one object that can train."""
    return Learner(dls, network, loss_func=loss, cbs=[CpuSpeed(), Averaged()], path=Path(tempfile.mkdtemp()))


def finish(learn: Learner) -> nn.Module:
    """The network with the averaged weights, which predict better than the last step's."""
    learn.model.load_state_dict(learn.averaged.average.network.state_dict())
    return learn.model.eval()


def fit(network: nn.Module, dls: DataLoaders, loss: nn.Module, *, steps: int, rate: float = 1e-3,
        callbacks: Iterable = ()) -> nn.Module:  # fmt: skip
    """Train for about so many steps with fastai's one-cycle policy; returns the network with averaged weights."""
    learn = learner(dls, network, loss)
    epochs = max(1, round(steps / max(1, len(dls.train))))
    with learn.no_bar(), learn.no_logging():
        learn.dls.valid = []
        learn.fit_one_cycle(epochs, rate, wd=0.01, cbs=list(callbacks))
    return finish(learn)
