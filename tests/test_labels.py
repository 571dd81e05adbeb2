"""Label sets: official facts, folds, palettes."""

import doctest

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import labels
from helpers.colors import evenly_spaced_colors
from helpers.labels import (
    ADE20K,
    CAMVID,
    CAMVID11,
    CITYSCAPES,
    LABEL_SETS,
    PASCAL_VOC,
    TRAFFIC,
    can_fold,
    fold,
)


def test_doctests_of_the_module():
    result = doctest.testmod(labels)
    assert result.attempted > 0 and result.failed == 0


@pytest.mark.parametrize(
    ("label_set", "num_classes", "ignore_index", "known"),
    [
        (CITYSCAPES, 19, 255, {"road": (0, (128, 64, 128)), "bicycle": (18, (119, 11, 32)), "car": (13, (0, 0, 142))}),
        (PASCAL_VOC, 21, 255, {"background": (0, (0, 0, 0)), "person": (15, (192, 128, 128))}),
        (ADE20K, 150, 255, {"wall": (0, (120, 120, 120)), "person": (12, (150, 5, 61)), "flag": (149, (92, 0, 255))}),
        (CAMVID, 32, 30, {"Animal": (0, (64, 128, 64)), "Tree": (26, (128, 128, 0)), "Wall": (31, (64, 192, 0))}),
        (CAMVID11, 11, 11, {"Sky": (0, (128, 128, 128)), "Bicyclist": (10, (0, 128, 192))}),
    ],
)
def test_ids_names_and_colours_are_the_official_ones(label_set, num_classes, ignore_index, known):
    assert label_set.num_classes == num_classes == len(label_set.colors)
    assert label_set.ignore_index == ignore_index
    assert len(set(label_set.class_names)) == num_classes
    for name, (index, color) in known.items():
        assert label_set.index(name) == index
        assert tuple(label_set.colors[index]) == color
        assert tuple(label_set.palette()[index]) == color


def test_an_unknown_name_is_answered_with_the_names_there_are():
    with pytest.raises(KeyError, match="no class 'tram'.*bicycle"):
        CITYSCAPES.index("tram")


def test_palette_is_black_where_nothing_is_labelled():
    palette = CITYSCAPES.palette()
    assert palette.shape == (256, 3) and palette.dtype == np.uint8
    assert not palette[19:].any()
    with pytest.raises(ValueError, match="choose 'official' or 'colorblind'"):
        CITYSCAPES.palette("pretty")


def viénot_lab(colors: np.ndarray) -> np.ndarray:
    """Colours as a deuteranope sees them by Viénot, Brettel & Mollon 1999: another model than the package's own."""
    linear = ((colors / 255) ** 2.2) * 0.992052 + 0.003974
    to_lms = np.array([[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]])
    lms = linear @ to_lms.T
    lms[:, 1] = 0.494207 * lms[:, 0] + 1.24827 * lms[:, 2]
    seen = np.clip(lms @ np.linalg.inv(to_lms).T, 0, 1).astype(np.float32)
    return cv2.cvtColor(seen[None], cv2.COLOR_LRGB2LAB)[0]


def smallest_distance(lab: np.ndarray) -> float:
    distances = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    return distances[~np.eye(len(lab), dtype=bool)].min()


@pytest.mark.parametrize("key", ["cityscapes", "voc", "camvid", "camvid11"])
def test_colorblind_palette_stays_apart_for_deuteranopes(key):
    label_set = LABEL_SETS[key]
    safe = label_set.palette("colorblind")[: label_set.num_classes]
    official = smallest_distance(viénot_lab(label_set.colors.astype(float)))
    distance = smallest_distance(viénot_lab(safe.astype(float)))
    assert distance > 10 and distance > 1.5 * official
    plain = cv2.cvtColor((safe[None] / 255).astype(np.float32), cv2.COLOR_RGB2LAB)[0]
    assert smallest_distance(plain) > 15


def test_colorblind_palette_of_150_classes_has_150_colours():
    assert len(np.unique(ADE20K.palette("colorblind")[:150], axis=0)) == 150


@given(st.integers(1, 180))
def test_evenly_spaced_colors_are_all_different(n):
    colors = evenly_spaced_colors(n)
    assert colors.shape == (n, 3) and colors.dtype == np.uint8
    assert len(np.unique(colors, axis=0)) == n


def test_evenly_spaced_colors_needs_a_class():
    with pytest.raises(ValueError, match="at least one"):
        evenly_spaced_colors(0)


def test_every_camvid_code_but_void_folds_into_the_eleven():
    table = fold(CAMVID, CAMVID11)
    assert {CAMVID.class_names[i] for i in range(32) if table[i] == 11} == {"Void"}
    assert CAMVID11.class_names[table[CAMVID.index("LaneMkgsDriv")]] == "Road"
    assert set(table[32:]) == {11}


def test_every_cityscapes_class_folds_into_the_eleven():
    table = fold(CITYSCAPES, CAMVID11)
    assert sorted(set(table[:19].tolist())) == list(range(11))
    assert table[255] == 11


def test_folding_to_voc_keeps_ignore_apart_from_background():
    table = fold(CITYSCAPES, PASCAL_VOC)
    assert table[CITYSCAPES.index("rider")] == PASCAL_VOC.index("person")
    assert table[CITYSCAPES.index("sky")] == 0
    assert table[255] == 255


def test_folding_a_set_into_itself_changes_nothing_but_unused_ids():
    for label_set in LABEL_SETS.values():
        table = fold(label_set, label_set)
        assert (table[: label_set.num_classes] == np.arange(label_set.num_classes)).all()


def test_an_undefined_fold_names_those_there_are():
    with pytest.raises(ValueError, match="no fold from ADE20K to CamVid.*camvid → camvid11"):
        fold(ADE20K, CAMVID)


def test_traffic_is_what_voc_and_the_street_sets_share():
    def folded(label_set, *names):
        return [TRAFFIC.class_names[fold(label_set, TRAFFIC)[label_set.index(name)]] for name in names]

    assert folded(PASCAL_VOC, "car", "train", "person", "bicycle", "motorbike") == ["car"] * 2 + ["person"] * 3
    assert folded(PASCAL_VOC, "background", "boat", "dog") == ["other"] * 3
    assert folded(CITYSCAPES, "car", "bus", "rider", "bicycle", "road") == ["car"] * 2 + ["person"] * 2 + ["other"]
    assert folded(CAMVID, "SUVPickupTruck", "Child", "MotorcycleScooter", "Sky") == ["car"] + ["person"] * 2 + ["other"]
    assert folded(CAMVID11, "Car", "Pedestrian", "Bicyclist", "Tree") == ["car"] + ["person"] * 2 + ["other"]
    for label_set in (PASCAL_VOC, CITYSCAPES, CAMVID, CAMVID11):
        assert fold(label_set, TRAFFIC)[label_set.ignore_index] == TRAFFIC.ignore_index


@pytest.mark.parametrize("label_set", [CAMVID, CITYSCAPES])
def test_the_way_to_traffic_through_camvid_11_is_the_straight_one(label_set):
    there, on = fold(label_set, CAMVID11), fold(CAMVID11, TRAFFIC)
    classes = np.arange(label_set.num_classes)
    np.testing.assert_array_equal(on[there[classes]], fold(label_set, TRAFFIC)[classes])


def test_can_fold_foretells_what_fold_does():
    for source in LABEL_SETS.values():
        for target in LABEL_SETS.values():
            if can_fold(source, target):
                assert set(fold(source, target)) <= {
                    *range(target.num_classes),
                    255 if target.ignore_index is None else target.ignore_index,
                }
            else:
                with pytest.raises(ValueError, match="no fold from"):
                    fold(source, target)
