"""Video: what is read is what was written, whatever the file; what is written plays, and nothing is left half done."""

import base64
import gc
import http.server
import re
import shutil
import subprocess
import sys
import threading
import time
from fractions import Fraction
from functools import partial
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from helpers.labels import ADE20K, CITYSCAPES
from helpers.masks import colorize
from helpers.video import (
    FrameView,
    VideoError,
    VideoReader,
    VideoWriter,
    camera_frames,
    preview_png,
    read_frames,
    segment_video,
    show_preview,
    show_video,
    write_video,
)
from helpers.video.pipeline import prefetch

RED, GREEN, BLUE, GRAY = (220, 20, 60), (60, 160, 60), (40, 60, 200), (128, 128, 128)


def card(index: int = 0, *, height: int = 48, width: int = 64) -> np.ndarray:
    """A frame with red, green, blue and grey quarters (top left first); a white bar at the top counts frames."""
    image = np.zeros((height, width, 3), np.uint8)
    h, w = height // 2, width // 2
    image[:h, :w], image[:h, w:], image[h:, :w], image[h:, w:] = RED, GREEN, BLUE, GRAY
    image[:4, : 1 + index * (width - 1) // 40] = 255
    return image


def number_of(frame: np.ndarray) -> int:
    """Which frame of `clip` this is: the length of the white bar."""
    return round((np.count_nonzero(frame[1].min(axis=1) > 200) - 1) * 40 / (frame.shape[1] - 1))


def quarters(frame: np.ndarray) -> list[list[int]]:
    h, w = frame.shape[0], frame.shape[1]
    return [frame[y, x].astype(int).tolist() for y in (h // 3, 3 * h // 4) for x in (w // 4, 3 * w // 4)]


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    """40 numbered frames, 160×120, 10 frames/s."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return write_video(path, (card(i, height=120, width=160) for i in range(40)), fps=10, crf=10)


@pytest.fixture(scope="module")
def clip_with_sound(tmp_path_factory) -> Path:
    """2 s of video at 10 frames/s with a tone in PCM that starts with the second second."""
    path = tmp_path_factory.mktemp("sound") / "sound.mov"
    samples = (8000 * np.sin(np.arange(44100) * 2 * np.pi * 440 / 22050)).astype(np.int16)
    samples[:22050] = 0
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=22050, layout="mono")
        for i in range(20):
            container.mux(video.encode(av.VideoFrame.from_ndarray(card(i), format="rgb24")))
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.rate, frame.pts, frame.time_base = 22050, 0, Fraction(1, 22050)
        container.mux(sound.encode(frame))
        for stream in (video, sound):
            container.mux(stream.encode())
    return path


def blank(image: np.ndarray) -> np.ndarray:
    """A model that says "road" everywhere."""
    return np.zeros(image.shape[:2], np.uint8)


# --- Reading --------------------------------------------------------------------------------------------------------


def test_reads_what_was_written(clip):
    frames = list(read_frames(clip))
    assert [number_of(frame) for frame in frames] == list(range(40))
    assert frames[0].shape == (120, 160, 3) and frames[0].dtype == np.uint8
    assert np.abs(np.array(quarters(frames[5])) - [RED, GREEN, BLUE, GRAY]).max() <= 6


def test_colours_agree_with_another_reader(clip):
    """OpenCV decodes the same pixels: neither channels nor colour standard are mixed up."""
    camera = cv2.VideoCapture(str(clip))
    other = cv2.cvtColor(camera.read()[1], cv2.COLOR_BGR2RGB)
    assert np.abs(np.array(quarters(other)) - quarters(next(read_frames(clip)))).max() <= 8


def test_info(clip, clip_with_sound):
    info = VideoReader(clip).info
    assert (info.height, info.width, info.fps, info.frames, info.seconds) == (120, 160, 10, 40, 4)
    assert not info.has_audio and VideoReader(clip_with_sound).info.has_audio
    assert str(info) == "160×120 pixels, 10 frames/s, 4.0 s, no sound"


@settings(max_examples=15)
@given(start=st.integers(0, 39), length=st.integers(1, 40), every=st.integers(1, 7))
def test_part_of_a_video(clip, start, length, every):
    reader = VideoReader(clip, start=start / 10, end=(start + length) / 10, every=every)
    found = [(number_of(image), seconds) for seconds, image in reader]
    wanted = list(range(start, min(start + length, 40), every))
    assert [number for number, _ in found] == wanted
    assert np.allclose([seconds for _, seconds in found], [(n - start) / 10 for n in wanted], atol=1e-3)
    assert len(reader) == len(wanted)


def test_frames_are_read_lazily(clip, monkeypatch):
    decoded = []
    black = np.zeros((2, 2, 3), np.uint8)
    monkeypatch.setattr("helpers.video.reader.upright", lambda frame, shape: decoded.append(frame) or black)
    frames = read_frames(clip)
    next(frames), next(frames)
    assert len(decoded) == 3  # one more was looked at to learn the size


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_rotation_of_a_phone_is_applied(tmp_path, turn):
    path = tmp_path / "phone.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "5"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.set_display_rotation(turn)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(card(), format="rgb24")))
        container.mux(stream.encode())
    frame = next(read_frames(path))
    other = cv2.cvtColor(cv2.VideoCapture(str(path)).read()[1], cv2.COLOR_BGR2RGB)  # OpenCV applies it too
    assert frame.shape == other.shape == ((48, 64, 3) if turn == 180 else (64, 48, 3))
    assert np.abs(np.array(quarters(frame)) - quarters(other)).max() <= 12
    assert (VideoReader(path).info.height, VideoReader(path).info.width) == frame.shape[:2]


@pytest.mark.parametrize("codec, suffix", [("libx264", ".mp4"), ("mjpeg", ".avi"), ("mpeg4", ".mp4")])
def test_broken_frames_in_the_middle_are_left_out_and_counted(tmp_path, codec, suffix):
    path = tmp_path / f"damaged{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10, options={"g": "5", "bf": "0"} if codec != "mjpeg" else {})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for i in range(30):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(card(i), format="rgb24")))
        container.mux(stream.encode())
    with av.open(str(path)) as container:
        packet = [p for p in container.demux(video=0) if p.size][15]
        place, size = packet.pos, packet.size
    data = bytearray(path.read_bytes())
    data[place : place + size] = b"\xff" * size
    path.write_bytes(data)
    with pytest.warns(UserWarning, match="broken frame"):
        frames = list(read_frames(path))
    report = segment_video(blank, path, tmp_path / "out.mp4", label_set=CITYSCAPES, progress=False)
    assert report.frames == len(frames) == 30 - report.broken
    assert re.search(rf"{report.frames} frames in .*; {report.broken} broken frame", str(report))
    # The group of pictures from the damaged one up to the next key frame may be gone; the rest keeps its time.
    tenths = {round(10 * seconds) for seconds, _ in VideoReader(tmp_path / "out.mp4")}
    assert 15 not in tenths and set(range(30)) - tenths <= set(range(15, 20))


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "cannot read"),
        (b"a shopping list\n" * 50, "cannot read"),
        (b"\x00\x00\x00\x20ftypisom" + b"\x00" * 500, "cannot read|no picture track"),
    ],
)
def test_not_a_video(tmp_path, content, message):
    path = tmp_path / "list.mp4"
    path.write_bytes(content)
    with pytest.raises(VideoError, match=message) as error:
        read_frames(path)
    assert "list.mp4" in str(error.value)


def test_sound_only_and_no_file_and_no_frames(tmp_path, clip):
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 44100), np.float32), format="fltp", layout="stereo")
        frame.rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(VideoError, match="no picture track"):
        read_frames(path)
    with pytest.raises(FileNotFoundError, match="no video at"):
        read_frames(tmp_path / "none.mp4")
    cut_short = tmp_path / "cut.mp4"
    with av.open(str(cut_short), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    with pytest.raises(VideoError, match="no frame|no picture track|cannot read"):
        read_frames(cut_short)
    with pytest.raises(VideoError, match="no frame to write"):
        write_video(tmp_path / "empty.mp4", [], fps=10)
    assert not (tmp_path / "empty.mp4").exists()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"start": 5}, "ends after 4.00 s"),
        ({"start": -1}, "starts at 0"),
        ({"start": 2, "end": 1}, "ends later"),
        ({"every": 0}, "every is 0"),
    ],
)
def test_impossible_parts(clip, options, message):
    with pytest.raises(VideoError, match=message):
        read_frames(clip, **options)


def test_camera(clip):
    frames = list(camera_frames(str(clip), seconds=60))  # OpenCV takes a file for a camera
    assert [number_of(frame) for frame in frames] == list(range(40))
    assert np.abs(np.array(quarters(frames[5])) - [RED, GREEN, BLUE, GRAY]).max() <= 12
    with pytest.raises(VideoError, match="no camera 77"):
        next(camera_frames(77))


# --- Writing --------------------------------------------------------------------------------------------------------


def test_form_that_browsers_play(clip):
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert stream.codec_context.colorspace == 1  # BT.709, so that players don't guess
    data = clip.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")  # faststart: playing can begin before the end has arrived


@settings(max_examples=8)
@given(height=st.integers(1, 40), width=st.integers(1, 40))
def test_any_size(tmp_path_factory, height, width):
    """H.264 wants even sides: odd ones get one more row or column, a copy of the last; nothing else changes."""
    ramp = np.linspace(40, 200, width).astype(np.uint8)[None, :, None].repeat(height, 0).repeat(3, 2)
    path = tmp_path_factory.mktemp("odd") / "odd.mp4"
    frame = next(read_frames(write_video(path, [ramp, ramp], fps=5, crf=5)))
    assert frame.shape == (height + height % 2, width + width % 2, 3)
    assert np.abs(frame[:height, :width].astype(int) - ramp).max() <= 8
    assert np.abs(frame[-1].astype(int) - frame[height - 1]).max() <= 4


def test_times_are_kept(tmp_path):
    """A phone records at a varying rate: each frame is shown when it was, and two of one moment do no harm."""
    moments = [0.0, 0.1, 0.15, 0.15, 0.5, 2.0]
    with VideoWriter(tmp_path / "varying.mp4", fps=10) as writer:
        for i, moment in enumerate(moments):
            writer.write(card(i), moment)
    assert [seconds for seconds, _ in VideoReader(writer.path)] == pytest.approx(moments, abs=1e-3)


@pytest.mark.parametrize(
    "frames, path, message",
    [
        ([card(), card(height=50)], "a.mp4", "frame 1 is"),
        ([card().astype(np.float32)], "a.mp4", "float32"),
        ([card()[..., 0]], "a.mp4", r"\(H, W, 3\)"),
        ([card()], "a.avi", r"written as \.mp4"),
        ([card()], "none/a.mp4", "no folder"),
    ],
)
def test_refused_frames_leave_no_file(tmp_path, frames, path, message):
    with pytest.raises(VideoError, match=message):
        write_video(tmp_path / path, frames, fps=10)
    assert list(tmp_path.iterdir()) == []


def test_result_is_readable_by_others(tmp_path):
    path = write_video(tmp_path / "a.mp4", [card()], fps=10)
    plain = tmp_path / "plain"
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode


# --- Segmenting -----------------------------------------------------------------------------------------------------


def left_half_is_car(image: np.ndarray) -> np.ndarray:
    mask = np.zeros(image.shape[:2], np.uint8)
    mask[:, : image.shape[1] // 2] = CITYSCAPES.index("car")
    return mask


@pytest.mark.parametrize("view, width", [("map", 160), ("overlay", 160), ("side", 320)])
def test_views(tmp_path, clip, view, width):
    out = tmp_path / "out.mp4"
    report = segment_video(left_half_is_car, clip, out, label_set=CITYSCAPES, view=view, legend=False, progress=False)
    assert (report.frames, report.broken, report.path) == (40, 0, out)
    image = card(7, height=120, width=160)
    coloured = colorize(left_half_is_car(image), CITYSCAPES.palette()).astype(int)
    frame = list(read_frames(out))[7].astype(int)
    assert frame.shape == (120, width, 3)
    right = frame[:, -160:]
    wanted = coloured if view == "map" else (coloured + image) // 2
    for y, x in ((40, 30), (40, 120), (100, 30), (100, 120)):
        assert np.abs(right[y, x] - wanted[y, x]).max() <= 10
    if view == "side":
        assert np.abs(np.array(quarters(frame[:, :160])) - [RED, GREEN, BLUE, GRAY]).max() <= 10


def test_legend_names_all_classes_of_a_short_label_set():
    draw = FrameView(CITYSCAPES)
    image = np.zeros((120, 480, 3), np.uint8)
    strip = draw(image, blank(image))[120:]
    for color in CITYSCAPES.colors:
        assert (strip == color).all(axis=2).sum() >= 80, "a square of this colour is missing"


def test_legend_of_a_long_label_set_names_what_appears_and_keeps_its_height():
    draw = FrameView(ADE20K, view="map")
    image = np.zeros((60, 320, 3), np.uint8)
    first = draw(image, np.full((60, 320), 20, np.uint8))
    second = draw(image, np.full((60, 320), 30, np.uint8))
    full = draw(image, np.resize(np.arange(150, dtype=np.uint8), (60, 320)))
    assert first.shape == second.shape == full.shape
    squares = [(ADE20K.colors[20] == frame[60:]).all(axis=2).sum() for frame in (first, second, full)]
    assert min(squares) >= 80  # a class once named stays named
    assert (ADE20K.colors[30] == second[60:]).all(axis=2).sum() >= 80
    assert (ADE20K.colors[30] == first[60:]).all(axis=2).sum() == 0


def test_ignored_pixels_show_the_picture():
    image = card(height=120, width=160)
    mask = np.full((120, 160), 255, np.uint8)
    assert (FrameView(CITYSCAPES, legend=False)(image, mask) == image).all()


def test_sound_is_kept_and_cut_with_the_picture(tmp_path, clip_with_sound):
    def loudness(path: Path) -> np.ndarray:
        """Mean level in each tenth of a second."""
        with av.open(str(path)) as container:
            assert container.streams.audio[0].codec_context.name == "aac"
            frames = [(f.time, f.to_ndarray()[0]) for f in container.decode(audio=0)]
        rate = 48000
        signal = np.zeros(rate * 3)
        for moment, samples in frames:
            first = max(0, round(moment * rate))
            signal[first : first + len(samples)] = samples[: len(signal) - first]
        return np.abs(signal.reshape(30, -1)).mean(axis=1)

    whole = segment_video(blank, clip_with_sound, tmp_path / "a.mp4", label_set=CITYSCAPES, progress=False)
    level = loudness(whole.path)
    assert level[:9].max() < 0.01 < 0.1 < level[11:19].min() and level[21:].max() < 0.01
    part = segment_video(
        blank, clip_with_sound, tmp_path / "b.mp4", label_set=CITYSCAPES, start=0.5, end=1.5, every=2, progress=False
    )
    assert part.frames == 5
    level = loudness(part.path)
    assert level[:4].max() < 0.01 < 0.1 < level[6:9].min() and level[11:].max() < 0.01


def test_odd_clip_with_every_third_frame_plays_as_long(tmp_path, clip):
    out = tmp_path / "out.mp4"
    report = segment_video(blank, clip, out, label_set=CITYSCAPES, every=3, progress=False)
    assert report.frames == 14
    assert VideoReader(out).info.seconds == pytest.approx(4.2, abs=0.02)  # 14 frames of 0.3 s


def test_stages_overlap(tmp_path, clip, monkeypatch):
    """While the model works on a frame the next one is decoded, and while a frame is drawn the model has the next."""
    decoded, modelled, waited = [], [], []
    draw_frame = FrameView.__call__

    class NotingReader(VideoReader):
        def __iter__(self):
            for item in super().__iter__():
                decoded.append(item[0])
                yield item

    def next_one_begins(what: list) -> None:
        frame = len(what)
        source = decoded if what is modelled else modelled
        for _ in range(5000):
            if len(source) > frame or frame == 20:
                return
            time.sleep(0.001)
        pytest.fail(f"frame {frame + 1} waits for frame {frame}")

    def model(image: np.ndarray) -> np.ndarray:
        modelled.append(image)
        next_one_begins(modelled)
        return blank(image)

    def draw(self, image: np.ndarray, mask: np.ndarray) -> np.ndarray:
        waited.append(mask)
        next_one_begins(waited)
        return draw_frame(self, image, mask)

    monkeypatch.setattr("helpers.video.pipeline.VideoReader", NotingReader)
    monkeypatch.setattr(FrameView, "__call__", draw)
    segment_video(model, clip, tmp_path / "out.mp4", label_set=CITYSCAPES, end=2, progress=False)
    assert len(decoded) == len(modelled) == len(waited) == 20


def test_workers_keep_the_order_and_the_result(tmp_path, clip):
    """Frames that take turns being slow, four at a time: each still lands in its place."""
    four = threading.Barrier(4)

    def model(image: np.ndarray) -> np.ndarray:
        four.wait(timeout=60)  # fails unless four are worked on side by side
        time.sleep(0.02 * (number_of(image) % 3))
        return np.full(image.shape[:2], number_of(image) % 19, np.uint8)

    out = tmp_path / "out.mp4"
    options = {"label_set": CITYSCAPES, "view": "map", "legend": False, "progress": False}
    assert segment_video(model, clip, out, workers=4, **options).frames == 40
    for i, frame in enumerate(read_frames(out)):
        assert np.abs(frame[60, 80].astype(int) - CITYSCAPES.colors[i % 19]).max() <= 12


def test_progress_bar_shows_rate_and_time_left(tmp_path, clip, capsys):
    segment_video(blank, clip, tmp_path / "out.mp4", label_set=CITYSCAPES)
    assert re.search(r"40/40 \[\d\d:\d\d<\d\d:\d\d, .* frames/s\]", capsys.readouterr().err)


@pytest.mark.slow
def test_memory_is_flat_however_long_the_clip(tmp_path):
    """1,500 frames of 128×96, 55 MB if they were kept."""
    path = tmp_path / "long.mp4"
    frame = np.zeros((96, 128, 3), np.uint8)
    write_video(path, (frame for _ in range(1500)), fps=25)
    resident = []

    def model(image: np.ndarray) -> np.ndarray:
        model.frames += 1
        if model.frames % 150 == 0:
            gc.collect()
            resident.append(int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6)
        return np.zeros(image.shape[:2], np.uint8)

    model.frames = 0
    if not Path("/proc/self/statm").exists():
        pytest.skip("memory is read from /proc, which only Linux has")
    report = segment_video(model, path, tmp_path / "out.mp4", label_set=CITYSCAPES, legend=False, progress=False)
    assert report.frames == 1500
    assert max(resident) - resident[0] < 20, f"MB after every 150 frames: {resident}"


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, VideoError])
def test_interruption_leaves_the_old_file_and_nothing_else(tmp_path, clip, error):
    out = tmp_path / "out.mp4"
    out.write_bytes(b"last week's result")

    def model(image: np.ndarray) -> np.ndarray:
        model.calls += 1
        if model.calls == 20:
            raise error("stop")
        return blank(image)

    model.calls = 0
    before = set(threading.enumerate())  # another test's threads may end meanwhile: only new ones count
    with pytest.raises(error):
        segment_video(model, clip, out, label_set=CITYSCAPES, progress=False)
    assert out.read_bytes() == b"last week's result"
    assert list(tmp_path.iterdir()) == [out]
    assert not set(threading.enumerate()) - before


def test_control_c_in_a_real_process(tmp_path, clip):
    script = f"""
import numpy as np, signal, time
from helpers.labels import CITYSCAPES
signal.signal(signal.SIGINT, signal.default_int_handler)  # the children of a background job would not hear it
from helpers.video import segment_video
def model(image):
    print("frame", flush=True)
    time.sleep(0.05)
    return np.zeros(image.shape[:2], np.uint8)
segment_video(model, {str(clip)!r}, {str(tmp_path / "out.mp4")!r}, label_set=CITYSCAPES, progress=False)
"""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", script], **pipes)
    for _ in range(5):
        process.stdout.readline()
    process.send_signal(2)
    _, errors = process.communicate(timeout=30)
    assert process.returncode != 0 and "KeyboardInterrupt" in errors
    assert list(tmp_path.iterdir()) == []


def test_wrong_models_and_names(tmp_path, clip):
    run = partial(segment_video, path=clip, label_set=CITYSCAPES, progress=False)
    with pytest.raises(VideoError, match=r"mask of \(2, 2\) for a frame of \(120, 160\)"):
        run(lambda image: np.zeros((2, 2), np.uint8), out=tmp_path / "out.mp4")
    with pytest.raises(ValueError, match="unknown view 'both'"):
        run(blank, out=tmp_path / "out.mp4", view="both")
    before = clip.read_bytes()
    with pytest.raises(VideoError, match="is the video that is read"):
        run(blank, out=clip)
    assert clip.read_bytes() == before and list(tmp_path.iterdir()) == []


def test_ahead_keeps_order_and_stays_near():
    taken, given_out = [], []

    def source():
        for i in range(50):
            given_out.append(i)
            yield i

    for item in prefetch(source(), depth=3):
        taken.append(item)
        assert len(given_out) - len(taken) <= 3
    assert taken == list(range(50))


# --- In a page ------------------------------------------------------------------------------------------------------


def test_preview_is_a_small_animated_png(clip):
    picture = Image.open(BytesIO(preview_png(clip, frames=8, width=80)))
    assert (picture.format, picture.n_frames, picture.size) == ("PNG", 8, (80, 60))
    picture.seek(7)
    assert np.abs(np.array(quarters(np.asarray(picture.convert("RGB")))) - [RED, GREEN, BLUE, GRAY]).max() <= 16


def test_player_holds_the_file_and_both_have_a_text_for_those_who_cannot_see(clip, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **options: shown.append((data, options)))
    show_video(clip, alt='a "numbered" card', width=200)
    show_preview(clip, alt="forty numbered cards", frames=4, width=40)
    (player, _), (preview, options) = shown
    assert base64.b64decode(re.search(r"base64,([^\"]+)", player.data)[1]) == clip.read_bytes()
    assert 'aria-label="a &quot;numbered&quot; card"' in player.data
    assert options["metadata"] == {"image/png": {"alt": "forty numbered cards"}}
    assert Image.open(BytesIO(base64.b64decode(preview["image/png"]))).n_frames == 4


CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PAGE = """<!doctype html><video id="v" src="{name}" muted></video><script>
const v = document.getElementById("v"), say = (text) => fetch("/done?" + encodeURIComponent(text));
v.onerror = () => say("error " + v.error.code + " " + v.error.message);
v.ontimeupdate = () => {{
  if (v.currentTime < 0.5) return;
  v.pause();
  const c = document.createElement("canvas"); c.width = v.videoWidth; c.height = v.videoHeight;
  const g = c.getContext("2d"); g.drawImage(v, 0, 0);
  const at = (x, y) => Array.from(g.getImageData(x, y, 1, 1).data.slice(0, 3)).join(",");
  const w = c.width, h = c.height;
  const colours = [at(w/4, h/3), at(3*w/4, h/3), at(w/4, 3*h/4), at(3*w/4, 3*h/4)];
  say(["played", w, h, v.duration.toFixed(2), ...colours].join(" "));
}};
v.play().catch((e) => say("refused " + e.message));
</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: whether it plays our files is not tried")
def test_plays_in_chromium(tmp_path, clip):
    """A real browser decodes it, at the right size and length, in the right colours."""
    shutil.copy(clip, tmp_path / "clip.mp4")
    (tmp_path / "page.html").write_text(PAGE.format(name="clip.mp4"))
    told: list[str] = []
    done = threading.Event()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            if self.path.startswith("/done?"):
                told.append(self.path)
                done.set()
                self.send_error(404)
            else:
                super().do_GET()

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=tmp_path))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    browser = subprocess.Popen(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--mute-audio",
            "--autoplay-policy=no-user-gesture-required",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--remote-debugging-port=0",
            f"http://127.0.0.1:{server.server_port}/page.html",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert done.wait(60), "the browser said nothing"
    finally:
        browser.terminate()
        browser.wait(20)
        server.shutdown()
    answer = unquote(told[0]).removeprefix("/done?")
    assert answer.startswith("played 160 120 4.00 "), answer
    colours = answer.split()[4:]
    found = np.array([colour.split(",") for colour in colours], int)
    assert np.abs(found - [RED, GREEN, BLUE, GRAY]).max() <= 8
