"""The guide's way from picture to overlay against ours, with the same weights: python tests/benchmarks/fcn_speed.py

Writes data/measured/fcn_speed.json.
"""

from pathlib import Path

import numpy as np
from fcn_guide import guide_way, our_way
from timing import fastest_calls

from helpers import fcn, paths, records
from helpers.images import resize_image
from helpers.video import read_frames

MODEL = "fcn_street"
CLIP = paths.DATA / "street_clip" / "clip.mp4"
FRAMES, ROUNDS = 4, 5


def compare(frames: list[np.ndarray]) -> dict:
    """Seconds a frame of each way, and how far the labels agree."""
    model, single = fcn.load_model(MODEL, "cpu"), fcn.load_model(MODEL, "cpu", bfloat16=False)
    ways = {
        "guide": lambda image: guide_way(image, single.network, single.transforms),
        "ours_float32": lambda image: our_way(image, single),
        "ours": lambda image: our_way(image, model),
    }
    calls = {name: lambda way=way: [way(image) for image in frames] for name, way in ways.items()}
    seconds = {name: value / len(frames) for name, value in fastest_calls(calls, rounds=ROUNDS).items()}
    agreement = [(ways["guide"](image)[0] == ways["ours"](image)[0]).mean() for image in frames]
    return {
        "model": MODEL,
        "frames": len(frames),
        "size": list(frames[0].shape[:2]),
        "seconds_per_frame": seconds,
        "ratio": seconds["guide"] / seconds["ours"],
        "agreement": float(np.mean(agreement)),
    }


def say(title: str, found: dict) -> None:
    seconds = found["seconds_per_frame"]
    print(
        f"{title}: the guide's way {seconds['guide']:.3f} s a frame, ours {seconds['ours']:.3f} s, in float32 "
        f"{seconds['ours_float32']:.3f} s: {found['ratio']:.1f}×, labels agree on {100 * found['agreement']:.2f} %"
    )


def clip_frames(clip: Path, size: tuple[int, int] | None = None) -> list[np.ndarray]:
    frames = (frame for frame, _ in zip(read_frames(clip, every=10), range(FRAMES), strict=False))
    return [resize_image(frame, size) if size else frame for frame in frames]


def main() -> None:
    found = compare(clip_frames(CLIP))
    record = records.run_record(
        __file__,
        clip=CLIP.relative_to(paths.REPO_ROOT).as_posix(),
        **found,
        full_hd=compare(clip_frames(CLIP, (1080, 1920))),
    )
    say("practice clip", found)
    say("full HD", record["full_hd"])
    print("record:", records.write("fcn_speed", record))


if __name__ == "__main__":
    main()
