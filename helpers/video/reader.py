"""Reading video: frames one after the other, upright and in square pixels, with the moment each is shown.

The first picture is at second 0, whatever the file's own clock says; sound, `start` and `end` count from there too.
"""

import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.sidedata.sidedata import Type

from helpers.images import check_pixels
from helpers.paths import MISSING, unreadable

LEAD = 10.0  # seconds that a second try to find a moment begins before it; key frames are seldom further apart


class VideoError(ValueError):
    """A video cannot be read, made or written; the message names the file and the reason."""


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says of itself.

    Attributes:
        height, width: of the upright picture, in pixels.
        fps: frames per second, on average.
        frames: number of frames, an estimate where the file doesn't count them; None where nothing is known.
        seconds: duration; None where nothing is known (a stream).
        has_audio: whether there is a sound track.
    """

    height: int
    width: int
    fps: float
    frames: int | None
    seconds: float | None
    has_audio: bool

    def __str__(self) -> str:
        length = "length unknown" if self.seconds is None else f"{self.seconds:.1f} s"
        sound = "with sound" if self.has_audio else "no sound"
        return f"{self.width}×{self.height} pixels, {self.fps:.5g} frames/s, {length}, {sound}"


class VideoReader:
    """The frames of a video file, decoded as they are asked for; each loop over it starts anew.

    Yields (seconds, image) pairs: the moment after `start` at which the frame is shown, and (H, W, 3) uint8 RGB.
    Rotation stored by a phone is applied, and pixels that aren't square (DV, DVD, HDV) are made so. A frame that cannot
    be decoded, or only with errors, is left out and counted.

    Args:
        path: any file that FFmpeg reads.
        start: seconds to skip.
        end: second to stop at; the end of the file by default.
        every: keep one frame in so many.

    Attributes:
        info: `VideoInfo` of the whole file.
        broken: frames left out so far in the present loop.
        missing: seconds, at the end of the loop, by which the file is shorter than it says: it was cut short.

    Raises:
        FileNotFoundError: there is no such file.
        VideoError: not a video, no picture in it, or `start`, `end`, `every` make no sense.
    """

    def __init__(self, path: str | Path, *, start: float = 0.0, end: float | None = None, every: int = 1):
        self.path = Path(path)
        self.start, self.end, self.every = start, end, every
        self.broken, self.missing = 0, 0.0
        if reason := unreadable(self.path):
            if reason == MISSING:
                raise FileNotFoundError(f"no video at {self.path}; check the path (current folder: {Path.cwd()})")
            raise VideoError(f"cannot read {self.path} as a video: {reason}")
        if start < 0 or (end is not None and end <= start):
            raise VideoError(f"start is {start} s and end {end} s; a part starts at 0 or later, and ends later")
        if every < 1:
            raise VideoError(f"every is {every}; 1 keeps all frames, 2 every second one")
        self.info = self._probe()
        if self.info.seconds is not None and start >= self.info.seconds:
            raise VideoError(f"start is {start} s, but {self.path.name} ends after {self.info.seconds:.2f} s")

    @property
    def fps(self) -> float:
        """Frames per second of what is yielded."""
        return self.info.fps / self.every

    def __len__(self) -> int:
        """Expected number of frames, 0 where the file doesn't tell; broken frames make it fewer."""
        if not self.info.frames:
            return 0
        first = round(self.start * self.info.fps)
        last = min(self.info.frames, round(self.end * self.info.fps)) if self.end else self.info.frames
        return max(0, -(-(last - first) // self.every))

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        self.broken, self.missing = 0, 0.0
        index, half, before = 0, 0.5 / self.info.fps, -1.0
        ends: dict[int, float] = {}
        for seconds, frame in moments(self.path, "video", start=self.start, interval=2 * half, ends=ends):
            if frame is None:
                self.broken += before >= -3 * half  # not those before the part
                continue
            before = seconds = seconds - self.start
            if seconds < -half:
                continue
            if self.end is not None and seconds >= self.end - self.start - 1e-6:
                return
            index += 1
            if (index - 1) % self.every:
                continue
            if frame.is_corrupt:
                self.broken += 1
                continue
            yield max(0.0, seconds), upright(frame, self._shape)
        if self.info.seconds:
            left = min(self.info.seconds, self.end or np.inf) - max(ends.values(), default=0.0)
            self.missing = left if left > max(0.1, 4 * half) else 0.0

    def _probe(self) -> VideoInfo:
        with open_video(self.path) as container:
            stream = track(container, "video")
            self._shape = stream.sample_aspect_ratio
            check_pixels((stream.codec_context.width, stream.codec_context.height), self.path)
            first = next((f for f in decoded(container, stream) if f is not None and not f.is_corrupt), None)
            if first is None:
                raise VideoError(f"{self.path} holds no frame that can be decoded; was the recording cut short?")
            height, width = upright(first, self._shape).shape[:2]
            fps = float(stream.average_rate or stream.guessed_rate or stream.base_rate or 25)
            seconds = None
            if stream.duration:
                seconds = float(stream.duration * stream.time_base)
            elif container.duration:
                seconds = container.duration / av.time_base
                if "matroska" in container.format.name:  # it counts from the clock's 0, not from the first picture
                    seconds = max(0.0, seconds - zero_of(container)) or seconds
            if seconds and container.format.name == "avi":  # what the header says; the duration is what there is
                seconds = max(seconds, stream.frames / fps)
            frames = stream.frames or (round(seconds * fps) if seconds else None)
            return VideoInfo(height, width, fps, frames, seconds, bool(container.streams.audio))


def open_video(path: Path) -> av.container.InputContainer:
    """Open a file; its whole path, since FFmpeg takes what stands before a colon for a protocol.

    Raises:
        VideoError: it can't be read.
    """
    try:
        return av.open(str(path.absolute()), metadata_errors="replace")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(f"cannot read {path} as a video: {_reason(error)}") from error


def track(container: av.container.InputContainer, kind: str) -> av.stream.Stream:
    """The picture track ("video") of an open file, not a cover picture, or its first sound track ("audio").

    Raises:
        VideoError: it has none, or one that can't be decoded.
    """
    if kind == "audio" and container.streams.audio:
        return container.streams.audio[0]
    found = container.streams.best("video") if kind == "video" else None
    if found is None:
        name = Path(container.name).name
        container.close()
        raise VideoError(f"{name} holds no {'picture' if kind == 'video' else 'sound'} track; is it a sound file?")
    if found.codec_context is None:
        name = Path(container.name).name
        container.close()
        raise VideoError(f"{name} is damaged, or its pictures are coded in a way that FFmpeg doesn't know")
    return found


def zero_of(container: av.container.InputContainer) -> float:
    """The moment of the first picture on the file's own clock, in seconds: the one zero of picture and sound."""
    stream = container.streams.best("video")
    if stream is not None and stream.start_time is not None:
        return float(stream.start_time * stream.time_base)
    return (container.start_time or 0) / av.time_base


def moments(
    path: Path, kind: str, *, start: float = 0.0, interval: float = 0.0, ends: dict[int, float] | None = None
) -> Iterator[tuple[float, av.frame.Frame | None]]:
    """The frames of a track from a moment on (and some before), with their seconds after the first picture.

    In a file without an index, a jump to a moment is a guess and may end behind it. So a jump is trusted only if the
    first frame after it is not later than asked; else it is tried again from earlier, and at last without a jump.

    Args:
        path: of the file.
        kind: "video" or "audio".
        start: seconds after the first picture.
        interval: seconds between two frames, for files that don't say when a frame is shown.
        ends: filled with the second at which each track ended, see `decoded`.

    Yields:
        (seconds, frame), or (0, None) for each frame that cannot be decoded.
    """
    for lead in (0.0, LEAD, None) if start else (None,):
        with open_video(path) as container:
            stream, zero = track(container, kind), zero_of(container)
            if lead is not None:
                try:
                    container.seek(int((zero + start - lead) * av.time_base), backward=True)
                except (av.FFmpegError, OSError):
                    continue
            arrived, count = lead is None, 0
            for frame in decoded(container, stream, ends=ends):
                if frame is None:
                    if arrived:
                        yield 0.0, None
                    continue
                seconds = count * interval if frame.time is None else frame.time - zero
                count += 1
                if not arrived:
                    if frame.is_corrupt:
                        continue
                    if frame.time is None or seconds > start + interval / 2:
                        break
                    arrived = True
                yield seconds, frame
            else:
                if arrived:
                    return


def read_frames(
    path: str | Path, *, start: float = 0.0, end: float | None = None, every: int = 1
) -> Iterator[np.ndarray]:
    """Read the frames of a video one after the other; only the present one is in memory.

    Frames that cannot be decoded are left out, with a warning at the end that counts them.

    Args:
        path: any file that FFmpeg reads.
        start: seconds to skip.
        end: second to stop at; the end of the file by default.
        every: keep one frame in so many.

    Returns:
        Iterator of (H, W, 3) uint8 RGB.

    Raises:
        FileNotFoundError, VideoError: see `VideoReader`; raised here, not at the first frame.
    """
    reader = VideoReader(path, start=start, end=end, every=every)

    def frames() -> Iterator[np.ndarray]:
        for _, image in reader:
            yield image
        if reader.broken:
            warnings.warn(f"{reader.path.name}: {reader.broken} broken frames left out", stacklevel=2)
        if reader.missing:
            warnings.warn(f"{reader.path.name}: was cut short, {reader.missing:.1f} s are missing", stacklevel=2)

    return frames()


def camera_frames(device: int = 0, *, seconds: float = 5.0) -> Iterator[np.ndarray]:
    """Frames of a webcam for some seconds.

    Args:
        device: number of the camera, 0 for the first.
        seconds: how long.

    Returns:
        Iterator of (H, W, 3) uint8 RGB.

    Raises:
        VideoError: there is no such camera on the machine that runs Python (with Colab or Binder that is a server).
    """
    camera = cv2.VideoCapture(device)
    try:
        if not camera.isOpened():
            raise VideoError(f"no camera {device} on this machine; record a clip with a phone and name its file")
        stop = time.monotonic() + seconds
        while time.monotonic() < stop:
            found, frame = camera.read()
            if not found:
                break
            yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    finally:
        camera.release()


def decoded(
    container: av.container.InputContainer, stream: av.stream.Stream, *, ends: dict[int, float] | None = None
) -> Iterator[av.frame.Frame | None]:
    """The frames of one track of an open file in the order of their time, and None for each that cannot be decoded.

    Args:
        container: the file.
        stream: the track.
        ends: filled with the seconds, after the first picture, at which the data of each track ends that tells how long
            the file is: the track itself, or every one where only the file as a whole has a duration.
    """
    stream.codec_context.thread_type = "AUTO"
    expected: set[int] = set()  # times of the frames that went in and haven't come out
    failures = 0
    zero = zero_of(container)
    whole = [*container.streams.video, *container.streams.audio] if ends is not None and not stream.duration else ()
    packets = container.demux([stream, *(other for other in whole if other.index != stream.index)])
    while True:
        try:
            packet = next(packets)
            if ends is not None and packet.pts is not None:
                end = float((packet.pts + (packet.duration or 0)) * packet.time_base) - zero
                ends[packet.stream.index] = max(ends.get(packet.stream.index, end), end)
            if packet.stream.index != stream.index:
                continue
            if packet.pts is not None:
                expected.add(packet.pts)
            frames = packet.decode()
        except StopIteration:
            break
        except av.InvalidDataError:
            failures += 1
            continue
        except (av.FFmpegError, OSError, ValueError, MemoryError) as error:
            raise VideoError(f"reading {Path(container.name).name} failed: {_reason(error)}") from error
        for frame in frames:
            passed = {time for time in expected if frame.pts is not None and time <= frame.pts}
            expected -= passed
            if failures:  # a decoder also drops what depends on the damaged frame, without a word
                yield from [None] * max(failures, len(passed) - 1)
                failures = 0
            yield frame
    yield from [None] * (failures and max(failures, len(expected)))


def upright(frame: av.VideoFrame, shape: Fraction | None) -> np.ndarray:
    """The picture as players show it: (H, W, 3) in square pixels, turned and mirrored as the file says.

    Args:
        frame: as it was decoded.
        shape: width of its pixels in heights; None where nobody knows.
    """
    width, height = frame.width, frame.height
    if shape and 1 / 4 <= shape <= 4:  # enlarged, so that nothing is lost
        width, height = (round(width * shape), height) if shape > 1 else (width, round(height / shape))
    image = frame.to_ndarray(format="rgb24", width=width, height=height)
    if (side := frame.side_data.get(Type.DISPLAYMATRIX)) is not None:
        # A point (x, y) goes to (a·x + c·y, b·x + d·y); y points down.
        (a, b, _), (c, d, _), _ = np.frombuffer(bytes(side), np.int32).reshape(3, 3).tolist()
        if abs(b) > abs(a):
            image = image.swapaxes(0, 1)
        image = image[
            :: -1 if (b if abs(b) > abs(a) else d) < 0 else 1, :: -1 if (c if abs(b) > abs(a) else a) < 0 else 1
        ]
    return np.ascontiguousarray(image)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
