"""CamVid's folder: pairing, codes, splits, labels."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.datasets import camvid
from helpers.datasets.pairing import DatasetError
from helpers.labels import CAMVID, CAMVID11
from helpers.masks import MaskError
from helpers.paths import DATA

PRACTICE = DATA / "camvid_practice"


def write_names(root: Path, names: list[str], *, valid: list[str]) -> Path:
    (root / "images").mkdir(parents=True)
    for name in names:
        (root / "images" / name).touch()
    (root / "valid.txt").write_text("\n".join(valid) + "\n")
    return root


@pytest.fixture
def drives(tmp_path: Path) -> Path:
    names = [f"{drive}_{i:03}.png" for drive, count in (("A", 7), ("B", 3), ("AB", 2)) for i in range(count)]
    return write_names(tmp_path / "camvid", names, valid=["B_001.png", "A_002.png"])


def names(paths: list[Path]) -> list[str]:
    return [path.stem for path in paths]


def test_what_is_26() -> None:
    codes = camvid.codes(PRACTICE)
    assert (len(codes), codes[26], codes[30]) == (32, "Tree", "Void")


def test_label_of_a_picture() -> None:
    train, valid = camvid.split(PRACTICE)
    assert (len(train), len(valid)) == (76, 20)
    assert all(camvid.get_y_fn(path).is_file() for path in train + valid)
    assert camvid.get_y_fn("c/images/0016E5_00390.png") == Path("c/labels/0016E5_00390_P.png")


def test_split_by_the_list(drives: Path) -> None:
    train, valid = camvid.split(drives)
    assert names(valid) == ["A_002", "B_001"]
    assert len(train) == 10 and not set(train) & set(valid)


def test_split_by_a_drive_takes_its_whole_name(drives: Path) -> None:
    train, valid = camvid.split(drives, "A")
    assert names(valid) == [f"A_{i:03}" for i in range(7)]
    assert {camvid.sequence(path) for path in train} == {"B", "AB"}


def test_mixed_split_has_every_drive_on_both_sides(drives: Path) -> None:
    train, valid = camvid.split(drives, "mixed")
    assert names(valid) == ["AB_000", "A_000", "A_005", "B_000"]
    assert {camvid.sequence(path) for path in train} == {"A", "B", "AB"}
    assert len(train) + len(valid) == 12


def test_training_on_everything(drives: Path) -> None:
    train, valid = camvid.split(drives, "none")
    assert (len(train), valid) == (12, [])


def test_splits_that_cannot_be(drives: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="leaving out 'C'.*sequences here: A, AB, B"):
        camvid.split(drives, "C")
    (drives / "valid.txt").write_text("A_009.png\n")
    with pytest.raises(DatasetError, match="valid.txt names A_009.png, which is not in"):
        camvid.split(drives)
    (drives / "valid.txt").write_text("\n")
    with pytest.raises(DatasetError, match="of 12 pictures 0 are to validate on"):
        camvid.split(drives)
    (drives / "valid.txt").unlink()
    with pytest.raises(DatasetError, match="valid.txt is missing"):
        camvid.split(drives)
    one = write_names(tmp_path / "one", ["A_1.png"], valid=["A_1.png"])
    for by in ("valid", "mixed", "A"):
        with pytest.raises(DatasetError):
            camvid.split(one, by)
    with pytest.raises(DatasetError, match="no folder images/"):
        camvid.split(tmp_path)
    (tmp_path / "images").mkdir()
    with pytest.raises(DatasetError, match="holds no pictures"):
        camvid.split(tmp_path, "none")


def test_label_set_of_a_folder(tmp_path: Path) -> None:
    assert camvid.label_set(PRACTICE) is CAMVID
    for codes in (CAMVID11.class_names, (*CAMVID11.class_names, "Void")):
        (tmp_path / "codes.txt").write_text("\n".join(codes))
        assert camvid.label_set(tmp_path) is CAMVID11
    (tmp_path / "codes.txt").write_text("Void\nRoad\n")
    with pytest.raises(DatasetError, match="lists 2 classes that are not CamVid's 32 or 11"):
        camvid.label_set(tmp_path)


def test_labels_are_folded_and_checked(tmp_path: Path) -> None:
    mask = np.array([[CAMVID.index(name) for name in ("LaneMkgsDriv", "Truck_Bus", "Void", "Tunnel")]], np.uint8)
    Image.fromarray(mask).save(tmp_path / "a.png")
    assert camvid.read_label(tmp_path / "a.png", CAMVID).tolist() == [[3, 8, 11, 1]]
    Image.fromarray(np.array([[3, 11, 12]], np.uint8)).save(tmp_path / "b.png")
    with pytest.raises(MaskError, match="class 12"):
        camvid.read_label(tmp_path / "b.png", CAMVID11)


def test_the_names_of_the_tutorials_are_there_and_fastai_loads_only_when_asked() -> None:
    code = (
        "import sys; from helpers.datasets import camvid\n"
        "assert camvid.get_y_fn('a/images/b.png').name == 'b_P.png' and 'fastai' not in sys.modules\n"
        "from helpers.camvid.learner import acc_camvid\n"
        "assert acc_camvid.__name__ == 'acc_camvid' and 'fastai' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
