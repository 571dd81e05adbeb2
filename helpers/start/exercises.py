"""Checks of lesson 00's exercises."""

from collections.abc import Callable

import numpy as np

from helpers.checker import checker, expect, expect_equal
from helpers.labels import CITYSCAPES
from helpers.metrics import ConfusionMatrix

_IGNORE = CITYSCAPES.ignore_index


def _example(seed: int, shape: tuple[int, int] = (6, 9)) -> np.ndarray:
    """A mask with all Cityscapes ids and some ignored pixels; not square, so that a transposed answer shows."""
    ids = np.resize(np.append(np.arange(CITYSCAPES.num_classes), _IGNORE), shape[0] * shape[1])
    return np.random.default_rng(seed).permutation(ids).reshape(shape).astype(np.uint8)


@checker
def check_class_share(class_share: Callable[[np.ndarray, int], float]) -> None:
    """Exercise 1, class_share"""
    mask = np.array([[0, 0, 0, 1], [0, 13, 255, 255]], np.uint8)
    expect_equal(class_share(mask, 0), 4 / 6, "the share of class 0 in 4 of 6 labelled pixels", tolerance=1e-9)
    expect_equal(class_share(mask, 13), 1 / 6, "the share of class 13 in 1 of 6 labelled pixels", tolerance=1e-9)
    expect_equal(class_share(mask, 5), 0.0, "the share of a class that does not occur")
    mask = _example(0)
    for class_id in (0, 11, 18):
        share = np.mean(mask[mask != _IGNORE] == class_id)
        expect_equal(class_share(mask, class_id), share, f"the share of class {class_id} in a 6×9 mask", tolerance=1e-9)


@checker
def check_iou(iou: Callable[[np.ndarray, np.ndarray, int], float]) -> None:
    """Exercise 3, iou"""
    target = np.array([[1, 1, 1], [0, 0, 255]], np.uint8)
    pred = np.array([[1, 1, 0], [1, 0, 1]], np.uint8)
    expect_equal(iou(target, pred, 1), 2 / 4, "iou of class 1: 2 pixels in both, 4 in either", tolerance=1e-9)
    expect_equal(iou(target, pred, 0), 1 / 3, "iou of class 0: 1 pixel in both, 3 in either", tolerance=1e-9)
    expect_equal(iou(target, pred, 7), np.nan, "iou of a class that is in neither (there is nothing to score)")
    seen, unsure = np.array([[1, 1]], np.uint8), np.array([[1, _IGNORE]], np.uint8)
    said = "iou where the prediction is 255 at a labelled pixel, which counts"
    expect_equal(iou(seen, unsure, 1), 1 / 2, said, tolerance=1e-9)
    target, pred = _example(1), _example(2)
    pred[pred == _IGNORE] = 0
    scores = ConfusionMatrix(CITYSCAPES.num_classes, ignore_index=_IGNORE).update(target, pred).iou()
    for class_id in range(CITYSCAPES.num_classes):
        got = iou(target, pred, class_id)
        expect_equal(got, scores[class_id], f"iou of class {class_id} in a 6×9 mask", tolerance=1e-9)


@checker
def check_to_groups(to_groups: Callable[[np.ndarray], np.ndarray]) -> None:
    """Exercise 2, to_groups"""
    mask = _example(3)
    before = mask.copy()
    groups = to_groups(mask)
    expect(np.array_equal(mask, before), "to_groups changed the mask it was given; make a new one")
    lookup = np.full(256, 3, np.uint8)
    lookup[[0, 1]], lookup[[11, 12]], lookup[13:19], lookup[_IGNORE] = 0, 1, 2, _IGNORE
    if isinstance(groups, np.ndarray) and groups.shape == mask.shape and (groups[mask == _IGNORE] != _IGNORE).any():
        expect(False, "pixels without a label got a group; 255 stays 255")
    expect_equal(groups, lookup[mask], "to_groups of a 6×9 mask")
