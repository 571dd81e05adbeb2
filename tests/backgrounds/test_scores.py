"""Scores of a cut-out against values worked out by hand."""

import numpy as np
import pytest

from helpers.backgrounds.scores import alpha_error, boundary_f, edge_band, person_iou


def square(size: int, *, left: int = 20, cells: int = 64) -> np.ndarray:
    mask = np.zeros((cells, cells), np.float32)
    mask[20 : 20 + size, left : left + size] = 1
    return mask


def test_iou() -> None:
    assert person_iou(square(20), square(20)) == 1
    assert person_iou(square(20), square(20, left=30)) == pytest.approx(200 / 600)
    assert np.isnan(person_iou(square(0), square(0)))
    assert person_iou(square(0), square(5)) == 0


def test_an_outline_within_tolerance_counts_as_found() -> None:
    assert boundary_f(square(20), square(20)) == 1
    assert boundary_f(square(20), square(20, left=22), tolerance=2) == 1
    # 3 aside: the left and right sides are off, of the upper and lower ones 20 of 20 pixels are within reach.
    moved = boundary_f(square(20), square(20, left=23), tolerance=2)
    assert 0.4 < moved < 0.7
    assert boundary_f(square(20), square(20, left=23), tolerance=3) == 1


def test_outlines_that_are_missing() -> None:
    assert boundary_f(square(0), square(0)) == 1
    assert boundary_f(square(10), square(0)) == boundary_f(square(0), square(10)) == 0
    assert boundary_f(np.ones((9, 9)), np.ones((9, 9))) == 1


def test_iou_hardly_notices_a_ragged_outline_but_the_f_score_does() -> None:
    ragged = square(40)
    ragged[20:60:6, 60:64] = 1  # hairs 4 pixels long
    ragged[22:60:6, 17:20] = 1
    assert person_iou(ragged, square(40)) > 0.9
    assert boundary_f(ragged, square(40), tolerance=1) < person_iou(ragged, square(40))


def test_alpha_error_looks_at_the_edge_alone() -> None:
    target = square(30)
    assert alpha_error(target, target) == 0
    assert alpha_error(1 - target, target) == pytest.approx(100)
    far = target.copy()
    far[0, 0] = 1  # more than ten pixels from the edge
    assert alpha_error(far, target, width=5) == 0
    assert alpha_error(0.9 * target + 0.05, target) == pytest.approx(5, abs=1e-4)
    assert np.isnan(alpha_error(np.zeros((8, 8)), np.zeros((8, 8))))


def test_the_band_lies_around_the_edge() -> None:
    band = edge_band(square(30), width=3)
    assert band[20, 35] and band[17, 35] and not band[16, 35] and band[22, 35] and not band[23, 35]
