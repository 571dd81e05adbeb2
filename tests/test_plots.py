"""Figures show what they say: pixels, legends, alt text."""

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers import plots
from helpers.labels import CAMVID, CAMVID11, CITYSCAPES


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def street() -> tuple[np.ndarray, np.ndarray]:
    image = np.full((40, 60, 3), 120, np.uint8)
    mask = np.zeros((40, 60), np.uint8)
    mask[:20] = CITYSCAPES.index("sky")
    mask[30:, :6] = CITYSCAPES.index("car")
    mask[0, 0] = 255
    return image, mask


def legend_texts(ax) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_vis_segmentation_shows_picture_map_overlay_and_a_legend_in_order_of_size():
    image, mask = street()
    figure = plots.vis_segmentation(image, mask, CITYSCAPES, alpha=1)
    shown = [ax.images[0].get_array() for ax in figure.axes[:3]]
    assert (shown[0] == image).all()
    assert (shown[1] == CITYSCAPES.palette()[mask]).all()
    assert (shown[2][1:] == CITYSCAPES.palette()[mask][1:]).all()
    assert shown[2][0, 0].tolist() == [120, 120, 120]  # ignored: the picture shows
    assert legend_texts(figure.axes[3]) == ["sky  50 %", "road  48 %", "car  3 %"]


def test_legend_leaves_void_out_and_rounds_honestly():
    mask = np.full((20, 20), CAMVID.index("Road"))
    mask[0, :10] = CAMVID.index("Void")
    mask[1, 0] = CAMVID.index("Car")
    ax = plots.plot_mask(mask, CAMVID, legend=True)
    assert legend_texts(ax) == ["Road  100 %", "Car  < 1 %"]


def test_a_long_legend_counts_the_small_classes_instead_of_squeezing_the_pictures():
    mask = np.repeat(np.arange(19), np.arange(19, 0, -1))[None]
    texts = legend_texts(plots.plot_mask(mask, CITYSCAPES, legend=True))
    assert len(texts) == 13 and texts[0] == "road  10 %" and texts[-1] == "and 7 smaller"


def test_plot_image_takes_grey_with_and_without_channel():
    for image in (np.zeros((4, 5), np.uint8), np.zeros((4, 5, 1), np.uint8)):
        assert plots.plot_image(image, title="grey").images[0].get_array().shape == (4, 5)


def test_class_bars_name_the_absent_class_and_keep_class_colours():
    scores = np.linspace(0, 1, 11)
    scores[4] = np.nan
    ax = plots.plot_class_bars(scores, CAMVID11)
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names[-1] == "Bicyclist" and names[0] == "Pavement"
    assert "absent" in [t.get_text() for t in ax.texts]
    assert tuple(np.round(np.array(ax.patches[-1].get_facecolor()[:3]) * 255)) == tuple(CAMVID11.colors[10])
    with pytest.raises(ValueError, match="3 scores for the 11 classes"):
        plots.plot_class_bars([0, 1, 1], CAMVID11)


def test_confusion_rows_add_up_to_100_percent():
    matrix = np.array([[3, 1, 0], [0, 10, 0], [0, 0, 0]])
    ax = plots.plot_confusion(matrix, ["a", "b", "c"])
    shown = ax.images[0].get_array()
    assert shown[0].tolist() == [75, 25, 0]
    assert np.isnan(np.ma.filled(shown[2], np.nan)).all()  # never true: no row
    assert [t.get_text() for t in ax.texts] == ["75", "25", "100"]


def test_grid_holds_every_picture_and_checks_titles():
    pictures = [np.full((4, 6, 3), v, np.uint8) for v in range(5)]
    figure = plots.plot_grid(pictures, titles=list("abcde"), columns=2)
    assert [ax.get_title() for ax in figure.axes] == [*"abcde", ""]
    with pytest.raises(ValueError, match="1 titles for 5"):
        plots.plot_grid(pictures, titles=["a"])
    with pytest.raises(ValueError, match="no pictures"):
        plots.plot_grid([])


def test_show_stores_the_alt_text_beside_the_picture(monkeypatch):
    displayed = {}
    monkeypatch.setattr("IPython.display.display", lambda figure, metadata: displayed.update(metadata))
    plots.show(plots.plot_image(street()[0]), alt="A grey street.")
    assert displayed == {"image/png": {"alt": "A grey street."}}
    assert not plt.get_fignums()
    plots.show(plots.plot_image(street()[0], title="a street"))
    assert displayed == {"image/png": {"alt": "Figure: a street"}}


def test_show_tells_the_colours_of_a_legend(monkeypatch):
    displayed = {}
    monkeypatch.setattr("IPython.display.display", lambda figure, metadata: displayed.update(metadata))
    plots.show(plots.plot_mask(np.array([[0, 13]]), CITYSCAPES, title="road and car", legend=True))
    assert displayed["image/png"]["legend"] == ["#00008e", "#804080"]


def test_ids_are_written_into_cells_of_their_class_colour():
    mask = np.array([[0, 13], [10, 255]], np.uint8)
    ax = plots.plot_ids(mask, CITYSCAPES)
    assert [text.get_text() for text in ax.texts] == ["0", "13", "10", "255"]
    assert (ax.images[0].get_array() == CITYSCAPES.palette()[mask]).all()
    for text, (row, column) in zip(ax.texts, np.ndindex(2, 2), strict=True):
        assert text.get_position() == (column, row)


def test_ids_can_be_read_on_dark_and_on_light_cells():
    mask = np.array([[CITYSCAPES.index("car"), CITYSCAPES.index("traffic sign")]])  # dark blue, yellow
    assert [text.get_color() for text in plots.plot_ids(mask, CITYSCAPES).texts] == ["white", "black"]


def test_vis_prediction_shows_target_and_prediction_and_names_the_targets_classes():
    image, mask = street()
    pred = np.zeros_like(mask)
    figure = plots.vis_prediction(image, mask, pred, CITYSCAPES)
    shown = [ax.images[0].get_array() for ax in figure.axes[:3]]
    assert (shown[0] == image).all()
    assert (shown[1] == CITYSCAPES.palette()[mask]).all() and (shown[2] == CITYSCAPES.palette()[pred]).all()
    assert [text.split("  ")[0] for text in legend_texts(figure.axes[3])] == ["sky", "road", "car"]


def test_show_source_shows_the_code_that_runs(capsys):
    plots.show_source(plots.plot_ids)
    assert "def plot_ids(" in capsys.readouterr().out
