"""Class weights from counts: known values, and what all schemes have in common."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.images import save_image
from helpers.labels import RTK
from helpers.masks import save_mask
from helpers.road_surface.data import AUTHORS, SCHEMES, class_counts, class_weights, found, pavement_iou, read_frames

COUNTS = np.array([900, 90, 10])


def test_known_weights() -> None:
    np.testing.assert_allclose(class_weights(COUNTS, "none"), [1, 1, 1])
    np.testing.assert_allclose(class_weights(COUNTS, "inverse"), [1, 10, 90])
    shares = np.array([0.9, 0.09, 0.01])
    enet = 1 / np.log(1.02 + shares)
    np.testing.assert_allclose(class_weights(COUNTS, "enet"), enet / enet[0], rtol=1e-6)


def test_median_frequency_counts_only_the_pictures_that_show_a_class() -> None:
    """The rare class fills half of the one picture that shows it: as common as the common one, there."""
    counts = np.array([[50, 50], [100, 0], [100, 0]])
    np.testing.assert_allclose(class_weights(counts, "inverse"), [1, 5])
    # Frequencies 250/300 and 50/100.
    np.testing.assert_allclose(class_weights(counts, "median"), [1, (250 / 300) / (50 / 100)], rtol=1e-6)


def test_the_authors_list_is_as_published() -> None:
    counts = np.arange(1, 14)
    assert class_weights(counts, "authors").tolist() == list(AUTHORS)
    assert AUTHORS[RTK.index("manholeCover")] == 0
    with pytest.raises(ValueError, match="13 weights, there are 3 classes"):
        class_weights(COUNTS, "authors")


@pytest.mark.parametrize("counts", [[0, 0], [[0, 0], [0, 0]]])
def test_no_pixel_at_all_is_an_error(counts) -> None:
    with pytest.raises(ValueError, match="no labelled pixel"):
        class_weights(np.array(counts), "enet")


def test_an_unknown_scheme_is_named() -> None:
    with pytest.raises(ValueError, match="unknown scheme 'sqrt'; choose one of none, inverse"):
        class_weights(COUNTS, "sqrt")


@pytest.mark.parametrize("scheme", [scheme for scheme in SCHEMES if scheme != "authors"])
@given(counts=st.lists(st.integers(0, 10**9), min_size=2, max_size=13).filter(any))
def test_every_scheme_gives_finite_weights_and_the_commonest_class_has_one(scheme, counts) -> None:
    counts = np.array(counts)
    weights = class_weights(counts, scheme)
    assert weights.dtype == np.float32 and np.isfinite(weights).all()
    assert weights[counts.argmax()] == 1
    np.testing.assert_array_equal(weights == 0, counts == 0)
    order = np.argsort(counts[counts > 0])
    assert (np.diff(weights[counts > 0][order]) <= 1e-3 * weights.max()).all(), "a rarer class never counts less"


@given(st.integers(2, 1000))
def test_weights_depend_on_shares_alone(factor) -> None:
    for scheme in ("inverse", "median", "enet"):
        np.testing.assert_allclose(class_weights(COUNTS * factor, scheme), class_weights(COUNTS, scheme), rtol=1e-5)


def test_frames_and_counts_are_those_of_the_files(tmp_path) -> None:
    mask = np.zeros((4, 5), np.uint8)
    mask[1, :3], mask[2, 2] = 12, 6
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    for stem, own in (("a", mask), ("b", np.full((4, 5), 3, np.uint8))):
        save_image(tmp_path / "images" / f"{stem}.png", np.full((4, 5, 3), len(stem), np.uint8))
        save_mask(tmp_path / "masks" / f"{stem}.png", own, RTK.palette())
    frames = read_frames(sorted((tmp_path / "images").iterdir()))
    np.testing.assert_array_equal(frames[0].mask, mask)
    counts = class_counts(frames)
    assert counts.shape == (2, 13)
    assert {i: n for i, n in enumerate(counts[0].tolist()) if n} == {0: 16, 6: 1, 12: 3}
    assert counts[1, 3] == 20


def test_found_leaves_background_out_and_absent_classes() -> None:
    iou = np.zeros(13)
    iou[[0, 1, 6]], iou[12] = [0.9, 0.21, 0.2], np.nan
    assert found(iou) == ["roadAsphalt"]


def test_pavements_are_three() -> None:
    iou = np.linspace(0, 0.12, 13)
    assert pavement_iou(iou) == pytest.approx((0.01 + 0.02 + 0.03) / 3)
