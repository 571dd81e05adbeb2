"""Smoothing over time, flicker, and where the time goes."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from graphs import blocks, class_colors, graph_bytes, nearest_class
from helpers.deeplab import load_graph, segment
from helpers.driving.smoothing import TemporalSmoothing, flicker, stage_times, tutorial_loop, warp
from helpers.video import VideoReader, write_video

COLORS = class_colors(8)  # the corners of the colour cube


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    """Gives each pixel the corner of the colour cube that is nearest; runs without TensorFlow."""
    path = tmp_path_factory.mktemp("graph") / "graph.pb"
    path.write_bytes(graph_bytes(8))
    return load_graph(path, engine="openvino")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    frames = [blocks(np.array([[0, 1, 2], [3, 4, 5]]), COLORS)] * 12
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", frames, fps=10, crf=10)


def test_one_frame_smooths_nothing(graph):
    image = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    assert (TemporalSmoothing(graph, frames=1).run(image) == segment(graph, image)).all()
    with pytest.raises(ValueError, match="frames is 0"):
        TemporalSmoothing(graph, frames=0)


@pytest.mark.parametrize("frames", [2, 3])
def test_mean_of_the_last_frames_logits(graph, frames):
    """The logits of this graph are linear in the colour, so their mean is that of the mean picture."""
    images = np.random.default_rng(1).integers(0, 256, (6, 20, 30, 3), np.uint8)
    smoothed = TemporalSmoothing(graph, frames=frames)
    for i, image in enumerate(images):
        mask = smoothed.run(image)
        mean = images[max(0, i + 1 - frames) : i + 1].astype(np.float64).mean(axis=0)
        assert (mask == nearest_class(mean, COLORS)).mean() > 0.999  # ties at the middle of the cube aside
    assert mask.dtype == np.uint8


def test_smoothing_at_a_smaller_size_and_after_a_change_of_size(graph):
    image = blocks(np.array([[0, 1], [2, 3]]), COLORS)
    smoothed = TemporalSmoothing(graph, frames=3, max_size=10)
    for _ in range(2):
        assert (smoothed.run(image) == segment(graph, image, max_size=10)).all()
    other = blocks(np.array([[5, 5, 5]]), COLORS)
    assert (smoothed.run(other) == 5).all()  # nothing of the other picture is left


def test_following_motion_keeps_moving_edges_where_they_are(graph):
    """A textured square moves three pixels a frame: plain averaging drags it, following the motion doesn't."""
    rng = np.random.default_rng(0)
    texture = rng.integers(0, 70, (120, 160, 3), np.uint8)
    square = rng.integers(190, 256, (50, 50, 3), np.uint8)
    texture, square = (cv2.GaussianBlur(picture, (0, 0), 1.5) for picture in (texture, square))
    errors = {False: 0.0, True: 0.0}
    for follow in errors:
        smoothed = TemporalSmoothing(graph, frames=4, follow_motion=follow)
        for i in range(8):
            image, truth = texture.copy(), np.zeros((120, 160), np.uint8)
            image[35:85, 10 + 3 * i : 60 + 3 * i] = square
            truth[35:85, 10 + 3 * i : 60 + 3 * i] = 7
            errors[follow] += np.mean(smoothed.run(image) != truth)
    assert errors[True] < 0.5 * errors[False]


def test_move_fetches_from_where_the_flow_points():
    values = np.random.default_rng(0).random((10, 12, 19)).astype(np.float32)
    flow = np.zeros((10, 12, 2), np.float32)
    assert np.allclose(warp(values, flow), values)
    flow[..., 0], flow[..., 1] = 2, 1  # the source lies two to the right and one below
    assert np.allclose(warp(values, flow)[:-1, :-2], values[1:, 2:])
    assert np.allclose(warp(values, flow)[:-1, -1], values[1:, -1])  # outside: the border again


def test_flicker_of_known_masks():
    truth = np.array([[[0, 0, 1, 255]], [[0, 0, 0, 255]]])
    pred = np.array([[[0, 1, 1, 0]], [[0, 0, 0, 1]]])
    assert flicker(pred, truth) == 2 / 3  # the third pixel really changed
    assert flicker(pred, truth, ignore_index=255) == 1 / 2
    assert flicker(pred[[0, 0]], truth) == 0
    assert np.isnan(flicker(pred[:1], truth[:1]))
    with pytest.raises(ValueError):
        flicker(pred, truth[:1])


masks = arrays(np.uint8, (4, 3, 5), elements=st.integers(0, 3))


@given(masks, masks)
def test_flicker_is_the_share_of_needless_changes(preds, truths):
    stays = truths[1:] == truths[:-1]
    value = flicker(iter(preds), iter(truths))
    if stays.any():
        assert value == pytest.approx(np.mean((preds[1:] != preds[:-1])[stays]))
        assert flicker(truths, truths) == 0
    else:
        assert np.isnan(value)


def test_stage_times(graph, clip, tmp_path):
    stages = stage_times(graph, clip, tmp_path / "out.mp4", max_size=20, frames=5)
    assert list(stages) == ["decode", "resize", "network", "colour", "encode"]
    assert all(0 < value < 5000 for value in stages.values())
    assert VideoReader(tmp_path / "out.mp4").info.frames == 6


def test_tutorial_loop_does_what_ours_does(graph, clip, tmp_path):
    """Same labels (away from edges, which Pillow's and our resizing blur differently), in a format browsers refuse."""
    found = tutorial_loop(graph, clip, tmp_path / "out.mp4", size=(80, 120), frames=3)
    assert len(found) == 3 and found[0].shape == (80, 120)
    expected = np.kron([[0, 1, 2], [3, 4, 5]], np.ones((40, 40), int))
    inner = np.tile(np.pad(np.ones((24, 24), bool), 8), (2, 3))
    assert (found[0] == expected)[inner].all()
    assert (VideoReader(tmp_path / "out.mp4").info.width, VideoReader(tmp_path / "out.mp4").info.frames) == (120, 3)
