"""Alpha over time, and clips with another background."""

from pathlib import Path

import numpy as np
import pytest

from helpers.backgrounds import PersonModel
from helpers.backgrounds.data import handheld
from helpers.backgrounds.video import SteadyAlpha, flicker, person_alphas, replace_video
from helpers.video.reader import VideoError, read_frames
from helpers.video.writer import write_video

PICTURE = np.full((48, 64, 3), 60, np.uint8)
PICTURE[16:, 20:44] = 200


@pytest.fixture
def bright() -> PersonModel:
    """Takes what is bright for a person."""
    return PersonModel("bright", lambda image: (image.mean(2).astype(np.float32) - 130) / 8)


def wavering(frames: int = 12) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [np.clip(0.5 + rng.normal(0, 0.2, (48, 64)), 0, 1).astype(np.float32) for _ in range(frames)]


def test_where_nothing_moves_alpha_is_the_moving_average() -> None:
    steady = SteadyAlpha(keep=0.75)
    got = [steady(PICTURE, np.full((48, 64), value, np.float32)).mean() for value in (0.0, 1.0, 1.0, 0.0)]
    np.testing.assert_allclose(got, [0, 0.25, 0.4375, 0.328125], atol=1e-6)


def test_steady_alpha_flickers_less() -> None:
    alphas = wavering()
    steady = SteadyAlpha()
    assert flicker([steady(PICTURE, alpha) for alpha in alphas]) < 0.4 * flicker(alphas)
    assert flicker(alphas[:1] * 3) == 0


def test_where_something_moves_the_new_alpha_counts() -> None:
    steady = SteadyAlpha(keep=0.9)
    moved = np.roll(PICTURE, 10, axis=1)
    person = (PICTURE[..., 0] > 128).astype(np.float32)
    steady(PICTURE, person)
    after = steady(moved, np.roll(person, 10, axis=1))
    assert after[40, 52] > 0.98 and after[40, 21] < 0.02  # came, and left no shadow


def test_a_frame_of_another_size_begins_anew() -> None:
    steady = SteadyAlpha()
    steady(PICTURE, np.zeros((48, 64), np.float32))
    assert steady(PICTURE, np.ones((24, 32), np.float32)).min() == 1


@pytest.mark.parametrize("keep", [-0.1, 0.99])
def test_keep_has_limits(keep: float) -> None:
    with pytest.raises(ValueError, match=f"keep is {keep}"):
        SteadyAlpha(keep=keep)


def test_frames_come_with_their_alpha(bright: PersonModel) -> None:
    pairs = list(person_alphas(bright, handheld(PICTURE, frames=5), edge="soft"))
    assert len(pairs) == 5
    for image, alpha in pairs:
        assert alpha.shape == image.shape[:2]
        assert ((alpha > 0.5) == (image.mean(2) > 130)).mean() > 0.95


def test_a_clip_gets_another_background(bright: PersonModel, tmp_path: Path) -> None:
    source = write_video(tmp_path / "clip.mp4", handheld(PICTURE, frames=8, noise=0), fps=8, crf=12)
    report = replace_video(source, tmp_path / "out.mp4", model=bright, background="#0000ff", progress=False)
    assert report.frames == 8
    frames = list(read_frames(report.path))
    assert len(frames) == 8 and frames[0].shape == PICTURE.shape
    assert np.abs(frames[3][4, 4].astype(int) - (0, 0, 255)).max() < 30
    assert np.abs(frames[3][40, 32].astype(int) - 200).max() < 30


def test_a_clip_is_not_its_own_result(bright: PersonModel, tmp_path: Path) -> None:
    source = write_video(tmp_path / "clip.mp4", [PICTURE] * 2, fps=8)
    before = source.read_bytes()
    with pytest.raises(VideoError, match="choose another name"):
        replace_video(source, source, model=bright, background="blur", progress=False)
    assert source.read_bytes() == before


def test_an_error_leaves_no_clip(bright: PersonModel, tmp_path: Path) -> None:
    source = write_video(tmp_path / "clip.mp4", [PICTURE] * 3, fps=8)
    with pytest.raises(ValueError, match="no colour"):
        replace_video(source, tmp_path / "out.mp4", model=bright, background="#xyz", progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]
