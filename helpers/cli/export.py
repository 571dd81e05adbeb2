"""`export`: a model as one ONNX file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from helpers import models
from helpers.assets import AssetError
from helpers.cli.console import give_up, say
from helpers.labels import CITYSCAPES, LabelSet
from helpers.paths import DATA

if TYPE_CHECKING:
    from torch import nn


def export(
    model: Annotated[
        str, typer.Argument(help="deeplab_street, fcn_street, one of torchvision's, or a file of weights")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT.onnx", help="the file to write")],
) -> None:
    """Write a model as an ONNX file: any size of pictures, the normalisation inside, the labels in its metadata."""
    if out.suffix != ".onnx":
        give_up(f"{out} does not end in .onnx")
    if not out.absolute().parent.is_dir():
        give_up(f"there is no folder {out.parent} for the file")
    if model in models.DEEPLAB_NAMES and model != models.DEFAULT_MODEL or model in models.PERSON_NAMES:
        give_up(f"{model} exists as a graph only; {models.DEFAULT_MODEL} and torch networks can be exported")
    try:
        network, labels, size = _deeplab_street() if model == models.DEFAULT_MODEL else _torch_network(model)
        from helpers.networks.onnx import export as write

        write(network, out, name=Path(model).stem, labels=labels, size=size)
    except (ValueError, OSError, AssetError) as error:
        give_up(error)
    say(f"{out}: {out.stat().st_size / 1e6:.1f} MB, {labels.num_classes} classes ({labels.name}), {size}")


def _deeplab_street() -> "tuple[nn.Module, LabelSet, str]":
    """The bundled DeepLab as a torch network again, with the weights of its graph."""
    from helpers.deeplab.engines.tensorflow import constants, read_graph_bytes
    from helpers.deeplab.zoo import BUNDLED
    from helpers.networks.deeplab import from_frozen_weights

    archive = DATA / "models" / f"{BUNDLED.archive}.tar.gz"
    network = from_frozen_weights(constants(BUNDLED.name, read_graph_bytes(archive)))
    return network, CITYSCAPES, f"longest side {BUNDLED.default_size} pixels"


def _torch_network(model: str) -> "tuple[nn.Module, LabelSet, str]":
    from helpers.fcn.models import BUNDLED_SIZE, WEIGHTS, load_model
    from helpers.networks.fcn import standardise
    from helpers.networks.onnx import FromPixels

    if Path(model).is_file() and models.lesson_of(model) == "camvid":
        from helpers.camvid.model import load

        trained = load(model)
        return trained.network.cpu(), trained.labels, f"longest side {trained.size} pixels"
    loaded = load_model(model, "cpu")
    if model in WEIGHTS:
        preset = WEIGHTS[model].transforms()
        network = FromPixels(loaded.network, mean=preset.mean, std=preset.std)
        return network, loaded.labels, f"shorter side {preset.resize_size[0]} pixels"
    size = f"longest side {BUNDLED_SIZE} pixels"
    return FromPixels(loaded.network, normalise=standardise), loaded.labels, size
