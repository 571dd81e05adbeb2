"""What the bundled networks learn from CamVid and from practice streets."""

from pathlib import Path

import pytest
import torch

from helpers.datasets.pairing import DatasetError
from helpers.labels import CAMVID, CAMVID11, CITYSCAPES
from helpers.training.street_samples import StreetCrops
from tools.bundled_models import targets
from town import write_town


@pytest.fixture
def town(tmp_path: Path) -> Path:
    return write_town(tmp_path / "town", stems=("A_1", "A_2", "B_1"), codes=CAMVID11.class_names + ("Void",))


def test_targets_of_both_camvids_are_merged_labels(town: Path, tmp_path: Path) -> None:
    town32 = write_town(tmp_path / "town32", stems=("A_1",), codes=CAMVID.class_names)
    for folder in (town, town32):
        target = targets.read_streets(folder)[0].target
        assert [int(target[row, 0]) for row in (0, 30, 59)] == [255, 19 + 1, 19 + 3]


def test_classes_go_by_their_names_not_their_number(tmp_path: Path) -> None:
    folder = write_town(tmp_path / "town", stems=("A_1",), codes=CAMVID.class_names)
    (folder / "codes.txt").write_text("\n".join(reversed(CAMVID.class_names)))
    with pytest.raises(DatasetError, match=r"codes\.txt lists"):
        targets.read_streets(folder)


def test_cityscapes_ids_come_first(tmp_path: Path) -> None:
    folder = write_town(tmp_path / "practice", stems=("T_1",), codes=CAMVID.class_names, fine=True)
    target = targets.read_streets(folder)[0].target
    assert [int(target[row, 0]) for row in (0, 30, 59)] == [10, 3, 0]


def test_valid_frames_can_be_held_back_also_with_spaces_in_their_names(town: Path) -> None:
    for name in ("images/A_2{}.png", "labels/A_2{}_P.png"):
        (town / name.format("")).rename(town / name.format(" b"))
    (town / "valid.txt").write_text("A_2 b.png\n")
    assert [frame.stem for frame in targets.read_streets(town)] == ["A_1", "A_2 b", "B_1"]
    assert [frame.stem for frame in targets.read_streets(town, valid=False)] == ["A_1", "B_1"]


def test_folder_that_is_no_camvid_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="codes.txt"):
        targets.read_streets(tmp_path)
    folder = write_town(tmp_path / "town", stems=("A_1",), codes=("Void", "Building", "Road"))
    with pytest.raises(DatasetError, match="3 classes"):
        targets.read_streets(folder)


def test_merged_labels_hold_the_classes_that_fold_to_them() -> None:
    members = targets.target_members()
    assert members.shape == (30, 19)
    assert members[:19].equal(torch.eye(19, dtype=torch.bool))
    names = {
        label: {CITYSCAPES.class_names[i] for i in members[19 + CAMVID11.index(label)].nonzero().flatten()}
        for label in ("Building", "SignSymbol", "Car", "Bicyclist", "Sky")
    }
    assert names == {
        "Building": {"building", "wall"},
        "SignSymbol": {"traffic light", "traffic sign"},
        "Car": {"car", "truck", "bus", "train"},
        "Bicyclist": {"rider", "bicycle", "motorcycle"},
        "Sky": {"sky"},
    }
    assert (members[19:].sum(0) == 1).all()  # each class folds to exactly one label


def test_weights_go_by_the_frequencies_of_each_kind(town: Path, tmp_path: Path) -> None:
    practice = write_town(tmp_path / "practice", stems=("T_1",), codes=CAMVID.class_names, fine=True)
    mixture = [(StreetCrops(targets.read_streets(folder)), 0.5) for folder in (town, practice)]
    assert (targets.target_weights(mixture) > 0).nonzero().flatten().tolist() == [0, 3, 10, 20, 22]
