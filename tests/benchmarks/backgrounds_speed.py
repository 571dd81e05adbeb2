"""Compositing and video of lesson 07 at 1280×720: python tests/benchmarks/backgrounds_speed.py

Writes data/measured/backgrounds_speed.json.
"""

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

from helpers import backgrounds, records
from helpers.backgrounds.data import handheld
from helpers.backgrounds.video import replace_video
from helpers.images import photo
from helpers.video.writer import write_video

HEIGHT, WIDTH, FRAMES = 720, 1280, 48


def milliseconds(call: Callable[[], object], *, rounds: int = 9) -> float:
    """The fastest of some calls: what it takes when nothing else is in the way."""
    times = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - began))
    return min(times[1:])


def in_float64(front: np.ndarray, back: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The way that one finds in demos."""
    share = alpha.astype(np.float64)[..., None]
    return np.rint(share * front + (1 - share) * back).astype(np.uint8)


def measure(folder: Path) -> dict:
    """All figures, in milliseconds for a frame and frames per second."""
    torch.set_num_threads(2)
    cv2.setNumThreads(2)
    image = backgrounds.as_background(photo("astronaut"), (HEIGHT, WIDTH))
    behind = backgrounds.as_background(photo("china"), (HEIGHT, WIDTH))
    model = backgrounds.load_model(size=256, device="cpu")
    coarse = model.coarse(image)
    alpha = backgrounds.soften(image, coarse)
    figures = {
        "composite_float64_ms": milliseconds(lambda: in_float64(image, behind, alpha)),
        "composite_ms": milliseconds(lambda: backgrounds.composite(image, behind, alpha)),
        "network_ms": milliseconds(lambda: model.coarse(image)),
        "guided_filter_ms": milliseconds(lambda: backgrounds.soften(image, coarse)),
        "foreground_ms": milliseconds(lambda: backgrounds.estimate_foreground(image, alpha)),
        "replace_ms": milliseconds(lambda: backgrounds.replace_background(image, alpha, background=behind)),
        "blur_ms": milliseconds(lambda: backgrounds.blur_background(image, alpha)),
    }
    clip = write_video(folder / "clip.mp4", handheld(image, frames=FRAMES), fps=24)
    report = replace_video(clip, folder / "out.mp4", model=model, background=behind, progress=False)
    figures["video_frames_per_second"] = report.frames / report.seconds
    figures["composite_ratio"] = figures["composite_float64_ms"] / figures["composite_ms"]
    guided = figures["guided_filter_ms"] + figures["replace_ms"]
    figures["guided_and_replace_frames_per_second"] = 1e3 / guided
    return figures


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        result = measure(Path(folder))
    for name, value in result.items():
        print(f"{name:38} {value:8.1f}")
    records.write("backgrounds_speed", records.run_record(__file__, **result))
