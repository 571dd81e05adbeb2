"""Trains the bundled DeepLabV3+ from scratch on CamVid frames and, if wanted, on practice streets.

    python -m helpers.training.deeplab RUN_DIR --dir CAMVID_DIR [--practice DIR] [--leave-out 0001TP] --minutes 55

The time is given, not the number of steps: crops, learning rate and end follow the clock, so a busy machine does
fewer steps but finishes. Started again after a kill, it goes on from the last checkpoint in RUN_DIR.
"""

import copy
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
import typer

from helpers import environment
from helpers.labels import CAMVID11, CITYSCAPES
from helpers.metrics import ConfusionMatrix
from helpers.paths import replace_file, replacing
from helpers.training.checkpoints import AveragedWeights, load_checkpoint, save_checkpoint, warmup_cosine
from helpers.training.deeplab_data import (
    CITYSCAPES_TO_CAMVID11,
    IGNORE,
    MERGED,
    Frame,
    Pool,
    Step,
    draw_batch,
    read_frames,
    target_members,
    target_weights,
)
from helpers.training.deeplab_network import DeepLabV3Plus, folded_weights
from helpers.training.devices import best_device, half_precision
from helpers.training.losses import merged_cross_entropy

# The classes that stand for a union until practice streets teach the others.
MAIN_CLASSES = ("road", "sidewalk", "building", "fence", "pole", "traffic sign", "vegetation", "sky", "person", "car",
                "bicycle")  # fmt: skip

CURRICULUM = (
    Step(0.60, (160, 224), 8, (0.35, 1.1)),
    Step(0.85, (224, 320), 5, (0.5, 1.25)),
    Step(1.00, (320, 448), 4, (0.7, 1.4)),
)


@torch.inference_mode()
def score(network: torch.nn.Module, frames: list[Frame], device: torch.device) -> ConfusionMatrix:
    """Predict whole frames and compare with their CamVid 11 classes."""
    to_camvid = np.concatenate([CITYSCAPES_TO_CAMVID11[:MERGED], np.arange(CAMVID11.num_classes + 1, dtype=np.uint8)])
    matrix = ConfusionMatrix(CAMVID11.num_classes, ignore_index=CAMVID11.ignore_index)
    for frame in frames:
        batch = torch.from_numpy(frame.image).to(device).permute(2, 0, 1)[None]
        pred = network(batch)[0].argmax(0).byte().cpu().numpy()
        matrix.update(to_camvid[np.minimum(frame.target, len(to_camvid) - 1)], to_camvid[pred])
    return matrix


def figures(matrix: ConfusionMatrix) -> dict:
    """Scores of a confusion matrix as plain values; None for a class that is in neither truth nor prediction."""
    scores = zip(CAMVID11.class_names, matrix.iou().tolist(), strict=True)
    iou = {name: None if np.isnan(score) else round(score, 4) for name, score in scores}
    accuracy, mean = float(matrix.pixel_accuracy()), float(matrix.mean_iou())
    return {"pixel_accuracy": round(accuracy, 4), "mean_iou": round(mean, 4), "iou": iou}


class Worker:
    """Computes gradients on its own views, in a thread of its own, with the weights that all workers share.

    Workers meet once a step; threads inside the operators would meet a thousand times, and on a busy machine each
    meeting waits for a processor core.
    """

    def __init__(self, network: DeepLabV3Plus, pools: list[tuple[Pool, float]], *, device: torch.device, seed: int):
        self.network = copy.deepcopy(network).train()
        for own, shared in zip(self.tensors(self.network), self.tensors(network), strict=True):
            own.data = shared.data
        self.pools = pools
        self.device = device
        self.rng = np.random.default_rng(seed)
        self.members, self.weights = target_members().to(device), target_weights(pools).to(device)

    @staticmethod
    def tensors(network: DeepLabV3Plus) -> list[torch.Tensor]:
        """Parameters, then statistics of the normalisations."""
        return [*network.parameters(), *network.buffers()]

    def gradients(self, step: Step) -> torch.Tensor:
        """Draw a batch, leave the gradients in the worker's parameters, return the loss."""
        images, targets = draw_batch(self.pools, step, self.rng)
        images = torch.from_numpy(images).to(self.device).permute(0, 3, 1, 2)  # channels last in memory
        # Half the resolution is a quarter of the loss's cost; the random offset keeps edges where they are.
        offset = int(self.rng.integers(2))
        targets = torch.from_numpy(targets[:, offset::2, offset::2].copy()).to(self.device).long()
        with half_precision(self.device):
            logits = self.network(images, size=targets.shape[1:])
        loss = merged_cross_entropy(
            logits, targets, members=self.members, weights=self.weights, ignore_index=IGNORE
        )
        self.network.zero_grad()
        loss.backward()
        return loss.detach()


def train(
    run_dir: Path, pools: list[tuple[Pool, float]], *, minutes: float, left_out: list[Frame], start: Path | None = None,
    peak_rate: float = 2e-3, seed: int = 0, workers: int = 2, save_every: float = 300,
) -> dict:  # fmt: skip
    """Train for some minutes and write ``checkpoint.pt`` and ``weights.npz`` to the run's folder.

    Args:
        run_dir: folder of this run; a checkpoint found there is continued.
        pools: frames to learn from and the share of the views that each gives.
        minutes: time for all of it, also what earlier starts of this run took.
        left_out: frames to measure on, never learnt from.
        start: checkpoint of another run whose averaged weights to begin with.
        peak_rate: highest learning rate of AdamW.
        seed: of views, light and first weights (how many steps fit in the time still varies).
        workers: threads that compute gradients.
        save_every: seconds between checkpoints.

    Returns:
        Record of the run: steps, views, seconds, figures.
    """
    device = best_device()
    torch.manual_seed(seed)
    network = DeepLabV3Plus()
    if start:
        network.load_state_dict(load_checkpoint(start)["average"])
    else:
        bias = [0.0 if name in MAIN_CLASSES else -3.0 for name in CITYSCAPES.class_names]
        network.classifier.bias.data = torch.tensor(bias)
    network.to(device, memory_format=torch.channels_last)
    average = AveragedWeights(network)
    decayed = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 0.03}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, fused=True)
    record = {"seconds": 0.0, "steps": 0, "views": 0, "history": []}
    checkpoint = run_dir / "checkpoint.pt"
    if checkpoint.exists():
        state = load_checkpoint(checkpoint)
        network.load_state_dict(state["network"])
        average.network.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        record = state["record"]
        average.steps = record["steps"]
        print(f"continued after {record['seconds'] / 60:.1f} minutes, {record['steps']} steps", flush=True)

    crew = [Worker(network, pools, device=device, seed=seed + record["steps"] + index) for index in range(workers)]
    executor = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))

    began = time.monotonic() - record["seconds"]
    saved = logged = record["seconds"]
    losses, views = [], 0
    while (progress := (time.monotonic() - began) / (60 * minutes)) < 1:
        step = next(step for step in CURRICULUM if progress < step.until)
        for group in optimizer.param_groups:
            group["lr"] = peak_rate * warmup_cosine(progress)
        losses.extend(executor.map(Worker.gradients, crew, [step] * workers))
        for parameter, *parts in zip(network.parameters(), *(w.network.parameters() for w in crew), strict=True):
            parameter.grad = sum(part.grad for part in parts) / workers
        optimizer.step()
        average.update(network)
        views += step.batch * workers
        record["steps"] += 1
        record["views"] += step.batch * workers
        seconds = record["seconds"] = time.monotonic() - began
        if seconds - logged > 30:
            speed, loss = views / (seconds - logged), torch.stack(losses).mean()
            print(f"{seconds / 60:5.1f} min  {step.size}  loss {loss:.3f}  {speed:.1f} images/s", flush=True)
            logged, losses, views = seconds, [], 0
        if seconds - saved > save_every or seconds >= 60 * minutes:
            if left_out:
                record["figures"] = figures(score(average.network, left_out, device))
                record["history"].append([round(seconds), record["figures"]["mean_iou"]])
                print(json.dumps(record["figures"]), flush=True)
            state = {"network": network.state_dict(), "average": average.network.state_dict(), "record": record,
                     "optimizer": optimizer.state_dict()}  # fmt: skip
            save_checkpoint(checkpoint, state)
            with replacing(run_dir / "weights.npz") as temporary:
                np.savez(temporary, **folded_weights(average.network.cpu()))
            average.network.to(device)
            saved = time.monotonic() - began
    return record


app = typer.Typer(add_completion=False)


@app.command()
def main(
    run_dir: Annotated[Path, typer.Argument(help="folder for checkpoint.pt, weights.npz and record.json")],
    dir: Annotated[Path, typer.Option(envvar="CAMVID_DIR", help="CamVid frames in CamVid's layout")],
    practice: Annotated[Path | None, typer.Option(help="streets with Cityscapes ids; valid ones are held back")] = None,
    practice_share: Annotated[float, typer.Option(min=0, max=1, help="share of views from practice streets")] = 0.25,
    leave_out: Annotated[str, typer.Option(help="drive to leave out and measure on, e.g. 0001TP")] = "",
    start: Annotated[Path | None, typer.Option(help="checkpoint whose averaged weights to begin with")] = None,
    minutes: float = 55,
    peak_rate: float = 2e-3,
    seed: int = 0,
    workers: int = 2,
) -> None:
    """Train the bundled DeepLab for some minutes; started again, the run in RUN_DIR goes on."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        frames = read_frames(dir)
        left_out = [frame for frame in frames if frame.drive == leave_out]
        pools = [(Pool([frame for frame in frames if frame.drive != leave_out]), 1.0)]
        if practice:
            pools = [(pools[0][0], 1 - practice_share), (Pool(read_frames(practice, valid=False)), practice_share)]
        run_dir.mkdir(parents=True, exist_ok=True)
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from error
    if leave_out and not left_out:
        drives = ", ".join(sorted({frame.drive for frame in frames}))
        raise typer.BadParameter(f"no frame is of the drive {leave_out}; the drives of {dir} are {drives}")
    print(f"{sum(len(pool.frames) for pool, _ in pools)} frames to learn from, {len(left_out)} left out", flush=True)
    record = train(run_dir, pools, minutes=minutes, left_out=left_out, start=start, peak_rate=peak_rate, seed=seed,
                   workers=workers)  # fmt: skip
    record |= {"command": environment.typed_command("helpers.training.deeplab"), "date": str(date.today()),
               "device": environment.device_name()}  # fmt: skip
    replace_file(run_dir / "record.json", json.dumps(record, indent=2) + "\n")
    print(json.dumps({key: value for key, value in record.items() if key != "history"}), flush=True)


if __name__ == "__main__":
    app()
