"""Writing video that browsers and phones play: H.264 in MP4, 4:2:0, its index in front."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from helpers.paths import temporary_beside
from helpers.video.reader import VideoError, moments, open_video, track

CLOCK = 90_000  # ticks per second: every usual frame rate is a whole number of them
SOUND_RATE = 48_000
BT709 = 1  # code of the colour standard in ITU-T H.273, as are the ones for primaries and transfer


class VideoWriter:
    """An MP4 file that grows frame by frame and gets its name only when it is complete.

    Use it in a `with` block. Leaving the block by an error or an interruption leaves no file, and an older one of that
    name as it was. A side of odd length gets one more row or column (H.264 wants even ones), a copy of the last.

    Args:
        path: ends in .mp4.
        fps: frames per second, for frames written without a time.
        audio_from: a file whose sound track is kept, in AAC.
        start: second of that file at which this video starts.
        end: second of that file at which it ends.
        crf: constant rate factor of x264: 18 looks like the original, 28 is small and coarse.

    Raises:
        VideoError: the name doesn't end in .mp4, there is no such folder, or frames of different sizes come.
    """

    def __init__(
        self,
        path: str | Path,
        fps: float,
        *,
        audio_from: str | Path | None = None,
        start: float = 0.0,
        end: float | None = None,
        crf: int = 23,
    ):
        self.path, self.fps, self.crf = Path(path), fps, crf
        if self.path.suffix.lower() != ".mp4":
            raise VideoError(f"{self.path.name}: videos are written as .mp4")
        if not self.path.parent.is_dir():
            raise VideoError(f"there is no folder {self.path.parent} to write {self.path.name} to")
        if not fps > 0:
            raise VideoError(f"fps is {fps}; it is a number of frames per second")
        self.frames = 0
        self._sound_of = (audio_from, start, end)
        self._sound: Iterator[float] = iter(())
        self._size: tuple[int, int] | None = None  # of the pictures as they come

    def __enter__(self) -> "VideoWriter":
        self._temporary = temporary_beside(self.path.absolute())  # FFmpeg takes "a:" of a relative name for a protocol
        self._container = av.open(str(self._temporary), "w", format="mp4", options={"movflags": "+faststart"})
        return self

    def write(self, image: np.ndarray, seconds: float | None = None) -> None:
        """Append a frame.

        Args:
            image: (H, W, 3) uint8 RGB, all of one size.
            seconds: when it is shown; later than the one before. By default one frame interval after it.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise VideoError(f"a frame is (H, W, 3) uint8 RGB, this one is {image.shape} {image.dtype}")
        if self._size is None:
            self._start(image.shape[:2])
        if image.shape[:2] != self._size:
            raise VideoError(f"frame {self.frames} is {image.shape[:2]}, those before {self._size} (height, width)")
        height, width = self._size
        if height % 2 or width % 2:
            image = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
        ticks = round(CLOCK / self.fps)
        wanted = self._next if seconds is None else round(seconds * CLOCK)
        frame.pts = max(wanted, self._last + 1)  # two frames of one moment would stop the muxer
        frame.time_base, frame.duration = Fraction(1, CLOCK), ticks
        self._last, self._next = frame.pts, frame.pts + ticks
        self._advance_sound(frame.pts / CLOCK)
        self._container.mux(self._stream.encode(frame))
        self.frames += 1

    def __exit__(self, kind, error, traceback) -> None:
        try:
            if kind is None and not self.frames:
                raise VideoError(f"no frame to write to {self.path.name}")
            if kind is None:
                self._advance_sound(float("inf"))
                self._container.mux(self._stream.encode())
            with contextlib.suppress(av.FFmpegError) if kind else contextlib.nullcontext():
                self._container.close()
            if kind is None:
                os.replace(self._temporary, self.path)
        finally:
            self._sound = iter(())
            self._temporary.unlink(missing_ok=True)

    def _start(self, size: tuple[int, int]) -> None:
        """Add the tracks, once the picture size is known."""
        self._size, self._last, self._next = size, -1, 0
        rate = Fraction(self.fps).limit_denominator(1001)
        stream = self._stream = self._container.add_stream("libx264", rate=rate)
        stream.height, stream.width = (side + side % 2 for side in size)
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(self.crf), "preset": "veryfast"}
        codec = stream.codec_context
        codec.time_base = Fraction(1, CLOCK)
        # Named, since players guess otherwise, and class colours would come out differently.
        codec.colorspace = codec.color_primaries = codec.color_trc = codec.color_range = BT709
        source, start, end = self._sound_of
        if source is not None:
            self._sound = copy_sound(source, self._container, start=start, end=end)
            next(self._sound, None)  # adds its track now: nothing can be added after the first packet

    def _advance_sound(self, seconds: float) -> None:
        """Write the sound up to a moment, so that neither track has to wait for the other."""
        for written in self._sound:
            if written >= seconds:
                return


def copy_sound(
    source: str | Path, target: av.container.OutputContainer, *, start: float = 0.0, end: float | None = None
) -> Iterator[float]:
    """Write a file's first sound track into an open one as AAC, bit by bit; sound that cannot be decoded is left out.

    Args:
        source: any file that FFmpeg reads.
        target: open for writing, before its first packet.
        start, end: seconds after the source's first picture between which the sound is kept.

    Yields:
        How many seconds are written so far; 0.0 first, once the track is added.
    """
    with open_video(Path(source)) as container:
        if not container.streams.audio:
            return
        layout = track(container, "audio").layout
    out = target.add_stream("aac", rate=SOUND_RATE, layout=layout)  # its encoder converts what comes
    yield 0.0
    for seconds, frame in moments(Path(source), "audio", start=start):
        if frame is None or frame.time is None:
            continue
        if (early := round((start - seconds) * frame.sample_rate)) >= frame.samples:
            continue
        if early > 0:
            frame, seconds = _without(frame, early), start
        if end is not None and seconds >= end:
            break
        # Some containers count in whole frames of theirs, which is too coarse for the encoder's.
        frame.pts, frame.time_base = round((seconds - start) * frame.sample_rate), Fraction(1, frame.sample_rate)
        target.mux(out.encode(frame))
        yield seconds - start
    target.mux(out.encode())


def _without(frame: av.AudioFrame, samples: int) -> av.AudioFrame:
    """A frame of sound without its first samples, so that the track begins at the very moment the picture does."""
    each = 1 if frame.format.is_planar else frame.layout.nb_channels
    rest = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(frame.to_ndarray()[:, samples * each :]), format=frame.format.name, layout=frame.layout
    )
    rest.sample_rate = frame.sample_rate
    return rest


def write_video(path: str | Path, frames: Iterable[np.ndarray], *, fps: float, crf: int = 23) -> Path:
    """Write pictures as a video that browsers play; the file appears whole or not at all.

    Args:
        path: ends in .mp4.
        frames: pictures (H, W, 3) uint8 RGB of one size; taken one by one.
        fps: frames per second.
        crf: 18 looks like the original, 28 is small and coarse.

    Returns:
        The path.

    Raises:
        VideoError: no frames, frames of different sizes, or the file cannot be made there.
    """
    with VideoWriter(path, fps, crf=crf) as writer:
        for image in frames:
            writer.write(image)
    return writer.path
