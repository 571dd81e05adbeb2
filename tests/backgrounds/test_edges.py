"""Edges: what each kind does to a person whose true alpha is known."""

import cv2
import numpy as np
import pytest

from helpers.backgrounds import EDGES, soften
from helpers.backgrounds.edges import guided
from helpers.backgrounds.scores import alpha_error, boundary_f


@pytest.fixture(scope="module")
def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A bright disc on a dark, noisy ground: picture (H, W, 3), true alpha, and the coarse alpha of a network."""
    size, centre, radius = 160, (83, 77), 50
    large = np.zeros((8 * size, 8 * size), np.uint8)
    cv2.circle(large, (8 * centre[0], 8 * centre[1]), 8 * radius, 255, -1)
    true = cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    noise = np.random.default_rng(0).normal(0, 4, (size, size, 3))
    image = np.clip(true[..., None] * [220, 190, 170] + (1 - true[..., None]) * [40, 60, 80] + noise, 0, 255).astype(
        np.uint8
    )
    coarse = cv2.GaussianBlur(cv2.resize(true, (20, 20), interpolation=cv2.INTER_AREA), (0, 0), 0.8)
    return image, true, coarse


@pytest.mark.parametrize("edge", EDGES)
def test_every_edge_gives_an_alpha_of_the_pictures_size(scene, edge: str) -> None:
    image, true, coarse = scene
    before = coarse.copy()
    alpha = soften(image, coarse, edge=edge)
    assert alpha.shape == true.shape and alpha.dtype == np.float32
    assert alpha.min() >= 0 and alpha.max() <= 1
    assert np.array_equal(coarse, before)
    assert alpha[77, 83] == pytest.approx(1, abs=0.1) and alpha[2, 2] == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("edge", ["argmax", "dilate", "grabcut"])
def test_hard_edges_know_only_yes_and_no(scene, edge: str) -> None:
    assert set(np.unique(soften(scene[0], scene[2], edge=edge))) == {0, 1}


def test_the_guided_filter_finds_the_edge_that_the_picture_has(scene) -> None:
    image, true, coarse = scene
    errors = {edge: alpha_error(soften(image, coarse, edge=edge), true) for edge in EDGES}
    assert errors["guided"] < errors["argmax"] < errors["dilate"]
    assert errors["guided"] < 0.5 * min(errors["soft"], errors["gaussian"])
    outlines = {edge: boundary_f(soften(image, coarse, edge=edge), true, tolerance=1) for edge in EDGES}
    assert outlines["guided"] > 0.95 and outlines["grabcut"] > 0.95 > outlines["argmax"]


def test_the_guided_filter_is_he_suns_formula(scene) -> None:
    """Each window's least squares line, averaged: computed here pixel by pixel."""
    image, _, coarse = scene
    image, alpha = image[40:60, 40:60], np.ascontiguousarray(cv2.resize(coarse, (160, 160))[40:60, 40:60])
    r, eps = 1, 1e-3
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(float) / 255
    padded = [np.pad(side.astype(float), 2 * r, mode="reflect") for side in (gray, alpha)]
    lines = np.empty((2, 22, 22))
    for i, j in np.ndindex(22, 22):
        g, a = (side[i : i + 2 * r + 1, j : j + 2 * r + 1] for side in padded)
        slope = ((g * a).mean() - g.mean() * a.mean()) / (g.var() + eps)
        lines[:, i, j] = slope, a.mean() - slope * g.mean()
    want = np.array(
        [
            [
                lines[0, i : i + 3, j : j + 3].mean() * gray[i, j] + lines[1, i : i + 3, j : j + 3].mean()
                for j in range(20)
            ]
            for i in range(20)
        ]
    )
    got = guided(image, alpha, radius=32, eps=eps, steep=1)  # 32 at 640 pixels is 1 at 20
    np.testing.assert_allclose(got[2:-2, 2:-2], np.clip(want, 0, 1)[2:-2, 2:-2], atol=2e-3)


def test_where_the_picture_is_flat_the_guided_filter_only_smooths() -> None:
    alpha = np.random.default_rng(0).random((64, 64)).astype(np.float32)
    flat = np.full((64, 64, 3), 90, np.uint8)
    got = guided(flat, alpha, radius=60, steep=1)
    assert got.std() < 0.25 * alpha.std() and got.mean() == pytest.approx(alpha.mean(), abs=0.02)


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("edge", EDGES)
def test_nobody_and_nothing_but_a_person_stay_so(edge: str, value: float) -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    alpha = soften(image, np.full((10, 12), value, np.float32), edge=edge)
    np.testing.assert_allclose(alpha, value, atol=1e-3)


def test_an_unknown_edge_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown edge 'matting'; choose one of argmax, dilate"):
        soften(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.float32), edge="matting")
