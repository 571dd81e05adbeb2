"""The road lesson's figures show what they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.labels import RTK
from helpers.road_surface import plots
from helpers.road_surface.data import class_weights

COUNTS = np.array([5000, 3000, 900, 500, 200, 90, 1, 5, 8, 70, 60, 40, 30])


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def labels(ax) -> list[str]:
    return [tick.get_text() for tick in ax.get_yticklabels()]


def test_things_are_named_where_they_lie_and_specks_are_not() -> None:
    mask = np.ones((100, 120), np.uint8)
    mask[60:80, 20:50], mask[90, 100:103] = RTK.index("speedBump"), RTK.index("catsEye")
    ax = plots.plot_named(np.zeros((100, 120, 3), np.uint8), mask)
    assert [text.get_text() for text in ax.texts] == ["speed bump"]
    assert ax.texts[0].xy == pytest.approx((34.5, 69.5))


def test_shares_are_sorted_and_written_out() -> None:
    ax = plots.plot_shares({"train": COUNTS / COUNTS.sum(), "valid": COUNTS[::-1] / COUNTS.sum()})
    assert labels(ax)[0].startswith("cat's eye  0.010%") and labels(ax)[-1].startswith("background")
    assert ax.get_xscale() == "log"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["valid"]


def test_weights_of_zero_stand_at_the_edge() -> None:
    ax = plots.plot_weights({name: class_weights(COUNTS, name) for name in ("enet", "authors")}, COUNTS)
    authors = ax.lines[1].get_xdata()
    assert authors.min() < 1 and np.count_nonzero(authors < 1) == 1
    assert labels(ax)[authors.argmin()] == "manhole"


def test_before_and_after_have_a_point_for_each_seed() -> None:
    before, after = [np.linspace(0, 0.6, 13), np.linspace(0, 0.5, 13)], [np.linspace(0.2, 0.8, 13)] * 2
    ax = plots.plot_before_after(before, after, COUNTS)
    assert labels(ax)[0] == "background  5,000 px" and labels(ax)[-1] == "cat's eye  1 px"
    assert ax.lines[0].get_xdata().tolist() == [0, 0]
    assert ax.lines[1].get_xdata().tolist() == pytest.approx([0.2, 0.2])


def test_methods_share_their_rows() -> None:
    figure = plots.plot_methods({"none": [(4, 0.2, 0.8), (5, 0.25, 0.82)], "weights": [(8, 0.35, 0.79)]})
    assert [ax.get_title() for ax in figure.axes][0].startswith("classes above 0.2")
    assert labels(figure.axes[0]) == ["none", "weights"]
    assert list(figure.axes[2].lines[0].get_xdata()) == [0.8, 0.82]


def test_results_have_a_row_for_each_picture_and_a_column_for_each_mask() -> None:
    images = [np.full((20, 30, 3), 90, np.uint8)] * 2
    masks = {"truth": [np.zeros((20, 30), np.uint8)] * 2, "stage one": [np.full((20, 30), 11, np.uint8)] * 2}
    figure = plots.plot_results(images, masks)
    assert [ax.get_title() for ax in figure.axes] == ["picture", "truth", "stage one", "", "", ""]
    np.testing.assert_array_equal(figure.axes[1].images[0].get_array(), images[0])  # background is not painted
    assert figure.axes[2].images[0].get_array()[0, 0, 0] > 150


def test_voices_fill_the_bar() -> None:
    shares = COUNTS / COUNTS.sum()
    ax = plots.plot_voices({"none": shares, "inverse": np.ones(13) / 13})
    widths = np.array([bar.get_width() for bar in ax.patches]).reshape(13, 2)
    np.testing.assert_allclose(widths.sum(axis=0), 1)
    assert {"background", "asphalt"} <= {text.get_text() for text in ax.texts}


def test_crops_are_painted() -> None:
    figure = plots.plot_crops(np.zeros((3, 16, 24, 3), np.uint8), np.ones((3, 16, 24), np.uint8))
    assert len([ax for ax in figure.axes if ax.images]) == 3
