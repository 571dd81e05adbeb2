"""`train steel`, `train cracks`: longer trainings of the steel lesson, recorded."""

import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from helpers import environment
from helpers.cli.console import give_up, say
from helpers.paths import DATA

train = typer.Typer(help="Train a model of a lesson and record how well it does.", no_args_is_help=True)

Out = Annotated[Path, typer.Option(help="folder for weights.pt and record.json")]
Steps = Annotated[int, typer.Option(min=1, help="steps of the optimizer")]
Batch = Annotated[int, typer.Option(min=2, help="crops in a step")]


@train.command()
def steel(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="train.csv and train_images/")] = DATA / "severstal_practice",
    out: Out = Path("steel_run"),
    steps: Steps = 600,
    batch: Batch = 8,
    width: Annotated[int, typer.Option(min=32, max=1600, help="of a crop on the sheet, in pixels")] = 256,
    scale: Annotated[float, typer.Option(min=0.1, max=1, help="by how much sheets are shrunk")] = 0.5,
    seed: int = 0,
) -> None:
    """Train the U-Net on steel sheets in the competition's layout; score it on a fifth of them that it never saw."""
    from helpers import severstal
    from helpers.datasets import check_dataset
    from helpers.severstal import training

    try:
        problems = check_dataset(folder, "severstal")
    except ValueError as error:
        give_up(error)
    for problem in problems:
        say(str(problem))
    if problems:
        give_up(f"{folder} has {len(problems)} problems; nothing was trained")
    train_sheets, valid_sheets = severstal.split(severstal.read_sheets(folder), seed=seed)

    def run():
        crops = training.Crops(train_sheets, width=width, scale=scale, seed=seed)
        return training.train(crops, steps=steps, batch=batch, seed=seed)

    def score(run) -> dict:
        thresholds = [0.3, 0.4, 0.5, 0.6, 0.7]
        areas = severstal.measure(training.predictions(run, valid_sheets), thresholds).at(thresholds.index(0.5))
        say(areas.table(severstal.STEEL.class_names[1:]))
        return {
            "train_sheets": len(train_sheets), "valid_sheets": len(valid_sheets), "threshold": 0.5,
            "mean_dice": areas.mean_dice(), "mean_dice_of_predicting_nothing": severstal.statistics(valid_sheets)["floor"],
            "defect_dice": areas.mean_defect_dice(), "recall": areas.mean_recall(),
            "defect_dice_by_class": areas.defect_dice().tolist(), "recall_by_class": areas.recall().tolist(),
        }  # fmt: skip

    _train_and_record(out, run, score, {"steps": steps, "batch": batch, "epochs": steps * batch / len(train_sheets)})


@train.command()
def cracks(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="CrackForest: JPEGImages/, Annotations/ and lists")],
    out: Out = Path("cracks_run"),
    steps: Steps = 400,
    batch: Batch = 8,
    width: Annotated[int, typer.Option(min=32, help="of a crop, in pixels")] = 96,
    seed: int = 0,
) -> None:
    """Train the U-Net on real photos of road cracks (CrackForest); score it on its valid list."""
    from helpers.severstal import cracks, measure, training

    try:
        train_photos, valid_photos = (cracks.read_photos(folder, f"{part}_list.txt") for part in ("train", "val"))
    except ValueError as error:
        give_up(error)

    def run():
        return training.train(training.Crops(train_photos, width=width, scale=1, seed=seed), steps=steps, batch=batch, seed=seed)

    def score(run) -> dict:
        areas = measure(training.predictions(run, valid_photos)).at(0)
        f1 = cracks.crack_f1(areas)
        say(f"F1 on crack pixels: {f1:.4f} ({len(valid_photos)} photos; predicting nothing: 0)")
        return {
            "train_photos": len(train_photos), "valid_photos": len(valid_photos), "threshold": 0.5, "crack_f1": f1,
            "crack_f1_of_predicting_nothing": 0.0, "precision": float(areas.common.sum() / max(areas.pred.sum(), 1)),
            "recall": float(areas.common.sum() / areas.target.sum()), "mean_dice_of_a_photo": areas.mean_dice(),
        }  # fmt: skip

    _train_and_record(out, run, score, {"steps": steps, "batch": batch, "epochs": steps * batch / len(train_photos)})


def _train_and_record(out: Path, run: Callable, score: Callable, about: dict) -> None:
    """Train, save weights.pt, score, and write record.json with command, device, date and figures."""
    from helpers.evaluation import save_json

    try:
        out.mkdir(parents=True, exist_ok=True)
        trained = run()
        trained.save(out / "weights.pt")
    except OSError as error:
        give_up(f"cannot write to {out}: {error.strerror}")
    say(f"{about['steps']} steps, {about['epochs']:.1f} epochs, {trained.seconds / 60:.1f} min")
    record = {
        "command": " ".join(["python -m helpers", *_words(sys.argv[1:])]),
        "date": date.today().isoformat(),
        "device": environment.gpu_name() or f"{os.cpu_count()} CPU cores",
        "minutes": trained.seconds / 60,
        **about,
        **score(trained),
        "loss": trained.losses,
    }
    save_json(out / "record.json", record)
    say(f"weights and record: {out}")
