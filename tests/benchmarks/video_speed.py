"""The tutorials' video loop against ours, same graph, same clip: python tests/benchmarks/video_speed.py

Writes data/measured/video_speed.json: seconds a frame, peak memory, agreement of the labels, mean IoU.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from timing import fastest_calls

from helpers import paths, records
from helpers.datasets.driveseg import read_label_frames
from helpers.deeplab import Graph, load_graph, segment
from helpers.driving.smoothing import CITYSCAPES_SIZE, tutorial_loop
from helpers.evaluation import Evaluation
from helpers.images import resize_image
from helpers.labels import CAMVID11, CITYSCAPES
from helpers.masks import resize_mask
from helpers.video import VideoReader, read_frames, segment_video

MODEL = "deeplab_street"
CLIP = paths.DATA / "street_clip" / "clip.mp4"
FRAMES, ROUNDS = 8, 3
WORKERS = min(4, os.cpu_count() or 1)


def at_tutorial_size(graph: Graph, image: np.ndarray) -> np.ndarray:
    return resize_mask(graph(resize_image(image, CITYSCAPES_SIZE)), image.shape[:2])


def compare_speed(clip: Path, folder: Path, *, frames: int = FRAMES, rounds: int = ROUNDS) -> dict:
    """Seconds a frame of the loop and of ours at both sizes, called in turn, the fastest of some rounds each."""
    reference, ours = load_graph(MODEL, engine="tensorflow"), load_graph(MODEL, streams=WORKERS)
    end = frames / VideoReader(clip).info.fps

    def pipeline(model: Callable) -> None:
        out = folder / "ours.mp4"
        options = {"label_set": ours.labels, "view": "map", "end": end, "workers": WORKERS, "progress": False}
        report = segment_video(model, clip, out, **options)
        assert report.frames == frames

    ways = {
        "tutorial": lambda: tutorial_loop(reference, clip, folder / "tutorial.mp4", frames=frames),
        "equal_size": lambda: pipeline(partial(at_tutorial_size, ours)),
        "default_size": lambda: pipeline(partial(segment, ours)),
    }
    best = {name: value / frames for name, value in fastest_calls(ways, rounds=rounds).items()}
    image = resize_image(next(read_frames(clip)), CITYSCAPES_SIZE)
    return {
        "frames": frames,
        "engine": type(ours).__name__,
        "workers": WORKERS,
        "seconds_per_frame": best,
        "ratio_equal_size": best["tutorial"] / best["equal_size"],
        "ratio_default_size": best["tutorial"] / best["default_size"],
        "agreement_equal_size": float((reference(image) == ours(image)).mean()),
    }


def compare_quality(clip: Path, label_folder: Path, *, every: int = 8) -> dict:
    """mIoU (CamVid 11) of the loop at its size and of ours at the default size, on some frames of the clip."""
    reference, ours = load_graph(MODEL, engine="tensorflow"), load_graph(MODEL)
    scores = {"tutorial": at_tutorial_size, "default_size": segment}
    evaluations = {name: Evaluation(CITYSCAPES, CITYSCAPES, folded_to=CAMVID11) for name in scores}
    truths = read_label_frames(label_folder)[::every]
    for image, truth in zip(read_frames(clip, every=every), truths, strict=True):
        evaluations["tutorial"].add(at_tutorial_size(reference, image), truth)
        evaluations["default_size"].add(segment(ours, image), truth)
    return {
        "scored_frames": len(truths),
        "mean_iou": {name: evaluation.matrix.mean_iou() for name, evaluation in evaluations.items()},
    }


def peak_memory(way: str, clip: Path, folder: Path) -> float:
    """Peak memory of one way in a process of its own, in MB."""
    command = [sys.executable, __file__, way, str(clip), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def run_alone(way: str, clip: str, folder: str) -> None:
    """What `peak_memory` starts: some frames, then the process's peak in MB."""
    if way == "tutorial":
        tutorial_loop(load_graph(MODEL, engine="tensorflow"), clip, Path(folder) / "alone.mp4", frames=8)
    else:
        graph = load_graph(MODEL, streams=WORKERS)
        model = partial(at_tutorial_size if way == "equal_size" else segment, graph)
        end = 8 / VideoReader(clip).info.fps
        options = {"label_set": CITYSCAPES, "end": end, "workers": WORKERS, "progress": False}
        segment_video(model, clip, Path(folder) / "alone.mp4", **options)
    # The peak since this program began; getrusage would also count what the process was before it.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(int(status["VmHWM"].split()[0]) * 1024 / 1e6)


def say(title: str, found: dict) -> None:
    seconds = found["seconds_per_frame"]
    print(
        f"{title}: the tutorials' loop {seconds['tutorial']:.3f} s a frame; ours ({found['engine']}) at equal size "
        f"{seconds['equal_size']:.3f} s, {found['ratio_equal_size']:.1f}×, labels agree on "
        f"{100 * found['agreement_equal_size']:.2f} %; at the default size {seconds['default_size']:.3f} s, "
        f"{found['ratio_default_size']:.1f}×"
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = compare_speed(CLIP, Path(folder)) | compare_quality(CLIP, CLIP.parent / "labels")
        peaks = {way: round(peak_memory(way, CLIP, Path(folder))) for way in ("tutorial", "equal_size", "default_size")}
    say("practice clip", found)
    clip = CLIP.relative_to(paths.REPO_ROOT).as_posix()
    record = records.run_record(__file__, clip=clip, **found, peak_megabytes=peaks)
    print("record:", records.write("video_speed", record))


if __name__ == "__main__":
    run_alone(*sys.argv[1:]) if sys.argv[1:] else main()
