"""Checkpoints that survive a kill (torch)."""

from pathlib import Path
from typing import Any

import torch

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
        ValueError: the file is no such checkpoint.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:
        raise ValueError(f"{path} is not a checkpoint of this package ({type(error).__name__}); remove it") from error
