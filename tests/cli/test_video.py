"""`segment` with videos, as a user meets it."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from graphs import blocks, class_colors, graph_bytes
from helpers.cli import app
from helpers.images import save_image
from helpers.video import VideoReader, read_frames, write_video

COLORS = class_colors(19)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    """A model file that gives each pixel the Cityscapes id whose colour (of our own choice) is nearest."""
    path = tmp_path_factory.mktemp("model") / "model.pb"
    path.write_bytes(graph_bytes(19))
    return str(path)


@pytest.fixture
def work(tmp_path, monkeypatch) -> Path:
    """The working folder with a clip of 20 frames, road on the left and car on the right, 2 s long."""
    monkeypatch.chdir(tmp_path)
    frame = blocks(np.array([[0, 13]]), COLORS, side=40)
    write_video("clip.mp4", [frame] * 20, fps=10, crf=10)
    return tmp_path


def run(*words, code: int = 0):
    result = CliRunner().invoke(app, ["segment", *(str(word) for word in words), "--labels", "cityscapes"])
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_writes_an_overlay_with_progress(work, model):
    result = run("clip.mp4", "--model", model)
    assert [path.name for path in Path("segmented").iterdir()] == ["clip_overlay.mp4"]
    assert "20 frames in" in result.stdout and "frames/s" in result.stderr
    frame = next(read_frames("segmented/clip_overlay.mp4")).astype(int)
    road, car = frame[20, 20], frame[20, 60]
    assert np.abs(road - (COLORS[0] + [128, 64, 128]) / 2).max() <= 12
    assert np.abs(car - (COLORS[13] + [0, 0, 142]) / 2).max() <= 12


def test_engine_view_and_part(work, model):
    run(
        "clip.mp4",
        "--model",
        model,
        "--engine",
        "openvino",
        "--view",
        "side",
        "--start",
        0.5,
        "--end",
        1.5,
        "--every",
        2,
    )
    info = VideoReader("segmented/clip_side.mp4").info
    assert (info.frames, info.fps, info.width) == (5, 5, 160)


def test_results_are_kept_unless_forced(work, model):
    run("clip.mp4", "--model", model, "--view", "map", "--end", 0.5)
    before = Path("segmented/clip_map.mp4").read_bytes()
    assert "--force replaces it" in run("clip.mp4", "--model", model, "--view", "map").stdout
    assert Path("segmented/clip_map.mp4").read_bytes() == before
    run("clip.mp4", "--model", model, "--view", "map", "--force")
    assert VideoReader("segmented/clip_map.mp4").info.frames == 20


def test_equal_names_never_overwrite_each_other(work, model):
    (work / "more").mkdir()
    write_video("more/clip.mp4", [blocks(np.array([[1, 2]]), COLORS)] * 3, fps=10)
    save_image("clip.png", blocks(np.array([[0, 13]]), COLORS))
    run("clip.mp4", "more/clip.mp4", "clip.png", "--model", model)
    names = sorted(path.name for path in Path("segmented").iterdir())
    assert names == ["clip_mask.png", "clip_overlay.mp4", "clip_overlay.png", "more_clip_mp4_overlay.mp4"]


def test_bad_files_are_named_and_the_others_done(work, model):
    Path("letter.mp4").write_text("Dear all,")
    result = run("letter.mp4", "none.mp4", "clip.mp4", "--model", model, code=2)
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 2 and "none.mp4" in errors[0] and "letter.mp4" in errors[1]
    assert [path.name for path in Path("segmented").iterdir()] == ["clip_overlay.mp4"]


@pytest.mark.parametrize(
    "words, message",
    [
        (["--start", 5], "ends after 2.00 s"),
        (["--engine", "onnx"], "unknown engine"),
        (["--engine", "litert"], "choose"),
    ],
)
def test_impossible_wishes_are_one_line(work, model, words, message):
    result = run("clip.mp4", "--model", model, *words, code=2)
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and message in errors[0]
    assert list(Path("segmented").iterdir()) == []
