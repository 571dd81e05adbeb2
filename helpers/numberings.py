"""How label files count the classes of a label set; published files don't always count as the models do."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from helpers.labels import ADE20K, CITYSCAPES, LABEL_SETS, LabelSet
from helpers.masks import MaskError


@dataclass(frozen=True)
class Numbering:
    """The ids that files of a data set may hold, and the label set's ids that they stand for.

    Attributes:
        key: short name for the command line, `--truth`.
        name: what people call it.
        labels: the label set that the ids are translated to.
        table: file id → id of `labels`, its ignore id for files' ids that are not scored.
        landmark: file id of a class that hardly any folder lacks, where that tells one numbering from another.
    """

    key: str
    name: str
    labels: LabelSet
    table: dict[int, int] = field(repr=False)
    landmark: int | None = None

    def translate(self, mask: np.ndarray) -> np.ndarray:
        """A label file's ids (H, W) as those of `labels`, uint8.

        Raises:
            MaskError: the mask has ids that this numbering doesn't know; the message lists them.
        """
        values, places = np.unique(mask, return_inverse=True)
        if bad := [int(value) for value in values if int(value) not in self.table]:
            raise MaskError(
                f"mask has class {', '.join(map(str, bad[:8]))}{' …' if len(bad) > 8 else ''}, which {self.name} don't "
                "know; check that it was resized with nearest (resize_mask) and belongs to this label set"
            )
        return np.array([self.table[int(value)] for value in values], np.uint8)[places].reshape(mask.shape)

    def objection(self, ids: Iterable[int]) -> str | None:
        """Why the ids of a whole folder speak for another numbering of the label set; None where they don't."""
        others = [other for other in NUMBERINGS.values() if other.labels is self.labels and other is not self]
        ids = {i for i in ids if i in self.table or any(i in other.table for other in others)}
        foreign = sorted(ids - self.table.keys())
        for other in (other for other in others if ids <= other.table.keys()):
            said = f"these labels look like {other.name}, not {self.name}"
            if foreign:
                return f"{said}: they hold {', '.join(map(str, foreign[:5]))}; use --truth {other.key}"
            if self.landmark not in (None, *ids) and other.landmark in ids:
                name = self.labels.class_names[self.table[self.landmark]]
                return (
                    f"{said}: none holds {self.landmark} ({name}), but some {other.landmark}, which is {name} there; "
                    f"use --truth {other.key}"
                )
        return f"these labels fit no numbering of {self.labels.name}: they hold {foreign}" if foreign else None


def _own(labels: LabelSet, key: str = "", name: str = "", landmark: int | None = None) -> Numbering:
    """The label set's own ids, from 0, and its ignore id."""
    table = {i: i for i in range(labels.num_classes)}
    if labels.ignore_index is not None:
        table[labels.ignore_index] = labels.ignore_index
    return Numbering(key or labels.key, name or f"{labels.name}'s ids", labels, table, landmark)


def _published(labels: LabelSet, key: str, name: str, landmark: int | None = None) -> Numbering:
    """The ids in the column `published` of a label set's table; ids in between are of classes that are not scored."""
    with open(Path(__file__).parent / "label_sets" / f"{labels.key}.csv", newline="", encoding="utf-8") as file:
        published = {int(row["published"]): int(row["id"]) for row in csv.DictReader(file)}
    table = dict.fromkeys(range(max(published) + 1), labels.ignore_index) | published
    return Numbering(key, name, labels, table, landmark)


NUMBERINGS = {labels.key: _own(labels) for labels in LABEL_SETS.values()}
for _numbering in (
    # Cordts et al. 2016, cityscapesScripts, labels.py: gtFine holds *_labelIds and, once made, *_labelTrainIds.
    _own(CITYSCAPES, "cityscapes", "Cityscapes train ids (0–18, 255)", landmark=0),
    _published(CITYSCAPES, "cityscapes-ids", "Cityscapes labelIds (0–33)", landmark=7),
    # MIT Scene Parsing Benchmark: annotations count the 150 classes from 1; 0 is "other", which is not scored.
    _published(ADE20K, "ade20k", "ADE20K annotations as published (1–150, 0 = other)"),
    _own(ADE20K, "ade20k-from0", "ADE20K ids counted from 0 (0–149, 255)"),
):
    NUMBERINGS[_numbering.key] = _numbering
