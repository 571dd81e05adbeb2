"""Recorded runs of the lesson's longer trainings, `data/measured/camvid_*.json`, as `train camvid` wrote them."""

import json
from pathlib import Path

import numpy as np

from helpers.labels import CAMVID11
from helpers.paths import DATA


def read_records(*names: str, folder: Path = DATA / "measured") -> dict[str, dict]:
    """Read records and print for each of them how it came about.

    Args:
        names: of the records: "split_town" is `camvid_split_town.json`.
        folder: where they are.

    Returns:
        name → record; `iou` is an array (11,) in the order of CamVid's 11 classes, NaN where one is absent.
    """
    records = {}
    for name in names:
        record = json.loads((folder / f"camvid_{name}.json").read_text(encoding="utf-8"))
        record["iou"] = np.array([record["iou"][c] for c in CAMVID11.class_names], float)  # None becomes NaN
        if before := record.get("before"):  # the run whose weights this one began with
            print(f"{name}, before: {before['command']}")
            print(f"    {before['minutes']:.1f} min, {before['epochs']:.0f} epochs")
        print(f"{name}: {record['command']}")
        print(
            f"    {record['date']}, {record['device']}, {record['minutes']:.1f} min, {record['epochs']:.0f} epochs: "
            f"accuracy {record['pixel_accuracy']:.4f}, mean IoU {record['mean_iou']:.4f}"
        )
        records[name] = record
    return records
