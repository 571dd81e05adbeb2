"""RTK's folder: where masks lie, how it is split, and what the checker says about the practice roads."""

import unicodedata

import numpy as np
import pytest

from helpers.datasets import DatasetError, check_dataset
from helpers.datasets.rtk import get_y_fn, sequence, split
from helpers.images import save_image
from helpers.labels import RTK
from helpers.masks import save_mask


def folder_with(tmp_path, count: int, *, images="images", masks="masks"):
    for name in (images, masks):
        (tmp_path / name).mkdir()
    for i in range(count):
        save_image(tmp_path / images / f"{i:03}.png", np.zeros((288, 352, 3), np.uint8))
        save_mask(tmp_path / masks / f"{i:03}.png", np.zeros((288, 352), np.uint8), RTK.palette())
    return tmp_path


def test_masks_lie_beside_the_pictures_under_either_name(tmp_path) -> None:
    names = {
        "images": "RTK_SemanticSegmentationGT_originalFrames",
        "masks": "RTK_SemanticSegmentationGT_NoColorMapMasks",
    }
    folder = folder_with(tmp_path, 1, **names)
    assert get_y_fn(folder / names["images"] / "000.png") == folder / names["masks"] / "000.png"


def test_without_a_list_the_last_fifth_is_left_out_in_one_piece(tmp_path) -> None:
    train, valid = split(folder_with(tmp_path, 11))
    assert [path.stem for path in valid] == ["009", "010"]
    assert [path.stem for path in train] == [f"{i:03}" for i in range(9)]


def test_the_list_decides(tmp_path) -> None:
    folder = folder_with(tmp_path, 3)
    (folder / "valid.txt").write_text("001.png\n", encoding="utf-8")
    train, valid = split(folder)
    assert [path.stem for path in valid] == ["001"] and [path.stem for path in train] == ["000", "002"]


def test_names_may_hold_spaces_and_accents(tmp_path) -> None:
    folder = folder_with(tmp_path, 2)
    for place in ("images", "masks"):
        (folder / place / "001.png").rename(folder / place / "rue d'été 1.png")
    listed = unicodedata.normalize("NFD", "rue d'été 1.png")
    (folder / "valid.txt").write_text(listed, encoding="utf-16")
    train, valid = split(folder)
    assert [path.stem for path in train] == ["000"] and [path.stem for path in valid] == ["rue d'été 1"]
    assert not check_dataset(folder, "rtk")


@pytest.mark.parametrize(
    ("listed", "message"),
    [("007.png\n", "valid.txt names 007.png"), ("000.png\n001.png\n", "leaves 0 pictures to train on and 2")],
)
def test_a_list_that_does_not_fit_is_a_problem_and_an_error(tmp_path, listed, message) -> None:
    folder = folder_with(tmp_path, 2)
    (folder / "valid.txt").write_text(listed, encoding="utf-8")
    with pytest.raises(DatasetError, match=message):
        split(folder)
    problems = check_dataset(folder, "rtk")
    assert len(problems) == 1 and problems[0].path.name == "valid.txt"


def test_an_empty_folder_says_what_it_should_hold(tmp_path) -> None:
    with pytest.raises(DatasetError, match="holds images/ and masks/"):
        split(tmp_path)


def test_a_sequence_is_a_name_without_its_number() -> None:
    assert sequence("images/two_words_003.jpg") == "two_words"
