"""The data set checker finds each kind of damage, names the file, and finds nothing in a good set."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers import datasets
from helpers.datasets import check_dataset
from helpers.datasets.pairing import DatasetError, Problem, pair_by_stem


def write(path: Path, size: tuple[int, int] = (6, 8), *, value: int = 1, channels: tuple[int, ...] = ()) -> Path:
    """A picture of one value; size is (height, width)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*size, *channels), value, np.uint8)).save(path)
    return path


@pytest.fixture
def camvid(tmp_path):
    for stem in ("a", "b", "c"):
        write(tmp_path / "images" / f"{stem}.jpg", channels=(3,))
        write(tmp_path / "labels" / f"{stem}_P.png", value=2)
    (tmp_path / "codes.txt").write_text("Sky\nRoad\nVoid\n")
    (tmp_path / "valid.txt").write_text("c.jpg\n")
    return tmp_path


def found(folder: Path, layout: str = "camvid") -> list[str]:
    return [str(problem) for problem in check_dataset(folder, layout)]


# ---- pairing


def test_pairs_follow_the_stem_not_the_listing(camvid):
    (camvid / "labels" / ".DS_Store").write_text("")
    (camvid / "images" / "._a.jpg").write_text("")
    (camvid / "images" / "a.jpg").rename(camvid / "images" / "a.PNG")
    pairs = pair_by_stem(camvid / "images", str(camvid / "labels"))
    assert [(image.name, label.name) for image, label in pairs] == [
        ("a.PNG", "a_P.png"),
        ("b.jpg", "b_P.png"),
        ("c.jpg", "c_P.png"),
    ]


def test_pairing_names_every_missing_partner(camvid):
    (camvid / "images" / "a.jpg").unlink()
    (camvid / "labels" / "c_P.png").unlink()
    with pytest.raises(DatasetError, match="2 problems") as raised:
        pair_by_stem(camvid / "images", camvid / "labels")
    assert "images/c.jpg: has no label; one named c_P.png was expected" in str(raised.value)
    assert "labels/a_P.png: has no picture" in str(raised.value)


def test_pairing_chosen_pictures_leaves_other_labels_out(camvid):
    chosen = [camvid / "images" / "c.jpg", camvid / "images" / "a.jpg"]
    pairs = pair_by_stem(chosen, camvid / "labels")
    assert [label.name for _, label in pairs] == ["a_P.png", "c_P.png"]
    with pytest.raises(DatasetError, match="d.jpg: has no label"):
        pair_by_stem([*chosen, camvid / "images" / "d.jpg"], camvid / "labels")


def test_pairing_with_equal_names(tmp_path):
    write(tmp_path / "images" / "x_P.jpg", channels=(3,))
    write(tmp_path / "masks" / "x_P.png")
    ((_, label),) = pair_by_stem(tmp_path / "images", tmp_path / "masks", suffix="")
    assert label.name == "x_P.png"


def test_pairing_refuses_ambiguous_stems_and_foreign_names(camvid):
    write(camvid / "images" / "a.png", channels=(3,))
    write(camvid / "labels" / "b.png")
    with pytest.raises(DatasetError) as raised:
        pair_by_stem(camvid / "images", camvid / "labels")
    assert "a.png: has the same stem as a.jpg" in str(raised.value)
    assert "b.png: its name lacks the '_P'" in str(raised.value)


def test_pairing_a_folder_that_is_not_there(camvid):
    with pytest.raises(DatasetError, match="nowhere is not a folder"):
        pair_by_stem(camvid / "images", camvid / "nowhere")


# ---- the checker


def test_a_good_camvid_folder_has_no_problems(camvid):
    assert found(camvid) == []


def test_all_problems_of_a_camvid_folder_are_found_at_once(camvid):
    write(camvid / "images" / "d.jpg", channels=(3,))  # no label
    write(camvid / "labels" / "e_P.png")  # no picture
    write(camvid / "images" / "a.png", channels=(3,))  # same stem
    write(camvid / "labels" / "b_P.png", (8, 6), value=7)  # size and id
    (camvid / "images" / "c.jpg").write_bytes((camvid / "images" / "c.jpg").read_bytes()[:200])  # cut short
    (camvid / "codes.txt").write_text("Sky\nRoad\nVoid\nSky\n")
    (camvid / "valid.txt").write_text("c.jpg\nc.jpg\nz.jpg\n")
    problems = found(camvid)
    for expected in (
        "images/d.jpg: has no label",
        "labels/e_P.png: has no picture",
        "the same stem as a.jpg",
        "labels/b_P.png: is 6×8, but its picture is 8×6",
        "labels/b_P.png: mask has class 7",
        "images/c.jpg: cannot read it as a picture",
        "codes.txt: names Sky more than once",
        "valid.txt: names c.jpg more than once",
        "valid.txt: names z.jpg, which is not in images/",
    ):
        assert sum(expected in problem for problem in problems) == 1, (expected, problems)
    assert len(problems) == 9


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda folder: (folder / "codes.txt").unlink(), "codes.txt: this file is missing"),
        (lambda folder: (folder / "valid.txt").unlink(), "valid.txt: this file is missing"),
        (lambda folder: (folder / "codes.txt").write_text("\n"), "codes.txt: it is empty"),
        (
            lambda folder: (folder / "valid.txt").write_bytes(b"\xff\xfe\x00\xd8"),
            "valid.txt: it is not a UTF-8 text (damaged",
        ),
        (lambda folder: (folder / "images").rename(folder / "pictures"), "images: this folder is missing"),
        (lambda folder: (folder / "labels").rename(folder / "masks"), "labels: this folder is missing"),
        (lambda folder: (folder / "valid.txt").write_text("a.jpg\nb.jpg\nc.jpg"), "valid.txt: names every picture"),
        (lambda folder: write(folder / "labels" / "a_P.png", channels=(3,)), "labels/a_P.png: it holds colours"),
        (lambda folder: write(folder / "labels" / "a_P.png", value=3), "labels/a_P.png: mask has class 3"),
        (lambda folder: (folder / "labels" / "a_P.png").write_text(""), "labels/a_P.png: cannot read it as a mask"),
        (
            lambda folder: (folder / "labels" / "a_P.png").unlink() or write(folder / "labels" / "a_P.jpg"),
            "labels/a_P.jpg: is a JPEG",
        ),
    ],
)
def test_one_damage_gives_one_problem(camvid, damage, expected):
    damage(camvid)
    (problem,) = found(camvid)
    assert problem.startswith(expected)


def test_the_highest_code_is_allowed_and_the_next_is_not(camvid):
    for value, expected in ((2, 0), (3, 3)):
        for stem in "abc":
            write(camvid / "labels" / f"{stem}_P.png", value=value)
        assert len(found(camvid)) == expected


def test_empty_folders_are_a_problem(camvid):
    for path in [*(camvid / "images").iterdir(), *(camvid / "labels").iterdir()]:
        path.unlink()
    assert "images: no picture here has a label" in found(camvid)


def test_an_unknown_folder_or_layout_is_named(tmp_path):
    with pytest.raises(DatasetError, match="nowhere is not a folder"):
        check_dataset(tmp_path / "nowhere", "camvid")
    with pytest.raises(DatasetError, match="unknown layout 'coco'; choose one of: camvid, rtk"):
        check_dataset(tmp_path, "coco")


def test_a_lesson_can_add_a_layout(tmp_path, monkeypatch):
    monkeypatch.setitem(datasets.LAYOUTS, "mine", lambda folder: [Problem(folder / "x", "is wrong")])
    assert found(tmp_path, "mine") == ["x: is wrong"]


def test_rtk_under_its_own_folder_names(tmp_path):
    write(tmp_path / "RTK_SemanticSegmentationGT_originalFrames" / "1.png", (288, 352), channels=(3,))
    write(tmp_path / "RTK_SemanticSegmentationGT_NoColorMapMasks" / "1.png", (288, 352), value=12)
    assert found(tmp_path, "rtk") == []


def test_rtk_ids_and_size(tmp_path):
    write(tmp_path / "images" / "1.png", (352, 288), channels=(3,))
    write(tmp_path / "masks" / "1.png", (352, 288), value=13)
    size, ids = found(tmp_path, "rtk")
    assert size == "images/1.png: is 288×352, expected 352×288"
    assert ids.startswith("masks/1.png: mask has class 13")


# ---- real data


@pytest.mark.skipif("SEGMENTATION_REAL_DATA" not in os.environ, reason="SEGMENTATION_REAL_DATA is not set")
def test_real_data_have_no_problems():
    assert found(Path(os.environ["SEGMENTATION_REAL_DATA"]) / "camvid", "camvid") == []
