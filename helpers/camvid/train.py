"""The long training: strong views of street pictures, minutes instead of epochs, a fastai Learner with callbacks."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from fastai.callback.core import Callback, TrainEvalCallback
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.optimizer import OptimWrapper
from torch import Tensor, nn
from tqdm import tqdm

from helpers.camvid.model import Trained, build, load
from helpers.datasets.camvid import get_y_fn, read_label
from helpers.images import fit_within, read_image, resize_image
from helpers.labels import CAMVID11, LabelSet
from helpers.masks import resize_mask
from helpers.metrics import ConfusionMatrix
from helpers.training.callbacks import Averaged, Checkpoints, Minutes, ProgressLine
from helpers.training.cpu_speed import CpuSpeed
from helpers.training.devices import best_device
from helpers.training.losses import inverse_log_weights
from helpers.training.recipe import CURRICULUM
from helpers.training.street_samples import IGNORE, LONGEST_SIDE, MERGED, Frame, Pool, Step, draw_batch
from helpers.training.workers import Workers

WEIGHT_DECAY = 0.03


def read_frames(image_paths: Iterable[Path], source: LabelSet, *, size: int) -> list[Frame]:
    """Pictures, decoded once and kept, with their masks in the ids of the street views.

    Args:
        image_paths: in a folder of CamVid's layout.
        source: what the ids of its labels mean.
        size: longest side in pixels; larger pictures are shrunk.
    """
    frames = []
    for path in tqdm(image_paths, unit="frame", leave=False, disable=None):
        image, mask = read_image(path), read_label(get_y_fn(path), source)
        target = np.where(mask == CAMVID11.ignore_index, IGNORE, mask + MERGED).astype(np.uint8)
        small = fit_within(mask.shape, size)
        frames.append(Frame(path.stem, resize_image(image, small), resize_mask(target, small)))
    return frames


def curriculum(size: int, batch: int) -> tuple[Step, ...]:
    """The recipe's views for pictures of another size than its own, with another number in a step."""
    scale, share = size / LONGEST_SIDE, batch / CURRICULUM[0].batch
    return tuple(
        step._replace(
            size=tuple(max(32, 16 * round(side * scale / 16)) for side in step.size),
            batch=max(2, round(step.batch * share)),
        )
        for step in CURRICULUM
    )


class Views:
    """What a Learner trains on: batches of random views without end, an epoch being as many views as frames.

    Each view is another crop, in another light, with things pasted in from another street, see `training.streets`.

    Attributes:
        progress: share of the training that is over; it chooses the step of the curriculum.
    """

    def __init__(self, frames: list[Frame], steps: tuple[Step, ...], *, seed: int | list[int] = 0):
        self.pools = [(Pool(frames), 1.0)]
        self.steps = steps
        self.rng = np.random.default_rng(seed)
        self.progress = 0.0
        self.ahead = ThreadPoolExecutor(1)
        self.next = self.ahead.submit(self.draw)

    @property
    def step(self) -> Step:
        """The kind of views that is due."""
        return next(step for step in self.steps if self.progress < step.until)

    def __len__(self) -> int:
        return -(-len(self.pools[0][0].frames) // self.step.batch)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Images (B, 3, H, W) uint8, targets (B, H/2, W/2) int64 with CamVid 11 ids."""
        for _ in range(len(self)):
            batch = self.next.result()
            self.next = self.ahead.submit(self.draw)  # while the network learns from this one
            yield batch

    def draw(self) -> tuple[Tensor, Tensor]:
        """The next batch."""
        images, targets = draw_batch(self.pools, self.step, self.rng)
        # Half the resolution is a quarter of the loss's cost; the random offset keeps edges where they are.
        offset = int(self.rng.integers(2))
        targets = targets[:, offset::2, offset::2]
        targets = np.where(targets == IGNORE, CAMVID11.ignore_index, targets - MERGED)
        return torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(targets).long()

    def class_counts(self) -> Tensor:
        """(11,) labelled pixels of each class."""
        counts = sum(pool.counts.sum(0) for pool, _ in self.pools)
        return torch.from_numpy(counts[MERGED : MERGED + CAMVID11.num_classes])


class LogitsLikeTargets(Callback):
    """Asks the network for logits of the targets' size instead of the pictures'."""

    def before_batch(self) -> None:
        self.learn.xb = (*self.xb, tuple(self.y.shape[1:]))


def groups(network: nn.Module) -> list[list[nn.Parameter]]:
    """Parameters whose weights decay, and those of normalisations and biases, which don't."""
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    return [[p for p in parameters if p.ndim > 1], [p for p in parameters if p.ndim <= 1]]


def score(trained: Trained, image_paths: Iterable[Path], source: LabelSet, *, average: bool = True) -> ConfusionMatrix:
    """Compare predictions of whole pictures, at the pictures' own size, with their labels in CamVid 11 ids."""
    matrix = ConfusionMatrix(CAMVID11.num_classes, ignore_index=CAMVID11.ignore_index)
    for path in tqdm(image_paths, unit="frame", leave=False, disable=None):
        matrix.update(read_label(get_y_fn(path), source), trained.predict(read_image(path), average=average))
    return matrix


def train(
    out: Path, train_paths: list[Path], valid_paths: list[Path], source: LabelSet, *, arch: str = "small",
    size: int = LONGEST_SIDE, minutes: float, batch: int = 16, peak_rate: float = 2e-3, class_weights: bool = True,
    start: Path | None = None, seed: int = 0, settings: dict | None = None,
) -> tuple[Trained, dict]:  # fmt: skip
    """Train for some minutes; started again after a kill, the run in `out` goes on.

    Args:
        out: folder of the run; its checkpoint.pt is kept up to date.
        train_paths, valid_paths: pictures to learn from, and pictures to measure on now and then (may be none).
        source: what the ids of their labels mean.
        arch: see `network.build`.
        size: longest side of the pictures that the network sees.
        minutes: time for all of the run.
        batch: views in a step at first; larger views come in smaller batches.
        peak_rate: highest learning rate of AdamW.
        class_weights: whether rare classes count more in the loss.
        start: weights.pt of another run of the same arch to begin with.
        seed: of first weights, views and light (how many steps fit in the time still varies).
        settings: see `Checkpoints`.

    Returns:
        The network with averaged weights, and a record of seconds, steps, views and figures on the way.
    """
    torch.manual_seed(seed)
    device = best_device()
    network = build(arch, CAMVID11.num_classes)
    if start:
        first = load(start)
        if first.arch != arch:
            raise ValueError(f"{start} is a network of arch {first.arch}; begin with it by --arch {first.arch}")
        network.load_state_dict(first.network.state_dict())
    network.to(device, memory_format=torch.channels_last)

    def measure(average: nn.Module) -> dict:
        matrix = score(Trained(average, arch, CAMVID11, size), valid_paths, source, average=False)
        return matrix.figures(CAMVID11.class_names)

    checkpoints = Checkpoints(out / "checkpoint.pt", settings or {}, measure=measure if valid_paths else None)
    frames = read_frames(train_paths, source, size=size)
    views = Views(frames, curriculum(size, batch), seed=[seed, checkpoints.record["steps"]])
    weights = inverse_log_weights(views.class_counts()).to(device) if class_weights else None
    workers = max(1, min(torch.get_num_threads(), min(step.batch for step in views.steps) // 4))
    learner = Learner(
        DataLoaders(views, [], device=None),
        network,
        loss_func=nn.CrossEntropyLoss(weights, ignore_index=CAMVID11.ignore_index),
        opt_func=partial(OptimWrapper, opt=torch.optim.AdamW, fused=True),
        splitter=groups,
        default_cbs=False,
        cbs=[
            TrainEvalCallback(),
            CpuSpeed(),
            *([Workers(workers)] if device.type == "cpu" else []),
            LogitsLikeTargets(),
            Averaged(),
            checkpoints,
            Minutes(minutes, peak_rate=peak_rate),
            ProgressLine(),
        ],
    )
    learner.fit(10**9, lr=peak_rate, wd=[WEIGHT_DECAY, 0.0])
    return Trained(learner.averaged.average.network, arch, CAMVID11, size), checkpoints.record
