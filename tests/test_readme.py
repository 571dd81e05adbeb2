"""Each command of the README is one that the suite has, with options that it takes."""

import importlib.util
import re
import shlex

import pytest
import typer

from helpers.cli import app
from helpers.environment import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
# In blocks of commands a word of explanation may follow; in the text a command stands between backticks.
BLOCKS = [line.strip().split("  #")[0] for line in re.findall(r"^    (\S.*)$", README, re.MULTILINE)]
INLINE = re.findall(r"`([^`\n]+)`", README)
COMMANDS = [re.sub(r"^\.venv/bin/", "", command.split(" # ")[0].strip()) for command in BLOCKS + INLINE]


def starting(words: str) -> list[str]:
    found = sorted({command for command in COMMANDS if command.startswith(words)})
    assert found
    return found


@pytest.mark.parametrize("command", starting("make "))
def test_make_has_the_target_and_the_variables(command: str) -> None:
    for word in shlex.split(command)[1:]:
        name, is_variable, _ = word.partition("=")
        wanted = rf"^{name} [?:]?=" if is_variable else rf"^{re.escape(name)}:"
        assert re.search(wanted, MAKEFILE, re.MULTILINE), word


@pytest.mark.parametrize("command", starting("python -m helpers "))
def test_the_command_line_understands(command: str) -> None:
    words = shlex.split(command.replace("…", ""))[3:]
    group = typer.main.get_command(app)
    if words == ["--help"]:
        return
    with group.make_context("helpers", list(words)) as context:
        name, chosen, rest = group.resolve_command(context, words)
        if hasattr(chosen, "commands"):  # a group of its own, such as train
            name, chosen, rest = chosen.resolve_command(context, rest)
        known = {option for parameter in chosen.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert {word.partition("=")[0] for word in rest if word.startswith("--")} <= known, name


@pytest.mark.parametrize("command", starting("python ") + starting("torchrun "))
def test_modules_and_files_are_there(command: str) -> None:
    words = shlex.split(command)
    if "-m" in words:
        assert importlib.util.find_spec(words[words.index("-m") + 1])
    else:
        assert (ROOT / words[1]).is_file()
