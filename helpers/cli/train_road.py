"""`train road`, `train road-ways` and `train road-cracks`: the road lesson's trainings, recorded."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from helpers import records
from helpers.cli.console import say
from helpers.cli.train import Batch, Out, PhotosFolder, Seed, one_line, refuse_problems


class Encoder(StrEnum):
    imagenet = "imagenet"
    random = "random"
    resnet34 = "resnet34"
    resnet50 = "resnet50"


class Scheme(StrEnum):
    none = "none"
    inverse = "inverse"
    median = "median"
    enet = "enet"
    authors = "authors"


RoadFolder = Annotated[
    Path | None,
    typer.Option(
        "--dir",
        envvar="RTK_DIR",
        help="holds images/, masks/, maybe valid.txt, or RTK's two unpacked archives; by default practice roads",
    ),
]
EncoderName = Annotated[Encoder, typer.Option(help="imagenet, random: EfficientNet-Lite0; else fastai's U-Net")]
SchemeName = Annotated[Scheme, typer.Option(help="class weights of stage two")]
Balanced = Annotated[float, typer.Option(min=0, max=1, help="share of stage two's crops that show a rare class")]
Steps = Annotated[int, typer.Option(min=1, help="steps of stage one")]
StepsTwo = Annotated[int, typer.Option(min=1, help="steps of stage two")]


def road(
    folder: RoadFolder = None,
    encoder: EncoderName = Encoder.imagenet,
    weights: SchemeName = Scheme.enet,
    balanced: Balanced = 0.5,
    steps: Steps = 300,
    steps_two: StepsTwo = 200,
    batch: Batch = 8,
    out: Out = Path("road_run"),
    seed: Seed = 0,
) -> None:
    """Train in two stages, unweighted and then weighted; keep and score both, on the same pictures left out."""
    with one_line(out):
        paths, valid_paths = _pictures(folder)
        from helpers.labels import RTK
        from helpers.road_surface import data, model, train

        valid_frames = data.read_frames(valid_paths)
        kept = iter(("stage_one.pt", "weights.pt"))

        def judge(network) -> dict:
            model.Trained(network, encoder.value).save(out / next(kept))
            matrix = model.score(network, valid_frames)
            say(matrix.table(RTK.class_names))
            return train.figures(matrix)

        settings = {"encoder": encoder.value, "weights": weights.value, "balanced": balanced, "batch": batch}
        _, record = _two_stages(data.read_frames(paths), judge, settings, steps=(steps, steps_two), out=out, seed=seed)
        pixels = data.class_counts(valid_frames).sum(axis=0).tolist()
        _save(out, **record, valid_pictures=len(valid_frames), pixels=pixels)


def road_ways(
    folder: RoadFolder = None,
    encoder: EncoderName = Encoder.imagenet,
    steps: Steps = 120,
    steps_two: StepsTwo = 60,
    seeds: Annotated[int, typer.Option(min=1, help="how many trainings of each way")] = 2,
    out: Out = Path("road_ways_run"),
) -> None:
    """Compare ways to treat rare classes in the same number of steps: weights, Dice, focal, crops, logit adjustment."""
    with one_line(out):
        paths, valid_paths = _pictures(folder)
        import torch

        from helpers.road_surface import data, model, train

        frames, valid_frames = data.read_frames(paths), data.read_frames(valid_paths)
        ways: dict[str, list] = {}
        for seed in range(seeds):
            torch.manual_seed(seed)
            place, counts = out / f"seed_{seed}", (steps, steps_two)
            results = train.compare(
                model.build(encoder.value), frames, valid_frames, steps=counts, folder=place, seed=seed, say=say
            )
            for name, figures in results.items():
                ways.setdefault(name, []).append(figures)
        _save(
            out,
            train_pictures=len(frames),
            valid_pictures=len(valid_frames),
            encoder=encoder.value,
            steps=[steps, steps_two],
            pixels=data.class_counts(valid_frames).sum(axis=0).tolist(),
            ways=ways,
        )


def road_cracks(
    folder: PhotosFolder,
    encoder: EncoderName = Encoder.imagenet,
    weights: SchemeName = Scheme.enet,
    balanced: Balanced = 0.5,
    steps: Steps = 300,
    steps_two: StepsTwo = 200,
    batch: Batch = 8,
    out: Out = Path("road_cracks_run"),
    seed: Seed = 0,
) -> None:
    """Train the same two stages on real photos of cracked asphalt, and score F1 of crack pixels on val_list.txt."""
    from helpers.datasets import crackforest

    with one_line(out):
        photos, valid_photos = (crackforest.read_photos(folder, f"{part}_list.txt") for part in ("train", "val"))
        from helpers.road_surface import data, model

        frames, valid_frames = ([data.Frame(p.image, p.mask) for p in part] for part in (photos, valid_photos))

        def judge(network) -> dict:
            matrix = model.score(network, valid_frames, num_classes=2)
            say(matrix.table(crackforest.CLASSES))
            scores = {"f1": matrix.dice(), "precision": matrix.precision(), "recall": matrix.recall()}
            return {f"crack_{name}": values[crackforest.CRACK] for name, values in scores.items()}

        settings = {"encoder": encoder.value, "weights": weights.value, "balanced": balanced, "batch": batch}
        _, record = _two_stages(
            frames,
            judge,
            settings,
            steps=(steps, steps_two),
            out=out,
            seed=seed,
            common=crackforest.CRACK,
            num_classes=2,
        )
        _save(out, **record, valid_pictures=len(valid_frames))


def _pictures(folder: Path | None) -> tuple[list[Path], list[Path]]:
    """Pictures to train on and to validate on, of a folder in which nothing is wrong."""
    from helpers.datasets import rtk
    from helpers.road_surface.data import default_folder

    folder = folder.expanduser() if folder else default_folder()
    refuse_problems(folder, "rtk")
    train_paths, valid_paths = rtk.split(folder)
    say(f"{len(train_paths)} pictures to learn from, {len(valid_paths)} to validate on")
    return train_paths, valid_paths


def _two_stages(frames: list, judge: Callable, settings: dict, *, steps, out: Path, seed: int, **options):
    """Build a network and train it in two stages; returns it, and what a record keeps."""
    import torch

    from helpers.labels import RTK
    from helpers.road_surface import model, train

    torch.manual_seed(seed)
    network = model.build(settings["encoder"], options.get("num_classes", RTK.num_classes))
    way = train.Way(weights=settings["weights"], balanced=settings["balanced"])
    network, record = train.two_stages(
        network, frames, way, steps=steps, folder=out, seed=seed, judge=judge, batch=settings["batch"], **options
    )
    return network, {"train_pictures": len(frames), "seed": seed, **settings, **record}


def _save(out: Path, **figures) -> None:
    records.save(out / "record.json", records.run_record(**figures))
    say(f"the record is in {out}")
