"""The competition's tables: reading `train.csv`, writing and checking a submission, checking a whole folder.

Everything wrong with a table is reported at once, each with its line (of more than a thousand, the first thousand);
nothing is written unless all of it is right.
"""

import csv
import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from helpers import rle
from helpers.datasets.pairing import Problem, image_files
from helpers.images import read_image
from helpers.paths import MISSING, encoding_of, replacing, unreadable

HEIGHT, WIDTH = 256, 1600
CLASS_IDS = (1, 2, 3, 4)

# The two forms in which Kaggle has given out train.csv and sample_submission.csv; columns may come in any order.
JOINED = {"ImageId_ClassId", "EncodedPixels"}
SEPARATE = {"ImageId", "ClassId", "EncodedPixels"}
PLAIN = re.compile(r"[1-9][0-9]* [1-9][0-9]*(?: [1-9][0-9]* [1-9][0-9]*)*")  # run lengths as everybody reads them
MOST_PROBLEMS = 1000
REPEATED, UNFIT = "repeats", "unfit"  # what is wrong with a row, before its message is made
STRANGE = "run lengths have to be plain numbers with one space between; the competition may refuse these"


class TableError(ValueError):
    """A table can't be used or written; the message lists everything that is wrong, line by line."""


class Row(NamedTuple):
    """One row of a table: image, class, and the run lengths of its mask ("" where there is no defect)."""

    image_id: str
    class_id: int
    runs: str
    line: int


def read_rows(path: str | Path) -> list[Row]:
    """Read a table of run lengths in either of its forms.

    Args:
        path: a CSV with the columns `ImageId_ClassId,EncodedPixels` (four rows an image, empty ones where there is no
            defect) or `ImageId,ClassId,EncodedPixels` (only the defects). A byte-order mark, UTF-16 with one, CRLF line
            ends, quotes and blank lines do no harm.

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


def scan_rows(path: Path) -> tuple[list[Row], list[Problem]]:
    """The rows of a table that are right, and the problems of the others, see `at_most`."""
    _, rows, problems = _scan(path)
    return rows, problems


def _scan(
    path: Path, *, class_ids: tuple[int, ...] = CLASS_IDS, strict: bool = False
) -> tuple[list[str], list[Row], list[Problem]]:
    """Header, right rows and problems of a table; with `strict`, it has to look as `write_submission` writes it."""
    if reason := unreadable(path):
        return [], [], [Problem(path, "this file is missing" if reason == MISSING else reason)]
    clean = str if strict else str.strip
    try:
        with open(path, newline="", encoding=encoding_of(path)) as file, _cells_of_any_length():
            reader = csv.reader(file, strict=True)
            header = next((record for record in reader if any(map(str.strip, record))), [])
            columns = list(map(clean, header))
            if not columns:
                return [], [], [Problem(path, "it is empty")]
            if set(columns) not in (JOINED, SEPARATE) or len(columns) > len(set(columns)):
                message = f"has the columns {', '.join(sorted(columns))}; expected ImageId_ClassId,EncodedPixels"
                return [], [], [Problem(path, f"{message} or ImageId,ClassId,EncodedPixels")]
            classes = {str(class_id): class_id for class_id in class_ids}
            return columns, *_judge(path, _batches(_records(reader, columns, clean)), classes, strict=strict)
    except UnicodeDecodeError as error:
        return [], [], [Problem(path, f"can't be read as a table: {error}; save it as UTF-8")]
    except (csv.Error, OSError) as error:
        return [], [], [Problem(path, f"can't be read as a table: {error}")]


@contextmanager
def _cells_of_any_length() -> Iterator[None]:
    """csv stops at cells of 131 kB, unless told otherwise; the run lengths of one mask can take 1.9 MB."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)


class _Record(NamedTuple):
    """A line of a table as text; the image is None where the line has another number of columns than the header."""

    line: int
    image_id: str | None
    class_text: str
    runs: str


def _records(reader: Any, columns: list[str], clean: Callable[[str], str]) -> Iterator[_Record]:
    runs_at = columns.index("EncodedPixels")
    image_at, class_at = (columns.index(name) if name in columns else None for name in ("ImageId", "ClassId"))
    image_id = ""
    for cells in filter(None, reader):
        if len(cells) != len(columns):
            yield _Record(reader.line_num, None, "", "")
            continue
        before = image_id
        if image_at is None:
            image_id, _, class_text = clean(cells[1 - runs_at]).rpartition("_")
        else:
            image_id, class_text = clean(cells[image_at]), clean(cells[class_at])
        if image_id == before:
            image_id = before  # the rows of an image share one text
        yield _Record(reader.line_num, image_id, class_text, clean(cells[runs_at]))


def _batches(records: Iterable[_Record]) -> Iterator[list[_Record]]:
    """As many records at a time as have about a million characters."""
    batch, characters = [], 0
    for record in records:
        batch.append(record)
        characters += 20 + len(record.runs)
        if characters > 10**6:
            yield batch
            batch, characters = [], 0
    yield batch


def _judge(
    path: Path, batches: Iterable[list[_Record]], classes: dict[str, int], *, strict: bool
) -> tuple[list[Row], list[Problem]]:
    rows, wrong, count = [], [], 0
    seen: defaultdict[str, int] = defaultdict(int)  # image → a bit for each of its classes; there may be a million
    for batch in batches:
        unfit = rle.unfit([record.runs for record in batch], height=HEIGHT, width=WIDTH)
        for record, is_unfit in zip(batch, unfit, strict=True):
            line, image_id, class_text, runs = record
            fault = _fault(image_id, class_text, runs, classes, strict) or (UNFIT if is_unfit else None)
            if fault is None:
                class_id = classes[class_text]
                before = seen[image_id]
                if not before >> class_id & 1:
                    seen[image_id] = before | 1 << class_id
                    rows.append(Row(image_id, class_id, runs, line))
                    continue
                fault = REPEATED
            count += 1
            if count <= MOST_PROBLEMS:
                wrong.append((record, fault))
    return rows, _described(path, rows, wrong, count)


def _fault(image_id: str | None, class_text: str, runs: str, classes: dict[str, int], strict: bool) -> str | None:
    if image_id is None:
        return "has another number of columns than the header"
    if not image_id or image_id in (".", "..") or "/" in image_id or "\\" in image_id:
        return "the image has to be a file name, as 0a1b2c3d4.jpg"
    if class_text not in classes:
        return f"the class has to be one of {', '.join(classes)}"
    if strict and runs and not PLAIN.fullmatch(runs):
        return STRANGE
    return None


def _described(path: Path, rows: list[Row], wrong: list[tuple[_Record, str]], count: int) -> list[Problem]:
    """Problems of the wrong records, of which there are `count`."""
    repeated = {(record.image_id, record.class_text) for record, fault in wrong if fault == REPEATED}
    first: dict[tuple[str, str], int] = {}
    for row in rows if repeated else ():
        if (key := (row.image_id, str(row.class_id))) in repeated:
            first.setdefault(key, row.line)
    problems = []
    for record, fault in wrong:
        if record.image_id is None:
            problems.append(Problem(path, f"line {record.line} {fault}"))
            continue
        if fault == REPEATED:
            fault = f"repeats line {first[record.image_id, record.class_text]}"
        elif fault in (UNFIT, STRANGE):
            try:
                rle.area(record.runs, height=HEIGHT, width=WIDTH)
            except rle.RLEError as error:
                fault = str(error)
        name = f"line {record.line} ({record.image_id or '?'}, class {record.class_text or '?'})"
        problems.append(Problem(path, f"{name}: {fault}"))
    if count > len(wrong):
        problems.append(Problem(path, f"{count - len(wrong)} more lines are wrong"))
    return problems


def at_most(problems: Iterable[Problem], path: Path) -> Iterator[Problem]:
    """The first `MOST_PROBLEMS` problems of a file, then how many more there are: nobody reads a million lines."""
    problems = iter(problems)
    yield from itertools.islice(problems, MOST_PROBLEMS)
    if more := sum(1 for _ in problems):
        yield Problem(path, f"{more} more problems of these kinds")


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
        TableError: the sample can't be read, or predictions are missing, unknown, repeated or no masks of this shape.
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
            try:
                runs |= {(image_id, c): rle.encode(mask) for c, mask in zip(CLASS_IDS, masks, strict=True)}
            except rle.RLEError as error:
                problems.append(Problem(Path(image_id), str(error)))
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
    """What would make the competition refuse a submission, see `at_most`; an empty list where all is well."""
    path = Path(path)
    header, slots = _sample(Path(sample_path))
    found_header, rows, problems = _scan(path, strict=True)
    if problems:
        return problems
    if found_header != header:
        problems.append(Problem(path, f"has the header {','.join(found_header)}, the sample {','.join(header)}"))
    if len(rows) != len(slots) or any(row[:2] != slot for row, slot in zip(rows, slots, strict=True)):
        problems += at_most(_differences(path, rows, slots), path)
    return problems


def _differences(path: Path, rows: list[Row], slots: list[tuple[str, int]]) -> Iterator[Problem]:
    """Rows that are missing or too many, or the first one of another order."""
    found = {row[:2] for row in rows}
    wanted = set(slots)
    if found == wanted:
        line = next(row.line for row, slot in zip(rows, slots, strict=True) if row[:2] != slot)
        yield Problem(path, f"line {line}: from here on the rows are in another order than in the sample")
        return
    yield from (Problem(path, f"has no row for {i}, class {c}") for i, c in slots if (i, c) not in found)
    for image_id, class_id, _, line in rows:
        if (image_id, class_id) not in wanted:
            yield Problem(path, f"line {line} ({image_id}, class {class_id}): not in the sample")


def _sample(path: Path) -> tuple[list[str], list[tuple[str, int]]]:
    """Header of a sample submission and the (image_id, class_id) of the rows that a submission must have."""
    header, rows, problems = _scan(path, class_ids=(0, *CLASS_IDS))  # 0 has been used as a placeholder
    raise_all(problems)
    images = Counter(row.image_id for row in rows)
    if max(images.values(), default=1) == 1:
        return header, [(image_id, class_id) for image_id in images for class_id in CLASS_IDS]
    return header, [row[:2] for row in rows]


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
    yield from at_most(missing_parts(folder, rows), table)


def missing_parts(folder: Path, rows: list[Row]) -> Iterator[Problem]:
    """Rows without their image, and, where train.csv has a row for each class, images without all their rows."""
    images, table = folder / "train_images", folder / "train.csv"
    present = {path.name for path in image_files(images)} if images.is_dir() else set()
    classes: defaultdict[str, int] = defaultdict(int)  # image → a bit for each class
    for row in rows:
        if row.image_id not in present and row.image_id not in classes and images.is_dir():
            yield Problem(table, f"line {row.line} names {row.image_id}, which is not in train_images")
        classes[row.image_id] |= 1 << row.class_id
    if any(not row.runs for row in rows):  # only the form with a row for each class has empty ones
        for image_id in sorted(classes.keys() | present):
            if absent := [str(c) for c in CLASS_IDS if not classes.get(image_id, 0) >> c & 1]:
                yield Problem(table, f"has no row for {image_id}, class {', '.join(absent)}")
