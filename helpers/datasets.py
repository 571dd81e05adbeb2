"""Data sets on disk: pairing pictures with their labels, and one checker that finds all problems of a folder at once.

A lesson with a layout of its own adds it: `LAYOUTS["mine"] = check_mine`, a function that takes the folder and yields
a `Problem` for everything that is wrong in it.
"""

from collections import Counter
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


def check_dataset(folder: str | Path, layout: str) -> list[Problem]:
    """Find everything that is wrong with a data set, so that it can be put right in one go.

    Every picture and label is read once; on a terminal a progress bar shows how far it is.

    Args:
        folder: of the data set.
        layout: key of `LAYOUTS`: "camvid", "rtk" or one that a lesson has added ("severstal").

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
        image, problems = _try(read_image, image_path)
        yield from problems
        mask, problems = _try(read_mask, label_path)
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


def _try(read: Callable[[Path], Any], path: Path) -> tuple[Any, list[Problem]]:
    """What `read` gives, or None and the problem."""
    try:
        return read(path), []
    except FileNotFoundError:
        return None, [Problem(path, "this file is missing")]
    except (ValueError, OSError) as error:  # ImageError, MaskError and UnicodeDecodeError are ValueErrors
        return None, [Problem(path, str(error).replace(str(path), "it"))]


def _size(array) -> str:
    return f"{array.shape[1]}×{array.shape[0]}"


def _lines(path: Path) -> list[str]:
    lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    if not lines:
        raise DatasetError("it is empty")
    return lines


def check_camvid(folder: Path) -> Iterator[Problem]:
    """CamVid as fastai ships it: images/<stem>.*, labels/<stem>_P.png, codes.txt (classes), valid.txt (names)."""
    codes, problems = _try(_lines, folder / "codes.txt")
    yield from problems
    names, problems = _try(_lines, folder / "valid.txt")
    yield from problems
    for file, lines in (("codes.txt", codes), ("valid.txt", names)):
        repeated = [line for line, times in Counter(lines or ()).items() if times > 1]
        yield from (Problem(folder / file, f"names {line} more than once") for line in repeated)
    images = folder / "images"
    if images.is_dir() and names:
        present = {path.name for path in image_files(images)}
        for name in dict.fromkeys(names):
            if name not in present:
                yield Problem(folder / "valid.txt", f"names {name}, which is not in images/")
        if present <= set(names):
            yield Problem(folder / "valid.txt", "names every picture, so none is left to train on")
    yield from check_pairs(images, folder / "labels", suffix="_P", num_classes=len(codes) if codes else None)


RTK_CLASSES = 13  # ids 0 (background) to 12 (cracks)


def check_rtk(folder: Path) -> Iterator[Problem]:
    """RTK road surface: images/ and masks/ with equal names, or both folders as its archives unpack them."""
    images = _first_folder(folder, "images", "RTK_SemanticSegmentationGT_originalFrames")
    masks = _first_folder(folder, "masks", "labels", "RTK_SemanticSegmentationGT_NoColorMapMasks")
    yield from check_pairs(images, masks, suffix="", num_classes=RTK_CLASSES, size=(288, 352))


def _first_folder(folder: Path, *names: str) -> Path:
    return next((folder / name for name in names if (folder / name).is_dir()), folder / names[0])


LAYOUTS: dict[str, Callable[[Path], Iterator[Problem]]] = {
    "camvid": check_camvid,
    "rtk": check_rtk,
}
