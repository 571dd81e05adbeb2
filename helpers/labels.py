"""Label systems: which integer means which class, in which colour, and how one system folds into another.

A mask holds integers. Everything that gives them a meaning is in one `LabelSet`: names, official colours and the id
that means "not labelled, don't count". The tables lie in `label_sets/*.csv`: a file for
each system, and `folds.csv` for what a class of one becomes in another.
"""

import csv
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from helpers.colors import colorblind_colors, evenly_spaced_colors

TABLES = Path(__file__).parent / "label_sets"


@dataclass(frozen=True)
class LabelSet:
    """The names, colours and ignore id of one dataset's classes.

    Attributes:
        key: short name for the command line, e.g. "cityscapes".
        name: the dataset's name as people write it.
        class_names: one name for each id 0 … num_classes − 1.
        colors: (num_classes, 3) uint8 RGB, the dataset's official colours.
        ignore_index: id of unlabelled pixels, left out of losses and metrics; None where every pixel has a class.
        source: where names and colours are defined.
    """

    key: str
    name: str
    class_names: tuple[str, ...]
    colors: np.ndarray = field(repr=False, compare=False)
    ignore_index: int | None = None
    source: str = ""

    @property
    def num_classes(self) -> int:
        """Number of ids that have a name (CamVid's 32 include Void)."""
        return len(self.class_names)

    def index(self, name: str) -> int:
        """The id of a class name.

        >>> CITYSCAPES.index("car")
        13
        """
        if name not in self.class_names:
            raise KeyError(f"{self.name} has no class {name!r}; its classes are: {', '.join(self.class_names)}")
        return self.class_names.index(name)

    def palette(self, scheme: str = "official") -> np.ndarray:
        """Colours for every value that a uint8 mask can hold.

        Args:
            scheme: "official", or "colorblind" for colours that stay apart for people with red-green colour blindness.

        Returns:
            (256, 3) uint8 RGB; ids without a class, the ignore id among them, are black.
        """
        if scheme == "official":
            colors = self.colors
        elif scheme == "colorblind":
            colors = colorblind_colors(self.colors.tobytes())
        else:
            raise ValueError(f"unknown palette {scheme!r}; choose 'official' or 'colorblind'")
        palette = np.zeros((256, 3), np.uint8)
        palette[: self.num_classes] = colors
        if self.ignore_index is not None:
            palette[self.ignore_index] = 0
        return palette


def generic(num_classes: int) -> LabelSet:
    """A label set for a model that came without names: "class 0" … in evenly spaced colours."""
    names = tuple(f"class {i}" for i in range(num_classes))
    return LabelSet("generic", "unnamed classes", names, evenly_spaced_colors(num_classes))


def _load(key: str, name: str, ignore_index: int | None, source: str) -> LabelSet:
    with open(TABLES / f"{key}.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    colors = np.array([[row["red"], row["green"], row["blue"]] for row in rows]).astype(np.uint8)
    colors.setflags(write=False)
    return LabelSet(key, name, tuple(row["name"] for row in rows), colors, ignore_index, source)


CITYSCAPES = _load("cityscapes", "Cityscapes", 255, "Cordts et al. 2016; cityscapesScripts labels.py, train ids")
PASCAL_VOC = _load("voc", "Pascal VOC", 255, "Everingham et al. 2010; VOC 2012 development kit, VOClabelcolormap")
# Ids are those of the 150 classes counted from 0. Zoo graphs count from 1 and are shifted when they run; published
# files are shifted when they are read, see `numberings`.
ADE20K = _load("ade20k", "ADE20K", 255, "Zhou et al. 2017; MIT Scene Parsing Benchmark, objectInfo150 and color150")
CAMVID = _load("camvid", "CamVid", 30, "Brostow, Fauqueur & Cipolla 2009; label_colors.txt, alphabetical order")
CAMVID11 = _load("camvid11", "CamVid 11", 11, "Badrinarayanan, Kendall & Cipolla 2017; the SegNet split")
# What Pascal VOC and CamVid both know of a street: VOC's car, bus and train are CamVid's Car; VOC's person, bicycle and
# motorbike its Pedestrian and Bicyclist.
TRAFFIC = _load("traffic", "Traffic", 255, "this suite; colours of CamVid's Car and Pedestrian")
# Every pixel has a class: what is no road is background, which counts like any other.
RTK = _load("rtk", "RTK road surface", None, "Rateke & von Wangenheim 2021; Road Traversing Knowledge (RTK) dataset")

LABEL_SETS = {s.key: s for s in (CITYSCAPES, PASCAL_VOC, ADE20K, CAMVID, CAMVID11, TRAFFIC, RTK)}

# A class without a line in folds.csv becomes the target's default, else its ignore id. Pascal VOC labels everything
# outside its 20 object classes as background.
_DEFAULTS = {"voc": "background", "traffic": "other"}


@lru_cache
def _folds() -> dict[tuple[str, str], dict[str, str]]:
    """(from, to) → class name → class name that it becomes."""
    folds: dict[tuple[str, str], dict[str, str]] = {}
    with open(TABLES / "folds.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            folds.setdefault((row["from"], row["to"]), {})[row["class"]] = row["becomes"]
    return folds


def can_fold(source: LabelSet, target: LabelSet) -> bool:
    """Whether `fold` knows how to translate one label set into another."""
    return source.key == target.key or (source.key, target.key) in _folds()


def fold(source: LabelSet, target: LabelSet) -> np.ndarray:
    """Lookup table that translates the ids of one label set into another.

    Args:
        source, target: label sets between which a fold is defined (or the same set twice).

    Returns:
        (256,) uint8: `fold(a, b)[mask]` is the mask in b's ids. Source classes without a counterpart, the source's
        ignore id and all unused values become the target's ignore id (for Pascal VOC, classes without a counterpart
        become background; for Traffic, other).

    Raises:
        ValueError: no fold is defined between the two.

    >>> fold(CITYSCAPES, CAMVID11)[[0, 13, 15, 255]].tolist()   # road, car, bus, ignore
    [3, 8, 8, 11]
    """
    ignore = 255 if target.ignore_index is None else target.ignore_index
    table = np.full(256, ignore, np.uint8)
    if source.key == target.key:
        table[: source.num_classes] = np.arange(source.num_classes)
        return table
    becomes = _folds().get((source.key, target.key))
    if becomes is None:
        known = ", ".join(f"{a} → {b}" for a, b in _folds())
        raise ValueError(f"no fold from {source.name} to {target.name} is defined; there are: {known}")
    if target.key in _DEFAULTS:
        table[: source.num_classes] = target.index(_DEFAULTS[target.key])
    for name, target_name in becomes.items():
        table[source.index(name)] = target.index(target_name)
    if source.ignore_index is not None:
        table[source.ignore_index] = ignore
    return table


def fold_mask(mask: np.ndarray, source: LabelSet, target: LabelSet) -> np.ndarray:
    """Translate a mask (H, W) of integer ids from one label set into another, see `fold`. Returns (H, W) uint8."""
    return fold(source, target)[mask]
