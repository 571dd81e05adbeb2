"""Weights from files, torchvision's or one's own: read without running code, and given to a network whole (torch)."""

import argparse
import pickle
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from helpers.model_files import damage_of, kind_of, objection


class ModelError(ValueError):
    """A model cannot be loaded or run; the message names it and says why."""


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read a state dict: names and tensors, nothing else. A pickle can hold code that runs when it is read; such a
    file is refused.

    Raises:
        ModelError: it holds anything else, or is damaged.
        OSError: it can't be read.
    """
    if (fault := objection(path)) and kind_of(path) != "pickle":
        raise ModelError(fault)
    Path(path).open("rb").close()  # what can't be opened is no damage
    try:
        if damaged := damage_of(path):
            raise ModelError(f"{path} is damaged: {damaged}")
        # The checkpoints of torchvision's own recipe hold their arguments; such a Namespace holds no code.
        with (
            warnings.catch_warnings(action="ignore"),  # about old kinds of pickles; the errors say enough
            torch.serialization.safe_globals([argparse.Namespace]),
        ):
            weights = torch.load(path, map_location="cpu", weights_only=True)
    except ModelError:
        raise
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{path} is refused: it is no file of weights, or holds code beside them (a learner, a whole model); "
            "save its weights with torch.save(model.state_dict(), path)"
        ) from error
    except Exception as error:  # a damaged pickle fails in a dozen ways
        raise ModelError(f"{path} is damaged or no file of weights") from error
    weights = _state_dict(weights)
    if weights is None:
        raise ModelError(f"{path} holds no state dict; save one with torch.save(network.state_dict(), path)")
    if broken := [key for key, value in weights.items() if not value.isfinite().all()]:
        raise ModelError(f"{path} holds weights that are no numbers, {broken[0]} for one: that training diverged")
    return weights


def fill(network: nn.Module, weights: dict[str, Tensor], name: str) -> None:
    """Give a network its weights, all of them. An auxiliary classifier, which only training needs, is left out.

    Args:
        name: of the model, for the message.

    Raises:
        ModelError: names or shapes of tensors differ.
    """
    found = {key: value for key, value in weights.items() if not key.startswith("aux_classifier.")}
    wanted = network.state_dict()
    wrong = [
        key for key in wanted | found if key not in wanted or key not in found or wanted[key].shape != found[key].shape
    ]
    if wrong:
        raise ModelError(f"the weights don't fit {name}: {len(wrong)} tensors differ, {wrong[0]} for one")
    network.load_state_dict(found)


def _state_dict(saved: object) -> dict[str, Tensor] | None:
    """The tensors by name in what was saved: alone, or among other parts of a checkpoint, and as the network names
    them: DataParallel and torch.compile put a word before all names."""
    if not isinstance(saved, dict):
        return None
    if not all(isinstance(key, str) and isinstance(value, Tensor) for key, value in saved.items()):
        parts = (saved.get(key) for key in ("model", "state_dict", "model_state_dict", "network", "weights", "module"))
        return next((found for part in parts if (found := _state_dict(part))), None)
    for prefix in ("module.", "_orig_mod.", "model."):
        if saved and all(key.startswith(prefix) for key in saved):
            return _state_dict({key.removeprefix(prefix): value for key, value in saved.items()})
    return saved
