"""What all commands share: how they speak, and how they fail."""

import sys
from typing import NoReturn

import typer
from tqdm import tqdm

FAILED = 2  # exit code of a command that could not do all that it was asked to


def say(text: str) -> None:
    """A line for the user, above a progress bar where there is one."""
    tqdm.write(text)


def complain(problem: Exception | str) -> None:
    """A problem, on stderr."""
    tqdm.write(f"error: {problem}", file=sys.stderr)


def give_up(problem: Exception | str) -> NoReturn:
    """A problem that leaves nothing else to do."""
    complain(problem)
    raise typer.Exit(FAILED)
