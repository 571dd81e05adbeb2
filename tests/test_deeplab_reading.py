"""Reading predictions: colours the slow way, and errors in red."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from helpers.deeplab.reading import WRONG, color_loop, mark_errors
from helpers.labels import CITYSCAPES
from helpers.masks import colorize


@given(arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.integers(0, 255)))
def test_the_loop_gives_the_colours_of_the_fast_way(mask: np.ndarray) -> None:
    palette = CITYSCAPES.palette()
    np.testing.assert_array_equal(color_loop(mask, palette), colorize(mask, palette))


def test_errors_are_red_and_unlabelled_pixels_dark() -> None:
    image = np.full((1, 4, 3), 200, np.uint8)
    image[0, 1] = (0, 60, 90)
    target = np.array([[0, 1, 2, 255]], np.uint8)
    pred = np.array([[0, 1, 0, 7]], np.uint8)
    marked = mark_errors(image, target, pred, ignore_index=255)
    assert marked[0, 0].tolist() == [200, 200, 200]
    assert marked[0, 1].tolist() == [50, 50, 50], "right pixels are grey"
    assert marked[0, 2].tolist() == [int(0.3 * 200 + 0.7 * value) for value in WRONG]
    assert marked[0, 3].tolist() == [60, 60, 60], "what has no label is no error"
    assert image[0, 1].tolist() == [0, 60, 90], "the picture itself stays as it was"


def test_without_an_ignore_index_every_pixel_counts() -> None:
    image = np.zeros((1, 2, 3), np.uint8)
    marked = mark_errors(image, np.array([[255, 0]]), np.array([[0, 0]]))
    assert marked[0, 0, 0] > 100 and marked[0, 1, 0] == 0


def test_sizes_must_agree() -> None:
    with pytest.raises(ValueError, match=r"differ in size: \(2, 3\), \(2, 3\), \(3, 2\)"):
        mark_errors(np.zeros((2, 3, 3), np.uint8), np.zeros((2, 3), int), np.zeros((3, 2), int))
