"""The confusion matrix against hand counts, scikit-learn and torchmetrics."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from helpers.metrics import ConfusionMatrix


def test_the_two_by_two_case_by_hand():
    #            truth  prediction
    # 6 road, 2 car: one road pixel called car, one car pixel called road
    target = np.array([[0, 0, 0, 0], [0, 0, 1, 1]])
    pred = np.array([[0, 0, 0, 0], [0, 1, 0, 1]])
    scores = ConfusionMatrix(2).update(target, pred)
    assert scores.matrix.tolist() == [[5, 1], [1, 1]]
    assert scores.pixel_accuracy() == 6 / 8
    assert scores.iou().tolist() == [5 / 7, 1 / 3]
    assert scores.mean_iou() == pytest.approx((5 / 7 + 1 / 3) / 2)  # not the micro IoU 6 / 10, not the accuracy
    assert scores.dice().tolist() == [10 / 12, 2 / 4]


arrays = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
    lambda shape: st.tuples(
        hnp.arrays(np.uint8, shape, elements=st.integers(0, 5)), hnp.arrays(np.int64, shape, elements=st.integers(0, 4))
    )
)


@given(arrays)
def test_equals_scikit_learn_with_the_ignored_pixels_left_out(pair):
    target, pred = pair
    counted = target != 5
    scores = ConfusionMatrix(5, ignore_index=5).update(target, pred)
    if counted.any():
        oracle = sklearn.metrics.confusion_matrix(target[counted], pred[counted], labels=range(5))
        assert (scores.matrix == oracle).all()
        present = np.isfinite(scores.iou())
        jaccard = sklearn.metrics.jaccard_score(
            target[counted], pred[counted], labels=np.flatnonzero(present), average=None, zero_division=0
        )
        assert scores.iou()[present] == pytest.approx(jaccard)
    else:
        assert np.isnan(scores.pixel_accuracy()) and np.isnan(scores.mean_iou())


def test_equals_torchmetrics_on_several_pictures():
    torch = pytest.importorskip("torch")
    from torchmetrics.classification import MulticlassJaccardIndex

    rng = np.random.default_rng(0)
    oracle = MulticlassJaccardIndex(7, ignore_index=6, average="none")
    scores = ConfusionMatrix(7, ignore_index=6)
    for _ in range(3):
        target, pred = rng.integers(0, 7, (2, 20, 30))
        pred[pred == 6] = 0
        scores.update(target, pred)
        oracle.update(torch.from_numpy(pred), torch.from_numpy(target))
    assert scores.iou()[:6] == pytest.approx(oracle.compute().numpy()[:6])


@given(arrays, st.permutations(range(5)))
def test_renaming_classes_renames_scores(pair, order):
    target, pred = pair[0] % 5, pair[1]
    order = np.array(order)
    plain = ConfusionMatrix(5).update(target, pred)
    renamed = ConfusionMatrix(5).update(order[target], order[pred])
    np.testing.assert_allclose(renamed.iou()[order], plain.iou())
    assert renamed.mean_iou() == pytest.approx(plain.mean_iou(), nan_ok=True)


def test_absent_in_both_is_left_out_but_invented_counts_as_zero():
    scores = ConfusionMatrix(3).update(np.array([0, 0, 0]), np.array([0, 0, 1]))
    assert np.isnan(scores.iou()[2]) and scores.iou()[1] == 0
    assert scores.mean_iou() == pytest.approx((2 / 3 + 0) / 2)
    assert scores.mean_dice() == pytest.approx((4 / 5 + 0) / 2)


def test_predicting_ignore_is_a_miss_not_an_escape():
    scores = ConfusionMatrix(2, ignore_index=255).update(np.array([0, 0, 1, 255]), np.array([0, 255, 1, 0]))
    assert scores.pixel_accuracy() == pytest.approx(2 / 3)
    assert scores.iou().tolist() == [0.5, 1.0]
    assert scores.recall().tolist() == [0.5, 1.0] and scores.precision().tolist() == [1.0, 1.0]


def test_one_matrix_over_pictures_differs_from_the_mean_over_pictures():
    scores = ConfusionMatrix(2)
    scores.update(np.array([[0, 0, 0, 1]]), np.array([[0, 0, 0, 1]]))
    scores.update(np.array([[0, 1, 1, 1]]), np.array([[0, 0, 0, 0]]))
    assert scores.iou()[1] == 1 / 4  # the mean over the two pictures would be (1 + 0) / 2


@pytest.mark.parametrize(
    ("target", "pred", "message"),
    [
        (np.zeros((2, 2), int), np.zeros((2, 3), int), "shape"),
        (np.zeros((2, 2)), np.zeros((2, 2), int), "target holds float64"),
        (np.zeros((2, 2), int), np.full((2, 2), 7), "pred has ids 7–7, but there are 3 classes"),
        (np.full((2, 2), -1), np.zeros((2, 2), int), "target has ids -1"),
        (np.full((2, 2), 255), np.zeros((2, 2), int), "ignore_index is None"),
    ],
)
def test_wrong_input_is_named_and_counts_nothing(target, pred, message):
    scores = ConfusionMatrix(3)
    with pytest.raises(ValueError, match=message):
        scores.update(target, pred)
    assert scores.matrix.sum() == 0


def test_an_id_just_beyond_the_classes_is_refused_although_ignore_is_set():
    with pytest.raises(ValueError, match="pred has ids"):
        ConfusionMatrix(3, ignore_index=255).update(np.array([0]), np.array([3]))


def test_a_large_label_set_does_not_overflow():
    target = np.arange(300).reshape(10, 30)
    scores = ConfusionMatrix(300, ignore_index=999).update(target, target)
    assert scores.mean_iou() == 1.0 and scores.matrix.sum() == 300


def test_table_shows_every_class_and_a_dash_for_the_absent_one():
    scores = ConfusionMatrix(3).update(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0]))
    lines = scores.table(["road", "car", "sky"]).splitlines()
    assert lines[1].split() == ["road", "50.0", "66.7", "80.0", "100.0", "66.7"]
    assert lines[3].split() == ["sky", "0.0", "–", "–", "–", "–"]
    assert "mean IoU 58.33 %" in lines[-1] and "over 2 classes" in lines[-1]
    with pytest.raises(ValueError, match="2 names for 3 classes"):
        scores.table(["a", "b"])
