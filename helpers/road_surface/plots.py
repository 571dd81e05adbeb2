"""Figures of the road lesson: named surfaces, class shares, weights, results side by side, before and after."""

from collections.abc import Mapping, Sequence

import cv2
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from helpers.labels import RTK
from helpers.masks import overlay
from helpers.plots import plot_grid, plot_image

NAMES = {
    "roadAsphalt": "asphalt",
    "roadPaved": "paved",
    "roadUnpaved": "unpaved",
    "roadMarking": "marking",
    "speedBump": "speed bump",
    "catsEye": "cat's eye",
    "stormDrain": "storm drain",
    "manholeCover": "manhole",
    "patchs": "patch",
    "waterPuddle": "puddle",
    "cracks": "crack",
}
COMMON = 4  # ids below are background and the pavements


def readable(name: str) -> str:
    """RTK's name of a class as one would say it.

    >>> readable("catsEye")
    "cat's eye"
    """
    return NAMES.get(name, name)


def _axes(ax: Axes | None, figsize: tuple[float, float]) -> Axes:
    if ax is None:
        ax = plt.subplots(figsize=figsize, layout="constrained")[1]
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plot_named(
    image: np.ndarray, mask: np.ndarray, *, title: str = "", smallest: int = 12, ax: Axes | None = None
) -> Axes:
    """A picture with the outline and the name of everything that lies on the road.

    Args:
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) RTK ids.
        title: above the picture.
        smallest: pixels; smaller things get an outline but no name.
        ax: where to draw; a new figure by default.
    """
    ax = plot_image(image, title=title, ax=_axes(ax, (10, 8.4)))
    for label in np.unique(mask[mask >= COMMON]):
        color = RTK.colors[label] / 255
        count, parts, stats, centres = cv2.connectedComponentsWithStats((mask == label).astype(np.uint8))
        ax.contour(mask == label, levels=[0.5], colors=["black"], linewidths=2.6)
        ax.contour(mask == label, levels=[0.5], colors=[color], linewidths=1.4)
        for part in range(1, count):
            if stats[part, cv2.CC_STAT_AREA] >= max(smallest, 0.15 * np.count_nonzero(mask == label)):
                x, y = centres[part]
                ax.annotate(
                    readable(RTK.class_names[label]),
                    (x, y),
                    (x, y - 22 if y > 150 else y - 44),
                    ha="center",
                    color="white",
                    fontsize=11,
                    bbox={"facecolor": "black", "alpha": 0.75, "pad": 2, "linewidth": 0},
                    arrowprops={"arrowstyle": "-", "color": "white"},
                )
    return ax


def plot_shares(shares: Mapping[str, np.ndarray], *, ax: Axes | None = None) -> Axes:
    """How common each class is, on a logarithmic scale: bars for the first split, diamonds for the others.

    Args:
        shares: name of a split → (13,) shares of all pixels.
        ax: where to draw; a new figure by default.
    """
    (first_name, first), *others = shares.items()
    order = np.argsort(first, kind="stable")
    ax = _axes(ax, (9, 4.6))
    smallest = min(share[share > 0].min() for share in shares.values())
    ax.barh(range(len(order)), first[order], color=RTK.colors[order] / 255, edgecolor="0.35", linewidth=0.6)
    for name, share in others:
        ax.plot(share[order], range(len(order)), "D", color="white", markeredgecolor="black", label=name)
    ax.set(xscale="log", xlim=(smallest / 2, 1), xlabel=f"share of all pixels (bars: {first_name})")
    ax.set_yticks(range(len(order)), [f"{readable(RTK.class_names[i])}  {first[i]:.3%}" for i in order])
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=3))
    ax.legend(frameon=False, loc="lower right")
    return ax


def plot_weights(schemes: Mapping[str, np.ndarray], counts: np.ndarray, *, ax: Axes | None = None) -> Axes:
    """The weights that several schemes give, class by class, on a logarithmic scale.

    Args:
        schemes: name → (13,) weights; a weight of 0 is drawn at the left edge.
        counts: (13,) pixels of each class; the commonest comes first.
        ax: where to draw; a new figure by default.
    """
    order = np.argsort(-np.asarray(counts), kind="stable")
    ax = _axes(ax, (9, 4.2))
    positive = np.concatenate([weights[weights > 0] for weights in schemes.values()])
    edge = positive.min() / 3
    for (name, weights), marker in zip(schemes.items(), "os^Dv", strict=False):
        places = np.where(weights > 0, weights, edge)[order]
        ax.plot(places, range(len(order)), marker, label=name, markersize=7, alpha=0.85)
    ax.set(xscale="log", xlim=(edge / 1.5, positive.max() * 2), xlabel="weight in the loss (at the left edge: 0)")
    ax.set_yticks(range(len(order)), [readable(RTK.class_names[i]) for i in order])
    ax.invert_yaxis()
    ax.grid(axis="y", alpha=0.3)
    ax.legend(frameon=False, loc="upper right")
    return ax


def plot_results(
    images: Sequence[np.ndarray], masks: Mapping[str, Sequence[np.ndarray]], *, width: float = 11.0
) -> Figure:
    """A row for each picture: the picture, then each of the masks laid over it.

    Args:
        images: (H, W, 3) uint8 RGB each.
        masks: title of a column → a mask (H, W) for each picture.
        width: of the figure, in inches.
    """
    rows, columns = len(images), 1 + len(masks)
    height = sum(width / columns * image.shape[0] / image.shape[1] for image in images) + 0.3
    figure, axes = plt.subplots(rows, columns, figsize=(width, height), squeeze=False, layout="constrained")
    palette = RTK.palette()
    for row, image in enumerate(images):
        plot_image(image, title="" if row else "picture", ax=axes[row, 0])
        for ax, (title, column) in zip(axes[row, 1:], masks.items(), strict=True):
            shown = overlay(image, column[row], palette, alpha=0.75, ignore_index=0)
            plot_image(shown, title="" if row else title, ax=ax)
    return figure


def plot_before_after(
    before: Sequence[np.ndarray],
    after: Sequence[np.ndarray],
    pixels: np.ndarray,
    *,
    names: tuple[str, str] = ("stage one", "stage two"),
    ax: Axes | None = None,
) -> Axes:
    """IoU of each class before and after, one point for each seed, the commonest class on top.

    Args:
        before, after: (13,) IoU of each seed, NaN where a class is absent.
        pixels: (13,) pixels of each class in the pictures that were scored; printed beside its name.
        names: of the two trainings.
        ax: where to draw; a new figure by default.
    """
    before, after, pixels = np.array(before), np.array(after), np.asarray(pixels)
    order = np.argsort(-pixels, kind="stable")
    ax = _axes(ax, (9, 5.2))
    for y, label in enumerate(order):
        a, b = np.nanmean(before[:, label]), np.nanmean(after[:, label])
        ax.annotate("", (b, y), (a, y), arrowprops={"arrowstyle": "->", "color": "0.5", "linewidth": 1.6})
        ax.plot(before[:, label], [y] * len(before), "o", color="tab:blue", label=names[0] if y == 0 else None)
        ax.plot(after[:, label], [y] * len(after), "s", color="tab:orange", label=names[1] if y == 0 else None)
    ax.axvline(0.2, color="0.6", linestyle=":", linewidth=1)
    ax.set_yticks(range(len(order)), [f"{readable(RTK.class_names[i])}  {pixels[i]:,} px" for i in order])
    ax.set(xlim=(-0.02, 1.02), xlabel="IoU (dotted line, 0.2: above it a class counts as found)")
    ax.invert_yaxis()
    ax.legend(frameon=False, loc="lower right")
    return ax


def plot_methods(runs: Mapping[str, Sequence[tuple[int, float, float]]], *, figsize=(10, 4.4)) -> Figure:
    """What several ways to treat rare classes find and cost: a point for each seed.

    Args:
        runs: name of a way → (classes found, mean IoU, mean IoU of the pavements) of each seed.
        figsize: inches.
    """
    figure, axes = plt.subplots(1, 3, figsize=figsize, sharey=True, layout="constrained")
    titles = ("classes above 0.2 IoU, of 12", "mean IoU", "mean IoU of the pavements")
    for column, (ax, title) in enumerate(zip(axes, titles, strict=True)):
        for y, values in enumerate(runs.values()):
            points = [value[column] for value in values]
            ax.plot(points, [y] * len(points), "o-", color="tab:blue", markersize=7, alpha=0.8)
        ax.set_title(title, fontsize=10)
        ax.grid(axis="both", alpha=0.3)
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_yticks(range(len(runs)), list(runs))
    axes[0].invert_yaxis()
    return figure


def plot_voices(voices: Mapping[str, np.ndarray], *, ax: Axes | None = None) -> Axes:
    """Who decides the loss: a bar for each way to weigh, divided among the classes.

    Args:
        voices: name → (13,) shares that sum to 1.
        ax: where to draw; a new figure by default.
    """
    ax = _axes(ax, (10, 0.7 * len(voices) + 1.9))
    left = np.zeros(len(voices))
    table = np.array(list(voices.values()))
    for label, color in enumerate(RTK.colors / 255):
        ax.barh(range(len(voices)), table[:, label], left=left, color=color, edgecolor="0.35", linewidth=0.5)
        for y in np.flatnonzero(table[:, label] > 0.045):
            light = color @ (0.3, 0.6, 0.1) > 0.5
            ax.text(
                left[y] + table[y, label] / 2,
                y,
                readable(RTK.class_names[label]).replace(" ", "\n"),
                ha="center",
                va="center",
                fontsize=8,
                color="black" if light else "white",
            )
        left += table[:, label]
    ax.set_yticks(range(len(voices)), list(voices))
    ax.set(xlim=(0, 1), xlabel="share of the loss")
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.invert_yaxis()
    return ax


def plot_crops(images: np.ndarray, masks: np.ndarray, *, columns: int = 4, width: float = 11.0) -> Figure:
    """A batch as the network gets it: each crop with its classes painted over it.

    Args:
        images: (B, H, W, 3) uint8 RGB.
        masks: (B, H, W) RTK ids.
        columns: crops in a row.
        width: of the figure, in inches.
    """
    palette = RTK.palette()
    panels = [
        overlay(image, mask, palette, alpha=0.55, ignore_index=0) for image, mask in zip(images, masks, strict=True)
    ]
    return plot_grid(panels, columns=columns, width=width)
