"""Figures of the steel lesson: sheets with outlines, what is in the data, the search for thresholds."""

from collections import Counter
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from helpers.datasets.severstal import CLASS_IDS
from helpers.images import resize_image
from helpers.masks import outline, resize_mask
from helpers.plots import plot_grid
from helpers.severstal.data import STEEL, Sheet, statistics, where

COLORS = STEEL.colors[1:] / 255  # of classes 1 to 4
NAMES = STEEL.class_names[1:]


def outlined(image: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """A sheet (H, W, 1) uint8 with the outlines of its masks (4, H, W) bool, at half size: (H / 2, W / 2, 3) uint8 RGB.

    Each class is drawn by itself, so that none hides another where defects overlap. At half the size a sheet fits on a
    page, and without its grain the notebook's file stays small.
    """
    half = image.shape[0] // 2, image.shape[1] // 2
    sheet = np.repeat(resize_image(image, half), 3, axis=2)
    for class_id, mask in zip(CLASS_IDS, masks, strict=True):
        sheet = outline(sheet, resize_mask(mask * np.uint8(class_id), half), STEEL.palette(), width=1)
    return sheet


def plot_sheets(sheets: Sequence[Sheet]) -> Figure:
    """Sheets below each other, with the outlines of their labels."""
    titles = [", ".join(STEEL.class_names[c] for c in sorted(sheet.runs)) or "no defect" for sheet in sheets]
    return plot_grid([outlined(s.image(), s.targets()) for s in sheets], titles=titles, columns=1, width=10)


def plot_masks(image: np.ndarray, masks: Mapping[str, np.ndarray]) -> Figure:
    """A sheet (H, W, 1) uint8 several times below each other, with the outlines of masks, title → (4, H, W) bool."""
    panels = [outlined(image, mask) for mask in masks.values()]
    return plot_grid(panels, titles=list(masks), columns=1, width=10)


def plot_predictions(sheets: Sequence[Sheet], preds: Sequence[np.ndarray], *, notes: Sequence[str] = ()) -> Figure:
    """Each sheet twice: with the outlines of its labels, and below with those of the predicted masks (4, H, W) bool.

    Args:
        sheets: to show.
        preds: a prediction for each.
        notes: what to look for in each prediction, for instance "missed: pitted"; none by default.
    """
    panels, titles = [], []
    for sheet, pred, note in zip(sheets, preds, notes or [""] * len(sheets), strict=True):
        panels += [outlined(sheet.image(), sheet.targets()), outlined(sheet.image(), pred)]
        titles += [f"{sheet.path.name}: truth", f"prediction; {note}" if note else "prediction"]
    return plot_grid(panels, titles=titles, columns=1, width=10)


def plot_statistics(sheets: Sequence[Sheet]) -> Figure:
    """How many sheets have each class, how large the defects are, how many classes share a sheet."""
    found = statistics(sheets)
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3), layout="constrained")
    counts = [found["clean"], *found["by_class"].values()]
    bars = left.barh(STEEL.class_names, counts, color=[(0.8, 0.8, 0.8), *COLORS])
    left.bar_label(bars, padding=2)
    left.set(title="sheets with each class", xlim=(0, 1.15 * max(counts)))
    left.invert_yaxis()
    rng = np.random.default_rng(0)
    for class_id, areas in found["areas"].items():
        middle.scatter(areas, class_id + rng.uniform(-0.25, 0.25, len(areas)), s=12, color=COLORS[class_id - 1])
    middle.set(xscale="log", yticks=CLASS_IDS, yticklabels=NAMES, title="area on a sheet, pixels")
    ticks = [1_000, 3_000, 10_000, 30_000, 100_000]
    middle.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    middle.xaxis.set_minor_formatter(NullFormatter())
    middle.invert_yaxis()
    several = Counter(len(sheet.runs) for sheet in sheets)
    bars = right.bar(list(several), list(several.values()), color="0.6")
    right.bar_label(bars)
    right.set(title="classes on a sheet", xticks=sorted(several))
    for ax in (left, middle, right):
        ax.spines[["top", "right"]].set_visible(False)
    return figure


def plot_where(sheets: Sequence[Sheet]) -> Figure:
    """For each class a map of the share of its sheets that have it there, scaled to its largest value."""
    maps = [where(sheets, class_id) for class_id in CLASS_IDS]
    panels = [np.uint8(255 * share / max(share.max(), 1e-9)) for share in maps]
    titles = [f"{name} (white: {share.max():.0%} of its sheets)" for name, share in zip(NAMES, maps, strict=True)]
    return plot_grid(panels, titles=titles, columns=2, width=12)


def plot_loss_and_metric(*, ax: Axes | None = None) -> Axes:
    """Loss and Dice of one small defect while the probability inside it rises from 0 to 1."""
    import torch

    from helpers.severstal.scores import dice
    from helpers.training.losses import bce_dice_loss

    target = np.zeros((1, 20, 20), bool)
    target[0, 5:15, 5:15] = True
    inside = np.linspace(0.02, 0.98, 97)
    losses, metrics = [], []
    for p in inside:
        probs = torch.tensor(np.where(target, p, 0.02), dtype=torch.float32)[None]
        losses.append(bce_dice_loss(probs.logit(), torch.from_numpy(target).float()[None]).item())
        metrics.append(dice(target, probs[0].numpy() > 0.5).item())
    if ax is None:
        ax = plt.subplots(figsize=(6, 2.8), layout="constrained")[1]
    ax.plot(inside, losses, label="loss: 0.6 BCE + 0.4 (1 − soft Dice)")
    ax.plot(inside, metrics, label="metric: Dice at threshold 0.5", linestyle="--")
    ax.set_xlabel("probability inside the defect")
    ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plot_losses(losses: Sequence[float], *, ax: Axes | None = None) -> Axes:
    """The loss of each step, and its running mean over a tenth of the training."""
    if ax is None:
        ax = plt.subplots(figsize=(6, 2.8), layout="constrained")[1]
    span = max(len(losses) // 10, 1)
    mean = np.convolve(losses, np.ones(span) / span, mode="valid")
    ax.plot(np.arange(1, len(losses) + 1), losses, color="0.75", label="each step")
    ax.plot(np.arange(span, len(losses) + 1), mean, label=f"mean of {span} steps")
    ax.set(xlabel="step", ylabel="loss", ylim=(0, None))
    ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plot_search(
    heat: np.ndarray,
    thresholds: Sequence[float],
    min_areas: Sequence[int],
    *,
    chosen: Sequence[tuple[int, int]] | None = None,
) -> Figure:
    """What `scores.search` found, (4, thresholds, min_areas), as a heat map for each class.

    Args:
        heat: from `scores.search`.
        thresholds, min_areas: the candidates.
        chosen: for each class the (threshold, min_area) indices that get the cross; by default the largest value's.
    """
    figure, axes = plt.subplots(1, 4, figsize=(13, 3), layout="constrained")
    best = chosen or [np.unravel_index(scores.argmax(), scores.shape) for scores in heat]
    for ax, scores, name, (row, column) in zip(axes, heat, NAMES, best, strict=True):
        picture = ax.imshow(scores, origin="lower", aspect="auto")
        ax.plot(column, row, "x", color="red", markersize=10, markeredgewidth=2)
        ax.set_xticks(range(len(min_areas)), min_areas, rotation=60)
        ax.set_yticks(range(len(thresholds)), thresholds)
        ax.set_title(f"{name}: {scores[row, column]:.3f}")
        figure.colorbar(picture, ax=ax)
    axes[0].set_ylabel("threshold")
    figure.supxlabel("smallest area, pixels", fontsize=10)
    return figure
