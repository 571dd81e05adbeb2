"""Pair pictures with their label files, and check such pairs; what all data sets share."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from helpers.images import IMAGE_SUFFIXES, opened_image
from helpers.masks import LossyMaskError, MaskError, opened_mask, read_mask, validate_mask
from helpers.numberings import Numbering
from helpers.paths import composed


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
        if not composed(path.stem).endswith(composed(suffix)):
            problems.append(Problem(path, f"its name lacks the {suffix!r} of a label before the file type"))
            continue
        stem = composed(path.stem).removesuffix(suffix)
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
        opened, problems = attempt(opened_image, image_path)
        yield from problems
        mask, problems = attempt(opened_mask, label_path)
        yield from problems
        if opened and size not in (None, opened[0].shape[:2]):
            yield Problem(image_path, f"is {_size(opened[0])}, expected {size[1]}×{size[0]}")
        if opened and mask and (fault := _misfit(opened, mask)):
            yield Problem(label_path, fault)
        if mask and num_classes is not None:
            try:
                validate_mask(mask[0], num_classes)
            except MaskError as error:
                yield Problem(label_path, str(error))


def read_pair(image_path: Path, label_path: Path) -> tuple[np.ndarray, np.ndarray]:
    """A picture and its label, both upright, that belong together pixel by pixel; what trains and scores reads them so.

    Returns:
        Image (H, W, 3) uint8 RGB, mask (H, W) of ids.

    Raises:
        DatasetError: they differ in size, or one of them is turned and the other isn't.
        ImageError, MaskError, FileNotFoundError: one can't be read.
    """
    image, mask = opened_image(image_path), opened_mask(label_path)
    if fault := _misfit(image, mask):
        raise DatasetError(f"{label_path} {fault}")
    return image[0], mask[0]


def _misfit(image: tuple[np.ndarray, int], mask: tuple[np.ndarray, int]) -> str | None:
    """Why a picture and a label, each with the EXIF orientation by which it was turned, don't fit."""
    (image, turned), (mask, mask_turned) = image, mask
    fits = image.shape[:2] == mask.shape
    # A label drawn on the upright picture has the upright shape; where both shapes are alike, nobody can tell.
    told = fits and image.shape[0] != image.shape[1] and turned >= 5 and mask_turned == 1
    if turned != mask_turned and not told:
        return (
            f"has EXIF orientation {mask_turned}, but its picture {turned}: one of them is turned when it is read and "
            "the other isn't; save both upright, without EXIF"
        )
    return None if fits else f"is {_size(mask)}, but its picture is {_size(image)}"


def check_labels(label_paths: Iterable[Path], numbering: Numbering | None = None) -> None:
    """Judge the labels of a folder as a whole, before one of them is used: half a folder in another numbering, or
    compressed with loss, gives figures that look right and aren't.

    Args:
        label_paths: the label files; what is wrong with a single one is left to whoever reads it.
        numbering: what their ids are said to be; None leaves the ids unchecked.

    Raises:
        DatasetError: labels are compressed with loss, or their ids are those of another numbering.
    """
    ids, lossy = set(), []
    for path in _progress(list(label_paths)):
        try:
            ids.update(np.unique(read_mask(path)).tolist())
        except LossyMaskError:
            lossy.append(path)
        except (ValueError, OSError):
            continue
    if lossy:
        raise DatasetError(
            f"{lossy[0].parent}: {len(lossy)} labels are compressed with loss, which changes class ids, "
            f"{lossy[0].name} for one; labels have to be PNG"
        )
    if numbering and (objection := numbering.objection(ids)):
        raise DatasetError(objection)


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
    except LossyMaskError as error:
        return None, [Problem(path, str(error).removeprefix(f"{path} "))]
    except (ValueError, OSError) as error:  # ImageError and MaskError are ValueErrors
        return None, [Problem(path, str(error).replace(str(path), "it"))]


def _size(array) -> str:
    return f"{array.shape[1]}×{array.shape[0]}"
