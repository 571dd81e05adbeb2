"""Entropy, and what the network takes for what."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.fcn import reading
from helpers.labels import CITYSCAPES, PASCAL_VOC, fold_mask

CAR, BUS = PASCAL_VOC.index("car"), PASCAL_VOC.index("bus")
BUILDING, ROAD, TRUE_CAR = (CITYSCAPES.index(name) for name in ("building", "road", "car"))


@given(st.integers(2, 21), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_entropy_equals_scipy_s(classes: int, seed: int) -> None:
    probs = np.random.default_rng(seed).dirichlet(np.full(classes, 0.2), (3, 4)).transpose(2, 0, 1)
    found = reading.entropy(probs)
    np.testing.assert_allclose(found, stats.entropy(probs, axis=0, base=classes), atol=1e-6)
    assert found.dtype == np.float32 and found.min() >= 0 and found.max() <= 1 + 1e-6


def frame() -> tuple[np.ndarray, np.ndarray]:
    """A true scene (Cityscapes) and a prediction (VOC) with one right car, one wrong bus and a border that is off."""
    truth = np.full((40, 60), ROAD, np.uint8)
    truth[:20] = BUILDING
    truth[25:35, 40:55] = TRUE_CAR
    pred = fold_mask(truth, CITYSCAPES, PASCAL_VOC)
    pred[24:36, 39:56] = CAR  # one pixel too large on each side
    pred[2:18, 5:15] = BUS  # on the building
    return truth, pred


def found(truth: np.ndarray, *preds: np.ndarray, **options) -> list[reading.Mistake]:
    target = fold_mask(truth, CITYSCAPES, PASCAL_VOC)
    wrong = [(pred != target) & (truth != CITYSCAPES.ignore_index) for pred in preds]
    return reading.mistakes(preds, [truth] * len(preds), wrong, labels=PASCAL_VOC, truth_labels=CITYSCAPES, **options)


def test_a_mistake_is_named_and_placed() -> None:
    (mistake,) = found(*frame())
    assert mistake[:-1] == (0, "bus", "building", (5, 2, 10, 16), 160)
    assert mistake.region[2:18, 5:15].all() and mistake.region.sum() == 160


def test_small_regions_and_wide_borders_are_no_mistakes() -> None:
    truth, pred = frame()
    assert found(truth, pred, min_pixels=161) == []
    pred[2:18, 5:15] = 0
    assert found(truth, pred, min_pixels=1) == [], "a border of one pixel is less than most of the car"
    assert [m.really for m in found(truth, pred, min_pixels=1, min_share=0.1)] == ["road"]


def test_pixels_without_a_label_are_no_mistakes() -> None:
    truth, pred = frame()
    truth[:20] = CITYSCAPES.ignore_index
    assert found(truth, pred) == []


def test_the_largest_comes_first_over_all_frames() -> None:
    truth, pred = frame()
    larger = pred.copy()
    larger[2:18, 25:45] = CAR
    several = found(truth, pred, larger)
    assert [(m.frame, m.taken_for, m.pixels) for m in several] == [(1, "car", 320), (0, "bus", 160), (1, "bus", 160)]


@pytest.mark.parametrize("shape", [(30, 40, 3), (30, 40)])
def test_crop_is_a_square_around_the_box_and_inside_the_picture(shape: tuple[int, ...]) -> None:
    image = np.arange(np.prod(shape)).reshape(shape)
    np.testing.assert_array_equal(reading.crop(image, (10, 12, 4, 6), least=1), image[9:21, 6:18])
    np.testing.assert_array_equal(reading.crop(image, (10, 12, 4, 6), context=1, least=20), image[5:25, 2:22])
    np.testing.assert_array_equal(reading.crop(image, (36, 0, 4, 6), least=1), image[:12, 28:])
    assert reading.crop(image, (0, 0, 40, 30)).shape[:2] == (30, 30), "never larger than the picture"
