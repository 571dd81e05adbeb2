"""The README's moving picture."""

from pathlib import Path

import numpy as np
import typer
from PIL import Image, ImageSequence
from typer.testing import CliRunner

from clips import FPS, write_clip
from helpers.labels import CAMVID11, CITYSCAPES
from helpers.models import Model
from tools.authoring import drive


def test_it_plays_every_other_frame_at_the_clip_s_speed(tmp_path: Path, monkeypatch) -> None:
    clip, out = write_clip(tmp_path / "clip.mp4", seconds=1), tmp_path / "drive.webp"
    road = Model("road", lambda image: np.full(image.shape[:2], CITYSCAPES.index("road"), np.uint8), CITYSCAPES)
    monkeypatch.setattr(drive.models, "load", lambda name: road)
    app = typer.Typer()
    app.command()(drive.main)
    result = CliRunner().invoke(app, [str(clip), "--out", str(out), "--width", "128", "--every", "2"])
    assert result.exit_code == 0, result.output
    with Image.open(out) as movie:
        shown = [(np.asarray(frame.convert("RGB")), movie.info["duration"]) for frame in ImageSequence.Iterator(movie)]
    assert len(shown) == -(-FPS // 2) and {duration for _, duration in shown} == {2000 // FPS}
    assert all(image.shape == (64, 128, 3) for image, _ in shown)
    # The first frame is black (no bit of 0 is set), so what shows is the road's colour.
    wanted = 0.55 * CAMVID11.colors[CAMVID11.index("Road")]
    np.testing.assert_allclose(shown[0][0].reshape(-1, 3).mean(axis=0), wanted, atol=6)
