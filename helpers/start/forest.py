"""Lesson 00: one scene seen by four tasks, colours as colour-blind readers see them, and a baseline without networks.

The baseline is what people did before networks: describe each pixel by a few numbers taken from its surroundings, and
let a random forest vote on its class, pixel by pixel.
"""

from collections.abc import Iterable
from typing import NamedTuple

import cv2
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from sklearn.ensemble import RandomForestClassifier

from helpers.colors import evenly_spaced_colors, simulate_deuteranopia
from helpers.labels import LabelSet
from helpers.masks import colorize, overlay
from helpers.plots import plot_image, plot_mask


class Instance(NamedTuple):
    """One object of a scene."""

    id: int
    class_id: int
    box: tuple[int, int, int, int]  # left, top, width, height in pixels
    pixels: int


def find_instances(mask: np.ndarray, instances: np.ndarray, *, min_pixels: int = 1) -> list[Instance]:
    """Class, box and size of each object, the largest first.

    Args:
        mask: (H, W) integer class ids.
        instances: (H, W) integers, another number for each object; 0 where there is none.
        min_pixels: smaller objects are left out.

    Returns:
        One `Instance` for each number; its class is the one that most of its pixels have.

    >>> find_instances(np.array([[0, 13, 13]]), np.array([[0, 7, 7]]))
    [Instance(id=7, class_id=13, box=(1, 0, 2, 1), pixels=2)]
    """
    if mask.shape != instances.shape:
        raise ValueError(f"mask has shape {mask.shape}, instances {instances.shape}; they belong to one picture")
    found = []
    for number in np.unique(instances[instances > 0]):
        inside = instances == number
        pixels = int(inside.sum())
        if pixels >= min_pixels:
            class_id = int(np.bincount(mask[inside]).argmax())
            found.append(Instance(int(number), class_id, cv2.boundingRect(inside.astype(np.uint8)), pixels))
    return sorted(found, key=lambda instance: -instance.pixels)


def plot_tasks(
    image: np.ndarray, mask: np.ndarray, instances: np.ndarray, label_set: LabelSet, *, min_share: float = 0.001
) -> Figure:
    """What classification, detection, semantic and instance segmentation answer for the same picture.

    Args:
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) class ids.
        instances: (H, W) object numbers, 0 where there is none.
        label_set: gives names and colours.
        min_share: objects that cover less of the picture get no box and no colour of their own.
    """
    objects = find_instances(mask, instances, min_pixels=round(min_share * mask.size))
    names = sorted({label_set.class_names[found.class_id] for found in objects})
    figure, axes = plt.subplots(2, 2, figsize=(9, 9 * image.shape[0] / image.shape[1] + 0.6), layout="constrained")
    classification, detection, semantic, instance = axes.flat

    plot_image(image, title="classification: what is in the picture?", ax=classification)
    classification.text(
        0.03,
        0.04,
        "\n".join(names),
        transform=classification.transAxes,
        fontsize=11,
        va="bottom",
        bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none"},
    )

    plot_image(image, title="detection: where is each object?", ax=detection)
    named: list[tuple[float, float]] = []
    for found in objects:
        left, top, width, height = found.box
        color = label_set.colors[found.class_id] / 255
        detection.add_patch(Rectangle((left, top), width, height, fill=False, linewidth=2, edgecolor=color))
        at_edge = left > 0.85 * image.shape[1]  # there the name ends where the box ends, to stay in the picture
        x, y = left + width if at_edge else left, max(top - 3, 12)
        if any(abs(x - other) < 0.12 * mask.shape[1] and abs(y - line) < 0.05 * mask.shape[0] for other, line in named):
            continue  # names would lie over each other; the box's colour says the class, too
        named.append((x, y))
        detection.text(
            x,
            y,
            label_set.class_names[found.class_id],
            ha="right" if at_edge else "left",
            va="bottom",
            fontsize=8,
            color="white",
            bbox={"facecolor": color, "edgecolor": "none", "pad": 1},
        )

    plot_mask(mask, label_set, title="semantic segmentation: what class is each pixel?", ax=semantic)

    order = np.zeros(int(instances.max()) + 1, np.intp)  # object number → its place in the list, counted from 1
    for place, found in enumerate(objects, start=1):
        order[found.id] = place
    palette = np.vstack([[[0, 0, 0]], evenly_spaced_colors(max(1, len(objects)))])
    laid = overlay(image, order[instances], palette, alpha=0.75, ignore_index=0)
    plot_image(laid, title="instance segmentation: which object is each pixel?", ax=instance)
    return figure


def as_seen_with_deuteranopia(palette: np.ndarray) -> np.ndarray:
    """A palette as a person without green cones sees it.

    Args:
        palette: (N, 3) uint8 RGB.

    Returns:
        (N, 3) uint8 RGB to show to everybody else.
    """
    linear = simulate_deuteranopia(palette)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(255 * srgb).astype(np.uint8)


def plot_palettes(mask: np.ndarray, palettes: dict[str, np.ndarray]) -> Figure:
    """One mask in several palettes, each as most people see it (above) and with deuteranopia (below).

    Args:
        mask: (H, W) class ids.
        palettes: title → (256, 3) uint8 RGB.
    """
    height = 2 * 12 / len(palettes) * mask.shape[0] / mask.shape[1] + 0.7
    figure, axes = plt.subplots(2, len(palettes), figsize=(12, height), squeeze=False, layout="constrained")
    for column, (title, palette) in enumerate(palettes.items()):
        plot_image(colorize(mask, palette), title=title, ax=axes[0, column])
        plot_image(
            colorize(mask, as_seen_with_deuteranopia(palette)),
            title="the same, seen with deuteranopia",
            ax=axes[1, column],
        )
    return figure


FEATURES = (
    "row",
    "column",
    "L",
    "a",
    "b",
    "mean L",
    "mean a",
    "mean b",
    "spread",
    "wide mean L",
    "wide mean a",
    "wide mean b",
    "wide spread",
    "edge",
)


def pixel_features(image: np.ndarray) -> np.ndarray:
    """Describe each pixel by its place, its colour (CIE L*a*b*) and its neighbourhoods of 7 and 21 pixels.

    Args:
        image: (H, W, 3) uint8 RGB.

    Returns:
        (H, W, 14) float32, in the order of `FEATURES`; row and column run from 0 (top, left) to 1.
    """
    height, width = image.shape[:2]
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32)
    row, column = np.meshgrid(np.linspace(0, 1, height), np.linspace(0, 1, width), indexing="ij")
    layers = [row, column, lab]
    for side in (7, 21):
        mean = cv2.blur(lab, (side, side))
        variance = cv2.blur(lab[..., 0] ** 2, (side, side)) - mean[..., 0] ** 2
        layers += [mean, np.sqrt(np.maximum(variance, 0))]
    layers.append(cv2.magnitude(cv2.Sobel(lab[..., 0], cv2.CV_32F, 1, 0), cv2.Sobel(lab[..., 0], cv2.CV_32F, 0, 1)))
    return np.dstack(layers).astype(np.float32)


def train_forest(
    pairs: Iterable[tuple[np.ndarray, np.ndarray]], *, ignore_index: int, per_picture: int = 2000, seed: int = 0
) -> RandomForestClassifier:
    """Fit a random forest on randomly drawn pixels.

    Args:
        pairs: pictures (H, W, 3) uint8 RGB with their masks (H, W).
        ignore_index: pixels with this id are never drawn.
        per_picture: at most so many pixels of each picture.
        seed: of the draw and of the forest.
    """
    generator = np.random.default_rng(seed)
    features, targets = [], []
    for image, mask in pairs:
        labelled = np.flatnonzero(mask != ignore_index)
        drawn = generator.choice(labelled, min(per_picture, len(labelled)), replace=False)
        features.append(pixel_features(image).reshape(-1, len(FEATURES))[drawn])
        targets.append(mask.ravel()[drawn])
    if not features:
        raise ValueError("no pictures to train on")
    # One thread: in several, scikit-learn 1.9 loses the process's warning filters in a race and floods the page.
    forest = RandomForestClassifier(n_estimators=30, min_samples_leaf=5, n_jobs=1, random_state=seed)
    return forest.fit(np.concatenate(features), np.concatenate(targets))


def predict_forest(forest: RandomForestClassifier, image: np.ndarray) -> np.ndarray:
    """Class of each pixel of a picture (H, W, 3), each decided on its own: (H, W) uint8."""
    return forest.predict(pixel_features(image).reshape(-1, len(FEATURES))).reshape(image.shape[:2]).astype(np.uint8)
