"""Sheets of steel with their labels: reading, statistics, and a split that keeps rare defects on both sides."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from helpers import rle
from helpers.assets import AssetError, fetch
from helpers.datasets.pairing import image_files
from helpers.datasets.severstal import (
    CLASS_IDS,
    HEIGHT,
    WIDTH,
    TableError,
    at_most,
    missing_parts,
    raise_all,
    scan_rows,
)
from helpers.images import read_image
from helpers.labels import LabelSet

# The competition names its classes by number only; what they look like is our description.
STEEL = LabelSet(
    "severstal",
    "Severstal",
    ("no defect", "1 pitted", "2 crack", "3 scratch", "4 patch"),
    np.array([[0, 0, 0], [120, 230, 40], [0, 190, 255], [240, 60, 210], [255, 170, 0]], np.uint8),
    source="PAO Severstal, Kaggle 2019; names and colours are ours",
)


@dataclass(frozen=True)
class Sheet:
    """A picture and the run lengths of its defects, {class_id: runs}."""

    path: Path
    runs: dict[int, str]

    @property
    def pattern(self) -> str:
        """The classes of its defects: "" for a clean sheet, "34" for one with scratches and patches."""
        return "".join(str(class_id) for class_id in sorted(self.runs))

    def image(self) -> np.ndarray:
        """The picture, (256, 1600, 1) uint8."""
        image = read_image(self.path, gray=True)
        if image.shape[:2] != (HEIGHT, WIDTH):
            raise ValueError(f"{self.path} is {image.shape[1]}×{image.shape[0]}, expected {WIDTH}×{HEIGHT}")
        return image

    def targets(self) -> np.ndarray:
        """One mask for each class, (4, 256, 1600) bool; several defects may share a pixel."""
        return np.stack([rle.decode(self.runs.get(class_id), height=HEIGHT, width=WIDTH) for class_id in CLASS_IDS])


def read_sheets(folder: str | Path) -> list[Sheet]:
    """Read a folder in the competition's layout: `train.csv` in either form and `train_images/`.

    Returns:
        All sheets, sorted by name, those without a defect too.

    Raises:
        TableError: rows are wrong or name an image that is not there; all of it is listed.
    """
    folder = Path(folder)
    if not (folder / "train_images").is_dir():
        raise TableError(f"{folder} has no folder train_images; name the one with train.csv and train_images/")
    rows, problems = scan_rows(folder / "train.csv")
    raise_all(problems or list(at_most(missing_parts(folder, rows), folder / "train.csv")))
    runs: dict[str, dict[int, str]] = {}
    for row in rows:
        if row.runs:
            runs.setdefault(row.image_id, {})[row.class_id] = row.runs
    return [Sheet(path, runs.get(path.name, {})) for path in image_files(folder / "train_images")]


def competition_folder() -> Path:
    """The folder with the competition's files: `SEVERSTAL_DIR`, the cache, or what kagglehub downloads (1.7 GB).

    Raises:
        AssetError: it is in none of these places and kagglehub can't fetch it; the message says what to do.
    """
    try:
        return fetch("severstal")
    except AssetError:
        if not find_spec("kagglehub"):
            raise
    import kagglehub

    try:
        return Path(kagglehub.competition_download("severstal-steel-defect-detection"))
    except Exception as error:  # kagglehub's own, of many kinds: no account, rules not accepted, no network
        raise AssetError(f"kagglehub could not download the competition's files: {error}") from error


def class_map(targets: np.ndarray) -> np.ndarray:
    """Masks (4, H, W) bool as one map of ids 0 … 4 to show, (H, W) uint8; the higher class wins a shared pixel."""
    ids = np.array(CLASS_IDS, np.uint8)[:, None, None]
    return (targets * ids).max(axis=0)


def split(sheets: Sequence[Sheet], valid_share: float = 0.2, *, seed: int = 0) -> tuple[list[Sheet], list[Sheet]]:
    """Split into train and valid so that each pattern of defects is on both sides in the same proportion.

    The sheets are shuffled, sorted by pattern, and every so many-th goes to valid. A rare pattern may have too few
    sheets to be on both sides.

    Args:
        sheets: all labelled sheets.
        valid_share: between 0 and 1.
        seed: of the shuffling.
    """
    if not 0 < valid_share < 1:
        raise ValueError(f"valid_share is {valid_share}; it has to lie between 0 and 1")
    shuffled = [sheets[i] for i in np.random.default_rng(seed).permutation(len(sheets))]
    shuffled.sort(key=lambda sheet: sheet.pattern)  # stable: stays shuffled inside a pattern
    steps = np.floor((np.arange(len(shuffled) + 1) + 0.5) * valid_share)
    train, valid = [], []
    for sheet, chosen in zip(shuffled, np.diff(steps) > 0, strict=True):
        (valid if chosen else train).append(sheet)
    return train, valid


def statistics(sheets: Sequence[Sheet]) -> dict:
    """What there is: counts of sheets, of sheets with each class and each pattern, and the defects' areas.

    Returns:
        {"sheets", "clean": int, "by_class": {class_id: int}, "patterns": Counter,
        "areas": {class_id: (n,) pixels of the class on each sheet that has it},
        "floor": mean Dice of predicting no defect anywhere}
    """
    areas = {c: np.array([rle.area(s.runs[c]) for s in sheets if c in s.runs], np.int64) for c in CLASS_IDS}
    patterns = Counter(sheet.pattern for sheet in sheets)
    return {
        "sheets": len(sheets),
        "clean": patterns[""],
        "by_class": {class_id: len(found) for class_id, found in areas.items()},
        "patterns": patterns,
        "areas": areas,
        "floor": 1 - sum(map(len, areas.values())) / (len(CLASS_IDS) * len(sheets)),
    }


def where(sheets: Sequence[Sheet], class_id: int) -> np.ndarray:
    """(256, 1600) float: for each pixel, the share of the sheets with this class that have it there."""
    total, count = np.zeros((HEIGHT, WIDTH)), 0
    for sheet in sheets:
        if class_id in sheet.runs:
            total += rle.decode(sheet.runs[class_id], height=HEIGHT, width=WIDTH)
            count += 1
    return total / max(count, 1)
