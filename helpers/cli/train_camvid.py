"""`train camvid`: the U-Net of the CamVid lesson on a folder of one's own."""

import json
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from helpers import records
from helpers.assets import AssetError, fetch
from helpers.cli.console import give_up, say
from helpers.paths import DATA, tier


class Arch(StrEnum):
    small = "small"
    resnet18 = "resnet18"
    resnet34 = "resnet34"


def longest_side(text: str) -> int:
    """480 from "480" or "360x480"."""
    if not re.fullmatch(r"\d+([x×]\d+)?", text):
        raise typer.BadParameter("a number of pixels such as 480, or HEIGHTxWIDTH such as 360x480")
    size = max(map(int, re.split("[x×]", text)))
    if size < 64:
        raise typer.BadParameter(f"{size} pixels are too few to see anything; at least 64")
    return size


Folder = Annotated[Path | None, typer.Option("--dir", envvar="CAMVID_DIR", help="holds images/, labels/<stem>_P.png, "
                                             "codes.txt, valid.txt; by default practice streets, or in the full tier "
                                             "CamVid")]  # fmt: skip
ArchName = Annotated[Arch, typer.Option(help="small: a U-Net that learns most in a CPU minute; else fastai's")]
Size = Annotated[str, typer.Option(help="pictures are shrunk to this longest side in pixels (or HxW)")]
Minutes = Annotated[float, typer.Option(min=0.05, help="time for the training; it ends on time on any machine")]
Split = Annotated[str, typer.Option(help="validate on valid.txt (valid), on a sequence such as 0001TP that training "
                                    "then never sees, on each fifth frame (mixed), or on nothing (none)")]  # fmt: skip
Batch = Annotated[int, typer.Option(min=2, help="views in a step")]
Rate = Annotated[float, typer.Option(help="highest learning rate")]
Weights = Annotated[bool, typer.Option(help="whether rare classes count more in the loss")]
Start = Annotated[Path | None, typer.Option(help="weights.pt of another run of the same arch to begin with")]
Out = Annotated[Path, typer.Option(help="folder for weights.pt, record.json and checkpoint.pt")]
Seed = Annotated[int, typer.Option(help="of first weights and views")]


def camvid(
    folder: Folder = None,
    arch: ArchName = Arch.small,
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
    """Train a U-Net on street pictures in CamVid's layout, in its 11 classes, and score it on pictures left out.

    Started again after a kill, the same command goes on from the last checkpoint.
    """
    from helpers.datasets import camvid as layout
    from helpers.datasets import check_dataset

    longest = longest_side(size)
    try:
        folder = folder.expanduser() if folder else (fetch("camvid") if tier() == "full" else DATA / "camvid_practice")
        problems = check_dataset(folder, "camvid")
        if split != "valid":  # then the list isn't used
            problems = [problem for problem in problems if problem.path.name != "valid.txt"]
        if problems:
            listed = "\n".join(f"  {problem}" for problem in problems)
            give_up(f"nothing was trained: {folder} has {len(problems)} problems\n{listed}")
        source = layout.label_set(folder)
        train_paths, valid_paths = layout.split(folder, split)
        if batch > len(train_paths):
            give_up(f"a batch of {batch} is larger than the {len(train_paths)} pictures to train on; lower --batch")
        out.mkdir(parents=True, exist_ok=True)
        say(f"{len(train_paths)} pictures to learn from, {len(valid_paths)} to validate on")
        from helpers.camvid import train  # loads torch and fastai, which takes seconds

        settings = {"arch": arch.value, "size": longest, "split": split, "batch": batch, "class_weights": class_weights,
                    "rate": rate, "seed": seed, "pictures": len(train_paths)}  # fmt: skip
        trained, record = train.train(
            out, train_paths, valid_paths, source, arch=arch.value, size=longest, minutes=minutes, batch=batch,
            peak_rate=rate, class_weights=class_weights, start=start, seed=seed, settings=settings,
        )  # fmt: skip
        trained.save(out / "weights.pt")
        about = records.run_record(
            **settings,
            minutes=record["seconds"] / 60,
            steps=record["steps"],
            epochs=record["views"] / len(train_paths),
            views_per_second=record["views"] / record["seconds"],
            history=record["history"],
        )
        if start and (earlier := start.parent / "record.json").is_file():
            first = json.loads(earlier.read_text(encoding="utf-8"))
            about["before"] = {key: first.get(key) for key in ("command", "minutes", "epochs")}
        if valid_paths:
            matrix = train.score(trained, valid_paths, source)
            say(matrix.table(trained.labels.class_names))
            about |= {"valid_pictures": len(valid_paths), **matrix.figures(trained.labels.class_names)}
        records.save(out / "record.json", about)
    except (ValueError, OSError, AssetError) as error:
        give_up(error)
    except KeyboardInterrupt:
        give_up(f"stopped; the same command goes on from {out / 'checkpoint.pt'}")
    say(f"weights and record are in {out}")
