"""Figures of lesson 07. Each function draws into given axes and returns them; those with several panels the figure."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.backgrounds.compose import composite
from helpers.plots import plot_image

COLORS = {
    "argmax": "#d55e00",
    "dilate": "#cc79a7",
    "gaussian": "#56b4e9",
    "soft": "#009e73",
    "guided": "#0072b2",
    "grabcut": "#e69f00",
    "true": "#000000",
}


def checkerboard(size: tuple[int, int], *, tile: int = 16) -> np.ndarray:
    """The grey squares that stand for "nothing here": (H, W, 3) uint8."""
    rows, columns = np.indices(size) // tile
    return np.repeat(np.where((rows + columns) % 2, 205, 245).astype(np.uint8)[..., None], 3, axis=2)


def plot_cutout(image: np.ndarray, alpha: np.ndarray, *, title: str = "", ax: Axes | None = None) -> Axes:
    """The person alone, on a checkerboard.

    Args:
        image: (H, W, 3) uint8 RGB.
        alpha: (H, W) float32 in 0..1.
        title: above the picture.
        ax: where to draw; a new figure by default.
    """
    return plot_image(composite(image, checkerboard(alpha.shape), alpha), title=title, ax=ax)


def plot_alpha(alpha: np.ndarray, *, title: str = "", ax: Axes | None = None) -> Axes:
    """Alpha (H, W) in 0..1 as grey levels: white is person."""
    return plot_image(np.rint(255 * np.asarray(alpha)).astype(np.uint8), title=title, ax=ax)


def plot_closeups(
    panels: Mapping[str, np.ndarray], box: tuple[int, int, int, int], *, columns: int = 3, width: float = 12.0
) -> Figure:
    """The same part of several pictures, large, every pixel sharp.

    Args:
        panels: title → picture (H, W, 3) uint8 RGB or alpha (H, W) float in 0..1.
        box: top, bottom, left, right in pixels.
        columns: panels in a row.
        width: of the figure, in inches.
    """
    top, bottom, left, right = box
    rows = -(-len(panels) // columns)
    height = rows * (width / columns * (bottom - top) / (right - left) + 0.35)
    figure, axes = plt.subplots(rows, columns, figsize=(width, height), squeeze=False, layout="constrained")
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, (title, panel) in zip(axes.flat, panels.items(), strict=False):
        gray = panel.ndim == 2
        ax.imshow(
            panel[top:bottom, left:right],
            cmap="gray" if gray else None,
            vmin=0,
            vmax=1 if gray else 255,
            interpolation="nearest",
        )
        ax.set_title(title)
    return figure


def plot_profile(
    alphas: Mapping[str, np.ndarray], row: int, columns: slice, *, title: str = "", ax: Axes | None = None
) -> Axes:
    """Alpha along a row of pixels that crosses the person's edge, one line for each kind of edge.

    Args:
        alphas: name → alpha (H, W) in 0..1; a name of `edges.EDGES` has its colour, "true" is black.
        row: which row.
        columns: from where to where.
        title: above the axes.
        ax: where to draw; a new figure by default.
    """
    ax = ax if ax is not None else plt.subplots(figsize=(8, 3.6), layout="constrained")[1]
    places = np.arange(columns.start, columns.stop)
    for name, alpha in alphas.items():
        ax.step(
            places,
            alpha[row, columns],
            where="mid",
            label=name,
            color=COLORS.get(name),
            linewidth=3 if name == "true" else 1.8,
            alpha=0.5 if name == "true" else 1,
        )
    ax.set_xlabel(f"column (pixels), in row {row}")
    ax.set_ylabel("alpha")
    ax.set_title(title)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    return ax


def plot_errors(
    errors: Mapping[str, float] | Mapping[str, Sequence[float]],
    *,
    xlabel: str = "alpha error (%)",
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """One bar for each kind of edge, its mean; where there are several values, each as a dot.

    Args:
        errors: name → number, or one number for each portrait.
        xlabel: what the numbers are.
        title: above the bars.
        ax: where to draw; a new figure by default.
    """
    ax = ax if ax is not None else plt.subplots(figsize=(8, 0.5 * len(errors) + 1), layout="constrained")[1]
    for place, (name, values) in enumerate(errors.items()):
        values = np.atleast_1d(values)
        mean = float(np.nanmean(values))
        ax.barh(place, mean, color=COLORS.get(name, "#888888"))
        if len(values) > 1:
            ax.plot(values, np.full(len(values), place), "o", color="0.2", markersize=3, alpha=0.6)
        ax.annotate(f" {mean:.1f}", (max(mean, np.nanmax(values)), place), va="center")
    ax.set_yticks(range(len(errors)), list(errors))
    ax.invert_yaxis()
    ax.set_xlabel(xlabel)
    ax.set_title(title)
    ax.spines[["top", "right"]].set_visible(False)
    return ax
