"""Pictures of lesson 09: who worked when, and what a run costs."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

BUSY, ALONE = "#4477aa", "#ee6677"  # blue and red of Paul Tol's bright scheme, told apart by everybody


def plot_workers(spans: np.ndarray, workers: Sequence[str], *, title: str = "", ax: Axes | None = None) -> Axes:
    """Who worked when: a row for each worker, a bar for each frame; red where a worker was the only one left.

    Args:
        spans: (n, 2) begin and end of each frame in seconds, as in `Report`.
        workers: (n,) who did it.
        title: above the rows.
        ax: where to draw; a new figure by default.
    """
    spans, workers = np.asarray(spans, float), np.asarray(workers)
    names = list(dict.fromkeys(workers[np.argsort(spans[:, 0])]))
    if ax is None:
        ax = plt.subplots(figsize=(11, 0.55 * len(names) + 1.3), layout="constrained")[1]
    zero = spans[:, 0].min()
    others_end = {name: spans[workers != name, 1].max(initial=-np.inf) for name in names}
    for row, name in enumerate(names):
        own = spans[workers == name]
        alone = own[:, 0] >= others_end[name]
        for color, chosen in ((BUSY, own[~alone]), (ALONE, own[alone])):
            bars = np.column_stack([chosen[:, 0] - zero, chosen[:, 1] - chosen[:, 0]])
            ax.broken_barh(bars, (row - 0.38, 0.76), facecolor=color, edgecolor="white", linewidth=0.4)
    ax.set_yticks(range(len(names)), [f"worker {i + 1}" for i in range(len(names))])
    ax.invert_yaxis()
    ax.set_xlabel("seconds")
    ax.set_title(title)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plot_cost(
    counts: Sequence[int], hours: Sequence[float], costs: Sequence[float], *, axes: Sequence[Axes] | None = None
) -> Sequence[Axes]:
    """Hours and cost of a job against the number of machines that share it.

    Args:
        counts: numbers of machines.
        hours: that each of these takes.
        costs: that each of these costs.
        axes: two, for hours and for costs; a new figure by default.
    """
    if axes is None:
        axes = plt.subplots(1, 2, figsize=(11, 3.4), layout="constrained")[1]
    for ax, values, name in zip(axes, (hours, costs), ("hours", "cost"), strict=True):
        ax.plot(counts, values, color=BUSY, linewidth=2.5)
        ax.set_ylim(0, 1.08 * max(values))
        ax.set_xlabel("machines")
        ax.set_ylabel(name)
        ax.spines[["top", "right"]].set_visible(False)
    return axes


def plot_rates(rates: dict[str, float], *, title: str = "", ax: Axes | None = None) -> Axes:
    """Frames per second, a bar for each way to work; the first is what the others are compared with.

    Args:
        rates: name → frames per second.
        title: above the bars.
        ax: where to draw; a new figure by default.
    """
    if ax is None:
        ax = plt.subplots(figsize=(9, 0.55 * len(rates) + 1), layout="constrained")[1]
    first = next(iter(rates.values()))
    ax.barh(list(rates), list(rates.values()), color=BUSY)
    for row, rate in enumerate(rates.values()):
        ax.text(rate, row, f" {rate:.1f}, {rate / first:.2f}×", va="center")
    ax.invert_yaxis()
    ax.set_xlim(0, 1.2 * max(rates.values()))
    ax.set_xlabel("frames per second")
    ax.set_title(title)
    ax.spines[["top", "right"]].set_visible(False)
    return ax
