"""Checkpoints that survive a kill (torch)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from helpers.model_files import damage_of
from helpers.paths import replacing


def save_checkpoint(path: str | Path, state: dict[str, Any]) -> None:
    """Write ``state`` so that a kill at any moment leaves the previous checkpoint or the new one, never a part.

    Raises:
        OSError: it can't be written, for instance because the disk is full; what was there stays.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        try:
            torch.save(state, temporary)
        except RuntimeError as error:  # torch's zip writer says nothing of disks
            raise OSError(f"{path} can't be written; is the disk full? ({str(error).splitlines()[0]})") from error


def load_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read what :func:`save_checkpoint` wrote; tensors and plain values only, so no code in the file runs.

    Raises:
        OSError: it can't be read.
        ValueError: the file is no such checkpoint, or damaged.
    """
    if damaged := damage_of(path):
        raise ValueError(f"{path} is damaged: {damaged}; remove it")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:
        raise ValueError(f"{path} is not a checkpoint of this package ({type(error).__name__}); remove it") from error
    if not isinstance(state, dict):
        raise ValueError(f"{path} is not a checkpoint of this package (it holds a {type(state).__name__}); remove it")
    return state


@contextmanager
def parts_of(path: str | Path) -> Iterator[None]:
    """Where the parts of a checkpoint are used: one that is missing, or of another version, becomes a ValueError."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, IndexError, RuntimeError) as error:
        said = str(error).strip().splitlines() or [""]
        raise ValueError(
            f"{path} isn't as this version writes it ({type(error).__name__}: {said[0]}); train again, or use the "
            "version that wrote it"
        ) from error


def fill(network: nn.Module, weights: dict[str, Tensor], path: str | Path) -> None:
    """Give a network its weights, all of them.

    Raises:
        ValueError: they don't fit, or are no numbers.
    """
    with parts_of(path):
        network.load_state_dict(weights)
        broken = [key for key, value in weights.items() if not value.isfinite().all()]
    if broken:
        raise ValueError(f"{path} holds weights that are no numbers, {broken[0]} for one: that training diverged")
