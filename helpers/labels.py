"""Label systems: which integer means which class, in which colour, and how one system folds into another.

A mask holds integers. Everything that gives them a meaning is in one `LabelSet`: names, official colours and the id
that means "not labelled, don't count". The tables lie in `label_sets/*.csv`.
"""

import csv
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np


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
            colors = _colorblind_colors(self.colors.tobytes())
        else:
            raise ValueError(f"unknown palette {scheme!r}; choose 'official' or 'colorblind'")
        palette = np.zeros((256, 3), np.uint8)
        palette[: self.num_classes] = colors
        if self.ignore_index is not None:
            palette[self.ignore_index] = 0
        return palette


def evenly_spaced_colors(n: int) -> np.ndarray:
    """n clearly different colours for classes that have no official ones: hues evenly around the colour circle.

    Neighbouring ids get alternating brightness, so that ids that often touch in a picture differ in two ways.

    Returns:
        (n, 3) uint8 RGB, all different for n ≤ 180.

    >>> evenly_spaced_colors(3).tolist()
    [[255, 51, 51], [41, 204, 41], [51, 51, 255]]
    """
    if n < 1:
        raise ValueError(f"n is {n}; ask for at least one colour")
    hsv = np.zeros((1, n, 3), np.float32)
    hsv[0, :, 0] = np.arange(n) * 360 / n  # degrees
    hsv[0, :, 1] = 0.8
    hsv[0, :, 2] = np.where(np.arange(n) % 2, 0.8, 1.0)
    return np.rint(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0] * 255).astype(np.uint8)


def generic(num_classes: int) -> LabelSet:
    """A label set for a model that came without names: "class 0" … in evenly spaced colours."""
    names = tuple(f"class {i}" for i in range(num_classes))
    return LabelSet("generic", "unnamed classes", names, evenly_spaced_colors(num_classes))


# Deuteranopia at full severity on linear RGB: Machado, Oliveira & Fernandes, IEEE TVCG 15(6), 2009, table 1.
_DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)


def simulate_deuteranopia(colors: np.ndarray) -> np.ndarray:
    """How a person without green cones sees the colours (Machado et al., 2009).

    Args:
        colors: (N, 3) uint8 sRGB.

    Returns:
        (N, 3) float64 linear RGB in 0 … 1.
    """
    srgb = np.asarray(colors, np.float64) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return np.clip(linear @ _DEUTERANOPIA.T, 0, 1)


@lru_cache
def _colorblind_colors(official: bytes) -> np.ndarray:
    """For each official colour the nearest one that stays apart from those already chosen, seen both ways.

    Tries a large distance first and a smaller one until every class has found a colour.
    """
    wanted = np.frombuffer(official, np.uint8).reshape(-1, 3)
    steps = np.linspace(0, 255, 12).astype(np.uint8)
    candidates = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3)
    seen, simulated = _lab(candidates), _lab_linear(simulate_deuteranopia(candidates))
    to_wanted = np.linalg.norm(_lab(wanted)[:, None] - seen[None], axis=-1)  # (classes, candidates)
    order = wanted.sum(axis=1).argsort(kind="stable")  # darkest first: black, the colour of Void, stays black
    for distance in np.arange(40, 0, -0.5):
        free, chosen = np.ones(len(candidates), bool), {}
        for i in order:
            if not free.any():
                break
            pick = chosen[i] = int(np.where(free, to_wanted[i], np.inf).argmin())
            apart = np.minimum(np.linalg.norm(seen - seen[pick], axis=1),
                               np.linalg.norm(simulated - simulated[pick], axis=1))  # fmt: skip
            free &= apart >= distance
        if len(chosen) == len(wanted):
            break
    return candidates[[chosen[i] for i in range(len(wanted))]]


def _lab(colors: np.ndarray) -> np.ndarray:
    return cv2.cvtColor((colors[None] / 255).astype(np.float32), cv2.COLOR_RGB2LAB)[0]


def _lab_linear(colors: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(colors[None].astype(np.float32), cv2.COLOR_LRGB2LAB)[0]


def _load(key: str, name: str, ignore_index: int | None, source: str) -> LabelSet:
    with open(Path(__file__).parent / "label_sets" / f"{key}.csv", newline="", encoding="utf-8") as file:
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

# target class -> source classes. A source class that is in no list becomes the target's default below, else its
# ignore id. Pascal VOC labels everything outside its 20 object classes as background.
_DEFAULTS = {"voc": "background", "traffic": "other"}
_FOLDS = {
    ("camvid", "camvid11"): {
        "Sky": ["Sky"],
        "Building": ["Building", "Archway", "Bridge", "Tunnel", "Wall"],
        "Pole": ["Column_Pole", "TrafficCone"],
        "Road": ["Road", "LaneMkgsDriv", "LaneMkgsNonDriv"],
        "Pavement": ["Sidewalk", "ParkingBlock", "RoadShoulder"],
        "Tree": ["Tree", "VegetationMisc"],
        "SignSymbol": ["SignSymbol", "Misc_Text", "TrafficLight"],
        "Fence": ["Fence"],
        "Car": ["Car", "SUVPickupTruck", "Truck_Bus", "Train", "OtherMoving"],
        "Pedestrian": ["Pedestrian", "Child", "CartLuggagePram", "Animal"],
        "Bicyclist": ["Bicyclist", "MotorcycleScooter"],
    },
    ("cityscapes", "camvid11"): {
        "Sky": ["sky"],
        "Building": ["building", "wall"],
        "Pole": ["pole"],
        "Road": ["road"],
        "Pavement": ["sidewalk"],
        "Tree": ["vegetation", "terrain"],
        "SignSymbol": ["traffic light", "traffic sign"],
        "Fence": ["fence"],
        "Car": ["car", "truck", "bus", "train"],
        "Pedestrian": ["person"],
        "Bicyclist": ["rider", "bicycle", "motorcycle"],
    },
    ("cityscapes", "voc"): {
        "bicycle": ["bicycle"],
        "bus": ["bus"],
        "car": ["car"],
        "motorbike": ["motorcycle"],
        "person": ["person", "rider"],
        "train": ["train"],
    },
    ("voc", "traffic"): {"car": ["car", "bus", "train"], "person": ["person", "bicycle", "motorbike"]},
    ("camvid11", "traffic"): {"car": ["Car"], "person": ["Pedestrian", "Bicyclist"]},
    ("cityscapes", "traffic"): {
        "car": ["car", "truck", "bus", "train"],
        "person": ["person", "rider", "bicycle", "motorcycle"],
    },
}
_FOLDS["camvid", "traffic"] = {
    name: [code for camvid11_name in names for code in _FOLDS["camvid", "camvid11"][camvid11_name]]
    for name, names in _FOLDS["camvid11", "traffic"].items()
}


def can_fold(source: LabelSet, target: LabelSet) -> bool:
    """Whether `fold` knows how to translate one label set into another."""
    return source.key == target.key or (source.key, target.key) in _FOLDS


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
    groups = _FOLDS.get((source.key, target.key))
    if groups is None:
        known = ", ".join(f"{a} → {b}" for a, b in _FOLDS)
        raise ValueError(f"no fold from {source.name} to {target.name} is defined; there are: {known}")
    if target.key in _DEFAULTS:
        table[: source.num_classes] = target.index(_DEFAULTS[target.key])
    for target_name, source_names in groups.items():
        for name in source_names:
            table[source.index(name)] = target.index(target_name)
    if source.ignore_index is not None:
        table[source.ignore_index] = ignore
    return table


def fold_mask(mask: np.ndarray, source: LabelSet, target: LabelSet) -> np.ndarray:
    """Translate a mask (H, W) of integer ids from one label set into another, see `fold`. Returns (H, W) uint8."""
    return fold(source, target)[mask]
