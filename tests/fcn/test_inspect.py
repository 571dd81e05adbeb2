"""Counting a network's convolutions: known values, and torch's own counter as an oracle."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from helpers.fcn import inspect
from helpers.labels import CITYSCAPES, PASCAL_VOC, fold_mask
from helpers.networks.fcn import street_fcn

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def small() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False),
        nn.ReLU(),
        nn.Conv2d(8, 4, 1),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 3, padding=1, groups=4),
    ).eval()


def test_convolutions_of_a_small_network(small: nn.Module) -> None:
    first, second, depthwise = inspect.convolutions(small, torch.zeros(1, 3, 8, 12))
    assert first == ("0", (3, 3), 3, 8, 2, (4, 6), 3 * 8 * 9, 3 * 8 * 9 * 24)
    assert second.size == (4, 6) and second.multiply_adds == 8 * 4 * 24
    assert depthwise.size == (2, 3) and depthwise.multiply_adds == 4 * 9 * 6, "a channel meets only its own kernel"


def test_multiply_adds_are_half_of_torch_s_flops() -> None:
    network = street_fcn().eval()
    images = torch.zeros(1, 3, 64, 96)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(images)
    layers = inspect.convolutions(network, images)
    assert 2 * sum(layer.multiply_adds for layer in layers) == counter.get_total_flops()
    assert layers[0].size == (32, 48) and layers[-1].outputs == 21 and layers[-1].kernel == (1, 1)


def test_hooks_are_gone_afterwards(small: nn.Module) -> None:
    seen = []
    with pytest.raises(RuntimeError), inspect.watching(small, lambda name, *_: seen.append(name)):
        small(torch.zeros(1, 3, 8, 8))
        assert seen
        small(torch.zeros(1, 5, 8, 8))  # five channels: the pass fails
    before = len(seen)
    small(torch.zeros(1, 3, 8, 8))
    assert len(seen) == before


def test_stages_join_neighbours_of_one_size(small: nn.Module) -> None:
    layers = inspect.convolutions(small, torch.zeros(1, 3, 8, 12))
    large, little = inspect.stages(layers)
    assert large == ((4, 6), "2", 4, 2, 3 * 8 * 9 + 8 * 4, (3 * 8 * 9 + 8 * 4) * 24)
    assert little.convolutions == 1 and little.size == (2, 3)
    back = inspect.stages([layers[2], layers[0], layers[2]])
    assert [stage.size for stage in back] == [(2, 3), (4, 6), (2, 3)], "a size that comes again is another stage"


def test_cost_at_full_resolution_is_that_of_the_network_without_strides(small: nn.Module) -> None:
    images = torch.zeros(1, 3, 8, 12)
    unshrunk = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 4, 1), nn.Conv2d(4, 4, 3, padding=1, groups=4)
    ).eval()
    wanted = sum(layer.multiply_adds for layer in inspect.convolutions(unshrunk, images))
    assert inspect.at_full_resolution(inspect.convolutions(small, images), (8, 12)) == wanted


def test_activations_are_what_the_modules_get_and_give(small: nn.Module) -> None:
    images = torch.rand(2, 3, 8, 12)
    found = inspect.activations(small, images, ["3", "0"])
    assert list(found) == ["0", "3"], "in the order in which they ran"
    given, output = found["3"]
    torch.testing.assert_close(found["0"], (images, small[0](images)))
    torch.testing.assert_close(given, small[:3](images))
    torch.testing.assert_close(output, small[:4](images))
    with pytest.raises(KeyError, match="no module 7"):
        inspect.activations(small, images, ["0", "7"])


def test_the_most_active_channel_fills_the_scale() -> None:
    flat, ramp = torch.full((20, 30), 7.0), torch.linspace(-3, 5, 600).reshape(20, 30)
    shown = inspect.most_active_channel(torch.stack([flat, ramp, 0.5 * ramp])[None])
    assert shown.shape == (20, 30) and shown.dtype == np.float32
    assert shown.min() == 0 and shown.max() == 1
    np.testing.assert_allclose(shown.ravel()[300], 0.5, atol=0.01)
    assert inspect.most_active_channel(flat[None, None]).max() == 0, "a map without any variation is black"


# --- Predictions

CAR, BUS = PASCAL_VOC.index("car"), PASCAL_VOC.index("bus")
BUILDING, ROAD, TRUE_CAR = (CITYSCAPES.index(name) for name in ("building", "road", "car"))


@given(st.integers(2, 21), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_entropy_equals_scipy_s(classes: int, seed: int) -> None:
    probs = np.random.default_rng(seed).dirichlet(np.full(classes, 0.2), (3, 4)).transpose(2, 0, 1)
    found = inspect.entropy(probs)
    np.testing.assert_allclose(found, stats.entropy(probs, axis=0, base=classes), atol=1e-6)
    assert found.dtype == np.float32 and found.min() >= 0 and found.max() <= 1 + 1e-6


def frame() -> tuple[np.ndarray, np.ndarray]:
    """A true scene (Cityscapes) and a prediction (VOC) with one right car, one wrong bus and a border that is off."""
    truth = np.full((40, 60), ROAD, np.uint8)
    truth[:20] = BUILDING
    truth[25:35, 40:55] = TRUE_CAR
    pred = fold_mask(truth, CITYSCAPES, PASCAL_VOC)
    pred[24:36, 39:56] = CAR  # one pixel too large on each side
    pred[2:18, 5:15] = BUS  # on the building
    return truth, pred


def found(truth: np.ndarray, *preds: np.ndarray, **options) -> list[inspect.Mistake]:
    target = fold_mask(truth, CITYSCAPES, PASCAL_VOC)
    wrong = [(pred != target) & (truth != CITYSCAPES.ignore_index) for pred in preds]
    return inspect.mistakes(preds, [truth] * len(preds), wrong, labels=PASCAL_VOC, truth_labels=CITYSCAPES, **options)


def test_a_mistake_is_named_and_placed() -> None:
    (mistake,) = found(*frame())
    assert mistake[:-1] == (0, "bus", "building", (5, 2, 10, 16), 160)
    assert mistake.region[2:18, 5:15].all() and mistake.region.sum() == 160


def test_small_regions_and_wide_borders_are_no_mistakes() -> None:
    truth, pred = frame()
    assert found(truth, pred, min_pixels=161) == []
    pred[2:18, 5:15] = 0
    assert found(truth, pred, min_pixels=1) == [], "a border of one pixel is less than most of the car"
    assert [m.really for m in found(truth, pred, min_pixels=1, min_share=0.1)] == ["road"]


def test_pixels_without_a_label_are_no_mistakes() -> None:
    truth, pred = frame()
    truth[:20] = CITYSCAPES.ignore_index
    assert found(truth, pred) == []


def test_the_largest_comes_first_over_all_frames() -> None:
    truth, pred = frame()
    larger = pred.copy()
    larger[2:18, 25:45] = CAR
    several = found(truth, pred, larger)
    assert [(m.frame, m.taken_for, m.pixels) for m in several] == [(1, "car", 320), (0, "bus", 160), (1, "bus", 160)]


@pytest.mark.parametrize("shape", [(30, 40, 3), (30, 40)])
def test_crop_is_a_square_around_the_box_and_inside_the_picture(shape: tuple[int, ...]) -> None:
    image = np.arange(np.prod(shape)).reshape(shape)
    np.testing.assert_array_equal(inspect.crop(image, (10, 12, 4, 6), least=1), image[9:21, 6:18])
    np.testing.assert_array_equal(inspect.crop(image, (10, 12, 4, 6), context=1, least=20), image[5:25, 2:22])
    np.testing.assert_array_equal(inspect.crop(image, (36, 0, 4, 6), least=1), image[:12, 28:])
    assert inspect.crop(image, (0, 0, 40, 30)).shape[:2] == (30, 30), "never larger than the picture"
