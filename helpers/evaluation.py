"""Scoring a model on a labelled folder, when model and folder may use different label sets."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from helpers.datasets.camvid import label_set_of
from helpers.datasets.pairing import DatasetError, image_files, pair_by_stem
from helpers.labels import CAMVID11, CITYSCAPES, TRAFFIC, LabelSet, can_fold, fold
from helpers.masks import MaskError, validate_mask
from helpers.metrics import ConfusionMatrix
from helpers.paths import composed


class Evaluation:
    """Adds up one confusion matrix over many pictures, in a label set that truth and prediction have in common.

    Args:
        model_labels: what the predictions' ids mean.
        truth_labels: what the ground truth's ids mean.
        folded_to: label set to score in; by default the truth's own where the model uses it too, else CamVid 11, or
            Traffic where one of the two tells less apart than that (Pascal VOC).

    Raises:
        ValueError: no fold is defined from one of the two to the common set.
    """

    def __init__(self, model_labels: LabelSet, truth_labels: LabelSet, *, folded_to: LabelSet | None = None):
        self.labels = folded_to or _common(model_labels, truth_labels)
        self._truth_labels = truth_labels
        self._fold_prediction = fold(model_labels, self.labels)
        self._fold_truth = fold(truth_labels, self.labels)
        self.matrix = ConfusionMatrix(self.labels.num_classes, ignore_index=self.labels.ignore_index)
        self.images = 0

    def add(self, pred: np.ndarray, mask: np.ndarray) -> None:
        """Count one picture.

        Args:
            pred: (H, W) ids of the model's label set.
            mask: (H, W) ids of the truth's label set.

        Raises:
            MaskError: the sizes differ, or the truth holds ids that are no class.
        """
        if pred.shape != mask.shape:
            raise MaskError(f"the label is {mask.shape}, but its picture {pred.shape} (height, width)")
        validate_mask(mask, self._truth_labels)
        self.matrix.update(self._fold_truth[mask], self._fold_prediction[pred])
        self.images += 1

    def figures(self) -> dict:
        """The scores as JSON holds them: shares of 1, None where a class is absent."""
        figures = self.matrix.figures(self.labels.class_names)
        return {"label_set": self.labels.key, "images": self.images, **figures}


def _common(model_labels: LabelSet, truth_labels: LabelSet) -> LabelSet:
    if model_labels == truth_labels:
        return truth_labels
    both = (model_labels, truth_labels)
    fitting = (common for common in (CAMVID11, TRAFFIC) if all(can_fold(labels, common) for labels in both))
    return next(fitting, CAMVID11)  # where none fits, folding to this one says so


def labelled_pairs(
    folder: Path, *, names: Iterable[str] | None = None, cityscapes: bool = False, truth: LabelSet | None = None
) -> tuple[list[tuple[Path, Path]], LabelSet]:
    """The pictures and labels of a folder in CamVid's layout, and what the labels' ids mean.

    Args:
        folder: holds images/<stem>.*, labels/<stem>_P.png and codes.txt.
        names: file names (as in valid.txt) to choose; all by default.
        cityscapes: take the labels from cityscapes/<stem>.png instead, which hold Cityscapes train ids.
        truth: take the labels from masks/<stem>.png instead, which hold ids of this label set; no codes.txt is needed.

    Returns:
        ([(image_path, label_path), …] sorted by stem, LabelSet).

    Raises:
        DatasetError: something of this is missing, or codes.txt fits no label set.
    """
    images = folder / "images"
    if not images.is_dir():
        raise DatasetError(f"{folder} has no folder images/; expected CamVid's layout: images/, labels/, codes.txt")
    chosen = image_files(images)
    if names is not None:
        by_name = {composed(path.name): path for path in chosen}
        names = [composed(name) for name in names]
        if absent := [name for name in names if name not in by_name]:
            raise DatasetError(f"{images} lacks {len(absent)} of the listed files, {absent[0]} for one")
        chosen = [by_name[name] for name in names]
    if not chosen:
        raise DatasetError(f"{images} holds no pictures")
    if cityscapes:
        return pair_by_stem(chosen, folder / "cityscapes", suffix=""), CITYSCAPES
    if truth:
        return pair_by_stem(chosen, folder / "masks", suffix=""), truth
    return pair_by_stem(chosen, folder / "labels"), label_set_of(folder / "codes.txt")
