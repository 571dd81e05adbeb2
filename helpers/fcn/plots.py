"""Figures of the FCN lesson: convolution by numbers, costs, a palette, maps of probability, models compared."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from helpers.fcn.inspect import Stage
from helpers.fcn.models import Published
from helpers.labels import LabelSet
from helpers.plots import plot_image

BLUE, ORANGE, RED = "#0072b2", "#e69f00", "#d55e00"  # Okabe and Ito: safe for colour-blind readers


def plot_convolutions(
    image: np.ndarray, kernel: np.ndarray, settings: Sequence[tuple[int, int]], *, at: tuple[int, int] = (0, 0)
) -> Figure:
    """One small convolution drawn for several strides and paddings: input above, output below, one window marked.

    Args:
        image: (H, W) numbers, at most about 8 on a side.
        kernel: (h, w) numbers, drawn at the left.
        settings: (stride, padding) of each drawing.
        at: row and column of the output cell that is marked, with the window it comes from.
    """
    drawings = [(stride, padding, np.pad(image, padding)) for stride, padding in settings]
    outputs = [_convolved(padded, kernel, stride) for stride, _, padded in drawings]
    width = max(padded.shape[1] for _, _, padded in drawings)
    height = max(len(padded) + 1 + len(output) for (*_, padded), output in zip(drawings, outputs, strict=True))
    figure, axes = plt.subplots(
        1,
        len(settings) + 1,
        figsize=(1.5 + 0.45 * width * len(settings), 0.42 * height + 0.5),
        width_ratios=[kernel.shape[1] + 0.5] + [width] * len(settings),
        layout="constrained",
    )
    _draw_cells(axes[0], kernel, (0, 0), face=ORANGE)
    axes[0].set_title("kernel")
    for ax, (stride, padding, padded), output in zip(axes[1:], drawings, outputs, strict=True):
        _draw_cells(ax, padded, (0, 0), border=padding)
        below = padded.shape[0] + 1
        left = (padded.shape[1] - output.shape[1]) / 2
        _draw_cells(ax, output, (left, below), face=BLUE)
        row, column = at
        _frame(ax, column * stride, row * stride, kernel.shape, ORANGE)
        _frame(ax, left + column, below + row, (1, 1), ORANGE)
        ax.set_title(f"stride {stride}, padding {padding}\n{_size(image)} → {_size(output)}")
    for ax in axes:  # one scale for all, so that a cell is as large everywhere
        ax.set_xlim(-0.1, ax.dataLim.x1 + 0.1)
        ax.set_ylim(height + 0.1, -0.1)
        ax.set_aspect("equal", anchor="N")
        ax.set_axis_off()
    return figure


def _convolved(image: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    images, weights = (torch.from_numpy(array).float()[None, None] for array in (image, kernel))
    return torch.nn.functional.conv2d(images, weights, stride=stride)[0, 0].numpy()


def plot_numbers(panels: Mapping[str, np.ndarray]) -> Figure:
    """Small arrays side by side as tables of numbers, larger ones in a darker blue.

    Args:
        panels: title → (H, W) numbers; a table of half the size is drawn half as large.
    """
    widths = [values.shape[1] for values in panels.values()]
    tallest = max(values.shape[0] for values in panels.values())
    figure, axes = plt.subplots(
        1,
        len(panels),
        figsize=(0.42 * (sum(widths) + len(widths)), 0.42 * tallest + 0.5),
        width_ratios=widths,
        layout="constrained",
        squeeze=False,
    )
    highest = max(values.max() for values in panels.values())
    for ax, (title, values) in zip(axes.flat, panels.items(), strict=True):
        ax.imshow(values, cmap="Blues", vmin=0, vmax=1.3 * highest)
        for row, column in np.ndindex(values.shape):
            dark = values[row, column] > 0.8 * highest
            ax.text(
                column,
                row,
                f"{values[row, column]:.3g}",
                ha="center",
                va="center",
                fontsize=9,
                color="white" if dark else "black",
            )
        ax.set_title(title, fontsize=11)
        ax.set_axis_off()
        ax.set_anchor("N")
    return figure


def _draw_cells(
    ax: Axes, values: np.ndarray, corner: tuple[float, float], *, face: str = "0.5", border: int = 0
) -> None:
    """A table of numbers with its upper left corner there; `border` cells on each side are drawn as padding."""
    left, top = corner
    height, width = values.shape
    for row, column in np.ndindex(values.shape):
        inside = border <= row < height - border and border <= column < width - border
        ax.add_patch(
            Rectangle(
                (left + column, top + row),
                1,
                1,
                facecolor=(face if inside else "white"),
                alpha=0.35 if inside else 1,
                edgecolor="white" if inside else "0.8",
                linestyle="-" if inside else ":",
            )
        )
        ax.text(
            left + column + 0.5,
            top + row + 0.55,
            f"{values[row, column]:g}",
            ha="center",
            va="center",
            fontsize=10,
            color="black" if inside else "0.6",
        )


def _frame(ax: Axes, left: float, top: float, shape: tuple[int, int], color: str) -> None:
    ax.add_patch(Rectangle((left, top), shape[1], shape[0], fill=False, edgecolor=color, linewidth=3, zorder=3))


def _size(values: np.ndarray) -> str:
    return f"{values.shape[0]} × {values.shape[1]}"


def plot_costs(stages: Sequence[Stage], size: tuple[int, int], *, ax: Axes | None = None) -> Axes:
    """Multiply-adds of each stage of a network: as it is, and if nothing had shrunk the picture.

    Args:
        stages: from `inspect.stages`.
        size: (height, width) of the network's input.
        ax: where to draw; a new figure by default.
    """
    ax = ax or plt.subplots(figsize=(8, 0.55 * len(stages) + 1.2), layout="constrained")[1]
    places = np.arange(len(stages))
    as_is = np.array([stage.multiply_adds for stage in stages]) / 1e9
    in_full = np.array([stage.weights * size[0] * size[1] for stage in stages]) / 1e9
    for shift, costs, color, name in ((-0.2, as_is, BLUE, "as it is"), (0.2, in_full, ORANGE, "at full resolution")):
        ax.barh(places + shift, costs, height=0.38, color=color, label=f"{name}: {costs.sum():.3g} billion")
        for place, cost in zip(places, costs, strict=True):
            ax.text(cost, place + shift, f" {cost:.0f}" if cost >= 10 else f" {cost:.2g}", va="center", fontsize=9)
    ax.set_yticks(places, [f"{stage.convolutions} at {stage.size[0]} × {stage.size[1]}" for stage in stages])
    ax.invert_yaxis()
    ax.set_xlim(0, 1.12 * in_full.max())
    ax.set_xlabel("billions of multiply-adds")
    ax.set_ylabel("convolutions")
    ax.legend(frameon=False, loc="lower right")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plot_palette(label_set: LabelSet, *, columns: int = 7) -> Axes:
    """A label set as a chart: each class in its colour, with id and name.

    Args:
        label_set: gives names and colours.
        columns: classes in a row.
    """
    rows = -(-label_set.num_classes // columns)
    ax = plt.subplots(figsize=(1.45 * columns, 0.62 * rows), layout="constrained")[1]
    for class_id, (name, color) in enumerate(zip(label_set.class_names, label_set.colors / 255, strict=True)):
        row, column = divmod(class_id, columns)
        ax.add_patch(Rectangle((column, row), 1, 1, facecolor=color, edgecolor="white", linewidth=2))
        dark = color @ (0.299, 0.587, 0.114) < 0.5  # luma: which cells need white letters
        ax.text(
            column + 0.5,
            row + 0.5,
            f"{class_id} {name}",
            ha="center",
            va="center",
            fontsize=10,
            color="white" if dark else "black",
        )
    ax.set_xlim(0, columns)
    ax.set_ylim(rows, 0)
    ax.set_axis_off()
    return ax


def plot_probabilities(
    probs: np.ndarray, label_set: LabelSet, class_ids: Sequence[int], *, width: float = 12.0
) -> Figure:
    """One map of probability for each of some classes, all on the same scale.

    Args:
        probs: (C, H, W) floats in 0 … 1.
        label_set: names the C classes.
        class_ids: which to show.
        width: of the figure, in inches.
    """
    maps = {label_set.class_names[i]: probs[i] for i in class_ids}
    return plot_maps(maps, label="probability", cmap="viridis", width=width)


def plot_maps(
    maps: Mapping[str, np.ndarray], *, label: str, cmap: str = "magma", columns: int = 3, width: float = 12.0
) -> Figure:
    """Maps of numbers in 0 … 1 in a grid, on one scale; a picture (H, W, 3) among them is shown as it is.

    Args:
        maps: title → (H, W) floats in 0 … 1, or (H, W, 3) uint8 RGB.
        label: what the numbers are, beside the scale.
        cmap: matplotlib's name of the colours.
        columns: panels in a row.
        width: of the figure, in inches.
    """
    columns = min(columns, len(maps))
    rows = -(-len(maps) // columns)
    shape = next(iter(maps.values())).shape
    height = rows * ((width - 0.8) / columns * shape[0] / shape[1] + 0.35)
    figure, axes = plt.subplots(rows, columns, figsize=(width, height), layout="constrained", squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, (title, values) in zip(axes.flat, maps.items(), strict=False):
        if values.ndim == 3:
            plot_image(values, title=title, ax=ax)
        else:
            drawn = ax.imshow(values, cmap=cmap, vmin=0, vmax=1)
            ax.set_title(title)
    figure.colorbar(drawn, ax=axes, label=label, shrink=0.9, pad=0.01)
    return figure


def plot_models(models: Mapping[str, Published], *, ax: Axes | None = None) -> Axes:
    """Published quality against cost: one disc a model, its area the size of the file.

    Args:
        models: name → what is published of it.
        ax: where to draw; a new figure by default.
    """
    ax = ax or plt.subplots(figsize=(9, 4.6), layout="constrained")[1]
    for name, facts in models.items():
        ax.scatter(facts.gflops, facts.miou, s=3 * facts.megabytes, color=BLUE, alpha=0.55)
        ax.annotate(
            f"{name}, {facts.megabytes:.0f} MB",
            (facts.gflops, facts.miou),
            fontsize=9,
            ha="right",
            va="center",
            xytext=(-4 - np.sqrt(facts.megabytes), 0),
            textcoords="offset points",
        )
    ax.set_xscale("log")
    ax.set_xlim(left=0.1 * min(facts.gflops for facts in models.values()))
    ax.margins(y=0.15)
    ax.set_xlabel("billions of multiply-adds for one picture (logarithmic)")
    ax.set_ylabel("published mIoU, %")
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    return ax
