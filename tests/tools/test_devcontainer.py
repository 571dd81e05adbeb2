"""The container for editors is set up by the README's own command, and what it names is there."""

import json
import re

from helpers.environment import ROOT

FOLDER = ROOT / ".devcontainer"
SETTINGS = json.loads((FOLDER / "devcontainer.json").read_text(encoding="utf-8"))


def test_settings_name_what_is_there() -> None:
    assert (FOLDER / SETTINGS["build"]["dockerfile"]).is_file()
    command = SETTINGS["postCreateCommand"].split()
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert command == ["make", ".venv/ready"] and "READY := $(VENV)/ready" in makefile
    assert all(re.search(rf"^{name} \?=", makefile, re.MULTILINE) for name in SETTINGS["containerEnv"])
    assert SETTINGS["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"].endswith(
        "/.venv/bin/python"
    )


def test_the_image_has_a_python_that_the_suite_takes_and_works_as_nobody_special() -> None:
    text = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^FROM python:3\.1[123]-", text, re.MULTILINE)
    assert re.search(r"install .*\bmake\b", text.replace("\\\n", " "))
    assert re.search(rf"^USER {SETTINGS['remoteUser']}$", text, re.MULTILINE)
