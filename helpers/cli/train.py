"""`train`: longer trainings of the lessons, recorded. Started again after a kill, a command goes on."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from helpers import records
from helpers.assets import AssetError, fetch
from helpers.cli.console import give_up, say
from helpers.datasets import check_dataset
from helpers.paths import DATA, tier

train = typer.Typer(help="Train a model of a lesson and record how well it does.", no_args_is_help=True)


class Arch(StrEnum):
    small = "small"
    resnet18 = "resnet18"
    resnet34 = "resnet34"


class Encoder(StrEnum):
    imagenet = "imagenet"
    random = "random"


def longest_side(text: str) -> int:
    """480 from "480" or "360x480"."""
    if not re.fullmatch(r"\d{1,5}([x×]\d{1,5})?", text):
        raise typer.BadParameter("a number of pixels such as 480, or HEIGHTxWIDTH such as 360x480")
    size = max(map(int, re.split("[x×]", text)))
    if size < 64:
        raise typer.BadParameter(f"{size} pixels are too few to see anything; at least 64")
    return size


# What several commands ask for. --out is the run's folder: weights.pt, record.json, checkpoint.pt.
Out = Annotated[Path, typer.Option(help="folder for weights.pt, record.json and checkpoint.pt")]
Seed = Annotated[int, typer.Option(min=0, help="of first weights, crops and light")]
Rate = Annotated[float, typer.Option(min=1e-6, max=0.1, help="highest learning rate")]
Minutes = Annotated[float, typer.Option(min=0.05, max=100_000, help="for the training; it ends on time anywhere")]
Steps = Annotated[int, typer.Option(min=1, help="steps of the optimizer")]
Batch = Annotated[int, typer.Option(min=2, max=4096, help="crops in a step")]

CamVidFolder = Annotated[
    Path | None,
    typer.Option(
        "--dir",
        envvar="CAMVID_DIR",
        help="holds images/, labels/<stem>_P.png, codes.txt, valid.txt; by default practice streets, or in the full "
        "tier CamVid",
    ),
]
ArchName = Annotated[Arch, typer.Option(help="small: a U-Net that learns most in a CPU minute; else fastai's")]
EncoderName = Annotated[Encoder | None, typer.Option(help="first weights; imagenet where they are installed")]
Size = Annotated[str, typer.Option(help="pictures are shrunk to this longest side in pixels (or HxW)")]
Split = Annotated[
    str,
    typer.Option(
        help="validate on valid.txt (valid), on a sequence such as 0001TP that training then never sees, on each "
        "fifth frame (mixed), or on nothing (none)"
    ),
]
Weights = Annotated[bool, typer.Option(help="whether rare classes count more in the loss")]
Start = Annotated[Path | None, typer.Option(help="weights.pt of another run of the same arch to begin with")]
SheetsFolder = Annotated[Path, typer.Argument(metavar="DIR", help="holds train.csv and train_images/")]
PhotosFolder = Annotated[Path, typer.Argument(metavar="DIR", help="CrackForest: JPEGImages/, Annotations/ and lists")]
Width = Annotated[int, typer.Option(min=32, help="of a crop, in pixels of the picture")]
Scale = Annotated[float, typer.Option(min=0.1, max=1, help="by how much pictures are shrunk")]


@contextmanager
def one_line(out: Path) -> Iterator[None]:
    """Say in one line what went wrong, or what a run that somebody stopped leaves in its folder."""
    try:
        yield
    except (ValueError, OSError, AssetError) as error:
        give_up(error)
    except KeyboardInterrupt:
        from helpers.training.loop import stopped

        give_up(stopped(out))


def refuse_problems(folder: Path, layout: str, *, unused: str = "") -> None:
    """Leave with all problems of a data set, unless there are none; those of a file that isn't used don't count."""
    problems = [problem for problem in check_dataset(folder, layout) if problem.path.name != unused]
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems)
        give_up(f"nothing was trained: {folder} has {len(problems)} problems\n{listed}")


@train.command()
def camvid(
    folder: CamVidFolder = None,
    arch: ArchName = Arch.small,
    encoder: EncoderName = None,
    size: Size = "480",
    minutes: Minutes = 30,
    split: Split = "valid",
    batch: Batch = 16,
    rate: Rate = 2e-3,
    class_weights: Weights = True,
    start: Start = None,
    out: Out = Path("camvid_run"),
    seed: Seed = 0,
) -> None:
    """Train a U-Net on street pictures in CamVid's layout, in its 11 classes, and score it on pictures left out."""
    from helpers.datasets import camvid as layout

    longest = longest_side(size)
    with one_line(out):
        folder = folder.expanduser() if folder else (fetch("camvid") if tier() == "full" else DATA / "camvid_practice")
        refuse_problems(folder, "camvid", unused="" if split == "valid" else "valid.txt")
        source = layout.label_set(folder)
        train_paths, valid_paths = layout.split(folder, split)
        if batch > len(train_paths):
            give_up(f"a batch of {batch} is larger than the {len(train_paths)} pictures to train on; lower --batch")
        say(f"{len(train_paths)} pictures to learn from, {len(valid_paths)} to validate on")
        from helpers.camvid import model, train  # loads torch and fastai, which takes seconds
        from helpers.training import loop

        settings = {"arch": arch.value, "size": longest, "split": split, "batch": batch, "class_weights": class_weights}
        pretrained = model.has_first_weights(arch.value) if encoder is None else encoder is Encoder.imagenet
        settings["encoder"] = "imagenet" if pretrained else "random"
        with loop.claim(out):
            segmenter, record = train.train(
                out,
                train_paths,
                valid_paths,
                source,
                arch=arch.value,
                pretrained=pretrained,
                size=longest,
                minutes=minutes,
                batch=batch,
                rate=rate,
                class_weights=class_weights,
                start=start,
                seed=seed,
                settings=settings,
            )
            segmenter.save(out / "weights.pt")
            about = {}
            if start and (earlier := start.parent / "record.json").is_file():
                first = json.loads(earlier.read_text(encoding="utf-8"))
                about["before"] = {key: first.get(key) for key in ("command", "minutes", "epochs")}
            if valid_paths:
                matrix = train.score(segmenter, valid_paths, source)
                say(matrix.table(segmenter.labels.class_names))
                about |= {"valid_pictures": len(valid_paths), **matrix.figures(segmenter.labels.class_names)}
            record = records.run_record(
                **settings,
                rate=rate,
                seed=seed,
                pictures=len(train_paths),
                minutes=record["seconds"] / 60,
                steps=record["steps"],
                epochs=record["images"] / len(train_paths),
                images_per_second=record["images"] / record["seconds"],
                history=record.get("history", []),
                **about,
            )
            records.save(out / "record.json", record)
    say(f"weights and record are in {out}")


class KerasEncoder(StrEnum):
    efficientnet_lite0 = "efficientnet_lite0"
    mobilenetv2 = "mobilenetv2"
    densenet121 = "densenet121"


@train.command()
def keras(
    folder: CamVidFolder = None,
    encoder: Annotated[KerasEncoder, typer.Option(help="the network's way down")] = KerasEncoder.efficientnet_lite0,
    imagenet: Annotated[bool, typer.Option(help="begin with ImageNet weights, which fit efficientnet_lite0")] = True,
    epochs: Annotated[int, typer.Option(min=1, help="views of each picture")] = 40,
    split: Split = "valid",
    batch: Batch = 8,
    rate: Rate = 2e-3,
    out: Annotated[Path, typer.Option(help="folder for weights.keras and record.json")] = Path("keras_run"),
    seed: Seed = 0,
) -> None:
    """Train the Keras U-Net on street pictures in CamVid's layout and score it on pictures left out."""
    with one_line(out):
        folder = folder.expanduser() if folder else (fetch("camvid") if tier() == "full" else DATA / "camvid_practice")
        refuse_problems(folder, "camvid", unused="" if split == "valid" else "valid.txt")
        from helpers.keras_unet import data, train  # loads TensorFlow, which takes seconds

        source = data.camvid_source(folder, split=split)
        if batch > len(source.train_paths):
            give_up(f"a batch of {batch} is larger than the {len(source.train_paths)} pictures; lower --batch")
        weights = "imagenet" if imagenet and encoder is KerasEncoder.efficientnet_lite0 else None
        settings = {"encoder": encoder.value, "weights": weights, "epochs": epochs, "batch": batch, "rate": rate}
        out.mkdir(parents=True, exist_ok=True)
        segmenter, record = train.train(out, source, **settings, seed=seed)
        if source.valid_paths:
            matrix = train.score(segmenter, source.valid_paths, source)
            say(matrix.table(source.labels.class_names))
            record |= {"valid_pictures": len(source.valid_paths), **matrix.figures(source.labels.class_names)}
        records.save(out / "record.json", records.run_record(**settings, split=split, seed=seed, **record))
    say(f"weights and record are in {out}")


@train.command()
def steel(
    folder: SheetsFolder = DATA / "severstal_practice",
    out: Out = Path("steel_run"),
    steps: Steps = 600,
    batch: Batch = 8,
    width: Width = 256,
    scale: Scale = 0.5,
    rate: Rate = 2e-3,
    seed: Seed = 0,
) -> None:
    """Train the U-Net on steel sheets in the competition's layout and score it on a fifth of them, never trained on."""
    from helpers import severstal

    with one_line(out):
        refuse_problems(folder, "severstal")
        train_sheets, valid_sheets = severstal.split(severstal.read_sheets(folder), seed=seed)
        if not (train_sheets and valid_sheets):
            count = len(train_sheets) + len(valid_sheets)
            raise ValueError(f"{folder} has {count} sheets: too few to learn from some and be measured on others")
        from helpers.severstal import train

        def score(segmenter: train.SteelSegmenter) -> dict:
            areas = severstal.measure(train.predictions(segmenter, valid_sheets)).at(0)
            say(areas.table(severstal.STEEL.class_names[1:]))
            return {
                "valid_sheets": len(valid_sheets),
                "mean_dice": areas.mean_dice(),
                "mean_dice_of_predicting_nothing": severstal.statistics(valid_sheets)["floor"],
                "defect_dice": areas.mean_defect_dice(),
                "recall": areas.mean_recall(),
                "defect_dice_by_class": areas.defect_dice().tolist(),
                "recall_by_class": areas.recall().tolist(),
            }

        crops = train.Crops(train_sheets, width=width, scale=scale)
        _train_crops(out, crops, score, steps=steps, batch=batch, rate=rate, seed=seed)


@train.command()
def cracks(
    folder: PhotosFolder,
    out: Out = Path("cracks_run"),
    steps: Steps = 400,
    batch: Batch = 8,
    width: Width = 96,
    scale: Scale = 1.0,
    rate: Rate = 2e-3,
    seed: Seed = 0,
) -> None:
    """Train the U-Net on real photos of cracked asphalt (CrackForest) and score it on those of val_list.txt."""
    from helpers.severstal import cracks, measure

    with one_line(out):
        train_photos, valid_photos = (cracks.read_photos(folder, f"{part}_list.txt") for part in ("train", "val"))
        from helpers.severstal import train

        def score(segmenter: train.SteelSegmenter) -> dict:
            areas = measure(train.predictions(segmenter, valid_photos)).at(0)
            f1 = cracks.crack_f1(areas)
            say(f"F1 on crack pixels of {len(valid_photos)} photos: {f1:.3f} (predicting nothing: 0)")
            return {
                "valid_photos": len(valid_photos),
                "crack_f1": f1,
                "crack_f1_of_predicting_nothing": 0.0,
                "crack_precision": float(areas.common.sum() / max(areas.pred.sum(), 1)),
                "crack_recall": float(areas.common.sum() / areas.target.sum()),
            }

        crops = train.Crops(train_photos, width=width, scale=scale)
        _train_crops(out, crops, score, steps=steps, batch=batch, rate=rate, seed=seed)


def _train_crops(out: Path, crops, score: Callable, *, steps: int, batch: int, rate: float, seed: int) -> None:
    """Train the steel lesson's U-Net, write its weights, and what it scores into the record."""
    from helpers.severstal import train
    from helpers.training import loop

    with loop.claim(out):
        segmenter = train.train(crops, steps=steps, batch=batch, rate=rate, seed=seed, folder=out)
        segmenter.save(out / "weights.pt")
        minutes, epochs = segmenter.record["seconds"] / 60, steps * batch / len(crops.sheets)
        say(f"{steps} steps, {epochs:.1f} epochs, {minutes:.1f} min")
        record = records.run_record(
            minutes=minutes,
            steps=steps,
            epochs=epochs,
            train_pictures=len(crops.sheets),
            **score(segmenter),
        )
        records.save(out / "record.json", record)
    say(f"weights and record are in {out}")
