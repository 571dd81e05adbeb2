"""Dice as the competition counts it, what it hides, and the clean-up that it rewards.

All scores come from three areas for each sheet and class (of the truth, of the prediction, of what they share), so
predictions are looked at once and thresholds and smallest areas are tried afterwards without the pictures.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from helpers.datasets.severstal import CLASS_IDS


def dice(target: np.ndarray, pred: np.ndarray) -> np.ndarray:
    """Dice coefficient 2 |A ∩ B| / (|A| + |B|), of two empty masks 1 (the competition's rule).

    Args:
        target, pred: (…, H, W) bool.

    Returns:
        (…) float in 0 … 1; a 0-d array for a pair of masks.

    >>> float(dice(np.array([[1, 1, 0]], bool), np.array([[0, 1, 1]], bool)))
    0.5
    """
    target, pred = np.asarray(target), np.asarray(pred)
    if target.shape != pred.shape or target.dtype != bool or pred.dtype != bool:
        raise ValueError(
            f"target is {target.dtype} {target.shape}, pred is {pred.dtype} {pred.shape}; both have to be bool masks "
            "of one shape: cut probabilities at a threshold first"
        )
    total = target.sum((-2, -1)) + pred.sum((-2, -1))
    common = (target & pred).sum((-2, -1))
    return np.where(total == 0, 1.0, 2 * common / np.maximum(total, 1))


@dataclass(frozen=True)
class Areas:
    """Pixels in the truth, in the prediction and in both, each (…, sheets, classes) int."""

    target: np.ndarray
    pred: np.ndarray
    common: np.ndarray

    def at(self, threshold_index: int | Sequence[int]) -> "Areas":
        """The areas at one threshold, or at one for each class, of `measure`'s several."""
        classes = np.arange(self.pred.shape[-1])
        pick = np.broadcast_to(threshold_index, classes.shape)
        return replace(self, pred=self.pred[pick, :, classes].T, common=self.common[pick, :, classes].T)

    def without_small(self, min_area: int | Sequence[int]) -> "Areas":
        """As if predictions of fewer pixels on a sheet were dropped; one smallest area, or one for each class."""
        kept = self.pred >= np.asarray(min_area)
        return replace(self, pred=self.pred * kept, common=self.common * kept)

    def dice(self) -> np.ndarray:
        """Dice of each sheet and class, (…, sheets, classes); 1 where truth and prediction are empty."""
        total = self.target + self.pred
        return np.where(total == 0, 1.0, 2 * self.common / np.maximum(total, 1))

    def mean_dice(self) -> float:
        """The competition's score: the mean over sheets and classes, most of which are empty against empty."""
        return float(self.dice().mean())

    def defect_dice(self) -> np.ndarray:
        """(classes,) mean Dice over the sheets that have the defect; NaN for a class that no sheet has."""
        return _mean_where(self.dice(), self.target > 0)

    def mean_defect_dice(self) -> float:
        """Mean Dice over all masks of the truth that are not empty; NaN where there are none."""
        return _mean(self.dice()[self.target > 0])

    def recall(self) -> np.ndarray:
        """(classes,) of the sheets with the defect, the share on which some of it was predicted (missed ones cost)."""
        return _mean_where(self.pred > 0, self.target > 0)

    def precision(self) -> np.ndarray:
        """(classes,) of the sheets on which the defect was predicted, the share that has it (false alarms cost)."""
        return _mean_where(self.target > 0, self.pred > 0)

    def mean_recall(self) -> float:
        """Of all defects (a class on a sheet), the share that was predicted on its sheet; NaN where there are none."""
        return _mean((self.pred > 0)[self.target > 0])

    def table(self, class_names: Sequence[str]) -> str:
        """Scores of each class and of all together, as text."""
        lines = [f"{'class':<12}{'sheets':>7}{'Dice':>7}{'Dice of defects':>17}{'recall':>8}{'precision':>11}"]
        columns = (self.dice().mean(0), self.defect_dice(), self.recall(), self.precision())
        counts = (self.target > 0).sum(0)
        for name, count, *values in zip(class_names, counts, *columns, strict=True):
            cells = [f"{v:.3f}" if np.isfinite(v) else "–" for v in values]
            lines.append(f"{name:<12}{count:>7}{cells[0]:>7}{cells[1]:>17}{cells[2]:>8}{cells[3]:>11}")
        precision = _mean((self.target > 0)[self.pred > 0])
        values = (self.mean_dice(), self.mean_defect_dice(), self.mean_recall(), precision)
        cells = [f"{v:.3f}" if np.isfinite(v) else "–" for v in values]
        lines.append(f"{'all':<12}{counts.sum():>7}{cells[0]:>7}{cells[1]:>17}{cells[2]:>8}{cells[3]:>11}")
        return "\n".join(lines)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")


def _mean_where(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    count = chosen.sum(0)
    return np.where(count > 0, (values * chosen).sum(0) / np.maximum(count, 1), np.nan)


def measure(pairs: Iterable[tuple[np.ndarray, np.ndarray]], thresholds: Sequence[float] = (0.5,)) -> Areas:
    """Areas of predictions at several thresholds.

    Args:
        pairs: targets (C, H, W) bool and probabilities (C, H, W) in 0 … 1 of one sheet after the other.
        thresholds: a pixel is predicted where the probability exceeds it.

    Returns:
        Areas with `target` (sheets, C) and `pred`, `common` (thresholds, sheets, C); take one with `at`.
    """
    target, pred, common = [], [], []
    for truth, probs in pairs:
        masks = [probs > threshold for threshold in thresholds]
        target.append(truth.sum((1, 2)))
        pred.append([mask.sum((1, 2)) for mask in masks])
        common.append([(mask & truth).sum((1, 2)) for mask in masks])
    if not target:
        raise ValueError("there is no sheet to measure")
    return Areas(np.array(target), np.stack(pred, axis=1), np.stack(common, axis=1))


def search(areas: Areas, min_areas: Sequence[int], *, recall: bool = False) -> np.ndarray:
    """Mean Dice, or recall, of each class for each threshold and smallest area; take it from valid sheets only.

    Args:
        areas: from `measure`, with several thresholds.
        min_areas: candidates for `without_small`.
        recall: of the sheets with the defect, the share on which some of it was predicted; 0 for a class without any.

    Returns:
        (C, thresholds, min_areas) float.
    """

    def score(cut: Areas) -> np.ndarray:
        if not recall:
            return cut.dice().mean(axis=1)
        there = cut.target > 0
        return ((cut.pred > 0) & there).sum(axis=1) / np.maximum(there.sum(axis=0), 1)

    return np.stack([score(areas.without_small(size)).T for size in min_areas], axis=-1)


def worst(areas: Areas, *, count: int = 2) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The (sheet, class index) with the lowest Dice among those that have the defect, and the largest false alarms."""
    dice = areas.dice()
    missed = [(i, c) for i, c in np.argwhere(areas.target > 0).tolist() if dice[i, c] < 0.5]
    alarms = np.argwhere((areas.target == 0) & (areas.pred > 0)).tolist()
    missed.sort(key=lambda at: dice[tuple(at)])
    alarms.sort(key=lambda at: -areas.pred[tuple(at)])
    return missed[:count], [tuple(at) for at in alarms[:count]]


def clean_up(probs: np.ndarray, thresholds: float | Sequence[float], min_area: int | Sequence[int] = 0) -> np.ndarray:
    """Masks from probabilities: cut at the threshold, then drop a class with too few pixels on the sheet.

    Args:
        probs: (4, H, W) in 0 … 1.
        thresholds: one, or one for each class.
        min_area: in pixels; one, or one for each class.

    Returns:
        (4, H, W) bool.
    """
    masks = probs > np.broadcast_to(thresholds, len(CLASS_IDS))[:, None, None]
    return masks & (masks.sum((1, 2)) >= np.broadcast_to(min_area, len(CLASS_IDS)))[:, None, None]
