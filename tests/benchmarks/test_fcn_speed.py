"""The guide's way from picture to overlay against ours: same weights, same frames, one run.

python -m pytest tests/benchmarks/test_fcn_speed.py -s     # as part of make bench
python tests/benchmarks/test_fcn_speed.py                  # writes data/measured/fcn_speed.json as well
"""

import time
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from helpers import environment, fcn, paths
from helpers.evaluation import save_json
from helpers.fcn.models import SegmentationModel
from helpers.images import resize_image
from helpers.labels import PASCAL_VOC
from helpers.video import read_frames

MODEL = "fcn_street"
CLIP = paths.DATA / "street_clip" / "clip.mp4"
RECORD = paths.DATA / "measured" / "fcn_speed.json"
FRAMES, ROUNDS = 4, 5
TARGET = 2.0  # times faster
AGREEMENT = 0.99


def plain_network(model: SegmentationModel) -> nn.Module:
    """The same weights as torch lays them out by itself."""
    from helpers.training.fcn_network import street_fcn

    network = street_fcn(model.labels.num_classes).eval()
    network.load_state_dict(model.network.state_dict())
    return network


def guide_way(image: np.ndarray, network: nn.Module, transforms) -> tuple[np.ndarray, np.ndarray]:
    """A plain forward pass, colours by a loop over the classes for each channel, a blend in OpenCV's channel order."""
    with torch.no_grad():
        batch = transforms(torch.from_numpy(image).permute(2, 0, 1).contiguous().unsqueeze(0))
        outputs = network(batch.contiguous())["out"]
        outputs = F.interpolate(outputs, size=image.shape[:2], mode="bilinear", align_corners=False)
    labels = torch.argmax(outputs.squeeze(), dim=0).numpy()
    channels = [np.zeros_like(labels).astype(np.uint8) for _ in range(3)]
    for class_id, color in enumerate(PASCAL_VOC.colors):
        chosen = labels == class_id
        for channel, value in zip(channels, color, strict=True):
            channel[chosen] = value
    segmented = cv2.cvtColor(np.stack(channels, axis=2), cv2.COLOR_RGB2BGR)
    blended = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    cv2.addWeighted(segmented, 0.6, blended, 0.4, 0, blended)
    return labels, blended


def our_way(image: np.ndarray, model: SegmentationModel) -> tuple[np.ndarray, np.ndarray]:
    labels = fcn.get_segment_labels(image, model)
    return labels, fcn.image_overlay(image, fcn.draw_segmentation_map(labels))


def compare(frames: list[np.ndarray], *, rounds: int = ROUNDS) -> dict:
    """Seconds a frame of each way, called in turn, the fastest of some rounds, and how far the labels agree."""
    model, single = fcn.load_model(MODEL, "cpu"), fcn.load_model(MODEL, "cpu", bfloat16=False)
    network = plain_network(single)
    ways = {
        "guide": lambda image: guide_way(image, network, single.transforms),
        "ours_float32": lambda image: our_way(image, single),
        "ours": lambda image: our_way(image, model),
    }
    best = dict.fromkeys(ways, float("inf"))
    found = {}
    for round_ in range(rounds + 1):  # the first one warms up
        for name, way in ways.items():
            began = time.perf_counter()
            found[name] = [way(image) for image in frames]
            if round_:
                best[name] = min(best[name], (time.perf_counter() - began) / len(frames))
    pairs = list(zip(found["guide"], found["ours"], strict=True))
    same = [np.abs(a[..., ::-1].astype(int) - b).max(axis=2)[x == y].max() for (x, a), (y, b) in pairs]
    assert max(same) == 0, "equal labels, but other overlays"
    return {
        "model": MODEL,
        "frames": len(frames),
        "size": list(frames[0].shape[:2]),
        "seconds_per_frame": {name: round(seconds, 4) for name, seconds in best.items()},
        "ratio": round(best["guide"] / best["ours"], 2),
        "agreement": round(float(np.mean([(x == y).mean() for (x, _), (y, _) in pairs])), 4),
    }


def say(title: str, found: dict) -> None:
    seconds = found["seconds_per_frame"]
    print(
        f"\n{title}: the guide's way {seconds['guide']:.3f} s a frame, ours {seconds['ours']:.3f} s "
        f"({1 / seconds['ours']:.1f} frames/s), in float32 {seconds['ours_float32']:.3f} s: {found['ratio']:.1f}× "
        f"(target {TARGET:g}×), labels agree on {100 * found['agreement']:.2f} %"
    )


def clip_frames(clip: Path, size: tuple[int, int] | None = None) -> list[np.ndarray]:
    frames = []
    for frame in read_frames(clip, every=10):
        frames.append(resize_image(frame, size) if size else frame)
        if len(frames) == FRAMES:
            break
    return frames


def test_practice_clip():
    found = compare(clip_frames(CLIP))
    say("practice clip", found)
    assert found["ratio"] >= TARGET / 2 and found["agreement"] >= AGREEMENT


def main() -> None:
    record = {
        "command": "python tests/benchmarks/test_fcn_speed.py",
        "date": date.today().isoformat(),
        "device": environment.device_name(),
        "clip": CLIP.relative_to(paths.REPO_ROOT).as_posix(),
        **compare(clip_frames(CLIP)),
        "full_hd": compare(clip_frames(CLIP, (1080, 1920))),
    }
    if real := paths.real_data():
        record["solidWhiteRight.mp4"] = compare(clip_frames(real / "video" / "solidWhiteRight.mp4"))
    RECORD.parent.mkdir(exist_ok=True)
    save_json(RECORD, record)
    say("practice clip", record)
    say("full HD", record["full_hd"])
    print(f"record: {RECORD}")


if __name__ == "__main__":
    main()
