"""The long training: strong augmentation of street pictures, minutes instead of epochs, `training.loop`."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from helpers import records
from helpers.camvid.model import CamVidSegmenter, build, load
from helpers.datasets.camvid import get_y_fn, read_label
from helpers.images import read_image
from helpers.labels import CAMVID11, LabelSet
from helpers.metrics import ConfusionMatrix
from helpers.training import loop
from helpers.training.devices import best_device
from helpers.training.losses import inverse_log_weights
from helpers.training.street_samples import IGNORE, LONGEST_SIDE, StreetCrops, curriculum, drawing, read_frames

THINGS = np.array([CAMVID11.index(name) for name in ("Pole", "SignSymbol", "Car", "Pedestrian", "Bicyclist")])


def score(
    segmenter: CamVidSegmenter, image_paths: Iterable[Path], source: LabelSet, *, tta: bool = True
) -> ConfusionMatrix:
    """Compare predictions of whole pictures, at the pictures' own size, with their labels in CamVid 11 ids."""
    matrix = ConfusionMatrix(CAMVID11.num_classes, ignore_index=CAMVID11.ignore_index)
    for path in tqdm(image_paths, unit="frame", leave=False, disable=None):
        matrix.update(read_label(get_y_fn(path), source), segmenter.predict(read_image(path), tta=tta))
    return matrix


def train(
    out: Path,
    train_paths: list[Path],
    valid_paths: list[Path],
    source: LabelSet,
    *,
    minutes: float,
    arch: str = "small",
    pretrained: bool | None = None,
    size: int = LONGEST_SIDE,
    batch: int = 16,
    rate: float = 2e-3,
    class_weights: bool = True,
    start: Path | None = None,
    seed: int = 0,
    settings: dict | None = None,
) -> tuple[CamVidSegmenter, dict]:
    """Train for some minutes; started again after a kill, the run in `out` goes on.

    Args:
        out: folder of the run; its checkpoint.pt is kept up to date.
        train_paths, valid_paths: pictures to learn from, and pictures to measure on now and then (may be none).
        source: what the ids of their labels mean.
        minutes: time for all of the run.
        arch, pretrained: see `model.build`.
        size: longest side of the pictures that the network sees.
        batch: crops in a step at first; larger crops come in smaller batches.
        rate: highest learning rate of AdamW.
        class_weights: whether rare classes count more in the loss.
        start: weights.pt of another run of the same arch to begin with.
        seed: of first weights, crops and light (how many steps fit in the time still varies).
        settings: plain values that have to be the same for a run to go on.

    Returns:
        The network with averaged weights, and a record of seconds, steps, images and figures on the way.

    Raises:
        ValueError: `start` doesn't fit, or the run can't go on, see `loop.train`.
    """
    torch.manual_seed(seed)
    network = build(arch, CAMVID11.num_classes, pretrained=False if start else pretrained)
    if start:
        first = load(start)
        if first.arch != arch:
            raise ValueError(f"{start} is a network of arch {first.arch}; begin with it by --arch {first.arch}")
        network.load_state_dict(first.network.state_dict())

    def read_target(path: Path) -> np.ndarray:
        mask = read_label(get_y_fn(path), source)
        return np.where(mask == CAMVID11.ignore_index, IGNORE, mask).astype(np.uint8)

    def measure(average: nn.Module) -> dict:
        matrix = score(CamVidSegmenter(average, arch, CAMVID11, size), valid_paths, source, tta=False)
        return matrix.figures(CAMVID11.class_names)

    crops = StreetCrops(read_frames(train_paths, read_target, size=size))
    counts = torch.from_numpy(crops.counts.sum(0)[: CAMVID11.num_classes])
    weights = inverse_log_weights(counts).to(best_device()) if class_weights else None

    def loss(network: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
        logits = network(images, size=targets.shape[1:])
        return F.cross_entropy(logits, targets, weights, ignore_index=IGNORE)

    run = loop.train(
        network,
        drawing([(crops, 1.0)], curriculum(size, batch), things=THINGS),
        loss,
        minutes=minutes,
        folder=out,
        data=[*train_paths, *map(get_y_fn, train_paths)],
        settings=settings,
        rate=rate,
        seed=seed,
        callbacks=[loop.measuring(measure)] if valid_paths else [],
    )
    return CamVidSegmenter(run.network, arch, CAMVID11, size), run.record


def read_records(*names: str, folder: Path = records.MEASURED) -> dict[str, dict]:
    """Read records of `train camvid` and print for each of them how it came about.

    Args:
        names: of the records: "split_town" is `camvid_split_town.json`.
        folder: where they are.

    Returns:
        name → record; `iou` is an array (11,) in the order of CamVid's 11 classes, NaN where one is absent.
    """
    found = {}
    for name in names:
        record = records.read(f"camvid_{name}", folder=folder)
        record["iou"] = np.array([record["iou"][c] for c in CAMVID11.class_names], float)  # None becomes NaN
        if before := record.get("before"):  # the run whose weights this one began with
            print(f"{name}, before: {before['command']}")
            print(f"    {before['minutes']:.1f} min, {before['epochs']:.0f} epochs")
        print(f"{name}: {record['command']}")
        print(
            f"    {record['date']}, {record['device']}, {record['minutes']:.1f} min, {record['epochs']:.0f} epochs: "
            f"accuracy {record['pixel_accuracy']:.4f}, mean IoU {record['mean_iou']:.4f}"
        )
        found[name] = record
    return found
