"""`train road` and `train road-ways`: the road lesson's trainings on a folder of one's own."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from helpers import records
from helpers.assets import AssetError
from helpers.cli.console import give_up, say


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


Folder = Annotated[Path | None, typer.Option("--dir", envvar="RTK_DIR", help="holds images/, masks/, maybe valid.txt, "
                                             "or RTK's two unpacked archives; by default practice roads")]  # fmt: skip
EncoderName = Annotated[Encoder, typer.Option(help="imagenet, random: EfficientNet-Lite0; else fastai's U-Net")]
SchemeName = Annotated[Scheme, typer.Option(help="class weights of stage two")]
Balanced = Annotated[float, typer.Option(min=0, max=1, help="share of stage two's crops that show a rare class")]
Steps = Annotated[int, typer.Option(min=1, help="steps of stage one")]
StepsTwo = Annotated[int, typer.Option(min=1, help="steps of stage two")]
Batch = Annotated[int, typer.Option(min=2, help="crops in a step")]
Out = Annotated[Path, typer.Option(help="folder for weights.pt, record.json and checkpoints")]
Seed = Annotated[int, typer.Option(help="of first weights and crops")]


def road(
    folder: Folder = None,
    encoder: EncoderName = Encoder.imagenet,
    weights: SchemeName = Scheme.enet,
    balanced: Balanced = 0.5,
    steps: Steps = 300,
    steps_two: StepsTwo = 200,
    batch: Batch = 8,
    out: Out = Path("road_run"),
    seed: Seed = 0,
) -> None:
    """Train in two stages, unweighted and then weighted, and score both on the same pictures left out.

    Started again after a kill, the same command goes on from the last checkpoint.
    """
    paths, valid_paths = _pictures(folder)

    def run() -> dict:
        import torch

        from helpers.labels import RTK
        from helpers.road_surface import data, model, train

        frames, valid_frames = data.read_frames(paths), data.read_frames(valid_paths)

        def judge(network) -> dict:
            matrix = model.score(network, valid_frames)
            say(matrix.table(RTK.class_names))
            return train.figures(matrix)

        torch.manual_seed(seed)
        way = train.Way(weights=weights.value, balanced=balanced)
        network, record = train.two_stages(
            model.build(encoder.value), frames, way, steps=(steps, steps_two), folder=out, seed=seed, judge=judge,
            batch=batch,
        )  # fmt: skip
        model.Trained(network, encoder.value).save(out / "weights.pt")
        return {
            "train_pictures": len(frames), "valid_pictures": len(valid_frames), "encoder": encoder.value,
            "weights": weights.value, "balanced": balanced, "batch": batch, "seed": seed,
            "pixels": data.class_counts(valid_frames).sum(axis=0).tolist(), **record,
        }  # fmt: skip

    _record(run, out)


def road_ways(
    folder: Folder = None,
    encoder: EncoderName = Encoder.imagenet,
    steps: Steps = 120,
    steps_two: StepsTwo = 60,
    seeds: Annotated[int, typer.Option(min=1, help="how many trainings of each way")] = 2,
    out: Out = Path("road_ways_run"),
) -> None:
    """Compare ways to treat rare classes in the same number of steps: weights, Dice, focal, crops, logit adjustment."""
    paths, valid_paths = _pictures(folder)

    def run() -> dict:
        import torch

        from helpers.road_surface import data, model, train

        frames, valid_frames = data.read_frames(paths), data.read_frames(valid_paths)
        ways: dict[str, list] = {}
        for seed in range(seeds):
            torch.manual_seed(seed)
            results = train.compare(
                model.build(encoder.value), frames, valid_frames, steps=(steps, steps_two), folder=out / f"seed_{seed}",
                seed=seed, say=say,
            )  # fmt: skip
            for name, figures in results.items():
                ways.setdefault(name, []).append(figures)
        return {
            "train_pictures": len(frames), "valid_pictures": len(valid_frames), "encoder": encoder.value,
            "steps": [steps, steps_two], "pixels": data.class_counts(valid_frames).sum(axis=0).tolist(), "ways": ways,
        }  # fmt: skip

    _record(run, out)


def road_cracks(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="CrackForest: JPEGImages/, Annotations/ and lists")],
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

    try:
        photos, valid_photos = (crackforest.read_photos(folder, f"{part}_list.txt") for part in ("train", "val"))
    except ValueError as error:
        give_up(error)

    def run() -> dict:
        import torch

        from helpers.road_surface import data, model, train

        frames, valid_frames = ([data.Frame(p.image, p.mask) for p in part] for part in (photos, valid_photos))

        def judge(network) -> dict:
            matrix = model.score(network, valid_frames, num_classes=2)
            say(matrix.table(crackforest.CLASSES))
            f1, precision, recall = (
                score()[crackforest.CRACK] for score in (matrix.dice, matrix.precision, matrix.recall)
            )
            return {"crack_f1": f1, "crack_precision": precision, "crack_recall": recall}

        torch.manual_seed(seed)
        way = train.Way(weights=weights.value, balanced=balanced)
        network, record = train.two_stages(
            model.build(encoder.value, 2), frames, way, steps=(steps, steps_two), folder=out, seed=seed, judge=judge,
            batch=batch, common=crackforest.CRACK, num_classes=2,
        )  # fmt: skip
        return {
            "train_pictures": len(frames), "valid_pictures": len(valid_photos), "encoder": encoder.value,
            "weights": weights.value, "balanced": balanced, "batch": batch, "seed": seed, **record,
        }  # fmt: skip

    _record(run, out)


def _pictures(folder: Path | None) -> tuple[list[Path], list[Path]]:
    """Pictures to train on and to validate on, of a folder in which nothing is wrong."""
    from helpers.datasets import check_dataset, rtk
    from helpers.road_surface.data import default_folder

    try:
        folder = folder.expanduser() if folder else default_folder()
        if problems := check_dataset(folder, "rtk"):
            listed = "\n".join(f"  {problem}" for problem in problems)
            give_up(f"nothing was trained: {folder} has {len(problems)} problems\n{listed}")
        train_paths, valid_paths = rtk.split(folder)
    except (ValueError, OSError, AssetError) as error:
        give_up(error)
    say(f"{len(train_paths)} pictures to learn from, {len(valid_paths)} to validate on")
    return train_paths, valid_paths


def _record(run, out: Path) -> None:
    """Train, and write record.json with command, device, date and figures."""
    from helpers.training.loop import stopped

    try:
        out.mkdir(parents=True, exist_ok=True)
        records.save(out / "record.json", records.run_record(**run()))
    except (ValueError, OSError) as error:
        give_up(error)
    except KeyboardInterrupt:
        give_up(stopped(out))
    say(f"the record is in {out}")
