"""Networks as ONNX files: one file that runs without torch, with all that its user has to know written into it."""

import json
import tempfile
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from helpers.labels import LabelSet
from helpers.paths import replace_file

EXAMPLE = (1, 3, 96, 128)  # pictures that the export looks at
OPSET = 17


class FromPixels(nn.Module):
    """From pictures as they are in files to logits of their size.

    Args:
        network: from normalised pictures to logits, or to torchvision's {"out": logits}.
        mean, std: of each channel, for pictures in 0 … 1; what is done where `normalise` is None.
        normalise: another way to normalise pictures (B, 3, H, W) in 0 … 255.
    """

    def __init__(self, network: nn.Module, *, mean=(0.0,), std=(1 / 255,), normalise=None):
        super().__init__()
        self.network, self.normalise = network, normalise
        self.register_buffer("mean", torch.tensor(mean).reshape(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std).reshape(1, -1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        x = self.normalise(images) if self.normalise else (images / 255 - self.mean) / self.std
        logits = self.network(x)
        return (logits["out"] if isinstance(logits, dict) else logits).float()


def export(network: nn.Module, path: str | Path, *, name: str, labels: LabelSet, size: str) -> Path:
    """Write a network into an ONNX file that takes any number of pictures of any size.

    Its metadata say what a user has to know: ``name``, ``labels`` (JSON, index = class id), ``colors`` (JSON, RGB),
    ``input`` and ``size``.

    Args:
        network: from images (B, 3, H, W) uint8 RGB to logits (B, num_classes, H, W) float32, on the CPU, in evaluation
            mode; the normalisation is a part of it.
        path: file to write; it appears whole or not at all.
        name: of the model.
        labels: what its ids mean.
        size: which size of pictures suits it, in words.

    Returns:
        The path.
    """
    import onnx

    axes = {0: "batch", 2: "height", 3: "width"}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
        file = str(Path(folder) / "model.onnx")
        torch.onnx.export(
            network,
            (torch.zeros(EXAMPLE, dtype=torch.uint8),),
            file,
            opset_version=OPSET,
            input_names=["images"],
            output_names=["logits"],
            dynamic_axes={"images": axes, "logits": axes},
            dynamo=False,  # tracing takes 2 s, torch.export a minute
        )
        model = onnx.load(file)
    about = {
        "name": name,
        "labels": json.dumps(labels.class_names),
        "colors": json.dumps([list(map(int, color)) for color in labels.colors]),
        "input": "images: N x 3 x H x W uint8 RGB, as in a file; the model normalises them itself",
        "size": size,
    }
    onnx.helper.set_model_props(model, about)
    return replace_file(Path(path), model.SerializeToString())
