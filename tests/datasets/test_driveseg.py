"""The truth of a driving clip, and the merged classes of MIT's tutorial."""

import numpy as np
import pytest

from helpers.datasets.driveseg import DRIVESEG, fold_to_driveseg, read_label_frames
from helpers.images import save_image
from helpers.labels import CITYSCAPES
from helpers.masks import MaskError, save_mask
from helpers.metrics import ConfusionMatrix


def test_fold_is_the_tutorials():
    """It merges by number: 14, 15 → 13; 3, 4 → 2; 12 → 11; and scores ids 0 1 2 5 6 7 8 9 11 13."""
    ids = np.arange(256)
    merged = np.where(np.isin(ids, (14, 15)), 13, np.where(np.isin(ids, (3, 4)), 2, np.where(ids == 12, 11, ids)))
    scored = [0, 1, 2, 5, 6, 7, 8, 9, 11, 13]
    expected = np.array([scored.index(i) if i in scored else 255 for i in merged])
    np.testing.assert_array_equal(fold_to_driveseg(), expected)
    assert [DRIVESEG.class_names[i] for i in expected[[0, 11, 13]]] == ["road", "person", "car"]
    np.testing.assert_array_equal(DRIVESEG.colors[9], CITYSCAPES.colors[13])


def test_sky_predicted_on_a_building_is_a_miss():
    table = fold_to_driveseg()
    target, pred = np.array([[2, 2, 255]]), np.array([[2, 10, 10]])
    scores = ConfusionMatrix(10, ignore_index=255).update(table[target], table[pred])
    assert scores.iou()[2] == scores.pixel_accuracy() == 0.5


def test_label_frames_in_order_whatever_their_form(tmp_path):
    (tmp_path / "deeper").mkdir()
    ids = np.array([[0, 13], [255, 10]], np.uint8)
    save_mask(tmp_path / "deeper" / "0001.png", ids, CITYSCAPES.palette())
    save_image(tmp_path / "deeper" / "0002.png", np.stack([ids + np.uint8(1)] * 3, -1))
    save_image(tmp_path / "deeper" / "._0002.png", np.zeros((2, 2, 3), np.uint8))  # what macOS adds to archives
    frames = read_label_frames(tmp_path)
    assert len(frames) == 2
    np.testing.assert_array_equal(frames[0], ids)
    np.testing.assert_array_equal(frames[1], ids + np.uint8(1))
    assert len(read_label_frames(tmp_path, count=1)) == 1
    save_image(tmp_path / "colours.png", CITYSCAPES.palette()[ids])
    with pytest.raises(MaskError, match="colours"):
        read_label_frames(tmp_path)
    with pytest.raises(MaskError, match="no label frames"):
        read_label_frames(tmp_path / "none")
