"""Reading video: frames one after the other, upright, with the moment each is shown."""

import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np


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
    Rotation stored by a phone is applied. A frame that cannot be decoded, or only with errors, is left out and counted.

    Args:
        path: any file that FFmpeg reads.
        start: seconds to skip.
        end: second to stop at; the end of the file by default.
        every: keep one frame in so many.

    Attributes:
        info: `VideoInfo` of the whole file.
        broken: frames left out so far in the present loop.

    Raises:
        FileNotFoundError: there is no such file.
        VideoError: not a video, no picture in it, or `start`, `end`, `every` make no sense.
    """

    def __init__(self, path: str | Path, *, start: float = 0.0, end: float | None = None, every: int = 1):
        self.path = Path(path)
        self.start, self.end, self.every = start, end, every
        self.broken = 0
        if not self.path.exists():
            raise FileNotFoundError(f"no video at {self.path}; check the path (current folder: {Path.cwd()})")
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
        self.broken = 0
        with self._open() as container:
            stream = container.streams.video[0]
            zero = float((stream.start_time or 0) * stream.time_base)
            if self.start:  # to the key frame before it
                container.seek(int((zero + self.start) * av.time_base), backward=True)
            index = 0
            for frame in decoded(container, stream):
                if frame is None:
                    self.broken += 1
                    continue
                seconds = (index / self.info.fps if frame.time is None else frame.time - zero) - self.start
                if seconds < -0.5 / self.info.fps:
                    continue
                if self.end is not None and seconds >= self.end - self.start - 1e-6:
                    break
                index += 1
                if (index - 1) % self.every:
                    continue
                if frame.is_corrupt:
                    self.broken += 1
                    continue
                yield max(0.0, seconds), upright(frame)

    def _open(self) -> av.container.InputContainer:
        try:
            container = av.open(str(self.path), metadata_errors="replace")
        except (av.FFmpegError, OSError) as error:
            raise VideoError(f"cannot read {self.path} as a video: {_reason(error)}") from error
        if not container.streams.video:
            container.close()
            raise VideoError(f"{self.path} holds no picture track; is it a sound file?")
        return container

    def _probe(self) -> VideoInfo:
        with self._open() as container:
            stream = container.streams.video[0]
            first = next((f for f in decoded(container, stream) if f is not None and not f.is_corrupt), None)
            if first is None:
                raise VideoError(f"{self.path} holds no frame that can be decoded; was the recording cut short?")
            height, width = upright(first).shape[:2]
            fps = float(stream.average_rate or stream.guessed_rate or stream.base_rate or 25)
            seconds = None
            if stream.duration:
                seconds = float(stream.duration * stream.time_base)
            elif container.duration:
                seconds = container.duration / av.time_base
            frames = stream.frames or (round(seconds * fps) if seconds else None)
            return VideoInfo(height, width, fps, frames, seconds, bool(container.streams.audio))


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


def decoded(container: av.container.InputContainer, stream: av.stream.Stream) -> Iterator[av.frame.Frame | None]:
    """The frames of one track of an open file in the order of their time, and None for each that cannot be decoded."""
    stream.codec_context.thread_type = "AUTO"
    expected: set[int] = set()  # times of the frames that went in and haven't come out
    failures = 0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
            if packet.pts is not None:
                expected.add(packet.pts)
            frames = packet.decode()
        except StopIteration:
            break
        except av.InvalidDataError:
            failures += 1
            continue
        except av.FFmpegError as error:
            raise VideoError(f"reading {container.name} failed: {_reason(error)}") from error
        for frame in frames:
            passed = {time for time in expected if frame.pts is not None and time <= frame.pts}
            expected -= passed
            if failures:  # a decoder also drops what depends on the damaged frame, without a word
                yield from [None] * max(failures, len(passed) - 1)
                failures = 0
            yield frame
    yield from [None] * (failures and max(failures, len(expected)))


def upright(frame: av.VideoFrame) -> np.ndarray:
    """A decoded frame as (H, W, 3) uint8 RGB, turned as the camera was held."""
    image = frame.to_ndarray(format="rgb24")
    turns = round(frame.rotation / 90) % 4  # counter-clockwise
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
