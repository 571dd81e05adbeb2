"""Files that count classes otherwise than models do are translated, or refused as a whole."""

import numpy as np
import pytest

from helpers.labels import ADE20K, CITYSCAPES
from helpers.masks import MaskError
from helpers.numberings import NUMBERINGS


def test_ade20k_annotations_count_from_1_and_0_is_not_scored():
    mask = np.array([[0, 1, 150]], np.uint16)
    assert NUMBERINGS["ade20k"].translate(mask).tolist() == [[255, 0, 149]]
    assert NUMBERINGS["ade20k"].labels is ADE20K
    with pytest.raises(MaskError, match="class 151"):
        NUMBERINGS["ade20k"].translate(mask + 1)


def test_cityscapes_label_ids_are_those_of_its_scripts():
    ids = NUMBERINGS["cityscapes-ids"].translate(np.array([[7, 8, 11, 17, 26, 33, 3, 0, 16]]))
    names = [CITYSCAPES.class_names[i] if i != 255 else None for i in ids[0]]
    assert names == ["road", "sidewalk", "building", "pole", "car", "bicycle", None, None, None]


@pytest.mark.parametrize("key", NUMBERINGS)
def test_own_ids_are_themselves_and_all_are_known(key):
    numbering = NUMBERINGS[key]
    ids = set(numbering.table.values()) - {numbering.labels.ignore_index}
    assert ids >= set(range(numbering.labels.num_classes)) - {numbering.labels.ignore_index}
    if key == numbering.labels.key and key != "ade20k":
        assert all(file_id == own for file_id, own in numbering.table.items())
    assert numbering.objection(numbering.table) is None


@pytest.mark.parametrize(
    ("key", "ids", "other"),
    [
        ("cityscapes", {7, 8, 26, 33}, "cityscapes-ids"),
        ("cityscapes", {7, 8, 11, 17}, "cityscapes-ids"),  # all are train ids too, but no road anywhere?
        ("cityscapes-ids", {0, 1, 2, 13}, "cityscapes"),
        ("cityscapes-ids", {7, 255}, "cityscapes"),
        ("ade20k", {1, 2, 255}, "ade20k-from0"),
        ("ade20k-from0", {1, 150}, "ade20k"),
    ],
)
def test_the_ids_of_a_folder_speak_for_another_numbering(key, ids, other):
    assert NUMBERINGS[key].objection(ids).endswith(f"use --truth {other}")
    assert NUMBERINGS[key].objection(ids | {999}), "one odd file more doesn't hide it"
    assert NUMBERINGS[other].objection(ids) is None


def test_a_folder_of_both_numberings_is_refused_and_a_single_wrong_id_left_to_its_file():
    assert "fit no numbering" in NUMBERINGS["cityscapes"].objection({0, 7, 33, 255})
    assert NUMBERINGS["voc"].objection({0, 15, 99}) is None
    assert NUMBERINGS["cityscapes"].objection({0, 255}) is None
