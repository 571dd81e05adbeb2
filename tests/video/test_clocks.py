"""Picture, sound, `start` and `end` agree with the source, whatever its container, clock and pixels."""

import av
import numpy as np
import pytest

from clips import FPS, beeps, number, write_clip
from helpers.images import ImageError
from helpers.labels import CITYSCAPES
from helpers.video import VideoError, VideoReader, segment_video
from helpers.video.reader import upright

FORMS = {
    "mp4": {"picture_at": 0.5},
    "mkv": {"picture_at": 0.5, "clock": 10},
    "ts": {"form": "mpegts", "clock": 100, "key_every": 50},
    "m2ts": {"form": "mpegts", "key_every": 20},
    "mpg": {"form": "mpeg", "codec": "mpeg1video", "sound": "mp2"},
    "avi": {"form": "avi", "codec": "mpeg4", "sound": "mp3"},
    "flv": {"form": "flv"},
    "live.mkv": {"form": "matroska", "options": {"live": "1"}},
    "h264": {"form": "h264", "sound": None},
    "mjpeg": {"form": "mjpeg", "codec": "mjpeg", "sound": None},
    "fragments.mp4": {"options": {"movflags": "frag_keyframe+empty_moov"}},
}


@pytest.mark.parametrize("form", FORMS)
def test_a_part_holds_the_frames_that_a_run_through_the_whole_shows_then(tmp_path, form):
    """In a container without an index a jump may land behind the moment: no frame is lost by that."""
    path = write_clip(tmp_path / f"clip.{form}", **FORMS[form])
    whole = [(seconds, number(image)) for seconds, image in VideoReader(path)]
    assert [n for _, n in whole] in (list(range(75)), [0, *range(74)]), "this encoder of AVI repeats the first"
    assert whole[0][0] == pytest.approx(0, abs=0.001), "the first picture is at second 0"
    for start, end in ((0.91, 1.59), (1.51, 9)):
        part = [(seconds + start, number(image)) for seconds, image in VideoReader(path, start=start, end=end)]
        expected = [(seconds, n) for seconds, n in whole if start - 0.5 / FPS <= seconds < end]
        assert [n for _, n in part] == [n for _, n in expected]
        assert np.allclose([s for s, _ in part], [s for s, _ in expected], atol=0.011)


@pytest.mark.parametrize("form", ["mp4", "mkv", "ts"])
def test_the_sound_stays_with_the_picture(tmp_path, form):
    path = write_clip(tmp_path / f"clip.{form}", **FORMS[form])
    with av.open(str(path)) as file:
        first_picture = next(file.decode(video=0)).time
    for start in (0, 1.2):
        out = tmp_path / "out.mp4"
        segment_video(
            lambda image: np.zeros(image.shape[:2], np.uint8),
            path,
            out,
            label_set=CITYSCAPES,
            start=start,
            view="map",
            legend=False,
            progress=False,
        )
        expected = [beep for moment in beeps(path) if (beep := moment - first_picture - start) > -0.001]
        assert 1 <= len(expected) <= len(beeps(out))
        assert np.allclose(beeps(out)[-len(expected) :], expected, atol=0.005), "an eighth of a frame"


@pytest.mark.parametrize("shape, size", [((64, 45), (180, 205)), ((8, 9), (203, 144)), ((1, 1), (180, 144))])
def test_pixels_become_square(tmp_path, shape, size):
    path = write_clip(tmp_path / "clip.mp4", size=(180, 144), pixel_shape=shape, seconds=0.4, sound=None)
    reader = VideoReader(path)
    image = next(iter(reader))[1]
    assert image.shape[:2] == (reader.info.height, reader.info.width)
    assert np.abs(np.array(image.shape[:2]) - size).max() <= 1


class Side(dict):
    """What a frame of PyAV offers, with a display matrix of our own."""


@pytest.mark.parametrize(
    "matrix, turn",
    [
        ([1, 0, 0, 1], lambda a: a),
        ([0, 1, -1, 0], lambda a: np.rot90(a, -1)),
        ([-1, 0, 0, -1], lambda a: np.rot90(a, 2)),
        ([0, -1, 1, 0], lambda a: np.rot90(a)),
        ([-1, 0, 0, 1], lambda a: a[:, ::-1]),
        ([1, 0, 0, -1], lambda a: a[::-1]),
        ([0, 1, 1, 0], lambda a: a.swapaxes(0, 1)),
    ],
)
def test_turned_and_mirrored_pictures_are_shown_as_players_do(matrix, turn):
    from types import SimpleNamespace

    from av.sidedata.sidedata import Type

    pixels = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    a, b, c, d = np.array(matrix) * 65536
    side = np.array([a, b, 0, c, d, 0, 0, 0, 1 << 30], np.int32).tobytes()
    frame = SimpleNamespace(width=3, height=2, to_ndarray=lambda **_: pixels, side_data={Type.DISPLAYMATRIX: side})
    assert (upright(frame, None) == turn(pixels)).all()


@pytest.mark.parametrize(
    "form, options",
    [("mkv", {}), ("mp4", {"options": {"movflags": "faststart"}}), ("avi", FORMS["avi"]), ("flv", FORMS["flv"])],
)
def test_a_file_that_was_cut_short_says_by_how_much(tmp_path, form, options):
    path = write_clip(tmp_path / f"clip.{form}", **options)
    reader = VideoReader(path)
    assert len(list(reader)) == 75 and reader.missing == 0
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    reader = VideoReader(path)
    shown = len(list(reader)) / FPS
    assert 0.5 < reader.missing < 2 and shown + reader.missing == pytest.approx(3, abs=0.25)
    report = segment_video(
        lambda image: np.zeros(image.shape[:2], np.uint8),
        path,
        tmp_path / "out.mp4",
        label_set=CITYSCAPES,
        progress=False,
    )
    assert f"cut short, {reader.missing:.1f} s are missing" in str(report)
    reader = VideoReader(path, end=1)
    assert list(reader) and reader.missing == 0, "what was asked for is there"


def test_a_colon_in_a_relative_name_is_part_of_the_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "2026-11-20T12:30.mp4", seconds=0.4, sound=None)
    (tmp_path / "out:1").mkdir()
    report = segment_video(
        lambda image: np.zeros(image.shape[:2], np.uint8),
        "2026-11-20T12:30.mp4",
        "out:1/12:30.mp4",
        label_set=CITYSCAPES,
        progress=False,
    )
    assert report.frames == 10 and (tmp_path / "out:1" / "12:30.mp4").is_file()


def test_pipes_and_frames_beyond_the_limit_are_refused(tmp_path, monkeypatch):
    import os

    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(VideoError, match="pipe or device"):
        VideoReader(tmp_path / "pipe.mp4")
    path = write_clip(tmp_path / "clip.mp4", seconds=0.4, sound=None)
    monkeypatch.setenv("SEGMENTATION_MAX_MEGAPIXELS", "0.001")
    with pytest.raises(ImageError, match="SEGMENTATION_MAX_MEGAPIXELS"):
        VideoReader(path)
