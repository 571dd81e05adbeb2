"""Severstal steel defects: four rare classes on long sheets, run-length labels, Dice, a U-Net, a submission.

What needs torch is in `helpers.severstal.train` and `helpers.severstal.model`; the rest loads no framework.
"""

from helpers.assets import AssetError
from helpers.datasets.severstal import (
    CLASS_IDS,
    HEIGHT,
    WIDTH,
    TableError,
    read_masks,
    read_rows,
    validate_submission,
    write_submission,
)
from helpers.severstal.data import STEEL, Sheet, class_map, competition_folder, read_sheets, split, statistics, where
from helpers.severstal.scores import Areas, clean_up, dice, measure, search, worst

__all__ = [
    "CLASS_IDS",
    "HEIGHT",
    "STEEL",
    "WIDTH",
    "Areas",
    "AssetError",
    "Sheet",
    "TableError",
    "class_map",
    "clean_up",
    "competition_folder",
    "dice",
    "measure",
    "read_masks",
    "read_rows",
    "read_sheets",
    "search",
    "split",
    "statistics",
    "validate_submission",
    "where",
    "worst",
    "write_submission",
]
