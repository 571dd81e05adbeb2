"""The tutorials' video loop against ours: same graph, same clip, one run. Prints ratios; asserts half of each target.

python -m pytest tests/benchmarks/test_video_speed.py -s     # as part of make bench
python tests/benchmarks/test_video_speed.py                  # writes data/measured/video_speed.json as well
"""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from helpers import paths
from helpers.datasets.driveseg import read_label_frames
from helpers.deeplab import Graph, load_graph, segment
from helpers.driving.smoothing import CITYSCAPES_SIZE, tutorial_loop
from helpers.evaluation import Evaluation, save_json
from helpers.images import resize_image
from helpers.labels import CAMVID11, CITYSCAPES
from helpers.masks import resize_mask
from helpers.video import VideoReader, read_frames, segment_video

MODEL = "deeplab_street"
CLIP = paths.DATA / "street_clip" / "clip.mp4"
RECORD = paths.DATA / "measured" / "video_speed.json"
FRAMES, ROUNDS = 8, 3
WORKERS = min(4, os.cpu_count() or 1)
EQUAL_SIZE, DEFAULT_SIZE = 2.0, 10.0  # targets: times faster
MAX_LOSS = 0.01  # of mIoU, at the default size


def engine() -> str:
    from helpers.deeplab.engines.openvino import has_bfloat16

    return "openvino-bf16" if has_bfloat16() else "openvino"


def at_tutorial_size(graph: Graph, image: np.ndarray) -> np.ndarray:
    return resize_mask(graph(resize_image(image, CITYSCAPES_SIZE)), image.shape[:2])


def compare_speed(clip: Path, folder: Path, *, frames: int = FRAMES, rounds: int = ROUNDS) -> dict:
    """Seconds a frame of the loop and of ours at both sizes, called in turn, the fastest of some rounds each."""
    reference, ours = load_graph(MODEL, engine="tensorflow"), load_graph(MODEL, engine=engine(), streams=WORKERS)
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
    best = dict.fromkeys(ways, float("inf"))
    for round_ in range(rounds + 1):  # the first one warms up
        for name, run in ways.items():
            began = time.perf_counter()
            run()
            if round_:
                best[name] = min(best[name], (time.perf_counter() - began) / frames)
    image = resize_image(next(read_frames(clip)), CITYSCAPES_SIZE)
    return {
        "frames": frames,
        "engine": engine(),
        "workers": WORKERS,
        "seconds_per_frame": {name: round(seconds, 4) for name, seconds in best.items()},
        "ratio_equal_size": round(best["tutorial"] / best["equal_size"], 2),
        "ratio_default_size": round(best["tutorial"] / best["default_size"], 2),
        "agreement_equal_size": round(float((reference(image) == ours(image)).mean()), 4),
    }


def compare_quality(clip: Path, label_folder: Path, *, every: int = 8) -> dict:
    """mIoU (CamVid 11) of the loop at its size and of ours at the default size, on some frames of the clip."""
    reference, ours = load_graph(MODEL, engine="tensorflow"), load_graph(MODEL, engine=engine())
    scores = {"tutorial": at_tutorial_size, "default_size": segment}
    evaluations = {name: Evaluation(CITYSCAPES, CITYSCAPES, folded_to=CAMVID11) for name in scores}
    truths = read_label_frames(label_folder)[::every]
    for image, truth in zip(read_frames(clip, every=every), truths, strict=True):
        evaluations["tutorial"].add(at_tutorial_size(reference, image), truth)
        evaluations["default_size"].add(segment(ours, image), truth)
    return {
        "scored_frames": len(truths),
        "mean_iou": {name: round(evaluation.matrix.mean_iou(), 4) for name, evaluation in evaluations.items()},
    }


def peak_memory(way: str, clip: Path, folder: Path) -> float:
    """Peak memory of one way in a process of its own, in MB."""
    code = f"import runpy; runpy.run_path({__file__!r})['run_alone']({way!r}, {str(clip)!r}, {str(folder)!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def run_alone(way: str, clip: str, folder: str) -> None:
    """What `peak_memory` starts: some frames, then the process's peak in MB."""
    if way == "tutorial":
        tutorial_loop(load_graph(MODEL), clip, Path(folder) / "alone.mp4", frames=8)
    else:
        graph = load_graph(MODEL, engine=engine(), streams=WORKERS)
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
        f"\n{title}: the tutorials' loop {seconds['tutorial']:.3f} s a frame; ours ({found['engine']}) at equal size "
        f"{seconds['equal_size']:.3f} s, {found['ratio_equal_size']:.1f}× (target {EQUAL_SIZE:g}×, labels agree on "
        f"{100 * found['agreement_equal_size']:.2f} %); at the default size {seconds['default_size']:.3f} s, "
        f"{found['ratio_default_size']:.1f}× (target {DEFAULT_SIZE:g}×)"
    )


def check(found: dict) -> None:
    assert found["ratio_equal_size"] >= EQUAL_SIZE / 2 and found["ratio_default_size"] >= DEFAULT_SIZE / 2
    assert found["agreement_equal_size"] >= 0.98


def test_practice_clip(tmp_path):
    found = compare_speed(CLIP, tmp_path)
    say("practice clip", found)
    check(found)


def test_quality_on_the_practice_clip():
    found = compare_quality(CLIP, CLIP.parent / "labels", every=16)
    tutorial, default = found["mean_iou"]["tutorial"], found["mean_iou"]["default_size"]
    print(f"\nmIoU on {found['scored_frames']} frames: tutorials' size {tutorial:.4f}, default size {default:.4f}")
    assert default >= tutorial - MAX_LOSS


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc, as on Linux")
def test_peak_memory(tmp_path):
    found = {way: peak_memory(way, CLIP, tmp_path) for way in ("tutorial", "equal_size", "default_size")}
    print("\npeak memory: " + ", ".join(f"{way} {peak:.0f} MB" for way, peak in found.items()))
    assert found["default_size"] < found["tutorial"]


def test_real_video(real_data, tmp_path):
    found = compare_speed(real_data / "video" / "solidWhiteRight.mp4", tmp_path, frames=8, rounds=2)
    say("solidWhiteRight.mp4", found)
    check(found)


def main() -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        record = {
            "command": "python tests/benchmarks/test_video_speed.py",
            "date": date.today().isoformat(),
            "device": f"{os.cpu_count()} CPU cores, {platform.machine()}",
            "clip": CLIP.relative_to(paths.REPO_ROOT).as_posix(),
            **compare_speed(CLIP, Path(folder)),
            **compare_quality(CLIP, CLIP.parent / "labels"),
            "peak_megabytes": {
                way: round(peak_memory(way, CLIP, Path(folder))) for way in ("tutorial", "equal_size", "default_size")
            },
        }
        if real := paths.real_data():
            found = compare_speed(real / "video" / "solidWhiteRight.mp4", Path(folder), frames=8, rounds=2)
            record["solidWhiteRight.mp4"] = found
    RECORD.parent.mkdir(exist_ok=True)
    save_json(RECORD, record)
    say("practice clip", record)
    print(f"record: {RECORD}")


if __name__ == "__main__":
    main()
