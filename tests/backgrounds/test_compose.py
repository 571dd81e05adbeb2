"""Compositing: the equation, colours at the edge, light."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from helpers.backgrounds import blur_background, composite, estimate_foreground, parse_colour, replace_background
from helpers.backgrounds.compose import LINEAR, SRGB, as_background

PIXELS = arrays(np.uint8, (5, 7, 3))


@given(PIXELS, PIXELS, arrays(np.float32, (5, 7), elements=st.floats(0, 1, width=32)))
def test_composite_is_the_equation_within_a_grey_level(front: np.ndarray, back: np.ndarray, alpha: np.ndarray) -> None:
    weight = alpha.astype(np.float64)[..., None]
    want = weight * front + (1 - weight) * back
    got = composite(front, back, alpha)
    assert got.dtype == np.uint8
    assert np.abs(got - want).max() <= 1
    assert np.array_equal(got[alpha == 0], back[alpha == 0]) and np.array_equal(got[alpha == 1], front[alpha == 1])


def test_sizes_that_differ_are_named() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(ValueError, match=r"alpha \(2, 2\) differ in size"):
        composite(image, image, np.zeros((2, 2), np.float32))
    with pytest.raises(ValueError, match=r"picture is \(4, 4\) and alpha \(2, 2\)"):
        replace_background(image, np.zeros((2, 2), np.float32), background="#000000")
    with pytest.raises(ValueError, match="float64"):
        blur_background(image.astype(float), np.zeros((4, 4), np.float32))


def mixed_picture(person: tuple, behind: tuple) -> tuple[np.ndarray, np.ndarray]:
    """A person of one colour before another colour, with an edge 12 pixels wide."""
    alpha = np.tile(np.clip((np.arange(96) - 42) / 12, 0, 1).astype(np.float32), (96, 1))
    image = alpha[..., None] * np.array(person) + (1 - alpha[..., None]) * np.array(behind)
    return np.rint(image).astype(np.uint8), alpha


def test_the_persons_colours_are_found_at_the_edge() -> None:
    image, alpha = mixed_picture((200, 150, 120), (10, 200, 40))
    found = estimate_foreground(image, alpha)
    edge = (alpha > 0.05) & (alpha < 1)
    # What an error does to a picture goes with alpha.
    off, before = (alpha[edge, None] * np.abs(side[edge].astype(int) - (200, 150, 120)) for side in (found, image))
    assert off.max() <= 12 and before.max() > 40
    assert np.array_equal(found[alpha == 1], image[alpha == 1])


def test_no_halo_of_the_old_background_is_left() -> None:
    image, alpha = mixed_picture((200, 150, 120), (10, 255, 40))
    want = composite(np.full_like(image, (200, 150, 120)), np.zeros_like(image), alpha)
    without = replace_background(image, alpha, background="#000000")
    with_halo = replace_background(image, alpha, background=(0, 0, 0), halo=True)
    error = [np.abs(picture.astype(int) - want).max() for picture in (without, with_halo)]
    assert error[0] <= 16 and error[1] > 40


def test_nothing_of_the_person_glows_in_the_blurred_background() -> None:
    """A white person before black: the background stays black up to the very edge."""
    image = np.zeros((120, 160, 3), np.uint8)
    alpha = np.zeros((120, 160), np.float32)
    image[30:, 50:110], alpha[30:, 50:110] = 255, 1
    blurred = blur_background(image, alpha, radius=40)
    assert blurred[alpha == 0].max() <= 1 and np.array_equal(blurred[alpha == 1], image[alpha == 1])


def test_light_is_blurred_not_grey_levels() -> None:
    """Stripes of black and white have half of the light, which is grey level 188, not 128."""
    image = np.zeros((96, 96, 3), np.uint8)
    image[:, ::2] = 255
    blurred = blur_background(image, np.zeros((96, 96), np.float32), radius=60)
    assert np.abs(blurred[20:-20, 20:-20].astype(int) - 188).max() <= 3


def test_a_lamp_becomes_a_disc_of_the_radius_that_was_asked_for() -> None:
    image = np.zeros((640, 640, 3), np.uint8)
    image[318:323, 318:323] = 255
    lit = blur_background(image, np.zeros((640, 640), np.float32), radius=20).max(2) > 8
    rows = np.flatnonzero(lit.any(1))
    assert 38 <= np.ptp(rows) + 1 <= 52
    assert abs(lit.sum() / (np.pi * (np.ptp(rows) + 1) ** 2 / 4) - 1) < 0.15


def test_a_person_everywhere_leaves_the_picture_as_it_is() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    ones = np.ones((40, 60), np.float32)
    for background in ("blur", "#123456"):
        np.testing.assert_array_equal(replace_background(image, ones, background=background), image)


def test_grey_levels_survive_the_way_to_light_and_back() -> None:
    steps = np.rint(LINEAR * (len(SRGB) - 1)).astype(int)
    assert np.abs(SRGB[steps].astype(int) - np.arange(256)).max() <= 1


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 60), st.integers(1, 60))
def test_a_background_covers_any_picture(height: int, width: int, own_height: int, own_width: int) -> None:
    behind = as_background(np.full((own_height, own_width, 3), 7, np.uint8), (height, width))
    assert behind.shape == (height, width, 3) and (behind == 7).all()


def test_a_background_is_cut_in_its_middle() -> None:
    wide = np.repeat(np.arange(90, dtype=np.uint8)[None, :, None], 30, 0).repeat(3, 2)
    assert as_background(wide, (30, 30))[0, :, 0].tolist() == list(range(30, 60))


@pytest.mark.parametrize("text", ["00b140", "#00b14", "#00b1401", "#00b14g", "green", "", "# 0b140"])
def test_what_is_no_colour(text: str) -> None:
    with pytest.raises(ValueError, match="write it as #rrggbb"):
        parse_colour(text)


@pytest.mark.parametrize(
    "background", [np.zeros((4, 4)), np.zeros((4, 4, 4), np.uint8), (1, 2), (0, 0, 256), (-1, 0, 0)]
)
def test_what_is_no_background(background) -> None:
    with pytest.raises(ValueError, match="a background is a picture"):
        as_background(background, (8, 8))
