"""What lesson 04 hands to fastai: scores without Void, an average of the weights, the fastest way to compute."""

from collections.abc import Iterable
from pathlib import Path

import fastai.callback.progress
import fastai.callback.schedule  # noqa: F401  both add methods to Learner: no_bar, lr_find, fit_one_cycle
import numpy as np
from fastai.callback.core import Callback
from fastai.data.core import DataLoaders
from fastai.learner import Learner, Metric
from fastai.torch_core import to_device
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from helpers.camvid.model import CamVidSegmenter
from helpers.datasets.camvid import get_y_fn, read_label
from helpers.labels import CAMVID11, LabelSet
from helpers.metrics import ConfusionMatrix
from helpers.training.devices import WAYS, way_to_train
from helpers.training.loop import ema

VOID = CAMVID11.ignore_index


def acc_camvid(logits: Tensor, target: Tensor) -> Tensor:
    """Share of the labelled pixels whose class is right; Void is not counted.

    Args:
        logits: (B, 11, H, W).
        target: (B, H, W) ids, 11 where nobody knows.
    """
    labelled = target != VOID
    return (logits.argmax(dim=1)[labelled] == target[labelled]).float().mean()


class MeanIoU(Metric):
    """fastai's metric around one confusion matrix, summed over all batches; Void is not counted."""

    name = "mean_iou"

    def reset(self) -> None:
        """Start again, before each validation."""
        self.matrix = ConfusionMatrix(CAMVID11.num_classes, ignore_index=VOID)

    def accumulate(self, learn: Learner) -> None:
        """Add a batch."""
        self.matrix.update(learn.y.cpu().numpy(), learn.pred.argmax(dim=1).cpu().numpy())

    @property
    def value(self) -> float:
        """Mean IoU of all batches so far."""
        return self.matrix.mean_iou()


class EMA(Callback):
    """Keeps the exponential moving average of the weights, which predicts better than any one step's."""

    def before_fit(self) -> None:
        """Begin with the network as it is."""
        self.average = AveragedModel(self.model, multi_avg_fn=ema(0.998), use_buffers=True).eval().requires_grad_(False)

    def after_step(self) -> None:
        """Follow the network."""
        self.average.update_parameters(self.model)


class FastestWay(Callback):
    """Trains a `StreetNetwork` in the way that is fastest here, which is measured: order in memory, precision.

    fastai's own `to_bf16` asks for the autocast of a GPU and so does nothing on a CPU. Weights, loss and predictions
    stay float32.
    """

    order = -1  # before callbacks that copy the model

    def before_fit(self) -> None:
        """Measure on a batch."""

        def loss(network: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
            return self.loss_func(network(images).float(), targets)

        self.model.way = WAYS[way_to_train(self.model, loss, *self.dls.one_batch())]
        self.model.way.place(self.model)

    def after_fit(self) -> None:
        """Leave the choice to whoever predicts."""
        self.model.way = WAYS["plain"]


def to_segmenter(learn: Learner, size: tuple[int, int]) -> CamVidSegmenter:
    """Keep the averaged weights of a finished training, which from now on also the Learner uses."""
    learn.model.load_state_dict(learn.ema.average.module.state_dict())
    return CamVidSegmenter(learn.model.eval(), "small", CAMVID11, max(size))


def class_shares(image_paths: Iterable[Path], source: LabelSet) -> np.ndarray:
    """(11,) share of each class among the labelled pixels of these pictures' masks."""
    counts = sum(np.bincount(read_label(get_y_fn(path), source).ravel(), minlength=256) for path in image_paths)
    labelled = counts[: CAMVID11.num_classes]
    return labelled / labelled.sum()


def draw_again(dls: DataLoaders, item: int, *, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The same training frame several times, each time as another view.

    Args:
        dls: from `data_block`.
        item: which frame of the training set.
        count: number of views.

    Returns:
        Views (count, H, W, 3) uint8 RGB and their masks (count, H, W).
    """
    train = dls.train
    batches = [
        train.after_batch(to_device(train.create_batch([train.do_item(item)]), train.device)) for _ in range(count)
    ]
    images, masks = (np.concatenate([batch[i].cpu().numpy() for batch in batches]) for i in (0, 1))
    return images.transpose(0, 2, 3, 1).round().astype(np.uint8), masks
