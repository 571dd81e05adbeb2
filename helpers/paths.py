"""Where things are, and the settings that a user can give through environment variables.

| variable | meaning | default |
|---|---|---|
| `SEGMENTATION_TIER` | `sample` (bundled data and weights, no network) or `full` (the real ones) | `sample` |
| `SEGMENTATION_CACHE` | folder for downloads of the full tier | the user's cache folder |
| `SEGMENTATION_REAL_DATA` | folder with real files that the tests then also try | not set: those tests skip |
| `CAMVID_DIR` | a CamVid folder that you already have (`images/`, `labels/`, `codes.txt`, `valid.txt`) | not set |
| `SEVERSTAL_DIR` | the steel competition's folder that you already have (`train.csv`, `train_images/`) | not set |
| `RTK_DIR` | an RTK road surface folder that you already have | not set |
"""

import os
from pathlib import Path

import pooch

REPO_ROOT = Path(__file__).resolve().parent.parent
DATA = REPO_ROOT / "data"
IMAGES = REPO_ROOT / "images"


def tier() -> str:
    """The tier that notebooks and commands run in: "sample" or "full".

    Raises:
        ValueError: `SEGMENTATION_TIER` holds anything else.
    """
    value = os.environ.get("SEGMENTATION_TIER", "sample").strip().lower()
    if value not in ("sample", "full"):
        raise ValueError(f"SEGMENTATION_TIER is {value!r}; set it to 'sample' (the default) or 'full'")
    return value


def cache_dir() -> Path:
    """The folder that downloads go to: `SEGMENTATION_CACHE`, else the user's cache folder. It may not exist yet."""
    chosen = os.environ.get("SEGMENTATION_CACHE")
    return Path(chosen).expanduser() if chosen else Path(pooch.os_cache("segmentation-notebooks"))


def real_data() -> Path | None:
    """The folder `SEGMENTATION_REAL_DATA` with real files for trying the suite, or None where it is not set."""
    chosen = os.environ.get("SEGMENTATION_REAL_DATA")
    return Path(chosen).expanduser() if chosen else None
