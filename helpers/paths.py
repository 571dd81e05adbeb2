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
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path beside `path`, of the same suffix, that takes its place when the block ends without an error.

    So the file appears whole or not at all; after an error nothing is left of it, and a file that was there stays.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}-{secrets.token_hex(4)}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def replace_file(path: str | Path, data: bytes | str) -> Path:
    """Write a file whole or not at all; text as UTF-8 with the line ends that it has, on every system."""
    with replacing(path) as temporary:
        temporary.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)
    return Path(path)
