"""`evaluate`: score any model on any labelled folder."""

import time
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from helpers import models, records
from helpers.assets import AssetError
from helpers.cli.console import FAILED, complain, give_up, say
from helpers.datasets.pairing import check_labels, read_pair
from helpers.evaluation import Evaluation, labelled_pairs
from helpers.labels import LABEL_SETS
from helpers.numberings import NUMBERINGS
from helpers.paths import read_lines


def evaluate(
    model: Annotated[str, typer.Argument(help="a checkpoint's name, or a file")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="holds images/, labels/<stem>_P.png and codes.txt")],
    labels: Annotated[str | None, typer.Option(help="label set of a model that nobody knows, e.g. voc")] = None,
    fold: Annotated[str | None, typer.Option(help="label set to score in; by default one that both share")] = None,
    names: Annotated[Path | None, typer.Option("--list", help="only the pictures named here, e.g. valid.txt")] = None,
    cityscapes: Annotated[bool, typer.Option("--cityscapes", help="labels: cityscapes/<stem>.png, train ids")] = False,
    truth: Annotated[str | None, typer.Option(help=f"labels: masks/<stem>.png; {', '.join(NUMBERINGS)}")] = None,
    size: Annotated[int | None, typer.Option(min=1, help="longest side in pixels that the network sees")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="only the first so many pictures")] = None,
    json_path: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="also write a record here")] = None,
) -> None:
    """Print the per-class scores of a model on a labelled folder, from one confusion matrix over all pictures."""
    try:
        for key, known in ((fold, LABEL_SETS), (truth, NUMBERINGS)):
            if key and key not in known:
                raise ValueError(f"unknown label set {key!r}; choose one of: {', '.join(known)}")
        if json_path and not json_path.absolute().parent.is_dir():
            raise ValueError(f"there is no folder {json_path.parent} for the record")
        if names and not names.exists():
            names = folder / names
        chosen = read_lines(names) if names else None
        numbering = NUMBERINGS.get("cityscapes" if cityscapes else truth)
        known = numbering and numbering.labels
        pairs, truth_labels = labelled_pairs(folder, names=chosen, cityscapes=cityscapes, truth=known)
        pairs = pairs[:limit]
        check_labels((label_path for _, label_path in pairs), numbering)
        network = models.load(model, labels, size=size)
        evaluation = Evaluation(network.labels, truth_labels, folded_to=LABEL_SETS.get(fold))
    except (ValueError, OSError, AssetError) as error:
        give_up(error)
    failed = False
    seconds = 0.0
    for image_path, label_path in tqdm(pairs, unit="picture"):
        try:
            image, mask = read_pair(image_path, label_path)
            mask = numbering.translate(mask) if numbering else mask
            start = time.perf_counter()
            pred = network.predict(image)
            seconds += time.perf_counter() - start
            evaluation.add(pred, mask)
        except (ValueError, OSError, MemoryError) as error:
            complain(f"{image_path.name}: {error}")
            failed = True
    if not evaluation.images:
        give_up("no picture could be scored")
    say(evaluation.matrix.table(evaluation.labels.class_names))
    said = f"{evaluation.images} pictures, {seconds / evaluation.images:.3f} s each, scored as {evaluation.labels.name}"
    say(f"{said} (model: {network.labels.name}, truth: {truth_labels.name})")
    if json_path:
        try:
            records.save(
                json_path,
                records.run_record(seconds_per_image=seconds / evaluation.images, **evaluation.figures()),
            )
        except OSError as error:
            give_up(f"cannot write {json_path}: {error.strerror}")
        say(f"record: {json_path}")
    if failed:
        raise typer.Exit(FAILED)
