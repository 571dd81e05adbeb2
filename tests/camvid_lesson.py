"""The DataBlock and the Learner of lesson 04, as its cells make them, for tests."""

import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
from fastai.data.block import DataBlock
from fastai.data.core import DataLoaders
from fastai.data.transforms import FuncSplitter, Normalize
from fastai.learner import Learner
from fastai.losses import CrossEntropyLossFlat
from fastai.vision.augment import aug_transforms
from fastai.vision.data import ImageBlock, MaskBlock
from torch import Tensor, nn

from helpers.camvid.learner import EMA, VOID, FastestWay, MeanIoU, acc_camvid
from helpers.datasets.camvid import get_y_fn, label_set, read_label, valid_names
from helpers.datasets.pairing import image_files
from helpers.images import read_image, resize_image
from helpers.labels import CAMVID11
from helpers.masks import resize_mask

KEPT = 1000  # decoded frames that stay in memory


def data_block(folder: Path, size: tuple[int, int]) -> DataBlock:
    """The recipe of batches: CamVid's folder, folded to 11 classes, split by valid.txt.

    Args:
        folder: in CamVid's layout.
        size: (height, width) of the views.
    """
    labels, valid = label_set(folder), set(valid_names(folder))
    # Frames are decoded once and kept a little larger than the views, so that zooming in has pixels to show.
    kept_size = tuple(side * 3 // 2 for side in size)

    @lru_cache(maxsize=KEPT)
    def get_x(image_path: Path) -> np.ndarray:
        return resize_image(read_image(image_path), kept_size)

    @lru_cache(maxsize=KEPT)
    def get_y(image_path: Path) -> np.ndarray:
        return resize_mask(read_label(get_y_fn(image_path), labels), kept_size)

    return DataBlock(
        blocks=(ImageBlock, MaskBlock([*CAMVID11.class_names, "Void"])),
        get_items=image_files,  # sorted, so that a seed gives the same batches on every machine
        splitter=FuncSplitter(lambda image_path: image_path.name in valid),
        get_x=get_x,
        get_y=get_y,
        batch_tfms=[
            *aug_transforms(size=size, min_scale=0.35, max_rotate=4, max_lighting=0.4, max_warp=0),
            Normalize.from_stats([0] * 3, [1 / 255] * 3),  # back to 0 … 255, as the network takes them
        ],
    )


def make_learner(dls: DataLoaders, network: nn.Module, *, weights: Tensor | None = None) -> Learner:
    """Data, network, loss, scores and callbacks in one object that can train.

    Args:
        dls: from `data_block`.
        network: pictures (B, 3, H, W) in 0 … 255 to logits (B, 11, H, W).
        weights: (11,) of the classes in the loss; all alike when left out.
    """
    return Learner(
        dls,
        network,
        loss_func=CrossEntropyLossFlat(
            axis=1, weight=weights if weights is None else weights.to(dls.device), ignore_index=VOID
        ),
        metrics=[acc_camvid, MeanIoU()],
        cbs=[FastestWay(), EMA()],
        path=Path(tempfile.mkdtemp()),  # the learning-rate finder keeps a copy of the weights there
    )
