"""Figures of the U-Net lesson: views with masks, class shares, the network itself, training curves, comparisons."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from helpers.labels import LabelSet
from helpers.masks import overlay
from helpers.plots import plot_grid, plot_image, plot_mask

WRONG = (255, 120, 0)  # orange stays apart from grey for everybody


def _axes(ax: Axes | None, figsize: tuple[float, float] = (7, 3)) -> Axes:
    if ax is None:
        ax = plt.subplots(figsize=figsize, layout="constrained")[1]
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plot_views(
    images: np.ndarray,
    masks: np.ndarray,
    label_set: LabelSet,
    *,
    titles: Sequence[str] = (),
    columns: int = 4,
    width: float = 11.0,
) -> Figure:
    """A batch as the network gets it: each view with its mask laid over it.

    Args:
        images: (B, H, W, 3) uint8 RGB.
        masks: (B, H, W) class ids; pixels without a label show the picture alone.
        label_set: gives the colours.
        titles: one for each view, or none.
        columns: views in a row.
        width: of the figure, in inches.
    """
    palette = label_set.palette()
    panels = [
        overlay(image, mask, palette, ignore_index=label_set.ignore_index)
        for image, mask in zip(images, masks, strict=True)
    ]
    return plot_grid(panels, titles=titles, columns=columns, width=width)


def plot_shares(shares: Mapping[str, np.ndarray], label_set: LabelSet, *, ax: Axes | None = None) -> Axes:
    """How common each class is, on a logarithmic scale, the commonest first.

    Args:
        shares: name of a split → (C,) shares of the labelled pixels in 0 … 1; the first split sets the order.
        label_set: gives C names and colours.
        ax: where to draw; a new figure by default.
    """
    first = next(iter(shares.values()))
    order = [i for i in np.argsort(first, kind="stable") if any(share[i] > 0 for share in shares.values())]
    ax = _axes(ax, (7, 0.28 * len(order) + 0.9))
    smallest = min(share[share > 0].min() for share in shares.values())
    for y, class_id in enumerate(order):
        ax.barh(y, first[class_id], color=label_set.colors[class_id] / 255, edgecolor="0.35", linewidth=0.5)
    for name, share in list(shares.items())[1:]:
        ax.plot(
            share[order],
            range(len(order)),
            "D",
            color="white",
            markeredgecolor="black",
            linestyle="",
            markersize=5,
            label=name,
        )
    ax.set(xscale="log", xlim=(smallest / 2, 1), xlabel=f"share of the labelled pixels (bars: {next(iter(shares))})")
    ax.set_yticks(range(len(order)), [f"{label_set.class_names[i]}  {first[i]:.1%}" for i in order])
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    if len(shares) > 1:
        ax.legend(frameon=False, loc="lower right")
    return ax


def plot_unet(encoder: Sequence[np.ndarray], decoder: Sequence[np.ndarray]) -> Figure:
    """The maps inside a U-Net, each drawn as its mean over the channels, where they stand in the U.

    Args:
        encoder: maps (C, H, W) from the largest to the smallest; each next one has about half the side.
        decoder: maps (C, H, W) from small to large, one for each of the encoder's but the last.
    """
    if len(decoder) != len(encoder) - 1:
        raise ValueError(f"{len(encoder)} maps of the encoder and {len(decoder)} of the decoder; expected one fewer")
    height, width = encoder[0].shape[1:]
    levels = len(encoder)
    figure, ax = plt.subplots(figsize=(8, 8 * 0.24 * levels * height / width + 0.3), layout="constrained")
    sides = 0.74 ** np.arange(levels)  # drawn larger than they are: a true half would be too small to see
    tops = -np.concatenate([[0], np.cumsum(sides[:-1] * height / width + 0.16)])
    lefts = np.arange(levels) * 0.55
    right_end = 2 * lefts[-1] + sides[-1]

    def draw(maps: np.ndarray, left: float, level: int) -> tuple[float, float, float]:
        side, top = sides[level], tops[level]
        bottom = top - side * height / width
        ax.imshow(np.abs(maps).mean(0), cmap="magma", extent=(left, left + side, bottom, top), interpolation="nearest")
        channels, rows, columns = maps.shape
        ax.text(left + side / 2, bottom - 0.02, f"{channels} × {rows} × {columns}", ha="center", va="top", fontsize=8)
        return left, left + side, (top + bottom) / 2

    down = [draw(maps, lefts[i], i) for i, maps in enumerate(encoder)]
    up = [
        draw(maps, right_end - lefts[levels - 2 - i] - sides[levels - 2 - i], levels - 2 - i)
        for i, maps in enumerate(decoder)
    ][::-1]
    for level in range(levels - 1):
        skip = {"arrowstyle": "->", "color": "tab:blue", "linewidth": 2}
        ax.annotate("", (up[level][0] - 0.02, up[level][2]), (down[level][1] + 0.02, down[level][2]), arrowprops=skip)
    middle = (down[0][1] + up[0][0]) / 2
    ax.text(middle, down[0][2] + 0.03, "skip", color="tab:blue", ha="center", va="bottom")
    ax.set(xlim=(-0.02, right_end + 0.02), ylim=(tops[-1] - sides[-1] * height / width - 0.12, 0.02))
    ax.text(-0.02, tops[-1] - 0.2, "encoder:\nhalf the side,\nmore channels", va="top")
    ax.text(right_end, tops[-1] - 0.2, "decoder:\ntwice the side,\nfewer channels", va="top", ha="right")
    ax.set_axis_off()
    return figure


def plot_lr_find(rates: Sequence[float], losses: Sequence[float], *, chosen: float, ax: Axes | None = None) -> Axes:
    """What a learning-rate finder saw: the loss while the rate grows, and the rate that was chosen."""
    ax = _axes(ax)
    ax.plot(rates, losses, color="tab:blue")
    ax.axvline(chosen, color="tab:orange", linestyle="--", label=f"chosen: {chosen:.0e}")
    losses = np.asarray(losses, float)
    lowest = np.nanmin(losses)  # too large a rate may end in NaN
    drop = losses[0] - lowest
    ax.set(xscale="log", xlabel="learning rate", ylabel="loss")
    ax.set_ylim(lowest - 0.2 * drop, losses[0] + 0.6 * drop)  # an exploding loss leaves the picture
    ax.legend(frameon=False)
    return ax


def plot_training(losses: Sequence[float], rates: Sequence[float]) -> Figure:
    """The loss over the steps of a training, as fastai records it (smoothed), and the learning rate that ruled it."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 2.8), layout="constrained")
    left.plot(losses)
    left.set(xlabel="step", ylabel="loss, smoothed", ylim=(0, None))
    right.plot(rates, color="tab:orange")
    right.set(xlabel="step", ylabel="learning rate", ylim=(0, None))
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
    return figure


def mistakes(image: np.ndarray, target: np.ndarray, pred: np.ndarray, *, ignore_index: int | None) -> np.ndarray:
    """The picture in grey with wrong pixels in orange; pixels without a label are black.

    Args:
        image: (H, W, 3) uint8 RGB.
        target, pred: (H, W) class ids.
        ignore_index: id of unlabelled pixels in the target.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    shown = np.repeat(70 + image.mean(axis=2, keepdims=True).astype(np.uint8) // 2, 3, axis=2)
    shown[target != pred] = WRONG
    if ignore_index is not None:
        shown[target == ignore_index] = 0
    return shown


def plot_results(
    images: Sequence[np.ndarray],
    targets: Sequence[np.ndarray],
    preds: Sequence[np.ndarray],
    label_set: LabelSet,
    *,
    titles: Sequence[str] = (),
    width: float = 10.0,
) -> Figure:
    """A row for each picture: picture, truth, prediction, and where they differ.

    Args:
        images: (H, W, 3) uint8 RGB each.
        targets, preds: (H, W) class ids each.
        label_set: gives the colours and the ignore id.
        titles: of the rows, shown above the pictures; or none.
        width: of the figure, in inches.
    """
    heights = [width / 4 * image.shape[0] / image.shape[1] + 0.3 for image in images]
    figure, axes = plt.subplots(len(images), 4, figsize=(width, sum(heights)), squeeze=False, layout="constrained")
    for row, (image, target, pred) in enumerate(zip(images, targets, preds, strict=True)):
        plot_image(image, title=titles[row] if titles else "picture", ax=axes[row, 0])
        plot_mask(target, label_set, title="truth", ax=axes[row, 1])
        plot_mask(pred, label_set, title="prediction", ax=axes[row, 2])
        wrong = mistakes(image, target, pred, ignore_index=label_set.ignore_index)
        counted = target != label_set.ignore_index
        plot_image(wrong, title=f"wrong: {np.mean((target != pred)[counted]):.0%}", ax=axes[row, 3])
    return figure


def plot_comparison(
    scores: Mapping[str, Sequence[float]],
    label_set: LabelSet,
    *,
    title: str = "",
    xlabel: str = "IoU",
    ax: Axes | None = None,
) -> Axes:
    """Scores of several runs beside each other, class by class, best class of the first run on top.

    Args:
        scores: name of a run → (C,) values in 0 … 1, NaN where a class is absent.
        label_set: gives C names.
        title: above the bars.
        xlabel: name of the score.
        ax: where to draw; a new figure by default.
    """
    runs = {name: np.asarray(values, float) for name, values in scores.items()}
    first = next(iter(runs.values()))
    order = np.argsort(np.nan_to_num(first, nan=-1), kind="stable")
    ax = _axes(ax, (7, 0.36 * len(order) + 0.9))
    thickness = 0.8 / len(runs)
    for index, (name, values) in enumerate(runs.items()):
        place = np.arange(len(order)) + (len(runs) / 2 - index - 0.5) * thickness
        label = f"{name}: mean {np.nanmean(values):.3f}"
        ax.barh(place, np.nan_to_num(values[order]), height=thickness, label=label)
    ax.set_yticks(range(len(order)), [label_set.class_names[i] for i in order])
    ax.set(xlim=(0, 1), xlabel=xlabel, title=title)
    ax.legend(frameon=False, loc="lower right")
    return ax
