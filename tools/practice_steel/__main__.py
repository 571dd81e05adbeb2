"""Makes the practice sheets of the steel lesson: `python -m tools.practice_steel [DIR]`."""

from pathlib import Path
from typing import Annotated

import typer

from helpers.paths import DATA
from tools.practice_steel import write_set


def main(
    folder: Annotated[Path, typer.Argument(help="folder for the set")] = DATA / "severstal_practice", seed: int = 0
) -> None:
    """Make the practice sheets of the steel lesson, in the competition's own files."""
    write_set(folder, seed=seed)


if __name__ == "__main__":
    typer.run(main)
