"""The command that trains a bundled street network: which frames, how long, what is written."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, NamedTuple

import cv2
import torch
import typer
from torch import nn

from helpers import environment
from helpers.labels import LabelSet
from helpers.metrics import ConfusionMatrix
from helpers.paths import replace_file
from helpers.training import recipe
from helpers.training.checkpoints import load_checkpoint
from helpers.training.street_samples import Frame, Pool, read_frames


class StreetModel(NamedTuple):
    """What differs between the networks that this command trains.

    Attributes:
        module: that is run, e.g. ``tools.bundled_models.train_deeplab``.
        build: a new network, given the averaged weights of another run to begin with, or None.
        loss: of the pools of frames to learn from, see `recipe.Loss`.
        score: confusion matrix of a network on frames.
        labels: classes of that matrix.
        weights: name of the file that `export` writes to the run's folder.
        export: writes an averaged network.
    """

    module: str
    build: Callable[[dict[str, torch.Tensor] | None], nn.Module]
    loss: Callable[[list[tuple[Pool, float]]], recipe.Loss]
    score: Callable[[nn.Module, list[Frame]], ConfusionMatrix]
    labels: LabelSet
    weights: str
    export: Callable[[nn.Module, Path], None]


def training_app(model: StreetModel) -> typer.Typer:
    """The command line of one network."""
    app = typer.Typer(add_completion=False)

    @app.command()
    def main(
        run_dir: Annotated[Path, typer.Argument(help=f"folder for checkpoint.pt, {model.weights} and record.json")],
        dir: Annotated[Path, typer.Option(envvar="CAMVID_DIR", help="CamVid frames in CamVid's layout")],
        practice: Annotated[
            Path | None, typer.Option(help="streets with Cityscapes ids; valid ones are held back")
        ] = None,
        practice_share: Annotated[float, typer.Option(min=0, max=1, help="of views, from practice streets")] = 0.25,
        leave_out: Annotated[str, typer.Option(help="drive to leave out and measure on, e.g. 0001TP")] = "",
        start: Annotated[Path | None, typer.Option(help="checkpoint whose averaged weights to begin with")] = None,
        minutes: Annotated[float, typer.Option(min=0.001)] = 55,
        peak_rate: float = 2e-3,
        seed: int = 0,
        workers: Annotated[int, typer.Option(min=1)] = 2,
    ) -> None:
        """Train the bundled network for some minutes; started again, the run in RUN_DIR goes on."""
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
        torch.manual_seed(seed)
        try:
            network = _new_network(model, start)
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
        seen = sum(len(pool.frames) for pool, _ in pools)
        print(f"{seen} frames to learn from, {len(left_out)} left out", flush=True)

        def measure(network: nn.Module) -> dict:
            return model.score(network, left_out).figures(model.labels.class_names)

        try:
            average, record = recipe.train(
                run_dir, network, pools, model.loss(pools), minutes=minutes, measure=measure if left_out else None,
                peak_rate=peak_rate, seed=seed, workers=workers,
            )  # fmt: skip
        except recipe.RunError as error:
            raise typer.BadParameter(str(error)) from error
        model.export(average.cpu(), run_dir / model.weights)
        record |= {"command": environment.typed_command(model.module), "date": str(date.today()),
                   "device": environment.device_name()}  # fmt: skip
        replace_file(run_dir / "record.json", json.dumps(record, indent=2) + "\n")
        print(json.dumps({key: value for key, value in record.items() if key != "history"}), flush=True)

    return app


def _new_network(model: StreetModel, start: Path | None) -> nn.Module:
    """With random weights, or with the averaged ones of a checkpoint."""
    if start is None:
        return model.build(None)
    state = load_checkpoint(start)
    try:
        return model.build(state["average"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"{start} holds no averaged weights that fit {model.module}") from error
