"""Data sets on disk: one module each, and one checker that finds all problems of a folder at once.

A data set adds its layout to `LAYOUTS`: a function that takes the folder and yields a `Problem` for everything that is
wrong in it.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from helpers.datasets import camvid, rtk, severstal
from helpers.datasets.pairing import DatasetError, Problem

LAYOUTS: dict[str, Callable[[Path], Iterator[Problem]]] = {
    "camvid": camvid.check_folder,
    "rtk": rtk.check_folder,
    "severstal": severstal.check_folder,
}


def check_dataset(folder: str | Path, layout: str) -> list[Problem]:
    """Find everything that is wrong with a data set, so that it can be put right in one go.

    Every picture and label is read once; on a terminal a progress bar shows how far it is.

    Args:
        folder: of the data set.
        layout: key of `LAYOUTS`.

    Returns:
        The problems, paths relative to the folder; an empty list where all is well.

    Raises:
        DatasetError: there is no such folder, or no such layout.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DatasetError(f"{folder} is not a folder; name the one that holds the data set")
    if layout not in LAYOUTS:
        raise DatasetError(f"unknown layout {layout!r}; choose one of: {', '.join(LAYOUTS)}")
    return [Problem(problem.path.relative_to(folder), problem.message) for problem in LAYOUTS[layout](folder)]
