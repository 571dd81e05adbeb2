"""Augmentation keeps image and mask together and invents no class."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.training.augmentation import paste_classes, random_light, random_view


def blocks(height: int = 120, width: int = 160) -> tuple[np.ndarray, np.ndarray]:
    """A mask of 20-pixel blocks of classes 0..9 and a picture whose grey tells the class."""
    classes = np.random.default_rng(1).integers(0, 10, (height // 20, width // 20), np.uint8)
    mask = classes.repeat(20, 0).repeat(20, 1)
    return np.repeat(mask[..., None] * 25, 3, axis=2), mask


@given(seed=st.integers(0, 10_000), low=st.sampled_from([0.2, 0.5, 0.9]))
@settings(max_examples=30, deadline=None)
def test_view_invents_no_class(seed: int, low: float) -> None:
    image, mask = blocks()
    view, target = random_view(image, mask, size=(48, 64), scale=(low, 2 * low), rng=np.random.default_rng(seed))
    assert view.shape == (48, 64, 3) and view.dtype == np.uint8
    assert target.shape == (48, 64) and target.dtype == np.uint8
    assert set(np.unique(target)) <= {*np.unique(mask), 255}


@pytest.mark.parametrize("zoom", [0.4, 1.0, 1.6])
def test_view_moves_image_and_mask_alike(zoom: float) -> None:
    image, mask = blocks(360, 480)
    rng = np.random.default_rng(0)
    agree = []
    for _ in range(20):
        view, target = random_view(image, mask, size=(100, 120), scale=(zoom, zoom), rng=rng)
        inside = target != 255
        agree.append(np.mean(np.abs(view[inside][:, 0].astype(int) - target[inside] * 25) <= 3))
    # Only pixels on block borders are mixtures; a shift of one pixel would cost another 5 to 25 %.
    assert np.mean(agree) > {0.4: 0.66, 1.0: 0.9, 1.6: 0.92}[zoom]


def test_view_shows_the_wanted_centre() -> None:
    mask = np.zeros((120, 160), np.uint8)
    mask[10:20, 130:140] = 7
    image = np.zeros((120, 160, 3), np.uint8)
    rng = np.random.default_rng(0)
    for _ in range(40):
        _, target = random_view(image, mask, size=(48, 64), scale=(0.8, 1.2), rng=rng, centre=(15, 135))
        assert (target == 7).any()


def test_outside_of_the_picture_is_ignored() -> None:
    image, mask = blocks()
    _, target = random_view(image, mask, size=(100, 100), scale=(0.25, 0.25), rng=np.random.default_rng(0))
    assert (target == 255).mean() > 0.8
    assert (target[45:55, 45:55] != 255).all()


def test_light_varies_and_repeats() -> None:
    image, _ = blocks()
    before = image.copy()
    same, again, other = (random_light(image, rng=np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert same.shape == image.shape and same.dtype == np.uint8
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(same, again)
    assert np.abs(same.astype(int) - other).mean() > 2


def test_light_of_strength_zero_is_nearly_nothing() -> None:
    image = np.random.default_rng(0).integers(60, 200, (6, 8, 3), np.uint8).repeat(20, 0).repeat(20, 1)
    change = [
        np.abs(random_light(image, rng=np.random.default_rng(seed), strength=0).astype(int) - image).mean()
        for seed in range(30)
    ]
    assert np.median(change) < 3


def test_paste_takes_chosen_classes_from_the_neighbour() -> None:
    masks = np.stack([np.zeros((8, 8), np.uint8), np.ones((8, 8), np.uint8)])
    masks[0, 2:4, 2:4] = 5
    masks[1, 6:8, 6:8] = 6
    images = np.repeat(masks[..., None] * 40, 3, axis=3)
    classes = np.array([5])
    for seed in range(20):
        new_images, new_masks = images.copy(), masks.copy()
        paste_classes(new_images, new_masks, classes=classes, share=1.0, rng=np.random.default_rng(seed))
        np.testing.assert_array_equal(new_images[..., 0], new_masks * 40)  # colour and class travel together
        np.testing.assert_array_equal(new_masks[0], masks[0])  # its neighbour has no class 5
        if (new_masks[1] == 5).any():
            expected = masks[1].copy()
            expected[2:4, 2:4] = 5
            np.testing.assert_array_equal(new_masks[1], expected)
            break
    else:
        pytest.fail("nothing was pasted in 20 tries")


def test_paste_with_share_zero_changes_nothing() -> None:
    masks = np.arange(4, dtype=np.uint8)[:, None, None].repeat(6, 1).repeat(6, 2)
    images = np.repeat(masks[..., None], 3, axis=3)
    paste_classes(images, masks, classes=np.arange(4), share=0.0, rng=np.random.default_rng(0))
    assert (masks == np.arange(4)[:, None, None]).all() and (images[..., 0] == masks).all()
