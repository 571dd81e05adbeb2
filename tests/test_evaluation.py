"""Scores of models whose label set is not the truth's."""

import numpy as np
import pytest

from helpers.datasets.pairing import DatasetError
from helpers.evaluation import Evaluation, label_set_of, labelled_pairs
from helpers.images import save_image
from helpers.labels import ADE20K, CAMVID, CAMVID11, CITYSCAPES, PASCAL_VOC, TRAFFIC
from helpers.masks import MaskError, save_mask


def ids(label_set, *names):
    return np.array([[label_set.index(name) for name in names]], np.uint8)


def test_cityscapes_predictions_are_scored_on_camvid_truth_in_eleven_classes():
    evaluation = Evaluation(CITYSCAPES, CAMVID)
    truth = ids(CAMVID, "Building", "Truck_Bus", "LaneMkgsDriv", "VegetationMisc", "Void", "Child", "Sky", "Sky")
    pred = ids(CITYSCAPES, "wall", "bus", "road", "terrain", "car", "person", "sky", "building")
    evaluation.add(pred, truth)
    figures = evaluation.figures()
    assert figures["label_set"] == "camvid11"
    assert figures["pixel_accuracy"] == pytest.approx(6 / 7, abs=1e-5)  # Void is not counted
    scores = {name: value for name, value in figures["iou"].items() if value is not None}
    assert scores == {"Building": 0.5, "Car": 1, "Road": 1, "Tree": 1, "Pedestrian": 1, "Sky": 0.5}
    assert figures["mean_iou"] == pytest.approx(5 / 6, abs=1e-5)
    assert figures["images"] == 1


def test_common_label_sets_are_kept_and_a_fold_can_be_asked_for():
    assert Evaluation(CITYSCAPES, CITYSCAPES).labels is CITYSCAPES
    assert Evaluation(CITYSCAPES, CITYSCAPES, folded_to=CAMVID11).labels is CAMVID11
    assert Evaluation(CAMVID11, CAMVID).labels is CAMVID11
    with pytest.raises(ValueError, match="no fold from ADE20K to CamVid 11"):
        Evaluation(ADE20K, CAMVID)


@pytest.mark.parametrize("truth_labels", [CAMVID, CAMVID11, CITYSCAPES])
def test_voc_predictions_are_scored_on_streets_by_cars_and_people(truth_labels):
    assert Evaluation(PASCAL_VOC, truth_labels).labels is TRAFFIC


def test_riders_and_their_bicycles_are_one_in_traffic():
    evaluation = Evaluation(PASCAL_VOC, CAMVID11)
    truth = ids(CAMVID11, "Bicyclist", "Bicyclist", "Pedestrian", "Car", "Car", "Road", "Sky")
    pred = ids(PASCAL_VOC, "person", "bicycle", "person", "bus", "aeroplane", "background", "person")
    evaluation.add(pred, truth)
    assert evaluation.figures()["iou"] == {"other": pytest.approx(1 / 3, abs=1e-5), "car": 0.5, "person": 0.75}


def test_an_ignored_prediction_counts_as_a_miss():
    evaluation = Evaluation(CITYSCAPES, CITYSCAPES)
    evaluation.add(np.array([[0, 255]]), np.array([[0, 0]]))
    assert evaluation.figures()["pixel_accuracy"] == 0.5


def test_truth_that_is_no_class_and_other_sizes_are_refused_and_not_counted():
    evaluation = Evaluation(CITYSCAPES, CAMVID11)
    with pytest.raises(MaskError, match="class 12"):
        evaluation.add(np.zeros((2, 2), np.uint8), np.full((2, 2), 12))
    with pytest.raises(MaskError, match=r"\(2, 2\), but its picture \(2, 3\)"):
        evaluation.add(np.zeros((2, 3), np.uint8), np.zeros((2, 2), np.uint8))
    assert evaluation.images == 0 and evaluation.matrix.matrix.sum() == 0


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (CAMVID.class_names, CAMVID),
        (CAMVID11.class_names, CAMVID11),
        ((*CAMVID11.class_names, "Void"), CAMVID11),
        (CITYSCAPES.class_names, CITYSCAPES),
    ],
)
def test_codes_tell_the_label_set(tmp_path, codes, expected):
    (tmp_path / "codes.txt").write_text("\n".join(codes) + "\n\n")
    assert label_set_of(tmp_path / "codes.txt") is expected


def test_codes_in_another_order_are_another_label_set(tmp_path):
    (tmp_path / "codes.txt").write_text("\n".join(reversed(CAMVID11.class_names)))
    with pytest.raises(DatasetError, match="lists 11 classes, those of no label set"):
        label_set_of(tmp_path / "codes.txt")


@pytest.fixture
def folder(tmp_path):
    for part in ("images", "labels", "cityscapes"):
        (tmp_path / part).mkdir()
    for stem in ("b", "a"):
        save_image(tmp_path / "images" / f"{stem}.jpg", np.zeros((4, 4, 3), np.uint8))
        save_mask(tmp_path / "labels" / f"{stem}_P.png", np.zeros((4, 4), np.uint8), CAMVID.palette())
    save_mask(tmp_path / "cityscapes" / "a.png", np.zeros((4, 4), np.uint8), CITYSCAPES.palette())
    (tmp_path / "codes.txt").write_text("\n".join(CAMVID.class_names))
    return tmp_path


def test_pairs_of_a_folder(folder):
    pairs, labels = labelled_pairs(folder)
    assert [(image.name, mask.name) for image, mask in pairs] == [("a.jpg", "a_P.png"), ("b.jpg", "b_P.png")]
    assert labels is CAMVID
    pairs, _ = labelled_pairs(folder, names=["b.jpg"])
    assert [image.name for image, _ in pairs] == ["b.jpg"]
    pairs, labels = labelled_pairs(folder, names=["a.jpg"], cityscapes=True)
    assert [mask.name for _, mask in pairs] == ["a.png"] and labels is CITYSCAPES


def test_masks_beside_the_pictures_need_no_codes(folder):
    (folder / "codes.txt").unlink()
    (folder / "labels").rename(folder / "masks")
    for stem in ("a", "b"):
        (folder / "masks" / f"{stem}_P.png").rename(folder / "masks" / f"{stem}.png")
    pairs, labels = labelled_pairs(folder, truth=PASCAL_VOC)
    assert [mask.name for _, mask in pairs] == ["a.png", "b.png"] and labels is PASCAL_VOC


def test_what_a_folder_lacks_is_named(folder, tmp_path):
    with pytest.raises(DatasetError, match="lacks 1 of the listed files, c.jpg"):
        labelled_pairs(folder, names=["a.jpg", "c.jpg"])
    with pytest.raises(DatasetError, match="b.jpg: has no label"):
        labelled_pairs(folder, cityscapes=True)
    (folder / "codes.txt").unlink()
    with pytest.raises(DatasetError, match="codes.txt is missing"):
        labelled_pairs(folder)
    with pytest.raises(DatasetError, match="no folder images/"):
        labelled_pairs(folder / "labels")
