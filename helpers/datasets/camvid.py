"""CamVid's folder as fastai ships it: images/, labels/<stem>_P.png, codes.txt, valid.txt. Loads no framework."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from helpers.datasets.pairing import DatasetError, Problem, attempt, check_pairs, image_files
from helpers.labels import CAMVID, CAMVID11, LABEL_SETS, LabelSet, fold
from helpers.masks import read_mask, validate_mask
from helpers.paths import composed, read_lines

EVERY = 5  # of the frames of each sequence one is valid in the split "mixed"


def get_y_fn(image_path: str | Path) -> Path:
    """The label file of a picture.

    >>> get_y_fn("camvid/images/0006R0_f00930.png").as_posix()
    'camvid/labels/0006R0_f00930_P.png'
    """
    image_path = Path(image_path)
    return image_path.parent.parent / "labels" / f"{image_path.stem}_P.png"


def codes(folder: str | Path) -> list[str]:
    """The class names of codes.txt: a mask's value is an index into them."""
    return _lines(Path(folder) / "codes.txt")


def valid_names(folder: str | Path) -> list[str]:
    """The file names of valid.txt, which lists the pictures to validate on."""
    return _lines(Path(folder) / "valid.txt")


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise DatasetError(f"{path} is missing; a folder in CamVid's layout has images/, labels/, codes.txt, valid.txt")
    return read_lines(path)


def _some_lines(path: Path) -> list[str]:
    if not (lines := read_lines(path)):
        raise DatasetError(f"{path} is empty")
    return lines


def label_set_of(codes_path: Path) -> LabelSet:
    """The label set whose classes a codes.txt lists, id by id; an unlabelled class, of any name, may follow them.

    Raises:
        DatasetError: there is no such file, or it lists other classes.
    """
    if not codes_path.is_file():
        raise DatasetError(f"{codes_path} is missing: without it nobody knows what the ids mean")
    found = read_lines(codes_path)
    if labels := _label_set(found):
        return labels
    raise DatasetError(f"{codes_path} lists {len(found)} classes, those of no label set: {', '.join(LABEL_SETS)}")


def label_set(folder: str | Path) -> LabelSet:
    """What the ids of a folder's masks mean: CamVid's 32 classes, or the 11 of the SegNet split.

    Raises:
        DatasetError: codes.txt lists other classes.
    """
    found = codes(folder)
    if (labels := _label_set(found)) not in (CAMVID, CAMVID11):
        raise DatasetError(f"{Path(folder) / 'codes.txt'} lists {len(found)} classes that are not CamVid's 32 or 11")
    return labels


def _label_set(codes: list[str]) -> LabelSet | None:
    for labels in LABEL_SETS.values():
        names = list(labels.class_names)
        if codes == names or (codes[:-1] == names and labels.ignore_index == len(names)):
            return labels
    return None


def sequence(path: str | Path) -> str:
    """The drive that a picture is from: its name up to the first underscore.

    >>> sequence("images/0016E5_07961.png")
    '0016E5'
    """
    return Path(path).stem.split("_")[0]


def split_by_sequence(image_paths: Iterable[Path], left_out: str) -> tuple[list[Path], list[Path]]:
    """Pictures to train on and, of the sequence `left_out`, to validate on: a drive that training never saw.

    Raises:
        DatasetError: no picture, or every one, is of that sequence.
    """
    paths = list(image_paths)
    train = [path for path in paths if sequence(path) != left_out]
    valid = [path for path in paths if sequence(path) == left_out]
    if not train or not valid:
        sequences = ", ".join(sorted({sequence(path) for path in paths}))
        raise DatasetError(f"leaving out {left_out!r} leaves {len(train)} to train on; sequences here: {sequences}")
    return train, valid


def split(folder: str | Path, by: str = "valid") -> tuple[list[Path], list[Path]]:
    """The pictures of a folder to train on and to validate on.

    Args:
        folder: in CamVid's layout.
        by: "valid" for the list valid.txt; "none" to train on all and validate on none; "mixed" for each fifth frame
            of each sequence, so that every drive is in both; else a sequence to leave out, such as "0001TP".

    Returns:
        (train_paths, valid_paths), each sorted.

    Raises:
        DatasetError: one of the two would be empty, or a name in valid.txt has no picture.
    """
    images = Path(folder) / "images"
    if not images.is_dir():
        raise DatasetError(f"{folder} has no folder images/; expected images/, labels/, codes.txt and valid.txt")
    paths = image_files(images)
    if not paths:
        raise DatasetError(f"{images} holds no pictures")
    if by == "none":
        return paths, []
    if by == "mixed":
        groups = {name: [path for path in paths if sequence(path) == name] for name in map(sequence, paths)}
        valid = {path for group in groups.values() for path in group[::EVERY]}
    elif by == "valid":
        by_name = {composed(path.name): path for path in paths}
        names = [composed(name) for name in valid_names(folder)]
        if absent := [name for name in names if name not in by_name]:
            raise DatasetError(f"valid.txt names {absent[0]}, which is not in {images}")
        valid = {by_name[name] for name in names}
    else:
        return split_by_sequence(paths, by)
    if not valid or len(valid) == len(paths):
        raise DatasetError(f"of {len(paths)} pictures {len(valid)} are to validate on; both parts need some")
    return [path for path in paths if path not in valid], sorted(valid)


def read_label(path: str | Path, source: LabelSet, target: LabelSet = CAMVID11) -> np.ndarray:
    """A label file, checked, in the ids of `target`: (H, W) uint8."""
    return fold(source, target)[validate_mask(read_mask(path), source)]


def check_folder(folder: Path) -> Iterator[Problem]:
    """CamVid as fastai ships it: images/<stem>.*, labels/<stem>_P.png, codes.txt (classes), valid.txt (names)."""
    codes, problems = attempt(_some_lines, folder / "codes.txt")
    yield from problems
    names, problems = attempt(_some_lines, folder / "valid.txt")
    yield from problems
    for file, lines in (("codes.txt", codes), ("valid.txt", names)):
        repeated = [line for line, times in Counter(lines or ()).items() if times > 1]
        yield from (Problem(folder / file, f"names {line} more than once") for line in repeated)
    images = folder / "images"
    if images.is_dir() and names:
        present = {composed(path.name) for path in image_files(images)}
        for name in dict.fromkeys(names):
            if composed(name) not in present:
                yield Problem(folder / "valid.txt", f"names {name}, which is not in images/")
        if present <= set(map(composed, names)):
            yield Problem(folder / "valid.txt", "names every picture, so none is left to train on")
    yield from check_pairs(images, folder / "labels", suffix="_P", num_classes=len(codes) if codes else None)
