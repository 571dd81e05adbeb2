"""The competition's tables: reading `train.csv`, writing and checking a submission, checking a whole folder.

Everything wrong with a table is reported at once, each with its line; nothing is written unless all of it is right.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from helpers import rle
from helpers.datasets.pairing import Problem, image_files
from helpers.images import read_image
from helpers.paths import replacing

HEIGHT, WIDTH = 256, 1600
CLASS_IDS = (1, 2, 3, 4)

# The two forms in which Kaggle has given out train.csv and sample_submission.csv; columns may come in any order.
JOINED = {"ImageId_ClassId", "EncodedPixels"}
SEPARATE = {"ImageId", "ClassId", "EncodedPixels"}


class TableError(ValueError):
    """A table can't be used or written; the message lists everything that is wrong, line by line."""


@dataclass(frozen=True)
class Row:
    """One row of a table: image, class, and the run lengths of its mask ("" where there is no defect)."""

    image_id: str
    class_id: int
    runs: str
    line: int


def read_rows(path: str | Path) -> list[Row]:
    """Read a table of run lengths in either of its forms.

    Args:
        path: a CSV with the columns `ImageId_ClassId,EncodedPixels` (four rows an image, empty ones where there is no
            defect) or `ImageId,ClassId,EncodedPixels` (only the defects). A byte-order mark, CRLF line ends, quotes
            and blank lines do no harm.

    Returns:
        The rows in the file's order.

    Raises:
        TableError: the file can't be read, or its columns, classes or run lengths are wrong, or rows repeat.
    """
    rows, problems = scan_rows(Path(path))
    raise_all(problems)
    return rows


def read_masks(path: str | Path) -> dict[str, dict[int, str]]:
    """Read a table as {image_id: {class_id: runs}}; classes without a defect are left out."""
    masks: dict[str, dict[int, str]] = {}
    for row in read_rows(path):
        masks.setdefault(row.image_id, {}).update({row.class_id: row.runs} if row.runs else {})
    return masks


def scan_rows(path: Path, *, class_ids: tuple[int, ...] = CLASS_IDS) -> tuple[list[Row], list[Problem]]:
    """The rows of a table that are right, and the problems of the others."""
    columns, records, problems = _read_csv(path)
    if problems:
        return [], problems
    if columns not in (JOINED, SEPARATE):
        message = f"has the columns {', '.join(sorted(columns))}; expected ImageId_ClassId,EncodedPixels"
        return [], [Problem(path, f"{message} or ImageId,ClassId,EncodedPixels")]
    rows, lines = [], {}
    for line, record in records:
        if None in record or None in record.values():
            problems.append(Problem(path, f"line {line} has another number of columns than the header"))
            continue
        if columns == JOINED:
            image_id, _, class_text = record["ImageId_ClassId"].strip().rpartition("_")
        else:
            image_id, class_text = record["ImageId"].strip(), record["ClassId"].strip()
        runs = record["EncodedPixels"].strip()
        fault = _fault(image_id, class_text, runs, class_ids)
        if not fault and (first := lines.setdefault((image_id, class_text), line)) != line:
            fault = f"repeats line {first}"
        if fault:
            problems.append(Problem(path, f"line {line} ({image_id or '?'}, class {class_text or '?'}): {fault}"))
        else:
            rows.append(Row(image_id, int(class_text), runs, line))
    return rows, problems


def _fault(image_id: str, class_text: str, runs: str, class_ids: tuple[int, ...]) -> str | None:
    if not image_id or Path(image_id).name != image_id:
        return "the image has to be a file name, as 0a1b2c3d4.jpg"
    if class_text not in map(str, class_ids):
        return f"the class has to be one of {', '.join(map(str, class_ids))}"
    try:
        rle.area(runs, height=HEIGHT, width=WIDTH)
    except rle.RLEError as error:
        return str(error)
    return None


def _read_csv(path: Path) -> tuple[set[str], list[tuple[int, dict]], list[Problem]]:
    """Columns and records of a CSV, each record with its line, or the problem."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
            if not reader.fieldnames:
                return set(), [], [Problem(path, "it is empty")]
            return set(reader.fieldnames), [(reader.line_num, record) for record in reader], []
    except FileNotFoundError:
        return set(), [], [Problem(path, "this file is missing")]
    except (csv.Error, UnicodeDecodeError, OSError) as error:
        return set(), [], [Problem(path, f"can't be read as a table: {error}")]


def raise_all(problems: list[Problem]) -> None:
    """Raise one TableError for all problems, if there are any."""
    if problems:
        raise TableError("\n".join(map(str, problems)))


# --- Submissions


def write_submission(
    path: str | Path, predictions: Iterable[tuple[str, np.ndarray]], *, sample_path: str | Path
) -> Path:
    """Write predictions in the header and row order of the competition's `sample_submission.csv`.

    A sample with one row for each image (it then only names the images) becomes four rows for each, classes 1 to 4.

    Args:
        path: of the submission; it appears whole or not at all.
        predictions: pairs of image id and masks (4, 256, 1600) bool, for each image of the sample. They are encoded
            one after the other, so a generator needs the memory of one image only.
        sample_path: of `sample_submission.csv`, in either form.

    Raises:
        TableError: the sample can't be read, or predictions are missing, unknown, repeated or of the wrong shape.
    """
    path, sample_path = Path(path), Path(sample_path)
    header, slots = _sample(sample_path)
    images = dict.fromkeys(image_id for image_id, _ in slots)
    runs, problems = {}, []
    for image_id, masks in predictions:
        if image_id not in images or (image_id, 1) in runs:
            why = "was predicted twice" if image_id in images else f"is not in {sample_path.name}"
            problems.append(Problem(Path(image_id), why))
        elif np.shape(masks) != (len(CLASS_IDS), HEIGHT, WIDTH):
            problems.append(Problem(Path(image_id), f"has masks {np.shape(masks)}, expected (4, {HEIGHT}, {WIDTH})"))
        else:
            runs |= {(image_id, c): rle.encode(mask) for c, mask in zip(CLASS_IDS, masks, strict=True)}
    named = {image_id for image_id, _ in runs} | {str(problem.path) for problem in problems}
    problems += [Problem(Path(image_id), "has no prediction") for image_id in images if image_id not in named]
    raise_all(problems)
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, header, lineterminator="\n")
        writer.writeheader()
        for image_id, class_id in slots:
            record = {
                "ImageId_ClassId": f"{image_id}_{class_id}",
                "ImageId": image_id,
                "ClassId": class_id,
                "EncodedPixels": runs[image_id, class_id],
            }
            writer.writerow({column: record[column] for column in header})
    return path


def validate_submission(path: str | Path, *, sample_path: str | Path) -> list[Problem]:
    """Everything that would make the competition refuse a submission; an empty list where all is well."""
    path = Path(path)
    header, slots = _sample(Path(sample_path))
    rows, problems = scan_rows(path)
    if problems:
        return problems
    with open(path, newline="", encoding="utf-8-sig") as file:
        found_header = [name.strip() for name in next(csv.reader(file))]
    if found_header != header:
        problems.append(Problem(path, f"has the header {','.join(found_header)}, the sample {','.join(header)}"))
    found = {(row.image_id, row.class_id): row.line for row in rows}
    problems += [Problem(path, f"has no row for {i}, class {c}") for i, c in slots if (i, c) not in found]
    for image_id, class_id in sorted(found.keys() - set(slots)):
        line = found[image_id, class_id]
        problems.append(Problem(path, f"line {line} ({image_id}, class {class_id}): not in the sample"))
    if not problems and list(found) != slots:
        line = next(line for (slot, line), wanted in zip(found.items(), slots, strict=True) if slot != wanted)
        problems.append(Problem(path, f"line {line}: from here on the rows are in another order than in the sample"))
    return problems


def _sample(path: Path) -> tuple[list[str], list[tuple[str, int]]]:
    """Header of a sample submission and the (image_id, class_id) of the rows that a submission must have."""
    rows, problems = scan_rows(path, class_ids=(0, *CLASS_IDS))  # 0 has been used as a placeholder
    raise_all(problems)
    with open(path, newline="", encoding="utf-8-sig") as file:
        header = [name.strip() for name in next(csv.reader(file))]
    images = Counter(row.image_id for row in rows)
    if max(images.values(), default=1) == 1:
        return header, [(image_id, class_id) for image_id in images for class_id in CLASS_IDS]
    return header, [(row.image_id, row.class_id) for row in rows]


# --- The folder as a whole


def check_folder(folder: Path) -> Iterator[Problem]:
    """The layout "severstal" of the dataset checker: every picture of train_images/ and every row of train.csv."""
    images, table = folder / "train_images", folder / "train.csv"
    if not images.is_dir():
        yield Problem(images, "this folder is missing")
    for path in tqdm(image_files(images) if images.is_dir() else [], unit="file", leave=False, disable=None):
        try:
            height, width = read_image(path).shape[:2]
        except (ValueError, OSError) as error:
            yield Problem(path, str(error).replace(str(path), "it"))
            continue
        if (height, width) != (HEIGHT, WIDTH):
            yield Problem(path, f"is {width}×{height}, expected {WIDTH}×{HEIGHT}")
    rows, problems = scan_rows(table)
    yield from problems
    yield from missing_parts(folder, rows)


def missing_parts(folder: Path, rows: list[Row]) -> Iterator[Problem]:
    """Rows without their image, and, where train.csv has a row for each class, images without all their rows."""
    images, table = folder / "train_images", folder / "train.csv"
    present = {path.name for path in image_files(images)} if images.is_dir() else set()
    classes = defaultdict(set)
    for row in rows:
        if row.image_id not in present and row.image_id not in classes and images.is_dir():
            yield Problem(table, f"line {row.line} names {row.image_id}, which is not in train_images")
        classes[row.image_id].add(row.class_id)
    if any(not row.runs for row in rows):  # only the form with a row for each class has empty ones
        for image_id in sorted(classes.keys() | present):
            if absent := [str(c) for c in CLASS_IDS if c not in classes[image_id]]:
                yield Problem(table, f"has no row for {image_id}, class {', '.join(absent)}")
