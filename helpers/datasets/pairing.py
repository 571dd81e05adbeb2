"""Pair pictures with their label files, and check such pairs; what all data sets share."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from helpers.images import IMAGE_SUFFIXES, read_image
from helpers.masks import MaskError, read_mask, validate_mask


class DatasetError(ValueError):
    """A data set can't be used; the message lists what is wrong with it."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a data set."""

    path: Path
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


def image_files(folder: str | Path) -> list[Path]:
    """The pictures in a folder (not in those below it), sorted by name; hidden files are left out."""
    files = (path for path in Path(folder).iterdir() if not path.name.startswith("."))
    return sorted(path for path in files if path.suffix.lower() in IMAGE_SUFFIXES)


def pair_by_stem(
    images: str | Path | Iterable[Path], labels: str | Path | Iterable[Path], *, suffix: str = "_P"
) -> list[tuple[Path, Path]]:
    """Match each picture with the label of the same stem, whatever the file type of either.

    Sorted listings taken side by side go wrong silently as soon as one file is missing; stems can't.

    Args:
        images: a folder, or chosen files; with chosen files, labels of other pictures are left out.
        labels: a folder, or files.
        suffix: what a label's stem has after the picture's: "_P" in CamVid, "" where both are named alike.

    Returns:
        (image_path, label_path) pairs, sorted by stem.

    Raises:
        DatasetError: partners are missing or ambiguous; the message names all of them.
    """
    pairs, problems = _match(images, labels, suffix)
    if problems:
        lines = "\n".join(f"  {problem}" for problem in problems)
        raise DatasetError(f"pictures and labels don't pair ({len(problems)} problems):\n{lines}")
    return pairs


def _match(images, labels, suffix: str) -> tuple[list[tuple[Path, Path]], list[Problem]]:
    whole_folder = isinstance(images, str | Path)
    problems: list[Problem] = []
    by_image = _by_stem(images, "", problems)
    by_label = _by_stem(labels, suffix, problems)
    for stem, image in by_image.items():
        if stem not in by_label:
            problems.append(Problem(image, f"has no label; one named {stem}{suffix}.png was expected"))
    for stem, label in by_label.items():
        if whole_folder and stem not in by_image:
            problems.append(Problem(label, f"has no picture; one named {stem}.jpg or {stem}.png was expected"))
    return [(by_image[stem], by_label[stem]) for stem in sorted(by_image) if stem in by_label], problems


def _by_stem(files, suffix: str, problems: list[Problem]) -> dict[str, Path]:
    if isinstance(files, str | Path):
        if not Path(files).is_dir():
            raise DatasetError(f"{files} is not a folder")
        files = image_files(files)
    found: dict[str, Path] = {}
    for path in map(Path, files):
        if not path.stem.endswith(suffix):
            problems.append(Problem(path, f"its name lacks the {suffix!r} of a label before the file type"))
            continue
        stem = path.stem.removesuffix(suffix)
        if stem in found:
            problems.append(Problem(path, f"has the same stem as {found[stem].name}; keep one of the two"))
        else:
            found[stem] = path
    return found


def check_pairs(
    images: Path, labels: Path, *, suffix: str, num_classes: int | None, size: tuple[int, int] | None = None
) -> Iterator[Problem]:
    """The checks that all layouts of pictures and label pictures share.

    Args:
        images, labels: folders.
        suffix: of a label's stem, as in `pair_by_stem`.
        num_classes: ids must lie below; None leaves the ids unchecked.
        size: (height, width) that all have to have; None allows any, but the same for both of a pair.
    """
    missing = [path for path in (images, labels) if not path.is_dir()]
    if missing:
        yield from (Problem(path, "this folder is missing") for path in missing)
        return
    pairs, problems = _match(images, labels, suffix)
    yield from problems
    if not pairs:
        yield Problem(images, "no picture here has a label")
    for image_path, label_path in _progress(pairs):
        image, problems = attempt(read_image, image_path)
        yield from problems
        mask, problems = attempt(read_mask, label_path)
        yield from problems
        if image is not None and size not in (None, image.shape[:2]):
            yield Problem(image_path, f"is {_size(image)}, expected {size[1]}×{size[0]}")
        if image is not None and mask is not None and image.shape[:2] != mask.shape:
            yield Problem(label_path, f"is {_size(mask)}, but its picture is {_size(image)}")
        if label_path.suffix.lower() in (".jpg", ".jpeg"):
            yield Problem(label_path, "is a JPEG, whose compression changes class ids; labels have to be PNG")
        elif mask is not None and num_classes is not None:
            try:
                validate_mask(mask, num_classes)
            except MaskError as error:
                yield Problem(label_path, str(error))


def _progress(items: list) -> tqdm:
    return tqdm(items, unit="file", leave=False, disable=None)  # None: only on a terminal


def attempt(read: Callable[[Path], Any], path: Path) -> tuple[Any, list[Problem]]:
    """Read a file.

    Returns:
        What `read` gives and no problems, or None and the problem.
    """
    try:
        return read(path), []
    except FileNotFoundError:
        return None, [Problem(path, "this file is missing")]
    except (ValueError, OSError) as error:  # ImageError, MaskError and UnicodeDecodeError are ValueErrors
        return None, [Problem(path, str(error).replace(str(path), "it"))]


def _size(array) -> str:
    return f"{array.shape[1]}×{array.shape[0]}"
