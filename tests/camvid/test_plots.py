"""The figures of the U-Net lesson hold what they should show."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.camvid import plots
from helpers.labels import CAMVID11

VOID = CAMVID11.ignore_index


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_views_show_the_mask_but_not_its_void() -> None:
    images = np.full((3, 4, 6, 3), 100, np.uint8)
    masks = np.full((3, 4, 6), 3)
    masks[:, 0] = VOID
    figure = plots.plot_views(images, masks, CAMVID11, titles=("a", "b", "c"), columns=2)
    panels = [ax.images[0].get_array() for ax in figure.axes if ax.images]
    assert len(panels) == 3
    assert (panels[0][0] == 100).all(), "pixels without a label show the picture"
    assert np.abs(panels[0][1].astype(int) - (100 + CAMVID11.colors[3].astype(int)) / 2).max() <= 1


def test_shares_are_sorted_by_the_first_split_and_absent_classes_left_out() -> None:
    train, valid = np.zeros(11), np.zeros(11)
    train[[0, 3, 8]] = 0.3, 0.6, 0.1
    valid[[0, 3, 9]] = 0.5, 0.3, 0.2
    ax = plots.plot_shares({"train": train, "valid": valid}, CAMVID11)
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["Pedestrian  0.0%", "Car  10.0%", "Sky  30.0%", "Road  60.0%"]
    assert ax.get_xscale() == "log"
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), [0.2, 0.0, 0.5, 0.3])


def test_unet_places_each_decoder_map_at_the_level_of_its_skip() -> None:
    encoder = [np.ones((2, 16, 32)), np.ones((3, 8, 16)), np.ones((4, 4, 8))]
    decoder = [np.ones((5, 8, 16)), np.ones((6, 16, 32))]
    ax = plots.plot_unet(encoder, decoder).axes[0]
    tops = [picture.get_extent()[3] for picture in ax.images]
    assert tops[3] == tops[1] and tops[4] == tops[0], "the decoder goes up"
    assert tops[0] > tops[1] > tops[2], "the encoder goes down"
    captions = [text.get_text() for text in ax.texts]
    assert {"2 × 16 × 32", "4 × 4 × 8", "6 × 16 × 32"} <= set(captions)
    with pytest.raises(ValueError, match="expected one fewer"):
        plots.plot_unet(encoder, encoder)


def test_learning_rate_finder_marks_the_choice_and_cuts_off_the_explosion() -> None:
    ax = plots.plot_lr_find([1e-4, 1e-3, 1e-2, 1e-1, 1.0], [2.0, 1.5, 1.0, 500.0, np.nan], chosen=1e-3)
    low, high = ax.get_ylim()
    assert ax.get_xscale() == "log"
    assert 0.5 < low < 1.0 and 2.0 < high < 3.0, "the fall fills the picture"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["chosen: 1e-03"]


def test_training_shows_loss_and_rate_from_zero() -> None:
    left, right = plots.plot_training(np.linspace(3, 1, 20), np.linspace(0, 0.5, 20)).axes
    assert (left.lines[0].get_ydata()[-1], right.lines[0].get_ydata()[-1]) == (1, 0.5)
    assert left.get_ylim()[0] == right.get_ylim()[0] == 0


def test_mistakes_are_orange_and_void_is_no_mistake() -> None:
    image = np.full((1, 3, 3), 80, np.uint8)
    shown = plots.mistakes(image, np.array([[1, 2, VOID]]), np.array([[1, 1, 1]]), ignore_index=VOID)
    assert shown.dtype == np.uint8
    assert shown.tolist() == [[[110, 110, 110], list(plots.WRONG), [0, 0, 0]]]


def test_results_count_wrong_pixels_without_void() -> None:
    image, target = np.zeros((2, 5, 3), np.uint8), np.full((2, 5), VOID)
    target[0] = 3
    pred = np.full((2, 5), 3)
    pred[0, 0] = 4
    figure = plots.plot_results([image], [target], [pred], CAMVID11, titles=["one"])
    assert [ax.get_title() for ax in figure.axes] == ["one", "truth", "prediction", "wrong: 20%"]


def test_comparison_names_each_run_with_its_mean_over_the_classes_present() -> None:
    first = np.array([0.8, 0.4, *[np.nan] * 9])
    ax = plots.plot_comparison({"half": first, "full": np.full(11, 0.5)}, CAMVID11)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["half: mean 0.600", "full: mean 0.500"]
    assert [label.get_text() for label in ax.get_yticklabels()][-2:] == ["Building", "Sky"]
    assert len(ax.patches) == 22
