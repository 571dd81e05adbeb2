"""`train`: longer trainings of the lessons, recorded."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from helpers import records
from helpers.cli.console import give_up, say
from helpers.cli.train_camvid import camvid
from helpers.paths import DATA

train = typer.Typer(help="Train a model of a lesson and record how well it does.", no_args_is_help=True)
train.command()(camvid)

SheetsFolder = Annotated[Path, typer.Argument(metavar="DIR", help="holds train.csv and train_images/")]
PhotosFolder = Annotated[Path, typer.Argument(metavar="DIR", help="CrackForest: JPEGImages/, Annotations/ and lists")]
Out = Annotated[Path, typer.Option(help="folder for weights.pt and record.json")]
Steps = Annotated[int, typer.Option(min=1, help="steps of the optimizer")]
Batch = Annotated[int, typer.Option(min=2, help="crops in a step")]
Width = Annotated[int, typer.Option(min=32, help="of a crop, in pixels of the picture")]
Scale = Annotated[float, typer.Option(min=0.1, max=1, help="by how much pictures are shrunk")]
Seed = Annotated[int, typer.Option(help="of split, first weights, crops")]


@train.command()
def steel(
    folder: SheetsFolder = DATA / "severstal_practice",
    out: Out = Path("steel_run"),
    steps: Steps = 600,
    batch: Batch = 8,
    width: Width = 256,
    scale: Scale = 0.5,
    seed: Seed = 0,
) -> None:
    """Train the U-Net on steel sheets in the competition's layout and score it on a fifth of them, never trained on."""
    from helpers import severstal
    from helpers.datasets import check_dataset
    from helpers.severstal import train

    try:
        problems = check_dataset(folder, "severstal")
    except ValueError as error:
        give_up(error)
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems)
        give_up(f"nothing was trained: {folder} has {len(problems)} problems\n{listed}")
    train_sheets, valid_sheets = severstal.split(severstal.read_sheets(folder), seed=seed)

    def score(run: train.Run) -> dict:
        areas = severstal.measure(train.predictions(run, valid_sheets)).at(0)
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

    _train_and_record(out, train_sheets, score, steps=steps, batch=batch, width=width, scale=scale, seed=seed)


@train.command()
def cracks(
    folder: PhotosFolder,
    out: Out = Path("cracks_run"),
    steps: Steps = 400,
    batch: Batch = 8,
    width: Width = 96,
    scale: Scale = 1.0,
    seed: Seed = 0,
) -> None:
    """Train the U-Net on real photos of cracked asphalt (CrackForest) and score it on those of val_list.txt."""
    from helpers.severstal import cracks, measure, train

    try:
        train_photos, valid_photos = (cracks.read_photos(folder, f"{part}_list.txt") for part in ("train", "val"))
    except ValueError as error:
        give_up(error)

    def score(run: train.Run) -> dict:
        areas = measure(train.predictions(run, valid_photos)).at(0)
        f1 = cracks.crack_f1(areas)
        say(f"F1 on crack pixels of {len(valid_photos)} photos: {f1:.3f} (predicting nothing: 0)")
        return {
            "valid_photos": len(valid_photos),
            "crack_f1": f1,
            "crack_f1_of_predicting_nothing": 0.0,
            "crack_precision": float(areas.common.sum() / max(areas.pred.sum(), 1)),
            "crack_recall": float(areas.common.sum() / areas.target.sum()),
        }

    _train_and_record(out, train_photos, score, steps=steps, batch=batch, width=width, scale=scale, seed=seed)


def _train_and_record(out: Path, sheets: list, score: Callable, *, steps: int, batch: int, width: int, scale: float,
                      seed: int) -> None:  # fmt: skip
    """Train, save weights.pt, score, and write record.json with command, device, date and figures."""
    from helpers.severstal import train

    try:
        out.mkdir(parents=True, exist_ok=True)
        crops = train.Crops(sheets, width=width, scale=scale, seed=seed)
        run = train.train(crops, steps=steps, batch=batch, seed=seed)
        run.save(out / "weights.pt")
        epochs = steps * batch / len(sheets)
        say(f"{steps} steps, {epochs:.1f} epochs, {run.seconds / 60:.1f} min")
        record = records.run_record(
            minutes=run.seconds / 60,
            cpu_minutes=run.cpu_seconds / 60,
            steps=steps,
            epochs=epochs,
            train_pictures=len(sheets),
            **score(run),
        )
        records.save(out / "record.json", record)
    except (ValueError, OSError) as error:
        give_up(error)
    say(f"weights and record are in {out}")
