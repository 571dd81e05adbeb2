"""The steel lesson: tables in all their forms and faults, scores by hand, submissions, and a short training."""

import csv
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from exercises import assert_accepts, assert_rejects
from helpers import rle, severstal
from helpers.datasets import check_dataset
from helpers.paths import DATA
from helpers.severstal import STEEL, TableError, plots
from helpers.severstal import exercises as checks
from helpers.severstal.scores import Areas

PRACTICE = DATA / "severstal_practice"
RNG = np.random.default_rng(0)


def write_image(path: Path, *, channels: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = RNG.integers(0, 256, (256, 1600, channels)).astype(np.uint8)
    Image.fromarray(image.squeeze()).save(path)


def folder(tmp_path: Path, table: str, *, images: tuple[str, ...] = ("a.jpg", "b.jpg")) -> Path:
    for name in images:
        write_image(tmp_path / "train_images" / name)
    (tmp_path / "train.csv").write_bytes(table.encode())
    return tmp_path


JOINED = "ImageId_ClassId,EncodedPixels\na.jpg_1,\na.jpg_2,\na.jpg_3,1 3 10 5\na.jpg_4,409600 1\n" + "".join(
    f"b.jpg_{c},\n" for c in (1, 2, 3, 4)
)
SEPARATE = "ImageId,ClassId,EncodedPixels\na.jpg,3,1 3 10 5\na.jpg,4,409600 1\n"
WANTED = {3: "1 3 10 5", 4: "409600 1"}

# --- Reading


@pytest.mark.parametrize(
    "table",
    [
        JOINED,
        SEPARATE,
        "\ufeff" + JOINED.replace("\n", "\r\n"),
        "ImageId,EncodedPixels,ClassId\na.jpg,1 3 10 5,3\na.jpg,409600 1,4\n",
        'ImageId,ClassId,EncodedPixels\n"a.jpg","3","1 3 10 5"\n\n"a.jpg",4,"409600 1"',
    ],
    ids=["joined", "separate", "BOM and CRLF", "other order", "quotes and blank lines"],
)
def test_both_forms_give_the_same_sheets(tmp_path, table):
    a, b = severstal.read_sheets(folder(tmp_path, table))
    assert (a.path.name, a.runs, a.pattern) == ("a.jpg", WANTED, "34")
    assert (b.path.name, b.runs, b.pattern) == ("b.jpg", {}, "")
    targets = a.targets()
    assert targets.shape == (4, 256, 1600) and targets.sum((1, 2)).tolist() == [0, 0, 8, 1]
    assert np.flatnonzero(targets[2][:, 0]).tolist() == [0, 1, 2, 9, 10, 11, 12, 13]
    assert check_dataset(tmp_path, "severstal") == []


def test_a_picture_with_three_channels_is_read_as_grey(tmp_path):
    write_image(tmp_path / "train_images" / "a.png", channels=3)
    (tmp_path / "train.csv").write_text("ImageId,ClassId,EncodedPixels\na.png,1,1 3\n")
    (sheet,) = severstal.read_sheets(tmp_path)
    assert sheet.image().shape == (256, 1600, 1)


def test_all_faults_of_a_table_are_listed_with_their_lines(tmp_path):
    table = (
        "ImageId,ClassId,EncodedPixels\n"
        "a.jpg,1,1 3\n"
        "a.jpg,5,1 3\n"
        "a.jpg,2,1 3 7\n"
        "a.jpg,1,9 3\n"
        "a.jpg,3,409600 2\n"
        "a.jpg,4\n"
        "../a.jpg,4,1 1\n"
        "a.jpg,x,1 1\n"
    )
    with pytest.raises(TableError) as refusal:
        severstal.read_sheets(folder(tmp_path, table))
    lines = [line.split("train.csv: ")[1] for line in str(refusal.value).splitlines()]
    assert lines == [
        "line 3 (a.jpg, class 5): the class has to be one of 1, 2, 3, 4",
        "line 4 (a.jpg, class 2): run 2: start 7 has no length; there are 3 numbers",
        "line 5 (a.jpg, class 1): repeats line 2",
        "line 6 (a.jpg, class 3): run 1 (409600 2): ends at pixel 409601, but an image of 256×1600 has 409600",
        "line 7 has another number of columns than the header",
        "line 8 (../a.jpg, class 4): the image has to be a file name, as 0a1b2c3d4.jpg",
        "line 9 (a.jpg, class x): the class has to be one of 1, 2, 3, 4",
    ]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", "it is empty"),
        ("image,rle\na.jpg,1 3\n", "has the columns image, rle; expected ImageId_ClassId,EncodedPixels"),
        ("ImageId_ClassId;EncodedPixels\na.jpg_1;1 3\n", "has the columns ImageId_ClassId;EncodedPixels"),
        ('ImageId,ClassId,EncodedPixels\na.jpg,1,"1 3\n', "can't be read as a table"),
        ("ImageId,ClassId,EncodedPixels\nz.jpg,1,1 3\nz.jpg,2,1 3\n", "line 2 names z.jpg, which is not in"),
        (JOINED.replace("b.jpg_4,\n", "").replace("b.jpg_2,\n", ""), "has no row for b.jpg, class 2, 4"),
        ("ImageId_ClassId,EncodedPixels\na.jpg,1 3\n", "line 2 (?, class a.jpg): the image has to be a file name"),
    ],
)
def test_tables_that_are_no_use(tmp_path, table, message):
    with pytest.raises(TableError) as refusal:
        severstal.read_sheets(folder(tmp_path, table))
    assert message in str(refusal.value) and len(str(refusal.value).splitlines()) == 1


def test_missing_parts_and_unreadable_pictures(tmp_path):
    with pytest.raises(TableError, match="has no folder train_images"):
        severstal.read_sheets(tmp_path)
    with pytest.raises(TableError, match="train.csv: this file is missing"):
        severstal.read_rows(tmp_path / "train.csv")
    (tmp_path / "train.csv").write_bytes(b"ImageId,ClassId\xff\n")
    with pytest.raises(TableError, match="can't be read as a table"):
        severstal.read_rows(tmp_path / "train.csv")
    folder(tmp_path, SEPARATE)
    (tmp_path / "train_images" / "b.jpg").write_bytes(b"no picture")
    Image.new("L", (256, 1600)).save(tmp_path / "train_images" / "c.png")
    unreadable, turned = map(str, check_dataset(tmp_path, "severstal"))
    assert unreadable.startswith("train_images/b.jpg: cannot read it as a picture")
    assert turned == "train_images/c.png: is 256×1600, expected 1600×256"
    with pytest.raises(ValueError, match="c.png is 256×1600, expected 1600×256"):
        severstal.read_sheets(tmp_path)[2].image()


def test_windows_files_blank_starts_and_odd_headers(tmp_path):
    path = tmp_path / "train.csv"
    path.write_text(SEPARATE, encoding="utf-16")
    assert severstal.read_masks(path) == {"a.jpg": WANTED}
    path.write_text("\n \n\n" + SEPARATE)
    assert [row.line for row in severstal.read_rows(path)] == [5, 6]
    path.write_text("ImageId,ClassId,EncodedPixels,ClassId\na.jpg,1,1 1,2\n")
    with pytest.raises(TableError, match="has the columns ClassId, ClassId, EncodedPixels, ImageId"):
        severstal.read_rows(path)
    path.write_bytes(SEPARATE.encode() + "ä".encode("cp1252"))
    with pytest.raises(TableError, match="save it as UTF-8"):
        severstal.read_rows(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(TableError, match="it is a pipe or device"):
        severstal.read_rows(path)


def test_of_many_faults_the_first_thousand_are_listed_and_all_are_counted(tmp_path):
    path = tmp_path / "train.csv"
    kinds = ("i{0}.jpg,1,409600 2", "i{0}.jpg,9,1 1", "a.jpg,1,1 1", "x")
    path.write_text("ImageId,ClassId,EncodedPixels\n" + "".join(f"{kinds[i % 4].format(i)}\n" for i in range(6000)))
    with pytest.raises(TableError) as refusal:
        severstal.read_rows(path)
    *lines, last = str(refusal.value).splitlines()
    assert len(lines) == 1000 and last.endswith("train.csv: 4999 more lines are wrong")
    assert [line.split("train.csv: ")[1] for line in lines[4:8]] == [
        "line 7 (i5.jpg, class 9): the class has to be one of 1, 2, 3, 4",
        "line 8 (a.jpg, class 1): repeats line 4",
        "line 9 has another number of columns than the header",
        "line 10 (i8.jpg, class 1): run 1 (409600 2): ends at pixel 409601, but an image of 256×1600 has 409600",
    ]


def test_a_folder_without_its_pictures_is_told_in_a_thousand_lines(tmp_path):
    (tmp_path / "train_images").mkdir()
    rows = "".join(f"{i}.jpg,1,1 1\n" for i in range(1500))
    (tmp_path / "train.csv").write_text("ImageId,ClassId,EncodedPixels\n" + rows)
    problems = check_dataset(tmp_path, "severstal")
    assert str(problems[-1]) == "train.csv: 500 more problems of these kinds" and len(problems) == 1001


@pytest.mark.slow
def test_a_table_of_100_000_rows_is_right_and_small(tmp_path):
    """Read, written and checked, each within 400 bytes of memory a row."""
    sample, path = tmp_path / "sample_submission.csv", tmp_path / "submission.csv"
    defects = [f"{start} 40 {start + 300} 7" for start in range(1, 4001)]
    expected = {f"{i:09x}.jpg": {1 + i % 4: defects[i % 4000]} if i % 2 else {} for i in range(25_000)}
    with open(sample, "w") as wanted, open(path, "w") as file:
        for table in (wanted, file):
            table.write("ImageId_ClassId,EncodedPixels\n")
        for image_id, masks in expected.items():
            wanted.writelines(f"{image_id}_{c},1 1\n" for c in (1, 2, 3, 4))
            file.writelines(f"{image_id}_{c},{masks.get(c, '')}\n" for c in (1, 2, 3, 4))
    tracemalloc.start()
    assert len(severstal.read_rows(path)) == 100_000
    assert tracemalloc.get_traced_memory()[1] < 100_000 * 400
    tracemalloc.reset_peak()
    assert severstal.validate_submission(path, sample_path=sample) == []
    assert tracemalloc.get_traced_memory()[1] < 100_000 * 400
    tracemalloc.stop()
    assert severstal.read_masks(path) == expected


# --- Statistics and split


def test_statistics_of_a_known_folder(tmp_path):
    found = severstal.statistics(severstal.read_sheets(folder(tmp_path, SEPARATE)))
    assert (found["sheets"], found["clean"]) == (2, 1)
    assert found["by_class"] == {1: 0, 2: 0, 3: 1, 4: 1} and found["patterns"] == {"": 1, "34": 1}
    assert found["areas"][3].tolist() == [8] and found["floor"] == 0.75  # 6 of 8 masks are empty


def test_where_is_the_share_of_sheets(tmp_path):
    table = "ImageId,ClassId,EncodedPixels\na.jpg,3,1 2\nb.jpg,3,2 2\n"
    share = severstal.where(severstal.read_sheets(folder(tmp_path, table)), 3)
    assert share[:4, 0].tolist() == [0.5, 1, 0.5, 0] and share.sum() == 2


@given(st.lists(st.sampled_from(["", "3", "1", "34"]), min_size=1, max_size=60), st.floats(0.1, 0.9), st.integers(0, 9))
def test_split_keeps_every_pattern_in_proportion(patterns, share, seed):
    sheets = [severstal.Sheet(Path(f"{i}.jpg"), {int(c): "1 1" for c in p}) for i, p in enumerate(patterns)]
    train, valid = severstal.split(sheets, share, seed=seed)
    assert sorted(sheet.path for sheet in train + valid) == sorted(sheet.path for sheet in sheets)
    for pattern in set(patterns):
        chosen = sum(sheet.pattern == pattern for sheet in valid)
        assert abs(chosen - share * patterns.count(pattern)) < 1 + 1e-9
    assert severstal.split(sheets, share, seed=seed) == (train, valid)


# --- Scores


def test_dice_by_hand():
    target = np.array([[1, 1, 0], [0, 1, 0]], bool)
    pred = np.array([[0, 1, 1], [0, 0, 0]], bool)
    assert severstal.dice(target, pred) == pytest.approx(2 * 1 / (3 + 2))
    empty = np.zeros((2, 3), bool)
    assert severstal.dice(empty, empty) == 1 and severstal.dice(target, empty) == 0 == severstal.dice(empty, pred)
    assert severstal.dice(np.stack([target, empty]), np.stack([target, empty])).tolist() == [1, 1]
    with pytest.raises(ValueError, match="cut probabilities at a threshold first"):
        severstal.dice(target, pred.astype(float))
    with pytest.raises(ValueError, match=r"bool \(2, 3\), pred is bool \(3, 2\)"):
        severstal.dice(target, pred.T)


def random_pairs(n: int = 6):
    rng = np.random.default_rng(3)
    for _ in range(n):
        targets = np.zeros((4, 8, 10), bool)
        targets[rng.random(4) < 0.5, 2:6, 3:7] = True
        yield targets, np.clip(rng.random((4, 8, 10)) * 0.7 + 0.3 * targets, 0, 1).astype(np.float32)


def test_areas_equal_dice_of_the_masks():
    thresholds, min_area = (0.3, 0.65), (0, 9, 12, 20)
    areas = severstal.measure(random_pairs(), thresholds)
    for i, threshold in enumerate(thresholds):
        cleaned = [severstal.clean_up(probs, threshold, min_area) for _, probs in random_pairs()]
        expected = [severstal.dice(t, mask) for (t, _), mask in zip(random_pairs(), cleaned, strict=True)]
        assert np.allclose(areas.at(i).without_small(min_area).dice(), expected)
    mixed = areas.at([0, 1, 1, 0]).dice()
    assert np.allclose(mixed[:, [0, 3]], areas.at(0).dice()[:, [0, 3]])
    assert np.allclose(mixed[:, [1, 2]], areas.at(1).dice()[:, [1, 2]])


def test_search_finds_what_trying_everything_finds():
    thresholds, min_areas = (0.2, 0.5, 0.7), (0, 10, 30)
    areas = severstal.measure(random_pairs(), thresholds)
    heat = severstal.search(areas, min_areas)
    assert heat.shape == (4, 3, 3)
    for i in range(3):
        for j, size in enumerate(min_areas):
            assert np.allclose(heat[:, i, j], areas.at(i).without_small(size).dice().mean(0))
            caught = severstal.search(areas, min_areas, recall=True)[:, i, j]
            assert np.allclose(caught, np.nan_to_num(areas.at(i).without_small(size).recall()))


def test_scores_of_sheets_by_hand():
    # Three sheets, two classes. Class 1: found half, missed, false alarm. Class 2: clean, clean, found whole.
    areas = Areas(
        target=np.array([[10, 0], [4, 0], [0, 5]]),
        pred=np.array([[10, 0], [0, 0], [3, 5]]),
        common=np.array([[5, 0], [0, 0], [0, 5]]),
    )
    assert areas.dice().tolist() == [[0.5, 1], [0, 1], [0, 1]]
    assert areas.mean_dice() == pytest.approx(3.5 / 6)
    assert areas.defect_dice().tolist() == [0.25, 1] and areas.mean_defect_dice() == 0.5
    assert areas.recall().tolist() == [0.5, 1] and areas.mean_recall() == pytest.approx(2 / 3)
    assert areas.precision().tolist() == [0.5, 1]
    row = areas.table(["pitted", "crack"]).splitlines()[1]
    assert row.split() == ["pitted", "2", "0.167", "0.250", "0.500", "0.500"]


def test_predicting_nothing_scores_the_floor_and_finds_nothing():
    sheets = severstal.read_sheets(PRACTICE)
    pairs = ((sheet.targets(), np.zeros((4, 256, 1600), np.float32)) for sheet in sheets)
    nothing = severstal.measure(pairs).at(0)
    assert nothing.mean_dice() == pytest.approx(severstal.statistics(sheets)["floor"])
    assert nothing.mean_dice() == pytest.approx(0.86, abs=0.01)  # as in the competition
    assert nothing.mean_defect_dice() == 0 == nothing.mean_recall()
    assert np.isnan(nothing.precision()).all() and "–" in nothing.table("1234")


@pytest.mark.filterwarnings("error")
def test_sheets_without_any_defect_have_no_figures_of_defects():
    nothing = np.zeros((3, 4), int)
    areas = Areas(nothing, nothing, nothing)
    assert areas.mean_dice() == 1 and np.isnan([areas.mean_defect_dice(), areas.mean_recall()]).all()
    assert areas.table("1234").splitlines()[-1].split() == ["all", "0", "1.000", "–", "–", "–"]


def test_no_sheet_is_no_score():
    with pytest.raises(ValueError, match="no sheet to measure"):
        severstal.measure([])


def test_the_worst_come_first():
    areas = Areas(
        target=np.array([[10, 0], [10, 0], [10, 0], [0, 5]]),
        pred=np.array([[10, 3], [10, 0], [0, 9], [7, 5]]),
        common=np.array([[9, 0], [2, 0], [0, 0], [0, 5]]),
    )
    assert severstal.worst(areas) == ([(2, 0), (1, 0)], [(2, 1), (3, 0)])
    assert severstal.worst(areas, count=9) == ([(2, 0), (1, 0)], [(2, 1), (3, 0), (0, 1)])


# --- Figures


def test_outlines_are_drawn_in_the_colour_of_their_class(tmp_path):
    runs = " ".join(f"{25700 + 256 * column} 40" for column in range(8))  # columns 100 to 107, rows 99 to 138
    table = f"ImageId,ClassId,EncodedPixels\na.jpg,4,{runs}\n"
    sheet, clean = severstal.read_sheets(folder(tmp_path, table))
    drawn = plots.outlined(sheet.image(), sheet.targets())
    assert drawn.shape == (128, 800, 3)  # half the size
    assert (drawn == STEEL.colors[4]).all(axis=2).any()
    places = np.argwhere(np.ptp(drawn, axis=2) > 0)  # the sheet is grey, the outline is not
    (top, left), (bottom, right) = places.min(axis=0), places.max(axis=0)
    assert left >= 48 and right <= 55 and top >= 47 and bottom <= 71
    assert np.ptp(plots.outlined(clean.image(), clean.targets()), axis=2).max() == 0
    figure = plots.plot_predictions([sheet, clean], [clean.targets(), clean.targets()])
    assert [ax.get_title() for ax in figure.axes] == ["a.jpg: truth", "prediction", "b.jpg: truth", "prediction"]


def test_the_cross_is_at_the_best():
    heat = np.zeros((4, 3, 2))
    heat[:, 2, 1] = 0.9
    axes = plots.plot_search(heat, [0.3, 0.5, 0.7], [0, 600]).axes[:4]
    assert [ax.lines[0].get_xydata().tolist() for ax in axes] == [[[1, 2]]] * 4
    assert "0.900" in axes[0].get_title()
    chosen = plots.plot_search(heat, [0.3, 0.5, 0.7], [0, 600], chosen=[(0, 0)] * 4).axes[:4]
    assert [ax.lines[0].get_xydata().tolist() for ax in chosen] == [[[0, 0]]] * 4


# --- Submissions

SAMPLES = {
    "joined": "ImageId_ClassId,EncodedPixels\nb.jpg_1,1 1\nb.jpg_2,1 1\nb.jpg_3,1 1\nb.jpg_4,1 1\n"
    "a.jpg_1,1 1\na.jpg_2,1 1\na.jpg_3,1 1\na.jpg_4,1 1\n",
    "separate": "ImageId,EncodedPixels,ClassId\nb.jpg,1 1,4\na.jpg,1 1,1\nb.jpg,1 1,1\nb.jpg,1 1,2\nb.jpg,1 1,3\n"
    "a.jpg,1 1,2\na.jpg,1 1,4\na.jpg,1 1,3\n",
    "images only": "ImageId,EncodedPixels,ClassId\nb.jpg,1 409600,0\na.jpg,1 409600,0\n",
}


def predicted() -> dict[str, np.ndarray]:
    masks = {name: np.zeros((4, 256, 1600), bool) for name in ("a.jpg", "b.jpg")}
    masks["a.jpg"][2, 5:9, 100] = masks["b.jpg"][0, :, 1599] = True
    return masks


@pytest.mark.parametrize("form", SAMPLES)
def test_submission_round_trip(tmp_path, form):
    sample, path = tmp_path / "sample_submission.csv", tmp_path / "submission.csv"
    sample.write_text(SAMPLES[form])
    severstal.write_submission(path, predicted().items(), sample_path=sample)
    assert severstal.validate_submission(path, sample_path=sample) == []
    assert severstal.read_masks(path) == {"b.jpg": {1: "409345 256"}, "a.jpg": {3: "25606 4"}}
    ours, theirs = (list(csv.reader(file.read_text().splitlines())) for file in (path, sample))
    assert ours[0] == theirs[0] and len(ours) == 9
    if form != "images only":
        key = slice(0, 1) if form == "joined" else slice(0, 3, 2)
        assert [row[key] for row in ours] == [row[key] for row in theirs]


def test_nothing_is_written_unless_all_is_right(tmp_path):
    sample, path = tmp_path / "sample_submission.csv", tmp_path / "submission.csv"
    sample.write_text(SAMPLES["joined"] + "".join(f"c.jpg_{c},1 1\n" for c in (1, 2, 3, 4)))
    path.write_text("an earlier one")
    wrong = [*predicted().items(), ("a.jpg", predicted()["a.jpg"]), ("x.jpg", predicted()["a.jpg"])]
    wrong[1] = ("b.jpg", np.zeros((4, 256, 800), bool))
    with pytest.raises(TableError) as refusal:
        severstal.write_submission(path, wrong, sample_path=sample)
    assert str(refusal.value).splitlines() == [
        "b.jpg: has masks (4, 256, 800), expected (4, 256, 1600)",
        "a.jpg: was predicted twice",
        "x.jpg: is not in sample_submission.csv",
        "c.jpg: has no prediction",
    ]
    with pytest.raises(TableError, match=r"^a.jpg: a mask holds .* found int64 0 … 7"):
        severstal.write_submission(path, ((k, v * 7) for k, v in predicted().items()), sample_path=sample)
    assert path.read_text() == "an earlier one" and sorted(p.name for p in tmp_path.iterdir()) == [
        "sample_submission.csv",
        "submission.csv",
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("a.jpg_3", "a.jpg_4"), "repeats line"),
        (lambda text: text.replace("a.jpg_3,25606 4\n", ""), "has no row for a.jpg, class 3"),
        (lambda text: text + "z.jpg_1,\n", "line 10 (z.jpg, class 1): not in the sample"),
        (lambda text: text.replace("25606 4", "25606 999999"), "line 8 (a.jpg, class 3): run 1"),
        (
            lambda text: text.replace("b.jpg_1,409345 256\nb.jpg_2,\n", "b.jpg_2,\nb.jpg_1,409345 256\n"),
            "line 2: from here on the rows are in another order",
        ),
        (
            lambda text: (
                "EncodedPixels,ImageId_ClassId\n"
                + "".join(",".join(line.split(",")[::-1]) + "\n" for line in text.splitlines()[1:])
            ),
            "has the header EncodedPixels,",
        ),
        (lambda text: "", "it is empty"),
    ],
)
def test_what_the_competition_would_refuse(tmp_path, change, message):
    sample, path = tmp_path / "sample_submission.csv", tmp_path / "submission.csv"
    sample.write_text(SAMPLES["joined"])
    severstal.write_submission(path, predicted().items(), sample_path=sample)
    path.write_text(change(path.read_text()))
    problems = severstal.validate_submission(path, sample_path=sample)
    assert problems and message in str(problems[0])


@pytest.mark.parametrize(
    "cell", ["25606\u00a04", "25606\x0b4", "025606 4", "25606  4", " 25606 4", "25606 4 ", "25606\t4", "+25606 4"]
)
def test_run_lengths_have_to_be_plain_to_be_submitted(tmp_path, cell):
    sample, path = tmp_path / "sample_submission.csv", tmp_path / "submission.csv"
    sample.write_text(SAMPLES["joined"])
    severstal.write_submission(path, predicted().items(), sample_path=sample)
    path.write_text(path.read_text().replace("25606 4", cell))
    (problem,) = severstal.validate_submission(path, sample_path=sample)
    assert "line 8 (a.jpg, class 3): " in str(problem)
    path.write_text(path.read_text().replace(cell, "25606 4").replace("ImageId_ClassId,", "ImageId_ClassId, "))
    assert "has the columns  EncodedPixels" in str(severstal.validate_submission(path, sample_path=sample)[0])


@pytest.mark.parametrize("form", SAMPLES)
def test_the_longest_run_lengths_are_read_back(tmp_path, form):
    """A chessboard has 204,800 runs: nearly 2 MB in one cell, where csv alone stops at 131,072 characters."""
    sample, path = tmp_path / "sample_submission.csv", tmp_path / "submission.csv"
    sample.write_text(SAMPLES[form])
    masks = predicted()
    masks["a.jpg"][1] = np.indices((256, 1600)).sum(0) % 2
    severstal.write_submission(path, masks.items(), sample_path=sample)
    before = csv.field_size_limit()
    assert severstal.validate_submission(path, sample_path=sample) == []
    runs = severstal.read_masks(path)["a.jpg"][2]
    assert len(runs) > 1_500_000 and np.array_equal(rle.decode(runs), masks["a.jpg"][1])
    assert csv.field_size_limit() == before, "other readers of the process keep their limit"


# --- Real data


def test_real_sheets_and_rows(real_data, tmp_path):
    root = real_data / "severstal"
    assert check_dataset(root, "severstal") == []
    sheets = severstal.read_sheets(root)
    assert [sheet.pattern for sheet in sheets] == ["1", "", "34", "", "34", "13"]
    assert all(sheet.image().shape == (256, 1600, 1) for sheet in sheets)
    rows = severstal.read_rows(root / "train_rle_rows.csv")
    assert len(rows) == 2000 and len({row.image_id for row in rows}) == 500
    assert plots.plot_sheets(sheets).axes[2].get_title() == "3 scratch, 4 patch"
    masks = severstal.read_masks(root / "train_rle_rows.csv")
    found = severstal.statistics([severstal.Sheet(Path(name), runs) for name, runs in masks.items()])
    assert found["clean"] == 0 and found["patterns"].most_common(2) == [("3", 224), ("34", 140)]
    assert found["floor"] == 1 - sum(len(runs) for runs in masks.values()) / 2000
    # Real masks through a submission and back.
    chosen = list(masks)[:40]
    sample, path = tmp_path / "sample.csv", tmp_path / "submission.csv"
    slots = "".join(f"{image_id}_{c},1 1\n" for image_id in chosen for c in (1, 2, 3, 4))
    sample.write_text("ImageId_ClassId,EncodedPixels\n" + slots)
    predictions = ((i, np.stack([rle.decode(masks[i].get(c)) for c in (1, 2, 3, 4)])) for i in chosen)
    severstal.write_submission(path, predictions, sample_path=sample)
    assert severstal.read_masks(path) == {i: masks[i] for i in chosen}


# --- Exercises


def right_decode(text, height, width):
    return rle.decode(text, height=height, width=width)


def test_the_check_of_decode():
    def by_rows(text, height, width):
        return rle.decode(text, height=width, width=height).T

    def from_zero(text, height, width):
        numbers = list(map(int, text.split()))
        flat = np.zeros(height * width, bool)
        for start, length in zip(numbers[::2], numbers[1::2], strict=True):
            flat[start : start + length] = True
        return flat.reshape(height, width, order="F")

    def start_to_end(text, height, width):
        flat = np.zeros(height * width, bool)
        numbers = list(map(int, text.split()))
        for start, end in zip(numbers[::2], numbers[1::2], strict=True):
            flat[start - 1 : end] = True
        return flat.reshape(height, width, order="F")

    assert_accepts(checks.check_decode, right_decode)
    assert_rejects(
        checks.check_decode,
        {
            "along the rows": by_rows,
            "counted from 0": from_zero,
            "the second number taken for the end": start_to_end,
            "transposed": lambda *args: right_decode(*args).T,
            "integers": lambda *args: right_decode(*args).astype(int),
        },
    )


def test_the_check_of_mean_dice():
    def pooled(targets, preds):
        return severstal.dice(targets.reshape(1, -1), preds.reshape(1, -1)).item()

    def empty_is_zero(targets, preds):
        return (severstal.dice(targets, preds) * (targets | preds).any((1, 2))).mean()

    def iou(targets, preds):
        dice = severstal.dice(targets, preds)
        return (dice / (2 - dice)).mean()

    assert_accepts(checks.check_mean_dice, lambda targets, preds: severstal.dice(targets, preds).mean())
    assert_rejects(checks.check_mean_dice, {"all pixels in one": pooled, "empty is 0": empty_is_zero, "IoU": iou})


def test_the_check_of_false_alarm_rate():
    def right(has_defect, flagged):
        return (flagged & ~has_defect).sum() / max((~has_defect).sum(), 1)

    def careless(has_defect, flagged):
        return (flagged & ~has_defect).sum() / (~has_defect).sum() if (~has_defect).any() else np.nan

    assert_accepts(checks.check_false_alarm_rate, right)
    assert_rejects(
        checks.check_false_alarm_rate,
        {
            "share of all sheets": lambda has_defect, flagged: (flagged & ~has_defect).mean(),
            "share of the flagged (1 − precision)": lambda has, flagged: (flagged & ~has).sum() / max(flagged.sum(), 1),
            "missed defects": lambda has_defect, flagged: (has_defect & ~flagged).sum() / has_defect.sum(),
            "no care for no good sheet": careless,
        },
    )
