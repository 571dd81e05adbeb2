"""Lesson 00: objects of a scene, figures of its tasks and palettes, and the baseline without networks."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.labels import CAMVID11, CITYSCAPES
from helpers.metrics import ConfusionMatrix
from helpers.start import forest as baseline

CAR, PERSON, ROAD = (CITYSCAPES.index(name) for name in ("car", "person", "road"))


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A road with two cars that touch, and a person."""
    mask = np.full((30, 40), ROAD, np.uint8)
    instances = np.zeros((30, 40), np.uint16)
    for number, class_id, window in (
        (300, CAR, np.s_[10:20, 5:15]),
        (7, CAR, np.s_[10:20, 15:21]),
        (9, PERSON, np.s_[5:25, 36:39]),
    ):
        mask[window], instances[window] = class_id, number
    return np.full((30, 40, 3), 90, np.uint8), mask, instances


def test_instances_have_class_box_and_size_and_come_largest_first():
    _, mask, instances = scene()
    assert baseline.find_instances(mask, instances) == [
        (300, CAR, (5, 10, 10, 10), 100),
        (7, CAR, (15, 10, 6, 10), 60),
        (9, PERSON, (36, 5, 3, 20), 60),
    ]


def test_an_instance_has_the_class_of_most_of_its_pixels():
    _, mask, instances = scene()
    mask[10:14, 5:15] = ROAD  # 40 of the first car's 100 pixels
    assert baseline.find_instances(mask, instances)[0].class_id == CAR


def test_small_instances_are_left_out_and_none_is_fine():
    _, mask, instances = scene()
    assert [found.id for found in baseline.find_instances(mask, instances, min_pixels=61)] == [300]
    assert baseline.find_instances(mask, np.zeros_like(instances)) == []


def test_instances_of_another_picture_are_refused():
    _, mask, instances = scene()
    with pytest.raises(ValueError, match=r"\(30, 40\), instances \(29, 40\)"):
        baseline.find_instances(mask, instances[1:])


def test_tasks_show_names_boxes_classes_and_objects():
    image, mask, instances = scene()
    classification, detection, semantic, instance = baseline.plot_tasks(image, mask, instances, CITYSCAPES).axes
    assert [text.get_text() for text in classification.texts] == ["car\nperson"]
    assert [text.get_text() for text in detection.texts] == ["car", "car", "person"]
    assert [box.get_bbox().bounds for box in detection.patches] == [(5, 10, 10, 10), (15, 10, 6, 10), (36, 5, 3, 20)]
    classes, objects = semantic.images[0].get_array(), instance.images[0].get_array()
    assert (classes[15, 14] == classes[15, 15]).all(), "touching cars have one colour as a class"
    assert (objects[15, 14] != objects[15, 15]).any(), "and two as objects"
    assert (objects[0, 0] == image[0, 0]).all(), "what is no object stays as it is"


def test_tasks_leave_out_what_covers_too_little():
    image, mask, instances = scene()
    figure = baseline.plot_tasks(image, mask, instances, CITYSCAPES, min_share=61 / mask.size)
    assert [text.get_text() for text in figure.axes[1].texts] == ["car"]


def test_tasks_of_an_empty_street():
    image, mask, instances = scene()
    figure = baseline.plot_tasks(image, np.full_like(mask, ROAD), np.zeros_like(instances), CITYSCAPES)
    assert not figure.axes[1].patches


@given(st.integers(0, 255))
def test_grey_looks_the_same_with_deuteranopia(value):
    seen = baseline.as_seen_with_deuteranopia(np.full((1, 3), value, np.uint8))
    assert np.abs(seen.astype(int) - value).max() <= 1


def test_red_and_green_come_closer_with_deuteranopia():
    red_green = np.array([[200, 60, 60], [60, 160, 60]], np.uint8)
    distance = np.linalg.norm(np.diff(red_green.astype(float), axis=0))
    seen = baseline.as_seen_with_deuteranopia(red_green)
    assert seen.dtype == np.uint8
    assert np.linalg.norm(np.diff(seen.astype(float), axis=0)) < distance / 2


def test_palettes_are_shown_as_seen_by_most_and_with_deuteranopia():
    _, mask, _ = scene()
    palettes = {"official": CITYSCAPES.palette(), "safe": CITYSCAPES.palette("colorblind")}
    axes = baseline.plot_palettes(mask, palettes).axes
    assert [ax.get_title() for ax in axes[:2]] == list(palettes)
    for column, palette in enumerate(palettes.values()):
        assert (axes[column].images[0].get_array() == palette[mask]).all()
        assert (axes[2 + column].images[0].get_array() == baseline.as_seen_with_deuteranopia(palette)[mask]).all()


def test_features_of_a_flat_picture_know_only_place_and_colour():
    features = baseline.pixel_features(np.full((24, 32, 3), 128, np.uint8))
    assert features.shape == (24, 32, len(baseline.FEATURES)) and features.dtype == np.float32
    named = dict(zip(baseline.FEATURES, np.moveaxis(features, 2, 0), strict=True))
    assert (named["row"][0] == 0).all() and (named["row"][-1] == 1).all()
    assert (named["column"][:, 0] == 0).all() and (named["column"][:, -1] == 1).all()
    for name in ("spread", "wide spread", "edge"):
        assert np.allclose(named[name], 0, atol=1e-3), name
    assert np.allclose(named["mean L"], named["L"]) and np.allclose(named["wide mean b"], named["b"], atol=1e-4)


def test_features_see_an_edge_as_far_as_their_window():
    image = np.zeros((60, 60, 3), np.uint8)
    image[:, 30:] = 255
    named = dict(zip(baseline.FEATURES, np.moveaxis(baseline.pixel_features(image), 2, 0), strict=True))
    middle = 30
    assert named["spread"][middle, 27] > 0 and named["spread"][middle, 26] == 0  # 7 pixels: 3 to each side
    assert named["wide spread"][middle, 20] > 0 and named["wide spread"][middle, 19] == 0  # 21 pixels: 10
    assert named["edge"][middle, 29] > 0 and named["edge"][middle, 20] == 0


def streets(count: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Noisy pictures of sky over road, with a strip of void."""
    rng = np.random.default_rng(seed)
    pairs = []
    for _ in range(count):
        mask = np.full((36, 48), CAMVID11.index("Road"), np.uint8)
        mask[: rng.integers(12, 24)] = CAMVID11.index("Sky")
        color = np.where((mask == CAMVID11.index("Sky"))[..., None], (130, 170, 230), (90, 90, 95))
        image = np.clip(color + rng.normal(0, 25, color.shape), 0, 255).astype(np.uint8)
        mask[:, :4] = CAMVID11.ignore_index
        pairs.append((image, mask))
    return pairs


def test_forest_learns_sky_and_road_and_never_says_void():
    forest = baseline.train_forest(streets(4, seed=0), ignore_index=CAMVID11.ignore_index, per_picture=200, seed=1)
    assert set(forest.classes_) == {CAMVID11.index("Sky"), CAMVID11.index("Road")}
    scores = ConfusionMatrix(CAMVID11.num_classes, ignore_index=CAMVID11.ignore_index)
    for image, mask in streets(2, seed=5):
        pred = baseline.predict_forest(forest, image)
        assert pred.shape == mask.shape and pred.dtype == np.uint8
        scores.update(mask, pred)
    assert scores.mean_iou() > 0.9


def test_forest_is_the_same_for_the_same_seed():
    image, _ = streets(1, seed=9)[0]
    noisy = np.random.default_rng(3).integers(0, 256, image.shape, np.uint8)
    preds = [
        baseline.predict_forest(
            baseline.train_forest(streets(2, seed=0), ignore_index=11, per_picture=100, seed=seed), noisy
        )
        for seed in (1, 1, 2)
    ]
    assert (preds[0] == preds[1]).all() and (preds[0] != preds[2]).any()


def test_forest_without_pictures_says_so():
    with pytest.raises(ValueError, match="no pictures"):
        baseline.train_forest([], ignore_index=11)
