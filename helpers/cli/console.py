"""What all commands share: how they speak, and how they fail."""

import contextlib
import sys
from typing import NoReturn

import typer
from tqdm import tqdm

FAILED = 2  # exit code of a command that could not do all that it was asked to


def say(text: str) -> None:
    """A line for the user, above a progress bar where there is one."""
    tqdm.write(text)


def complain(problem: Exception | str, *, kind: str = "error") -> None:
    """A problem, on stderr."""
    with contextlib.suppress(OSError):  # when even this can't be written, the exit code has to do
        tqdm.write(f"{kind}: {problem}", file=sys.stderr)


def give_up(problem: Exception | str) -> NoReturn:
    """A problem that leaves nothing else to do."""
    complain(problem)
    raise typer.Exit(FAILED)
