"""Segmenting a clip: reading, the model and writing work at the same time, each in its own thread."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from helpers import environment
from helpers.labels import LabelSet
from helpers.video.reader import VideoError, VideoReader
from helpers.video.views import FrameView
from helpers.video.writer import VideoWriter

AHEAD = 3  # decoded frames that wait for the model: enough to even out slow ones, few enough to stay small
END = object()


@dataclass(frozen=True)
class VideoReport:
    """What `segment_video` did.

    Attributes:
        path: the video that it wrote.
        frames: number of frames in it.
        broken: frames of the source that could not be decoded and are left out.
        seconds: time it took, from opening to the finished file.
        missing: seconds at the end of the source that are not there: it was cut short.
    """

    path: Path
    frames: int
    broken: int
    seconds: float
    missing: float = 0.0

    def __str__(self) -> str:
        left_out = f"; {self.broken} broken frames left out" if self.broken else ""
        left_out += f"; the source was cut short, {self.missing:.1f} s are missing" if self.missing else ""
        return (
            f"{self.path.name}: {self.frames} frames in {self.seconds:.1f} s "
            f"({self.frames / self.seconds:.1f} frames/s){left_out}"
        )


def segment_video(
    model: Callable[[np.ndarray], np.ndarray],
    path: str | Path,
    out: str | Path,
    *,
    label_set: LabelSet,
    view: str = "overlay",
    palette: str = "official",
    alpha: float = 0.5,
    legend: bool = True,
    start: float = 0.0,
    end: float | None = None,
    every: int = 1,
    crf: int = 23,
    workers: int = 1,
    progress: bool = True,
) -> VideoReport:
    """Label every frame of a video and write the result as a video that browsers play.

    Decoding, the model, and drawing with encoding run in threads of their own that hand frames on, so that a frame
    costs about as much as the slowest of them. Memory doesn't grow with the length of the clip. The sound is kept.
    `out` appears when it is complete; an error or an interruption leaves nothing under that name, or what was there.

    Args:
        model: gives a mask (H, W) of class ids for a picture (H, W, 3) uint8 RGB. It gets the frames in order and,
            with one worker, one at a time, so it may remember former ones.
        path: any video that FFmpeg reads.
        out: ends in .mp4.
        label_set: what the ids mean.
        view: "overlay", "map" or "side".
        palette: "official" or "colorblind".
        alpha: how strongly the overlay is coloured, 0 … 1.
        legend: whether a strip below names the colours.
        start: seconds of the source to skip.
        end: second to stop at; the end by default.
        every: use one frame in so many; the result plays as long as the source.
        crf: 18 looks like the original, 28 is small and coarse.
        workers: frames that the model works on side by side, in as many threads; for a model that remembers nothing.
        progress: show a bar with frames per second and time left.

    Returns:
        Number of frames, of broken ones, and the time taken.

    Raises:
        FileNotFoundError: there is no such video.
        VideoError: not a video, `out` cannot be written or is the source itself, or the model gives a mask of another
            size.
    """
    began = time.perf_counter()
    reader = VideoReader(path, start=start, end=end, every=every)
    draw = FrameView(label_set, view=view, palette=palette, alpha=alpha, legend=legend)
    out = Path(out)
    if out.exists() and out.samefile(path):
        raise VideoError(f"{out} is the video that is read; choose another name for the result")

    def segmented(frames: Iterable[tuple[float, np.ndarray]]) -> Iterator[tuple[float, np.ndarray, np.ndarray]]:
        waiting = deque()
        with ThreadPoolExecutor(workers) as pool:
            try:
                for seconds, image in frames:
                    waiting.append((seconds, image, pool.submit(model, image)))
                    if len(waiting) > workers:
                        yield checked(*waiting.popleft())
                while waiting:
                    yield checked(*waiting.popleft())
            finally:
                pool.shutdown(cancel_futures=True)

    def checked(seconds: float, image: np.ndarray, result: Future) -> tuple[float, np.ndarray, np.ndarray]:
        mask = result.result()
        if np.shape(mask) != image.shape[:2]:
            raise VideoError(f"the model gave a mask of {np.shape(mask)} for a frame of {image.shape[:2]}")
        return seconds, image, mask

    bar = tqdm(
        total=len(reader) or None,
        unit=" frames",
        desc=out.name,
        disable=not progress,
        file=environment.progress_stream(),
    )
    with (
        bar,
        VideoWriter(out, reader.fps, audio_from=path, start=start, end=end, crf=crf) as writer,
        closing(prefetch(reader)) as frames,
        closing(segmented(frames)) as results,
    ):
        for seconds, image, mask in results:
            writer.write(draw(image, mask), seconds)
            bar.update()
    return VideoReport(out, writer.frames, reader.broken, time.perf_counter() - began, reader.missing)


def prefetch(items: Iterable, *, depth: int = AHEAD) -> Iterator:
    """Run an iterator in a thread of its own, a few items ahead of whoever uses them.

    Args:
        items: what to iterate over; its errors are raised here.
        depth: how many items may be ready and waiting.
    """
    iterator = iter(items)
    with ThreadPoolExecutor(max_workers=1) as worker:
        waiting = deque(worker.submit(next, iterator, END) for _ in range(depth))
        try:
            while (item := waiting.popleft().result()) is not END:
                waiting.append(worker.submit(next, iterator, END))
                yield item
        finally:
            worker.shutdown(cancel_futures=True)
