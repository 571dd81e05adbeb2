"""The recipe of the bundled street networks: train for a given time, on all cores, with checkpoints that resume.

The time is given, not the number of steps: crops, learning rate and end follow the clock, so a busy machine does
fewer steps but finishes. Started again after a kill, a run goes on from its last checkpoint.
"""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from helpers.training.checkpoints import AveragedWeights, load_checkpoint, save_checkpoint, warmup_cosine
from helpers.training.devices import best_device, sharing_copy
from helpers.training.street_samples import Pool, Step, draw_batch

CURRICULUM = (
    Step(0.60, (160, 224), 8, (0.35, 1.1)),
    Step(0.85, (224, 320), 5, (0.5, 1.25)),
    Step(1.00, (320, 448), 4, (0.7, 1.4)),
)

Loss = Callable[[nn.Module, Tensor, Tensor], Tensor]


class RunError(ValueError):
    """A run cannot be continued; the message names its checkpoint."""


class Worker:
    """Computes gradients on its own views, in a thread of its own, with the weights that all workers share.

    Workers meet once a step; threads inside the operators would meet a thousand times, and on a busy machine each
    meeting waits for a processor core.
    """

    def __init__(
        self, network: nn.Module, pools: list[tuple[Pool, float]], loss: Loss, *, device: torch.device, seed: int
    ):
        self.network = sharing_copy(network)
        self.pools = pools
        self.loss = loss
        self.device = device
        self.rng = np.random.default_rng(seed)

    def gradients(self, step: Step) -> Tensor:
        """Draw a batch, leave the gradients in the worker's parameters, return the loss."""
        images, targets = draw_batch(self.pools, step, self.rng)
        images = torch.from_numpy(images).to(self.device).permute(0, 3, 1, 2)  # channels last in memory
        # Half the resolution is a quarter of the loss's cost; the random offset keeps edges where they are.
        offset = int(self.rng.integers(2))
        targets = torch.from_numpy(targets[:, offset::2, offset::2].copy()).to(self.device).long()
        loss = self.loss(self.network, images, targets)
        self.network.zero_grad()
        loss.backward()
        return loss.detach()


def train(
    run_dir: Path, network: nn.Module, pools: list[tuple[Pool, float]], loss: Loss, *, minutes: float,
    measure: Callable[[nn.Module], dict] | None = None, peak_rate: float = 2e-3, seed: int = 0, workers: int = 2,
    save_every: float = 300, curriculum: tuple[Step, ...] = CURRICULUM,
) -> tuple[nn.Module, dict]:  # fmt: skip
    """Train for some minutes and keep ``checkpoint.pt`` in the run's folder up to date.

    Args:
        run_dir: folder of this run; a checkpoint found there is continued.
        network: to begin with; its own weights are trained.
        pools: frames to learn from and the share of the views that each gives.
        loss: of the network, images (B, 3, H, W) uint8 and targets (B, H/2, W/2) int64.
        minutes: time for all of it, also what earlier starts of this run took.
        measure: figures of the averaged network, asked for at each checkpoint.
        peak_rate: highest learning rate of AdamW.
        seed: of views and light (how many steps fit in the time still varies).
        workers: threads that compute gradients.
        save_every: seconds between checkpoints.
        curriculum: what views to draw when.

    Returns:
        The averaged network, and a record of the run: steps, views, seconds, figures.

    Raises:
        RunError: the folder holds a checkpoint of another training.
    """
    device = best_device()
    network.to(device, memory_format=torch.channels_last)
    average = AveragedWeights(network)
    decayed = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 0.03}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, fused=True)
    record = {"seconds": 0.0, "steps": 0, "views": 0, "history": []}
    checkpoint = run_dir / "checkpoint.pt"
    if checkpoint.exists():
        try:
            state = load_checkpoint(checkpoint)
            network.load_state_dict(state["network"])
            average.network.load_state_dict(state["average"])
            optimizer.load_state_dict(state["optimizer"])
            record = state["record"]
        except (ValueError, KeyError, TypeError, RuntimeError) as error:
            raise RunError(f"{checkpoint} is not of this training; choose another folder, or remove it") from error
        average.steps = record["steps"]
        print(f"continued after {record['seconds'] / 60:.1f} minutes, {record['steps']} steps", flush=True)

    seeds = [seed + record["steps"] + index for index in range(workers)]
    crew = [Worker(network, pools, loss, device=device, seed=seed) for seed in seeds]
    executor = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))

    began = time.monotonic() - record["seconds"]
    saved = logged = record["seconds"]
    losses, views = [], 0
    progress = record["seconds"] / (60 * minutes)
    while progress < 1:
        step = next(step for step in curriculum if progress < step.until)
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
        progress = seconds / (60 * minutes)
        if seconds - logged > 30:
            speed, mean = views / (seconds - logged), torch.stack(losses).mean()
            print(f"{seconds / 60:5.1f} min  {step.size}  loss {mean:.3f}  {speed:.1f} images/s", flush=True)
            logged, losses, views = seconds, [], 0
        if seconds - saved > save_every or progress >= 1:
            if measure:
                record["figures"] = measure(average.network)
                record["history"].append([round(seconds), record["figures"]["mean_iou"]])
                print(json.dumps(record["figures"]), flush=True)
            state = {"network": network.state_dict(), "average": average.network.state_dict(), "record": record,
                     "optimizer": optimizer.state_dict()}  # fmt: skip
            save_checkpoint(checkpoint, state)
            saved = time.monotonic() - began
    return average.network, record
