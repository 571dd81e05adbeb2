"""The figures of the DeepLab lesson hold what they should show."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.deeplab import plots


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_responses_show_the_cells_that_are_not_zero() -> None:
    response = np.zeros((5, 5))
    response[::2, ::2] = -1.5
    figure = plots.plot_responses({"rate 2": response, "rate 1": np.ones((5, 5))})
    assert [ax.get_title() for ax in figure.axes] == ["rate 2", "rate 1"]
    drawn = figure.axes[0].images[0].get_array()
    np.testing.assert_array_equal(~np.ma.getmaskarray(drawn), response != 0)


def test_taps_lie_rate_times_stride_apart_and_inside_the_picture() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    ax = plots.plot_taps(image, (50, 100), rates=(2, 6), stride=8)
    near, far = (points.get_offsets().data for points in ax.collections)
    assert {tuple(point) for point in near} == {(100 + 16 * x, 50 + 16 * y) for x in (-1, 0, 1) for y in (-1, 0, 1)}
    assert {tuple(point) for point in far} == {(100 + 48 * x, 50 + 48 * y) for x in (-1, 0, 1) for y in (-1, 0, 1)}
    ax = plots.plot_taps(image, (0, 0), rates=(6,), stride=8)
    assert {tuple(p) for p in ax.collections[0].get_offsets().data} == {
        (48 * x, 48 * y) for x in (-1, 0, 1) for y in (-1, 0, 1)
    }
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["rate 6: 48 px apart"]


def test_confidence_is_drawn_on_a_fixed_scale() -> None:
    ax = plots.plot_confidence(np.array([[0.4, 0.6]]), title="sure?")
    assert ax.images[0].get_clim() == (0, 1), "two maps must be comparable"


def test_trade_off_names_each_size() -> None:
    ax = plots.plot_trade_off((120, 480), (0.01, 0.1), (0.2, 0.4), ylabel="mIoU")
    assert [text.get_text() for text in ax.texts] == ["120 px", "480 px"]
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [(10, 0.2), (100, 0.4)])
