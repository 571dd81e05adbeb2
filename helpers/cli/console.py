"""What all commands share: how they speak, and how they fail."""

import sys
from pathlib import Path
from typing import NoReturn

import typer
from tqdm import tqdm

from helpers.paths import REPO_ROOT

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


def typed_command() -> str:
    """The command as it was typed, paths relative to the repository; of those outside only the name: records travel."""
    words = ["python -m helpers"]
    for word in sys.argv[1:]:
        path = Path(word)
        if path.exists() or path.is_absolute():
            inside = path.resolve().is_relative_to(REPO_ROOT)
            word = path.resolve().relative_to(REPO_ROOT).as_posix() if inside else path.name
        words.append(word)
    return " ".join(words)
