"""Figures of the notebooks. Each function draws one thing into given axes and returns them; `show` displays.

Functions that draw one picture take `ax=None` and return the axes; those that lay out several panels return the figure.
"""

import inspect
from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from helpers.labels import LabelSet
from helpers.masks import colorize, overlay


def show(figure: Figure | Axes | np.ndarray, alt: str = "") -> None:
    """Display a figure in the notebook, with a text for those who cannot see it, and close it.

    Args:
        figure: a figure, or axes of it.
        alt: what the figure shows, in one sentence. In the suite's notebooks it stands in the cell's metadata, out of
            the reader's way, and is written into the output when the page is made; by default the figure's titles.

    The output's metadata hold the alt text and the colours of the legends (`image/png → alt, legend`).
    """
    from IPython.display import display

    while isinstance(figure, np.ndarray):
        figure = figure.flat[0]
    figure = figure if isinstance(figure, Figure) else figure.figure
    metadata = {"alt": alt.strip() or _titles(figure)}
    if colors := _legend_colors(figure):
        metadata["legend"] = colors
    display(figure, metadata={"image/png": metadata})
    plt.close(figure)


def _titles(figure: Figure) -> str:
    titles = [figure.get_suptitle(), *(ax.get_title() for ax in figure.axes)]
    return "Figure: " + ("; ".join(dict.fromkeys(filter(None, titles))) or f"{len(figure.axes)} panels without titles")


def _legend_colors(figure: Figure) -> list[str]:
    """The opaque face colours of all legends, as "#rrggbb"."""
    legends = [*figure.legends, *(legend for ax in figure.axes if (legend := ax.get_legend()))]
    faces = [h.get_facecolor() for legend in legends for h in legend.legend_handles if isinstance(h, Patch)]
    return sorted({to_hex(face) for face in faces if face[3] == 1})


def show_source(function: Callable) -> None:
    """Show a function as it stands in `helpers`, so that what is read is what runs and what is tested."""
    from IPython.display import display
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    code = inspect.getsource(function).rstrip()
    # Styles stand in the tags: no page has to know them, and <pre> has a fixed-width font everywhere.
    html = highlight(code, PythonLexer(), HtmlFormatter(noclasses=True, nobackground=True, style="default"))
    display({"text/html": html, "text/plain": code}, raw=True)


def _axes(ax: Axes | None, figsize: tuple[float, float] = (6, 4.5)) -> Axes:
    return ax if ax is not None else plt.subplots(figsize=figsize, layout="constrained")[1]


def plot_image(image: np.ndarray, *, title: str = "", ax: Axes | None = None) -> Axes:
    """Show a picture, (H, W, 3) uint8 RGB or (H, W) / (H, W, 1) grey, without ticks."""
    ax = _axes(ax)
    gray = image.ndim == 2 or image.shape[2] == 1
    ax.imshow(np.squeeze(image), cmap="gray" if gray else None, vmin=0, vmax=255 if image.dtype == np.uint8 else None)
    ax.set_title(title)
    ax.set_axis_off()
    return ax


def plot_mask(
    mask: np.ndarray,
    label_set: LabelSet,
    *,
    title: str = "",
    palette: str = "official",
    legend: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Show class ids (H, W) in their colours; pixels are drawn sharp, never blended.

    Args:
        mask: (H, W) integers of the label set.
        label_set: gives colours and names.
        title: above the picture.
        palette: "official" or "colorblind".
        legend: name the classes that occur, beside the picture.
        ax: where to draw; a new figure by default.
    """
    ax = _axes(ax)
    ax.imshow(colorize(mask, label_set.palette(palette)), interpolation="nearest")
    ax.set_title(title)
    ax.set_axis_off()
    if legend:
        add_legend(ax, mask, label_set, palette=palette)
    return ax


def plot_ids(
    mask: np.ndarray, label_set: LabelSet, *, title: str = "", palette: str = "official", ax: Axes | None = None
) -> Axes:
    """Show a small mask as what it is: a table of numbers, each cell in its class colour.

    Args:
        mask: (H, W) integers of the label set, at most about 30 on a side.
        label_set: gives the colours.
        title: above the table.
        palette: "official" or "colorblind".
        ax: where to draw; a new figure by default.
    """
    height, width = mask.shape
    ax = _axes(ax, (0.36 * width + 0.3, 0.36 * height + 0.5))
    colors = colorize(mask, label_set.palette(palette))
    ax.imshow(colors, interpolation="nearest")
    dark = colors @ np.array([0.299, 0.587, 0.114]) < 128  # luma: which cells need white digits
    for row, column in np.ndindex(mask.shape):
        ax.text(
            column,
            row,
            str(mask[row, column]),
            ha="center",
            va="center",
            fontsize=9 if width > 8 else 14,
            color="white" if dark[row, column] else "black",
        )
    ax.set_xticks(np.arange(0.5, width - 1), labels=[])
    ax.set_yticks(np.arange(0.5, height - 1), labels=[])
    ax.grid(color="white", linewidth=0.8)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_title(title)
    return ax


def add_legend(
    ax: Axes, mask: np.ndarray, label_set: LabelSet, *, palette: str = "official", loc: str = "side", most: int = 12
) -> Axes:
    """Name the classes that occur in a mask, the largest first, with their share of the labelled pixels.

    Args:
        ax: axes to put the legend beside ("side") or into ("center").
        mask: (H, W) integers of the label set.
        label_set: gives colours and names.
        palette: "official" or "colorblind".
        loc: "side" or "center".
        most: name this many; a last line counts the others, so that a long legend doesn't squeeze the pictures.
    """
    counts = np.bincount(np.ravel(mask), minlength=256)[: label_set.num_classes].astype(float)
    if label_set.ignore_index is not None and label_set.ignore_index < label_set.num_classes:
        counts[label_set.ignore_index] = 0
    colors = label_set.palette(palette) / 255
    present = [i for i in np.argsort(-counts, kind="stable") if counts[i] > 0]
    handles = [
        Patch(
            facecolor=colors[i],
            edgecolor="0.4",
            label=f"{label_set.class_names[i]}  {_percent(counts[i] / counts.sum())}",
        )
        for i in present[:most]
    ]
    if len(present) > most:
        handles.append(Patch(visible=False, label=f"and {len(present) - most} smaller"))
    place = {"loc": "center left", "bbox_to_anchor": (1, 0.5)} if loc == "side" else {"loc": loc}
    ax.legend(handles=handles, frameon=False, fontsize=9, handlelength=1.2, handleheight=1.2, **place)
    return ax


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "< 1 %"


def vis_segmentation(
    image: np.ndarray,
    mask: np.ndarray,
    label_set: LabelSet,
    *,
    alpha: float = 0.6,
    palette: str = "official",
    titles: Sequence[str] = ("picture", "segmentation map", "overlay"),
) -> Figure:
    """Picture, segmentation map, overlay and legend in one row, as readers of the driving-scene tutorial know it.

    Args:
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) integers, of the picture's size.
        label_set: gives colours, names and the ignore id.
        alpha: how strongly the overlay is coloured, 0 … 1.
        palette: "official" or "colorblind".
        titles: of the three pictures.
    """
    figure, axes = _row_with_legend(image.shape, mask, label_set, palette)
    laid = overlay(image, mask, label_set.palette(palette), alpha=alpha, ignore_index=label_set.ignore_index)
    plot_image(image, title=titles[0], ax=axes[0])
    plot_mask(mask, label_set, title=titles[1], palette=palette, ax=axes[1])
    plot_image(laid, title=titles[2], ax=axes[2])
    return figure


def vis_prediction(
    image: np.ndarray,
    target: np.ndarray,
    pred: np.ndarray,
    label_set: LabelSet,
    *,
    palette: str = "official",
    titles: Sequence[str] = ("picture", "target", "prediction"),
) -> Figure:
    """Picture, target and prediction in one row, with the legend of the target's classes.

    Args:
        image: (H, W, 3) uint8 RGB.
        target, pred: (H, W) integers, of the picture's size.
        label_set: gives colours and names.
        palette: "official" or "colorblind".
        titles: of the three pictures.
    """
    figure, axes = _row_with_legend(image.shape, target, label_set, palette)
    plot_image(image, title=titles[0], ax=axes[0])
    plot_mask(target, label_set, title=titles[1], palette=palette, ax=axes[1])
    plot_mask(pred, label_set, title=titles[2], palette=palette, ax=axes[2])
    return figure


def _row_with_legend(
    shape: tuple[int, ...], mask: np.ndarray, label_set: LabelSet, palette: str
) -> tuple[Figure, np.ndarray]:
    """Three empty axes for pictures of this shape, and the legend of a mask to their right."""
    height = 4.0 * shape[0] / shape[1] + 0.5
    figure, axes = plt.subplots(1, 4, figsize=(14, height), width_ratios=[4, 4, 4, 1.9], layout="constrained")
    axes[3].set_axis_off()
    add_legend(axes[3], mask, label_set, palette=palette, loc="center")
    return figure, axes[:3]


def plot_grid(
    panels: Sequence[np.ndarray], *, titles: Sequence[str] = (), columns: int = 3, width: float = 12.0
) -> Figure:
    """Show pictures in a grid.

    Args:
        panels: pictures (H, W, 3) uint8 RGB or (H, W) grey, of any sizes.
        titles: one for each picture, or none at all.
        columns: pictures in a row.
        width: of the figure, in inches.
    """
    if not panels:
        raise ValueError("no pictures to show")
    if titles and len(titles) != len(panels):
        raise ValueError(f"{len(titles)} titles for {len(panels)} pictures; give one each, or none")
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    shape = np.mean([p.shape[0] / p.shape[1] for p in panels])
    height = rows * (width / columns * shape + (0.35 if titles else 0.05))
    figure, axes = plt.subplots(rows, columns, figsize=(width, height), squeeze=False, layout="constrained")
    for ax in axes.flat:
        ax.set_axis_off()
    for i, panel in enumerate(panels):
        plot_image(panel, title=titles[i] if titles else "", ax=axes.flat[i])
    return figure


def plot_class_bars(
    scores: Sequence[float], label_set: LabelSet, *, title: str = "", xlabel: str = "IoU", ax: Axes | None = None
) -> Axes:
    """One bar a class, best first, in the class colours; classes without a score (NaN) are named as absent.

    Args:
        scores: (C,) values in 0 … 1, NaN for a class that does not occur, e.g. `ConfusionMatrix.iou()`.
        label_set: gives C names and colours.
        title: above the bars.
        xlabel: name of the score.
        ax: where to draw; a new figure by default.
    """
    scores = np.asarray(scores, float)
    if len(scores) != label_set.num_classes:
        raise ValueError(f"{len(scores)} scores for the {label_set.num_classes} classes of {label_set.name}")
    ax = _axes(ax, (6, 0.28 * len(scores) + 0.8))
    order = np.argsort(np.nan_to_num(scores, nan=-1), kind="stable")
    colors = label_set.colors[order] / 255
    ax.barh(range(len(order)), np.nan_to_num(scores[order]), color=colors, edgecolor="0.35", linewidth=0.5)
    ax.set_yticks(range(len(order)), [label_set.class_names[i] for i in order])
    for y, score in enumerate(scores[order]):
        ax.text(
            0.01 + np.nan_to_num(score), y, "absent" if np.isnan(score) else f"{score:.2f}", va="center", fontsize=9
        )
    ax.set_xlim(0, 1.12)
    ax.set_xlabel(xlabel)
    ax.set_title(title)
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines["bottom"].set_bounds(0, 1)
    return ax


def plot_confusion(matrix: np.ndarray, class_names: Sequence[str], *, title: str = "", ax: Axes | None = None) -> Axes:
    """Confusion matrix as a heat map: each row shows where the pixels of one true class went, in %.

    Args:
        matrix: (C, C) counts, rows true, columns predicted.
        class_names: C names.
        title: above the map.
        ax: where to draw; a new figure by default.
    """
    total = matrix.sum(1, keepdims=True)
    shares = np.divide(100 * matrix, total, out=np.full(matrix.shape, np.nan), where=total > 0)
    side = 0.42 * len(class_names) + 2
    ax = _axes(ax, (side, side))
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=100)
    ax.set_xticks(range(len(class_names)), class_names, rotation=60, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(class_names)), class_names)
    for row, column in zip(*np.where(shares >= 1), strict=True):
        value = shares[row, column]
        ax.text(
            column, row, f"{value:.0f}", ha="center", va="center", fontsize=8, color="white" if value > 55 else "black"
        )
    ax.set_xlabel("predicted")
    ax.set_ylabel("true")
    ax.set_title(title)
    return ax
