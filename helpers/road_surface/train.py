"""The lesson's longer trainings: two stages, and other ways to treat rare classes in the same number of steps."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.labels import RTK
from helpers.metrics import ConfusionMatrix
from helpers.road_surface.data import Frame, class_counts, class_weights, found, pavement_iou
from helpers.road_surface.model import adjustment, score
from helpers.training import loop
from helpers.training.augmentation import random_light, random_view

COMMON = 4  # ids below are background and the pavements; every crop shows some of them anyway
CROP = (144, 176)
BATCH = 8
RATE = 1e-3


def rare_place(mask: np.ndarray, rng: np.random.Generator, *, common: int = COMMON) -> tuple[float, float] | None:
    """A pixel (y, x) of a class drawn evenly from those in a mask with ids from `common` on; None if there are none."""
    rare = [label for label in np.unique(mask) if label >= common]
    if not rare:
        return None
    places = np.argwhere(mask == rng.choice(rare))
    return tuple(places[rng.integers(len(places))] + 0.5)


def crop(
    image: np.ndarray,
    mask: np.ndarray,
    *,
    size: tuple[int, int],
    rng: np.random.Generator,
    balanced: float = 0.0,
    common: int = COMMON,
) -> tuple[np.ndarray, np.ndarray]:
    """A random crop of picture and mask, larger or smaller, perhaps mirrored, in another light.

    Args:
        image: (H, W, 3) uint8.
        mask: (H, W) ids.
        size: (height, width) of the crop.
        rng: source of randomness.
        balanced: share of the crops that show a rare class near their middle, see `rare_place`; others lie anywhere.
        common: ids below are no rare classes.

    Returns:
        (height, width, 3) uint8 and (height, width) ids.
    """
    centre = rare_place(mask, rng, common=common) if rng.random() < balanced else None
    view, target = random_view(
        image, mask, size=size, scale=(0.8, 1.5), rng=rng, centre=centre, rotation=0.0, ignore_index=0
    )
    return random_light(view, rng=rng, strength=0.5), target


def batches(
    frames: Sequence[Frame],
    *,
    size: tuple[int, int] = CROP,
    batch: int = BATCH,
    balanced: float = 0.0,
    common: int = COMMON,
) -> Callable[[np.random.Generator, float], tuple[Tensor, Tensor]]:
    """What `loop.train` draws from: batches of crops, (B, 3, h, w) uint8 and (B, h, w) int64; see `crop`."""

    def draw(rng: np.random.Generator, _progress: float) -> tuple[Tensor, Tensor]:
        chosen = rng.choice(len(frames), batch, replace=batch > len(frames))
        pairs = [crop(*frames[i], size=size, rng=rng, balanced=balanced, common=common) for i in chosen]
        images, masks = (np.stack(part) for part in zip(*pairs, strict=True))
        return torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(masks).long()

    return draw


def soft_dice_loss(logits: Tensor, target: Tensor) -> Tensor:
    """1 − soft Dice, averaged over the classes that the batch shows: each has the same say, whatever its size.

    Args:
        logits: (B, C, H, W).
        target: (B, H, W) ids.
    """
    truth = F.one_hot(target, logits.shape[1]).permute(0, 3, 1, 2)
    probs = logits.softmax(dim=1)
    common = (probs * truth).sum((0, 2, 3))
    total = probs.sum((0, 2, 3)) + truth.sum((0, 2, 3))
    shown = truth.sum((0, 2, 3)) > 0
    return (1 - 2 * common / total)[shown].mean()


def focal_loss(logits: Tensor, target: Tensor, *, gamma: float = 2.0) -> Tensor:
    """Cross-entropy in which pixels that are right already count less, by (1 − p)^gamma (Lin et al. 2017).

    Args:
        logits: (B, C, H, W).
        target: (B, H, W) ids.
        gamma: 0 gives plain cross-entropy.
    """
    loss = F.cross_entropy(logits, target, reduction="none")
    return ((1 - (-loss).exp()) ** gamma * loss).mean()


def loss_function(name: str, weights: np.ndarray | None = None) -> Callable[[nn.Module, Tensor, Tensor], Tensor]:
    """The loss that `loop.train` asks for.

    Args:
        name: "cross_entropy", "dice" (cross-entropy and soft Dice added) or "focal".
        weights: (C,) of the classes in the cross-entropy.
    """
    weight = None if weights is None else torch.as_tensor(weights, dtype=torch.float32)

    def loss(network: nn.Module, images: Tensor, target: Tensor) -> Tensor:
        logits = network(images).float()
        if name == "focal":
            return focal_loss(logits, target)
        own = None if weight is None else weight.to(logits.device)
        value = F.cross_entropy(logits, target, weight=own)
        return value + soft_dice_loss(logits, target) if name == "dice" else value

    return loss


@dataclass(frozen=True)
class Way:
    """One way to train: what changes against plain cross-entropy on crops from anywhere.

    Attributes:
        loss: see `loss_function`.
        weights: scheme of the class weights, see `data.class_weights`.
        balanced: share of crops about a rare class.
    """

    loss: str = "cross_entropy"
    weights: str = "none"
    balanced: float = 0.0


WAYS = {
    "stage one, longer": Way(),
    "two stages (ENet's weights)": Way(weights="enet"),
    "Dice": Way(loss="dice"),
    "focal": Way(loss="focal"),
    "balanced crops": Way(balanced=0.8),
    "weights and balanced crops": Way(weights="enet", balanced=0.8),
}


def fit(
    network: nn.Module,
    frames: Sequence[Frame],
    way: Way,
    *,
    steps: int,
    folder: Path,
    seed: int,
    rate: float = RATE,
    size: tuple[int, int] = CROP,
    batch: int = BATCH,
    common: int = COMMON,
    num_classes: int = RTK.num_classes,
) -> loop.Run:
    """Train a network one way for some steps; started again after a kill, the run in `folder` goes on."""
    weights = None if way.weights == "none" else class_weights(class_counts(frames, num_classes), way.weights)
    settings = {"loss": way.loss, "weights": way.weights, "balanced": way.balanced, "steps": steps, "batch": batch}
    draw = batches(frames, size=size, batch=batch, balanced=way.balanced, common=common)
    names = [f"{number}: {np.bincount(frame.mask.ravel()).tolist()}" for number, frame in enumerate(frames)]
    return loop.train(
        network,
        draw,
        loss_function(way.loss, weights),
        steps=steps,
        folder=folder,
        data=names,
        settings=settings,
        rate=rate,
        weight_decay=0.01,
        warmup=0.1,
        decay=0.98,
        seed=seed,
    )


def again(run: loop.Run) -> nn.Module:
    """A copy of what a run ended with that can be trained on: the averaged weights, the same ones of them frozen."""
    network = deepcopy(run.network)
    for own, trained in zip(network.parameters(), run.current.parameters(), strict=True):
        own.requires_grad_(trained.requires_grad)
    return network


def figures(matrix: ConfusionMatrix) -> dict:
    """What a record keeps of the road classes' confusion matrix: IoU, recall, precision, how many are found."""
    iou = matrix.iou()
    return {
        **matrix.figures(RTK.class_names),
        "recall": dict(zip(RTK.class_names, matrix.recall().tolist(), strict=True)),
        "precision": dict(zip(RTK.class_names, matrix.precision().tolist(), strict=True)),
        "found": len(found(iou)),
        "pavement_iou": pavement_iou(iou),
    }


def two_stages(
    network: nn.Module,
    frames: Sequence[Frame],
    way: Way,
    *,
    steps: tuple[int, int],
    folder: Path,
    seed: int,
    judge: Callable[[nn.Module], dict],
    **options,
) -> tuple[nn.Module, dict]:
    """Stage one without weights, stage two from it another way; both judged alike.

    Args:
        network: with its first weights.
        frames: to train on.
        way: of stage two.
        steps: of the two stages.
        folder: of the run; a killed run goes on where it was.
        seed: of the crops.
        judge: figures of a network.
        options: of `fit`.

    Returns:
        The network after stage two, and figures and seconds of "stage_1" and "stage_2".
    """
    record = {}
    for stage, (own, count) in enumerate(zip((Way(), way), steps, strict=True), start=1):
        place = folder / f"stage_{stage}"
        run = fit(network, frames, own, steps=count, folder=place, seed=seed + 100 * stage, **options)
        record[f"stage_{stage}"] = judge(run.network) | {"seconds": run.record["seconds"], "steps": run.step}
        network = again(run)
    return run.network, record


def compare(
    network: nn.Module,
    frames: Sequence[Frame],
    valid_frames: Sequence[Frame],
    *,
    steps: tuple[int, int],
    folder: Path,
    seed: int,
    say: Callable[[str], None] = print,
) -> dict[str, dict]:
    """Every way in the same number of steps: from one stage one, and weights from the first step on.

    Args:
        network: with its first weights.
        frames, valid_frames: to train on and to judge by.
        steps: of stage one, and of what follows it.
        folder: of all runs; killed ones go on where they were.
        seed: of the crops.
        say: takes a line about each way.

    Returns:
        Name of the way → its figures on the validation frames.
    """
    results = {}

    def note(name: str, trained: nn.Module, shift: np.ndarray | None = None) -> None:
        results[name] = figures(score(trained, valid_frames, shift=shift))
        about = "{found} of 12 found, mean IoU {mean_iou:.3f}, pavements {pavement_iou:.3f}".format(**results[name])
        say(f"{name}: {about}")

    first = fit(deepcopy(network), frames, Way(), steps=steps[0], folder=folder / "stage_1", seed=seed + 100)
    note("stage one", first.network)
    counts = class_counts(frames).sum(axis=0)
    for strength, name in ((0.2, "a fifth of logit adjustment"), (1.0, "logit adjustment")):
        note(name, first.network, adjustment(counts, strength=strength))
    for name, way in WAYS.items():
        place = folder / "".join(letter if letter.isalnum() else "_" for letter in name)
        note(name, fit(again(first), frames, way, steps=steps[1], folder=place, seed=seed + 200).network)
    alone = fit(network, frames, Way(weights="enet"), steps=sum(steps), folder=folder / "weights_only", seed=seed + 100)
    note("weights only (ENet's)", alone.network)
    return results
