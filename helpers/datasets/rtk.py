"""RTK road surface: 701 labelled frames, 352×288, thirteen classes (Rateke and von Wangenheim)."""

from collections.abc import Iterator
from pathlib import Path

from helpers.datasets.pairing import DatasetError, Problem, check_pairs, image_files
from helpers.labels import RTK
from helpers.paths import composed, read_lines

SIZE = (288, 352)  # height, width


def image_folder(folder: str | Path) -> Path:
    """Where the pictures are: images/, or the folder that RTK's archive unpacks."""
    return _first_folder(Path(folder), "images", "RTK_SemanticSegmentationGT_originalFrames")


def mask_folder(folder: str | Path) -> Path:
    """Where the masks of ids are: masks/ or labels/, or the folder that RTK's archive unpacks."""
    return _first_folder(Path(folder), "masks", "labels", "RTK_SemanticSegmentationGT_NoColorMapMasks")


def get_y_fn(image_path: str | Path) -> Path:
    """The mask of a picture: the same stem, in the folder of masks beside the one of pictures."""
    image_path = Path(image_path)
    return mask_folder(image_path.parent.parent) / f"{image_path.stem}.png"


def sequence(path: str | Path) -> str:
    """The drive that a practice frame is from.

    >>> sequence("images/jatoba_003.jpg")
    'jatoba'
    """
    return Path(path).stem.rsplit("_", 1)[0]


def split(folder: str | Path) -> tuple[list[Path], list[Path]]:
    """The pictures of a folder to train on and to validate on, each sorted by name.

    The list valid.txt decides. RTK itself comes without one: there the last fifth of the frames is left out, in one
    piece, since neighbouring frames of a drive show the same metres of road.

    Raises:
        DatasetError: one of the two would be empty, or valid.txt names a picture that isn't there.
    """
    folder = Path(folder)
    if not image_folder(folder).is_dir():
        raise DatasetError(f"{folder} has no folder images; name the one that holds images/ and masks/")
    paths = image_files(image_folder(folder))
    if (folder / "valid.txt").is_file():
        names = set(map(composed, read_lines(folder / "valid.txt")))
        if unknown := sorted(names - {composed(path.name) for path in paths}):
            raise DatasetError(f"{folder / 'valid.txt'} names {unknown[0]}, which is not among the pictures")
    else:
        names = {composed(path.name) for path in paths[len(paths) - len(paths) // 5 :]}
    valid = [path for path in paths if composed(path.name) in names]
    train = [path for path in paths if composed(path.name) not in names]
    if not train or not valid:
        raise DatasetError(f"{folder} leaves {len(train)} pictures to train on and {len(valid)} to validate on")
    return train, valid


def check_folder(folder: Path) -> Iterator[Problem]:
    """RTK road surface: images/ and masks/ with equal names, or both folders as its archives unpack them."""
    yield from check_pairs(image_folder(folder), mask_folder(folder), suffix="", num_classes=RTK.num_classes, size=SIZE)
    if (folder / "valid.txt").is_file() and image_folder(folder).is_dir():
        try:
            split(folder)
        except ValueError as error:  # of another encoding, too
            yield Problem(folder / "valid.txt", str(error))


def _first_folder(folder: Path, *names: str) -> Path:
    return next((folder / name for name in names if (folder / name).is_dir()), folder / names[0])
