"""`check-dataset`: everything that is wrong with a data set on disk, at once."""

from pathlib import Path
from typing import Annotated

import typer

from helpers import datasets
from helpers.cli.console import FAILED, give_up, say


def check_dataset(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="the data set's folder")],
    layout: Annotated[str, typer.Option(help=f"how it is laid out: {', '.join(datasets.LAYOUTS)}")] = "camvid",
) -> None:
    """Find everything that is wrong with a data set."""
    try:
        problems = datasets.check_dataset(folder, layout)
    except (datasets.DatasetError, OSError) as error:
        give_up(error)
    for problem in problems:
        say(str(problem))
    say(f"{folder}: {len(problems) or 'no'} problem{'' if len(problems) == 1 else 's'}")
    if problems:
        raise typer.Exit(FAILED)
