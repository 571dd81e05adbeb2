"""Checkpoints that survive a kill, averaged weights, and a learning rate that finishes on time (torch)."""

import copy
import math
from pathlib import Path
from typing import Any

import torch
from torch import nn

from helpers.paths import replacing


def save_checkpoint(path: str | Path, state: dict[str, Any]) -> None:
    """Write ``state`` so that a kill at any moment leaves the previous checkpoint or the new one, never a part."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        torch.save(state, temporary)


def load_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read what :func:`save_checkpoint` wrote; tensors and plain values only, so no code in the file runs.

    Raises:
        ValueError: the file is no such checkpoint.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:
        raise ValueError(f"{path} is not a checkpoint of this package ({type(error).__name__}); remove it") from error


class AveragedWeights:
    """Exponential moving average of a network's weights and statistics; smoother than the last step's.

    Args:
        network: the one that is trained.
        decay: share of the old average kept at each step; smaller during the first steps.
    """

    def __init__(self, network: nn.Module, *, decay: float = 0.998):
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay
        self.steps = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Move the average a little towards ``network``."""
        self.steps += 1
        decay = min(self.decay, self.steps / (self.steps + 10))
        pairs = zip(self.network.state_dict().values(), network.state_dict().values(), strict=True)
        averages, values = zip(*(pair for pair in pairs if pair[0].is_floating_point()), strict=True)
        torch._foreach_lerp_(averages, values, 1 - decay)


def warmup_cosine(progress: float, *, warmup: float = 0.03) -> float:
    """Factor for the learning rate: up in a straight line, then down along a cosine to 0.

    Args:
        progress: share of the training that is done, 0..1; measured in time, it finishes on time on any machine.
        warmup: share that the rise takes.

    >>> warmup_cosine(0.03), warmup_cosine(1.0)
    (1.0, 0.0)
    """
    progress = min(max(progress, 0.0), 1.0)
    if progress < warmup:
        return progress / warmup
    return (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup))) / 2
