"""The command that trains a bundled street network: which frames, how long, what is written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NamedTuple

import torch
import typer
from torch import nn

from helpers import records
from helpers.labels import LabelSet
from helpers.metrics import ConfusionMatrix
from helpers.networks.street_encoder import StreetEncoder
from helpers.training import loop
from helpers.training.checkpoints import load_checkpoint
from helpers.training.street_samples import Frame, Step, StreetCrops, drawing
from tools.bundled_models.targets import THINGS, Mixture, read_streets

# Small crops first: they learn more in a minute. A pretrained encoder needs fewer of the smallest than a random one.
CURRICULUM = (
    Step(0.35, (128, 192), 16, (0.35, 0.95)),
    Step(0.75, (160, 224), 12, (0.45, 1.1)),
    Step(1.00, (224, 320), 6, (0.65, 1.25)),
)
FROZEN_STAGES = 2  # with the stem: edges and textures down to a 4th of the size stay as ImageNet taught them


class StreetModel(NamedTuple):
    """What differs between the networks that this command trains.

    Attributes:
        module: that is run, e.g. ``tools.bundled_models.train_deeplab``.
        build: a new network, given the averaged weights of another run to begin with, or None.
        encoder: of a network, where it is pretrained and so learns more slowly than the rest.
        loss: of the mixture of frames to learn from, see `loop.Loss`.
        score: confusion matrix of a network on frames.
        labels: classes of that matrix.
        weights: name of the file that `export` writes to the run's folder.
        export: writes an averaged network.
    """

    module: str
    build: Callable[[dict[str, torch.Tensor] | None], nn.Module]
    encoder: Callable[[nn.Module], StreetEncoder] | None
    loss: Callable[[Mixture], loop.Loss]
    score: Callable[[nn.Module, list[Frame]], ConfusionMatrix]
    labels: LabelSet
    weights: str
    export: Callable[[nn.Module, Path], None]


def training_app(model: StreetModel) -> typer.Typer:
    """Make the command line of one network."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

    @app.command()
    def main(
        run_dir: Annotated[Path, typer.Argument(help=f"folder for checkpoint.pt, {model.weights} and record.json")],
        dir: Annotated[Path, typer.Option(envvar="CAMVID_DIR", help="CamVid frames in CamVid's layout")],
        practice: Annotated[
            Path | None, typer.Option(help="streets with Cityscapes ids; valid ones are held back")
        ] = None,
        practice_share: Annotated[float, typer.Option(min=0, max=1, help="of crops, from practice streets")] = 0.25,
        leave_out: Annotated[str, typer.Option(help="sequence to leave out and measure on, e.g. 0001TP")] = "",
        start: Annotated[Path | None, typer.Option(help="checkpoint whose averaged weights to begin with")] = None,
        minutes: Annotated[float, typer.Option(min=0.001, help="time for the training")] = 55,
        rate: Annotated[float, typer.Option(min=1e-6, max=0.1, help="highest learning rate")] = 2e-3,
        encoder_rate: Annotated[float, typer.Option(min=0, max=1, help="share of it for a pretrained encoder")] = 0.5,
        seed: Annotated[int, typer.Option(min=0, help="of first weights and crops")] = 0,
    ) -> None:
        """Train the bundled network for some minutes; started again, the run in RUN_DIR goes on."""
        torch.manual_seed(seed)
        try:
            network = _new_network(model, start)
            frames = read_streets(dir)
            left_out = [frame for frame in frames if frame.sequence == leave_out]
            if leave_out and not left_out:
                known = ", ".join(sorted({frame.sequence for frame in frames}))
                raise ValueError(f"no frame is of the sequence {leave_out}; those of {dir} are {known}")
            mixture = [(StreetCrops([frame for frame in frames if frame.sequence != leave_out]), 1.0)]
            if practice:
                streets = StreetCrops(read_streets(practice, valid=False))
                mixture = [(mixture[0][0], 1 - practice_share), (streets, practice_share)]
            seen = [frame.stem for crops, _ in mixture for frame in crops.frames]
            print(f"{len(seen)} frames to learn from, {len(left_out)} left out", flush=True)

            def measure(network: nn.Module) -> dict:
                return model.score(network, left_out).figures(model.labels.class_names)

            with loop.claim(run_dir):
                run = loop.train(
                    network,
                    drawing(mixture, CURRICULUM, things=THINGS),
                    model.loss(mixture),
                    minutes=minutes,
                    folder=run_dir,
                    data=seen,
                    settings={"practice_share": practice_share, "leave_out": leave_out, "encoder_rate": encoder_rate},
                    rate=rate,
                    decay=0.99,
                    groups=model.encoder and parameter_groups(network, model.encoder(network), scale=encoder_rate),
                    seed=seed,
                    callbacks=[loop.measuring(measure)] if left_out else [],
                    save_every=300,
                )
                model.export(run.network.cpu(), run_dir / model.weights)
                record = records.run_record(model.module, **run.record)
                if left_out:
                    record |= {"figures": records.rounded(measure(run.network))}
                records.save(run_dir / "record.json", record)
        except (ValueError, OSError) as error:
            raise typer.BadParameter(str(error)) from error
        except KeyboardInterrupt:
            raise typer.BadParameter(loop.stopped(run_dir)) from None
        print(json.dumps({key: value for key, value in record.items() if key != "history"}), flush=True)

    return app


def parameter_groups(network: nn.Module, encoder: StreetEncoder, *, scale: float) -> list[dict]:
    """Parameters for `loop.train`: the encoder's learn at a lower rate, those of its first stages not at all."""
    for part in (encoder.stem, *encoder.stages[:FROZEN_STAGES]):
        part.requires_grad_(False)
    pretrained = {id(parameter) for parameter in encoder.parameters()}
    groups = []
    for group in loop.parameter_groups(network, weight_decay=0.03):
        for own in (True, False):
            params = [p for p in group["params"] if (id(p) in pretrained) == own]
            groups.append(group | {"params": params, "scale": scale if own else 1.0})
    return groups


def _new_network(model: StreetModel, start: Path | None) -> nn.Module:
    """With its first weights, or with the averaged ones of a checkpoint."""
    if start is None:
        return model.build(None)
    state = load_checkpoint(start)
    try:
        return model.build(loop.averaged_weights(state))
    except (KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"{start} holds no averaged weights that fit {model.module}") from error
