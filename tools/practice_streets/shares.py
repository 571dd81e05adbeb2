"""How much of a practice set is what: `python -m tools.practice_streets.shares` prints the tables of its card."""

from pathlib import Path

import numpy as np

from helpers.datasets import camvid
from helpers.labels import CAMVID, CAMVID11, CITYSCAPES, LabelSet, fold_mask
from helpers.masks import read_mask
from helpers.paths import DATA


def class_shares(mask_paths: list[Path], label_set: LabelSet, *, fold_to: LabelSet | None = None) -> dict[str, float]:
    """Percent of all pixels that each class has, over some masks, folded to another label set where one is given."""
    counts = np.zeros(256, np.int64)
    for path in mask_paths:
        mask = read_mask(path)
        counts += np.bincount((fold_mask(mask, label_set, fold_to) if fold_to else mask).ravel(), minlength=256)
    names = (fold_to or label_set).class_names
    return {name: 100 * counts[i] / counts.sum() for i, name in enumerate(names)}


def main() -> None:
    """Prints Markdown tables for train and valid."""
    folder = DATA / "camvid_practice"
    parts = dict(zip(("train", "valid"), ([path.stem for path in part] for part in camvid.split(folder)), strict=True))
    for label_set, fold_to, name in ((CAMVID, CAMVID11, "labels/{}_P.png"), (CITYSCAPES, None, "cityscapes/{}.png")):
        columns = [
            class_shares([folder / name.format(stem) for stem in part], label_set, fold_to=fold_to)
            for part in parts.values()
        ]
        print(f"| {(fold_to or label_set).name} class | train, % | valid, % |\n|---|---|---|")
        for key in columns[0]:
            print(f"| {key} | {columns[0][key]:.2f} | {columns[1][key]:.2f} |")
        print()


if __name__ == "__main__":
    main()
