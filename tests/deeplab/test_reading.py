"""Reading predictions: colours the slow way."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from helpers.deeplab.reading import color_loop
from helpers.labels import CITYSCAPES
from helpers.masks import colorize


@given(arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.integers(0, 255)))
def test_the_loop_gives_the_colours_of_the_fast_way(mask: np.ndarray) -> None:
    palette = CITYSCAPES.palette()
    np.testing.assert_array_equal(color_loop(mask, palette), colorize(mask, palette))
