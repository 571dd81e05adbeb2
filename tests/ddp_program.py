"""A small training for torchrun: torchrun --nproc-per-node 2 tests/ddp_program.py DIR [KILL_AT]."""

import os
import signal
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from helpers.training.distributed import everybody, shared_draw, shared_loss
from helpers.training.loop import Run, World, train

STEPS, BATCH, IGNORE = 12, 8, 255


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.5), nn.Conv2d(8, 3, 1)
    )


def crop(rng: np.random.Generator, progress: float) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a mask of its brightness, of which a part that differs from crop to crop has no label."""
    image = rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)
    mask = (image[..., 0] // 86).astype(np.uint8)
    mask[: rng.integers(0, 8)] = IGNORE
    return image, mask


def totals(network: nn.Module, images: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    network.eval()  # dropout off, statistics as they are: what is left has to be the same in any number of processes
    logits = network(images.float() / 255)
    loss = F.cross_entropy(logits, targets.long(), ignore_index=IGNORE, reduction="sum")
    return loss, (targets != IGNORE).sum()


def run(folder: Path, world: World, *, kill_at: int | None = None) -> Run:
    def kill(run: Run) -> None:
        if run.step == kill_at and world.place == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    draw, loss = shared_draw(crop, BATCH, world=world), shared_loss(totals, world=world)
    return train(
        network(), draw, loss, steps=STEPS, folder=folder, world=world, callbacks=[kill], save_every=0, compute="plain"
    )


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    with everybody() as world:
        trained = run(folder, world, kill_at=int(sys.argv[2]) if len(sys.argv) > 2 else None)
        weights = torch.cat([value.flatten().double() for value in trained.current.state_dict().values()])
        assert torch.equal(world.total(weights), weights * world.size), "the processes have different weights"
