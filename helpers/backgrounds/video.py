"""Video: alpha that doesn't flicker, and clips with another background."""

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from helpers.backgrounds.compose import as_background, replace_background
from helpers.backgrounds.edges import soften
from helpers.backgrounds.model import PersonModel
from helpers.video.pipeline import VideoReport, prefetch
from helpers.video.reader import VideoError, VideoReader
from helpers.video.writer import VideoWriter


class SteadyAlpha:
    """Alpha averaged over time, but only where the picture stands still.

    A network that sees each frame for the first time wavers along the edge, and the eye sees that first. So the last
    alpha is kept in part (an exponential moving average). Where brightness changed, somebody moved: there the new one
    counts, or a shadow of the past would follow them.

    Args:
        keep: share of the last alpha where nothing moved, 0 (none) .. 0.95.
        moved: change of brightness (0..1) at which a third of that share is left.
    """

    def __init__(self, *, keep: float = 0.8, moved: float = 0.05):
        if not 0 <= keep <= 0.95:
            raise ValueError(f"keep is {keep}; it lies between 0 (each frame alone) and 0.95")
        self.keep, self.moved = keep, moved
        self._alpha = self._gray = None

    def __call__(self, image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
        """The alpha (h, w) of the next frame; a frame of another size begins anew.

        Args:
            image: (H, W, 3) uint8 RGB.
            alpha: (h, w) float32 in 0..1, of the picture's size or smaller (and faster).
        """
        small = cv2.resize(image, alpha.shape[::-1], interpolation=cv2.INTER_AREA)
        gray = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), (0, 0), 1).astype(np.float32) / 255
        if self._alpha is not None and self._alpha.shape == alpha.shape:
            change = cv2.dilate(np.abs(gray - self._gray), np.ones((3, 3), np.uint8))
            weight = self.keep * np.exp(-((change / self.moved) ** 2))
            alpha = weight * self._alpha + (1 - weight) * alpha
        self._alpha, self._gray = alpha, gray
        return alpha


def person_alphas(
    model: PersonModel, images: Iterable[np.ndarray], *, edge: str = "guided", keep: float = 0.8
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Frames of a video with their alpha, steady and with a good edge.

    Args:
        model: finds the person.
        images: (H, W, 3) uint8 RGB, one after the other.
        edge: see `edges.EDGES`.
        keep: see `SteadyAlpha`.

    Yields:
        Each picture with its alpha (H, W) float32.
    """
    steady = SteadyAlpha(keep=keep)
    for image in images:
        yield image, soften(image, steady(image, model.coarse(image)), edge=edge)


def replace_video(
    path: str | Path,
    out: str | Path,
    *,
    model: PersonModel,
    background: np.ndarray | tuple[int, int, int] | str,
    edge: str = "guided",
    keep: float = 0.8,
    start: float = 0.0,
    end: float | None = None,
    every: int = 1,
    crf: int = 23,
    progress: bool = True,
) -> VideoReport:
    """Write a video with another background behind the person; the sound is kept.

    Decoding, the network, and compositing with encoding run in threads of their own.

    Args:
        path: any video that FFmpeg reads.
        out: ends in .mp4; it appears when it is complete, or not at all.
        model: finds the person.
        background: see `compose.replace_background`.
        edge: see `edges.EDGES`.
        keep: see `SteadyAlpha`.
        start, end: seconds of the source between which frames are used.
        every: use one frame in so many.
        crf: 18 looks like the original, 28 is small and coarse.
        progress: show a bar.

    Returns:
        Number of frames, of broken ones, and the time taken.

    Raises:
        FileNotFoundError: there is no such video.
        VideoError: not a video, or `out` cannot be written or is the source itself.
        ValueError: no such edge or background.
    """
    began = time.perf_counter()
    reader = VideoReader(path, start=start, end=end, every=every)
    out = Path(out)
    if out.exists() and out.samefile(path):
        raise VideoError(f"{out} is the video that is read; choose another name for the result")
    steady = SteadyAlpha(keep=keep)

    def found(frames: Iterable[tuple[float, np.ndarray]]) -> Iterator[tuple[float, np.ndarray, np.ndarray]]:
        for seconds, image in frames:
            yield seconds, image, steady(image, model.coarse(image))

    bar = tqdm(total=len(reader) or None, unit=" frames", desc=out.name, disable=not progress)
    with (
        bar,
        VideoWriter(out, reader.fps, audio_from=path, start=start, end=end, crf=crf) as writer,
        closing(prefetch(reader)) as frames,
        closing(prefetch(found(frames))) as results,
    ):
        blurred = isinstance(background, str) and background == "blur"
        for seconds, image, alpha in results:
            if not blurred:  # enlarged once: from the second frame on it has their size
                background = as_background(background, image.shape[:2])
            writer.write(replace_background(image, soften(image, alpha, edge=edge), background=background), seconds)
            bar.update()
    return VideoReport(out, writer.frames, reader.broken, time.perf_counter() - began, reader.missing)


def flicker(alphas: Iterable[np.ndarray]) -> float:
    """Mean absolute change of alpha from frame to frame, in percent of full scale: what the eye sees as unrest.

    Args:
        alphas: (H, W) float in 0..1, at least two; of a clip in which nobody moves, all of it is the network's.
    """
    alphas = list(alphas)
    return float(100 * np.mean([np.abs(b - a).mean() for a, b in zip(alphas, alphas[1:], strict=False)]))
