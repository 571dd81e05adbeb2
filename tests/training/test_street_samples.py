"""Frames, targets and views of streets, on a made-up town."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from helpers.labels import CAMVID, CAMVID11, CITYSCAPES
from helpers.training import street_samples
from town import SMALL, write_town


@pytest.fixture
def town(tmp_path: Path) -> Path:
    return write_town(tmp_path / "town", stems=("A_1", "A_2", "B_1"), codes=CAMVID11.class_names + ("Void",))


def test_targets_of_both_camvids_are_merged_labels(town: Path, tmp_path: Path) -> None:
    town32 = write_town(tmp_path / "town32", stems=("A_1",), codes=CAMVID.class_names)
    for folder in (town, town32):
        target = street_samples.read_frames(folder)[0].target
        assert [int(target[row, 0]) for row in (0, 30, 59)] == [255, 19 + 1, 19 + 3]


def test_cityscapes_ids_come_first(tmp_path: Path) -> None:
    folder = write_town(tmp_path / "practice", stems=("T_1",), codes=CAMVID.class_names, fine=True)
    target = street_samples.read_frames(folder)[0].target
    assert [int(target[row, 0]) for row in (0, 30, 59)] == [10, 3, 0]


def test_large_frames_are_shrunk(town: Path) -> None:
    for name, method in (("images/A_1.png", Image.BILINEAR), ("labels/A_1_P.png", Image.NEAREST)):
        Image.open(town / name).resize((960, 720), method).save(town / name)
    large, small, _ = street_samples.read_frames(town)
    assert large.image.shape == (360, 480, 3) and large.target.shape == (360, 480)
    assert small.image.shape == (60, 80, 3)
    assert set(np.unique(large.target)) == set(np.unique(small.target))


def test_valid_frames_can_be_held_back(town: Path) -> None:
    (town / "valid.txt").write_text("A_2.png\n")
    assert [frame.stem for frame in street_samples.read_frames(town)] == ["A_1", "A_2", "B_1"]
    assert [frame.stem for frame in street_samples.read_frames(town, valid=False)] == ["A_1", "B_1"]


def test_folder_that_is_no_camvid_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="images"):
        street_samples.read_frames(tmp_path)
    folder = write_town(tmp_path / "town", stems=("A_1",), codes=("Void", "Building", "Road"))
    with pytest.raises(ValueError, match="3 classes"):
        street_samples.read_frames(folder)


def test_merged_labels_hold_the_classes_that_fold_to_them() -> None:
    members = street_samples.target_members()
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


def test_views_come_from_the_pools_in_their_shares(town: Path, tmp_path: Path) -> None:
    practice = write_town(tmp_path / "practice", stems=("T_1",), codes=CAMVID.class_names, fine=True)
    pools = [(street_samples.Pool(street_samples.read_frames(town)), 0.0)]
    pools += [(street_samples.Pool(street_samples.read_frames(practice)), 1.0)]
    images, targets = street_samples.draw_batch(pools, SMALL, np.random.default_rng(0))
    assert images.shape == (2, 48, 64, 3) and images.dtype == np.uint8
    assert targets.shape == (2, 48, 64)
    assert set(np.unique(targets)) <= {0, 3, 10, 255}
    weights = street_samples.target_weights(pools)
    assert (weights > 0).nonzero().flatten().tolist() == [0, 3, 10, 20, 22]


def test_frames_with_nothing_to_learn_from_are_refused() -> None:
    void = street_samples.Frame("a", np.zeros((8, 8, 3), np.uint8), np.full((8, 8), street_samples.IGNORE, np.uint8))
    with pytest.raises(ValueError, match="no class has more than 30 labelled pixels"):
        street_samples.Pool([void])
