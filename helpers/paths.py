"""Where things are, and the settings that a user can give through environment variables.

| variable | meaning | default |
|---|---|---|
| `SEGMENTATION_TIER` | `sample` (bundled data and weights, no network) or `full` (the real ones) | `sample` |
| `SEGMENTATION_CACHE` | folder for downloads of the full tier | the user's cache folder |
| `SEGMENTATION_COMPUTE` | ways to compute that are taken without measuring, see `helpers.compute` | measured |
| `SEGMENTATION_REAL_DATA` | folder with real files that the tests then also try | not set: those tests skip |
| `CAMVID_DIR` | a CamVid folder that you already have (`images/`, `labels/`, `codes.txt`, `valid.txt`) | not set |
| `SEVERSTAL_DIR` | the steel competition's folder that you already have (`train.csv`, `train_images/`) | not set |
| `RTK_DIR` | an RTK road surface folder that you already have | not set |
| `SEGMENTATION_MAX_MEGAPIXELS` | pixels of a picture, mask or frame, in millions; one takes about 20 bytes | 120 |
| `SEGMENTATION_MAX_MODEL_MB` | size of a model and of its constants, in MB | 1000 |
| `SEGMENTATION_MAX_ARCHIVE_GB` | size of an archive's contents, in GB | 20 |
| `SEGMENTATION_MODEL_SECONDS` | time in which a graph that is not the suite's own has to give a first answer | 120 |
"""

import codecs
import os
import secrets
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
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


# What a file may ask for before any memory is taken; a user whose file is larger can allow it.
LIMITS = {
    "SEGMENTATION_MAX_MEGAPIXELS": 120.0,
    "SEGMENTATION_MAX_MODEL_MB": 1000.0,
    "SEGMENTATION_MAX_ARCHIVE_GB": 20.0,
    "SEGMENTATION_MODEL_SECONDS": 120.0,
}


def limit(name: str) -> float:
    """One of `LIMITS`, as the user has set it.

    Raises:
        ValueError: it was set to no positive number.
    """
    value = os.environ.get(name, "").strip()
    try:
        number = float(value) if value else LIMITS[name]
    except ValueError:
        number = 0.0
    if not number > 0:
        raise ValueError(f"{name} is {value!r}; set it to a positive number, or unset it")
    return number


MISSING = "there is no such file"


def unreadable(path: str | Path) -> str | None:
    """Why a path can't be opened as a file; None where it can, as far as one sees without opening it.

    Pipes and devices are refused too: reading one may wait for ever, or never end.
    """
    path = Path(path)
    try:
        if path.is_file():
            return None
        if path.is_dir():
            return "it is a folder; name a file in it"
        if path.is_symlink():
            return "it is a link to nothing, or in a circle"
        return "it is a pipe or device, not a file" if path.exists() else MISSING
    except (OSError, ValueError, RuntimeError) as error:  # too long a name, a name with a NUL, a circle of links
        return getattr(error, "strerror", None) or str(error)


_MARKS = (
    ("utf-8-sig", codecs.BOM_UTF8),
    ("utf-32", codecs.BOM_UTF32_LE),
    ("utf-32", codecs.BOM_UTF32_BE),
    ("utf-16", codecs.BOM_UTF16_LE),
    ("utf-16", codecs.BOM_UTF16_BE),
)


def encoding_of(path: str | Path) -> str:
    """The encoding of a text file by its byte-order mark, as Windows' PowerShell writes; "utf-8" where it has none."""
    with open(path, "rb") as file:
        start = file.read(4)
    return next((encoding for encoding, mark in _MARKS if start.startswith(mark)), "utf-8")


def read_text(path: str | Path) -> str:
    """Read a text file: UTF-8, or UTF-16 and UTF-32 where a byte-order mark tells.

    Raises:
        OSError: it can't be read.
        ValueError: it is in another encoding; the message names it and says what to do.
    """
    if reason := unreadable(path):
        raise (FileNotFoundError if reason == MISSING else OSError)(f"cannot read {path}: {reason}")
    encoding = encoding_of(path)
    try:
        text = Path(path).read_bytes().decode(encoding)
        found = "UTF-16 without its mark, or no text at all" if "\0" in text else None
    except UnicodeDecodeError:
        found = "maybe cp1252, as older Windows programs write" if encoding == "utf-8" else f"damaged {encoding}"
    if found:
        raise ValueError(f"{path} is not a UTF-8 text ({found}); open it in an editor and save it as UTF-8")
    return text


def read_lines(path: str | Path) -> list[str]:
    """The lines of a text file, see `read_text`, without blank ones and the blanks around them."""
    return [line.strip() for line in read_text(path).splitlines() if line.strip()]


def composed(name: str) -> str:
    """A file name in the form (NFC) in which names are compared: macOS writes é as two characters, others as one."""
    return unicodedata.normalize("NFC", name)


def temporary_beside(path: str | Path) -> Path:
    """A short hidden name in the folder of `path`, of the same suffix, that nobody else uses.

    It holds the number of this process, by which the leftovers of processes that were killed are known; those in the
    folder are deleted.
    """
    path = Path(path)
    _sweep(path.parent.absolute())
    return path.with_name(f".tmp-{os.getpid()}-{secrets.token_hex(4)}{path.suffix}")


@lru_cache(maxsize=64)  # once a process and folder is enough
def _sweep(folder: Path) -> None:
    for left in folder.glob(".tmp-*-????????*"):
        try:
            pid = left.name.split("-")[1]
            if pid.isdigit() and (not _alive(int(pid)) or time.time() - left.stat().st_mtime > 24 * 3600):
                left.unlink()
        except OSError:  # another process was faster, or it isn't ours
            continue


def _alive(pid: int) -> bool:
    if os.name != "posix":  # there is no harmless way to ask; the age decides
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is there, and somebody else's
        return True
    return True


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path beside `path`, of the same suffix, that takes its place when the block ends without an error.

    So the file appears whole or not at all; after an error nothing is left of it, and a file that was there stays.
    """
    path = Path(path)
    temporary = temporary_beside(path)
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def replace_file(path: str | Path, data: bytes | str, *, durable: bool = False) -> Path:
    """Write a file whole or not at all; text as UTF-8 with the line ends that it has, on every system.

    Args:
        path: of the file.
        data: its content.
        durable: wait until it is on the disk, so that a power cut can't leave an empty file under that name.
    """
    with replacing(path) as temporary, open(temporary, "wb") as file:  # closed first, then renamed
        file.write(data.encode("utf-8") if isinstance(data, str) else data)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    return Path(path)
