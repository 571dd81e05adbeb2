"""Looking inside a network (its convolutions, what they cost), and at predictions: how sure, and what is mistaken."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from helpers.labels import LabelSet


class Convolution(NamedTuple):
    """One convolution, as it was seen at work on a picture."""

    name: str
    kernel: tuple[int, int]  # height, width
    inputs: int  # channels
    outputs: int
    stride: int
    size: tuple[int, int]  # height, width of what it gives
    weights: int
    multiply_adds: int


class Stage(NamedTuple):
    """Neighbouring convolutions whose outputs have the same size."""

    size: tuple[int, int]
    last: str  # name of its last convolution
    outputs: int  # channels of that
    convolutions: int
    weights: int
    multiply_adds: int


def convolutions(network: nn.Module, images: Tensor) -> list[Convolution]:
    """All convolutions of a network in the order in which they run, watched by hooks during one pass.

    A multiply-add is one product added to a sum. A convolution needs one for each weight at each place of its output.

    Args:
        network: any network in evaluation mode.
        images: (1, 3, H, W), what the network gets.
    """
    found = []

    def watch(name: str, layer: nn.Module, _: Tensor, output: Tensor) -> None:
        weights = layer.weight.numel()
        size = tuple(output.shape[2:])
        found.append(
            Convolution(
                name,
                layer.kernel_size,
                layer.in_channels,
                layer.out_channels,
                layer.stride[0],
                size,
                weights,
                len(output) * weights * size[0] * size[1],
            )
        )

    with watching(network, watch, kind=nn.Conv2d), torch.inference_mode():
        network(images)
    return found


def activations(network: nn.Module, images: Tensor, names: Sequence[str]) -> dict[str, tuple[Tensor, Tensor]]:
    """What goes into some modules of a network and what comes out of them.

    Args:
        network: any network in evaluation mode.
        images: (B, 3, H, W), what the network gets.
        names: of modules, as `network.named_modules()` gives them.

    Returns:
        name → (input, output), in the order in which the modules ran.

    Raises:
        KeyError: the network has no module of a name.
    """
    if unknown := set(names) - {name for name, _ in network.named_modules()}:
        raise KeyError(f"the network has no module {', '.join(sorted(unknown))}; see network.named_modules()")
    seen = {}

    def watch(name: str, _: nn.Module, given: Tensor, output: Tensor) -> None:
        seen[name] = given, output

    with watching(network, watch, names=names), torch.inference_mode():
        network(images)
    return seen


def most_active_channel(features: Tensor) -> np.ndarray:
    """The channel of a feature map that varies most, for showing it as a picture.

    Args:
        features: (1, C, H, W); the first of a batch is taken.

    Returns:
        (H, W) float32 in 0 … 1; the darkest and brightest 2 % of the pixels are cut off.
    """
    channels = features[0].float()
    flat = channels.flatten(1)
    liveliest = int(flat.var(dim=1).argmax())
    low, high = flat[liveliest].quantile(torch.tensor([0.02, 0.98], device=flat.device))
    return ((channels[liveliest] - low) / (high - low).clamp(min=1e-6)).clamp(0, 1).cpu().numpy()


@contextmanager
def watching(
    network: nn.Module,
    watch: Callable[[str, nn.Module, Tensor, Tensor], None],
    *,
    names: Sequence[str] | None = None,
    kind: type[nn.Module] = nn.Module,
) -> Iterator[None]:
    """Within the block, call `watch(name, module, input, output)` after each run of the chosen modules."""
    hooks = [
        module.register_forward_hook(lambda module, given, output, name=name: watch(name, module, given[0], output))
        for name, module in network.named_modules()
        if isinstance(module, kind) and (names is None or name in names)
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def stages(layers: Sequence[Convolution]) -> list[Stage]:
    """Put neighbouring convolutions of one output size together."""
    groups = [list(group) for _, group in groupby(layers, key=lambda layer: layer.size)]
    return [
        Stage(
            group[0].size,
            group[-1].name,
            group[-1].outputs,
            len(group),
            sum(layer.weights for layer in group),
            sum(layer.multiply_adds for layer in group),
        )
        for group in groups
    ]


def at_full_resolution(layers: Sequence[Convolution], size: tuple[int, int]) -> int:
    """Multiply-adds of the same convolutions if none of them shrank the picture.

    Args:
        layers: from `convolutions`.
        size: (height, width) of the network's input.
    """
    return sum(layer.weights * size[0] * size[1] for layer in layers)


def entropy(probs: np.ndarray) -> np.ndarray:
    """Predictive entropy per pixel (Shannon 1948), normalised to 0 … 1: how undecided the network is.

    Args:
        probs: (C, H, W) floats, 0 … 1, summing to 1 over the classes.

    Returns:
        (H, W) float32: 0 where one class has everything, 1 where all have the same.

    >>> entropy(np.array([[[1.0, 0.5]], [[0.0, 0.5]]])).tolist()
    [[0.0, 1.0]]
    """
    bits = np.where(probs > 0, probs * np.log(np.maximum(probs, 1e-12)), 0).sum(axis=0)
    return np.abs(bits / np.log(len(probs))).astype(np.float32)


class Mistake(NamedTuple):
    """One region to which the network gave a wrong class."""

    frame: int
    taken_for: str
    really: str
    box: tuple[int, int, int, int]  # left, top, width, height in pixels
    pixels: int  # that are wrong
    region: np.ndarray  # (H, W) bool: which


def mistakes(
    preds: Sequence[np.ndarray],
    truths: Sequence[np.ndarray],
    wrong: Sequence[np.ndarray],
    *,
    labels: LabelSet,
    truth_labels: LabelSet,
    min_pixels: int = 150,
    min_share: float = 0.6,
) -> list[Mistake]:
    """Objects that the network sees where there are none, the largest first.

    Looked at are connected regions of one predicted class other than background. A region counts when most of it is
    wrong, so that borders that are off by a few pixels don't.

    Args:
        preds: (H, W) predicted ids, one for each frame.
        truths: (H, W) true ids, which may be finer than the network's classes: they name what it really is.
        wrong: (H, W) bool, True where the prediction counts as wrong.
        labels: of `preds`; id 0 is background.
        truth_labels: of `truths`.
        min_pixels: that must be wrong in a region.
        min_share: of a region that must be wrong.
    """
    found = []
    for frame, (pred, truth, errors) in enumerate(zip(preds, truths, wrong, strict=True)):
        for class_id in np.unique(pred[pred > 0]):
            regions, numbers, stats, _ = cv2.connectedComponentsWithStats((pred == class_id).astype(np.uint8))
            for number in range(1, regions):
                missed = (numbers == number) & errors
                if missed.sum() < max(min_pixels, min_share * stats[number, cv2.CC_STAT_AREA]):
                    continue
                really = truth_labels.class_names[int(np.bincount(truth[missed]).argmax())]
                box = tuple(int(value) for value in stats[number, :4])
                found.append(Mistake(frame, labels.class_names[class_id], really, box, int(missed.sum()), missed))
    return sorted(found, key=lambda mistake: -mistake.pixels)


def crop(image: np.ndarray, box: tuple[int, int, int, int], *, context: float = 2.0, least: int = 90) -> np.ndarray:
    """A square part of a picture around a box, so that one sees what stands there.

    Args:
        image: (H, W, 3) or (H, W).
        box: left, top, width, height in pixels.
        context: side of the square, in lengths of the box's longer side.
        least: smallest side of the square in pixels; the largest is the picture's shorter side.

    Returns:
        A view of the picture; near its edge the square is moved inside.
    """
    left, top, width, height = box
    side = min(max(round(context * max(width, height)), least), *image.shape[:2])
    row = min(max(0, top + height // 2 - side // 2), image.shape[0] - side)
    column = min(max(0, left + width // 2 - side // 2), image.shape[1] - side)
    return image[row : row + side, column : column + side]
