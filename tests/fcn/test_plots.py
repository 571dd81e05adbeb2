"""The figures of the FCN lesson hold what they should show."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.fcn import Published, plots
from helpers.fcn.inspect import Stage
from helpers.labels import PASCAL_VOC


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_convolution_by_numbers() -> None:
    image = np.arange(16).reshape(4, 4)
    kernel = np.zeros((3, 3), int)
    kernel[0, 1] = 1  # picks the number above the middle: not symmetric, so a flipped kernel would show
    figure = plots.plot_convolutions(image, kernel, [(1, 0), (2, 1)], at=(0, 1))
    drawn_kernel, plain, strided = figure.axes
    assert texts(drawn_kernel) == ["0", "1", "0", "0", "0", "0", "0", "0", "0"]
    assert texts(plain)[:16] == [str(i) for i in range(16)] and texts(plain)[16:] == ["1", "2", "5", "6"]
    assert texts(strided)[36:] == ["0", "0", "4", "6"], "with padding 1 the first row sees zeros above it"
    assert strided.get_title() == "stride 2, padding 1\n4 × 4 → 2 × 2"
    window = strided.patches[-2]
    assert window.get_xy() == (2, 0) and window.get_width() == 3, "the window of output cell (0, 1) at stride 2"


def test_numbers_share_one_scale() -> None:
    figure = plots.plot_numbers({"small": np.array([[1, 2]]), "large": np.array([[1.25, 4], [0, 3]])})
    assert [texts(ax) for ax in figure.axes] == [["1", "2"], ["1.25", "4", "0", "3"]]
    assert figure.axes[0].images[0].get_clim() == figure.axes[1].images[0].get_clim()


def test_costs_as_they_are_and_in_full() -> None:
    stages = [Stage((10, 20), "a", 8, 2, 1_000_000, 200_000_000), Stage((5, 10), "b", 16, 1, 4_000_000, 200_000_000)]
    ax = plots.plot_costs(stages, (20, 40))
    np.testing.assert_allclose([bar.get_width() for bar in ax.patches], [0.2, 0.2, 0.8, 3.2])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "as it is: 0.4 billion",
        "at full resolution: 4 billion",
    ]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["2 at 10 × 20", "1 at 5 × 10"]


def test_palette_names_each_class_in_its_colour() -> None:
    ax = plots.plot_palette(PASCAL_VOC, columns=5)
    assert texts(ax) == [f"{i} {name}" for i, name in enumerate(PASCAL_VOC.class_names)]
    np.testing.assert_allclose([patch.get_facecolor()[:3] for patch in ax.patches], PASCAL_VOC.colors / 255)
    assert ax.patches[7].get_xy() == (2, 1)


def test_maps_share_one_scale_and_pictures_stay_pictures() -> None:
    picture = np.full((4, 6, 3), 200, np.uint8)
    figure = plots.plot_maps({"picture": picture, "map": np.eye(4, 6) / 2}, label="share")
    shown, drawn = figure.axes[:2]
    np.testing.assert_array_equal(shown.images[0].get_array(), picture)
    assert drawn.images[0].get_clim() == (0, 1)
    assert figure.axes[2].get_ylabel() == "share"


def test_probabilities_of_the_chosen_classes() -> None:
    probs = np.random.default_rng(0).dirichlet(np.ones(21), (4, 6)).transpose(2, 0, 1)
    figure = plots.plot_probabilities(probs, PASCAL_VOC, [15, 7])
    person, car = figure.axes[:2]
    assert (person.get_title(), car.get_title()) == ("person", "car")
    np.testing.assert_array_equal(car.images[0].get_array(), probs[7])


def test_models_are_placed_by_cost_and_quality() -> None:
    models = {"small": Published(58, 91, 3, 2, 12), "large": Published(60, 91, 35, 150, 135)}
    ax = plots.plot_models(models)
    assert [tuple(discs.get_offsets().data[0]) for discs in ax.collections] == [(2, 58), (150, 60)]
    small, large = (discs.get_sizes()[0] for discs in ax.collections)
    assert large / small == pytest.approx(135 / 12)
    assert ax.get_xscale() == "log"
