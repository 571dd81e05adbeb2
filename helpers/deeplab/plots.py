"""Figures of the DeepLab lesson: atrous kernels, where a network looks, confidence, size against time and quality."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from helpers.plots import plot_image

BRANCH_COLORS = ("#0072b2", "#e69f00", "#d55e00", "#cc79a7")  # Okabe and Ito: safe for colour-blind readers


def plot_responses(responses: Mapping[str, np.ndarray]) -> Figure:
    """Small arrays side by side, the cells that are not zero filled: what a convolution answers to a single dot.

    Args:
        responses: title → (H, W) numbers; all of one size.
    """
    figure, axes = plt.subplots(
        1, len(responses), figsize=(2.9 * len(responses), 3.2), layout="constrained", squeeze=False
    )
    for i, (ax, (title, response)) in enumerate(zip(axes.flat, responses.items(), strict=True)):
        height, width = response.shape
        ax.imshow(np.ma.masked_equal(response != 0, False), cmap=_one_color(BRANCH_COLORS[i % len(BRANCH_COLORS)]))
        ax.plot((width - 1) / 2, (height - 1) / 2, "k.", markersize=5)
        ax.set_xticks(np.arange(-0.5, width), labels=[])
        ax.set_yticks(np.arange(-0.5, height), labels=[])
        ax.grid(color="0.8", linewidth=0.6)
        ax.tick_params(length=0)
        ax.set_title(title, fontsize=11)
    return figure


def _one_color(color: str):
    return plt.matplotlib.colors.ListedColormap([color])


def plot_taps(
    image: np.ndarray, point: tuple[int, int], *, rates: Sequence[int], stride: int, ax: Axes | None = None
) -> Axes:
    """Where the 3 × 3 kernels of several rates look when they decide about one point, the grey margin around included.

    Args:
        image: (H, W, 3) uint8 RGB.
        point: (row, column) in pixels.
        rates: of the atrous convolutions.
        stride: how many pixels of the picture one step in the feature map is (the output stride).
        ax: where to draw; a new figure by default.
    """
    height, width = image.shape[:2]
    reach = max(rates, default=0) * stride
    left, right = min(0, point[1] - reach) - 12, max(width, point[1] + reach) + 12
    top, bottom = min(0, point[0] - reach) - 12, max(height, point[0] + reach) + 12
    shape = (bottom - top) / (right - left)
    ax = plot_image(image, ax=ax or plt.subplots(figsize=(9, 9 * shape + 0.4), layout="constrained")[1])
    ax.add_patch(Rectangle((left, top), right - left, bottom - top, color="0.85", zorder=-1))  # read as zeros
    steps = np.array([(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1)])
    for i, rate in enumerate(rates):
        rows, columns = (np.array(point) + steps * rate * stride).T
        ax.scatter(
            columns,
            rows,
            s=150,
            marker="osD^"[i % 4],
            color=BRANCH_COLORS[i % len(BRANCH_COLORS)],
            edgecolor="white",
            linewidth=1.5,
            label=f"rate {rate}: {rate * stride} px apart",
            zorder=3 + i,
        )
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    if rates:
        ax.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            ncols=len(rates),
            frameon=False,
            handletextpad=0.2,
            columnspacing=1.2,
            fontsize=9,
        )
    return ax


def plot_confidence(confidence: np.ndarray, *, title: str = "", ax: Axes | None = None) -> Axes:
    """Map of the highest probability of each pixel: bright where the network is sure.

    Args:
        confidence: (H, W) floats in 0 … 1.
        title: above the map.
        ax: where to draw; a new figure by default.
    """
    ax = ax or plt.subplots(figsize=(6, 4.5), layout="constrained")[1]
    drawn = ax.imshow(confidence, cmap="viridis", vmin=0, vmax=1)
    ax.figure.colorbar(drawn, ax=ax, shrink=0.8, label="highest probability")
    ax.set_title(title)
    ax.set_axis_off()
    return ax


def plot_trade_off(
    sizes: Sequence[int],
    seconds: Sequence[float],
    scores: Sequence[float],
    *,
    ylabel: str = "mIoU",
    ax: Axes | None = None,
) -> Axes:
    """Quality against time, one point for each input size.

    Args:
        sizes: longest side of the network's input in pixels.
        seconds: time for one picture at each size.
        scores: quality at each size, 0 … 1.
        ylabel: name of the score.
        ax: where to draw; a new figure by default.
    """
    ax = ax or plt.subplots(figsize=(6.5, 4), layout="constrained")[1]
    milliseconds = np.asarray(seconds) * 1000
    ax.plot(milliseconds, scores, "o-", color=BRANCH_COLORS[0])
    for size, x, y in zip(sizes, milliseconds, scores, strict=True):
        ax.annotate(f"{size} px", (x, y), xytext=(6, -14), textcoords="offset points", fontsize=10)
    ax.set_xlim(0, 1.15 * milliseconds.max())
    ax.set_ylim(0, 1.1 * max(scores))  # from zero, so that small differences look small
    ax.set_xlabel("milliseconds for one picture")
    ax.set_ylabel(ylabel)
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    return ax
