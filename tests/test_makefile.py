"""The commands, as far as they can be tried without installing everything again."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.environment import ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed; README has the lines")
TARGETS = ["lab", "test", "notebooks", "samples", "models", "bench", "serve", "workshop", "site", "slides", "kit"]
TARGETS += ["guide", "publish", "lock", "clean"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The Makefile, with the files that its set-up depends on."""
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def make(checkout: Path, *arguments: str) -> subprocess.CompletedProcess:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    return subprocess.run(["make", *arguments], cwd=checkout, env=environ, capture_output=True, text=True)


def test_help_is_the_default_and_lists_every_command(checkout: Path) -> None:
    text = make(checkout).stdout
    assert text == make(checkout, "help").stdout
    assert [name for name in TARGETS if f"make {name} " not in text] == []


@pytest.mark.parametrize("target", TARGETS)
def test_recipe_is_complete(checkout: Path, target: str) -> None:
    done = make(checkout, "--dry-run", target, "REPO=ada/streets")
    assert done.returncode == 0, done.stderr
    assert ("uv pip sync" in done.stdout) == (target != "clean"), "each command sets up what it needs"


@pytest.mark.parametrize("version", [(3, 10, 4), (3, 14, 0)])
def test_unsupported_python_is_named_before_anything_is_made(checkout: Path, version: tuple[int, ...]) -> None:
    python = checkout / "old-python"
    python.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -c "import sys; sys.version_info = {version}; exec(sys.argv[1])" "$2"\n'
    )
    python.chmod(0o755)
    done = make(checkout, "lab", f"PYTHON={python}")
    assert done.returncode
    assert f"needs Python 3.11, 3.12 or 3.13, found {version[0]}.{version[1]}; name another one: make" in done.stderr
    assert not (checkout / ".venv").exists()


def test_set_up_runs_again_only_when_a_requirement_changed(checkout: Path) -> None:
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "ready").touch()
    assert make(checkout, "--question", ".venv/ready").returncode == 0
    newer = (checkout / ".venv" / "ready").stat().st_mtime + 10
    os.utime(checkout / "requirements.lock", (newer, newer))
    assert make(checkout, "--question", ".venv/ready").returncode == 1


def test_backend_without_cuda_leaves_its_libraries_out(checkout: Path) -> None:
    def wanted(*arguments: str) -> list[str]:
        recipe = make(checkout, "--dry-run", "lab", *arguments).stdout.splitlines()
        line = next(line for line in recipe if line.startswith("sed")).replace(".venv/", "")
        subprocess.run(line, shell=True, cwd=checkout, check=True)
        return (checkout / "wanted.txt").read_text().splitlines()

    lock = (ROOT / "requirements.lock").read_text().splitlines()
    assert wanted() == lock
    pins = {line.removesuffix(" \\") for line in lock if not line.startswith(" ")}
    kept = wanted("TORCH_BACKEND=cpu")
    assert set(kept) < pins, "no hashes, nothing new"
    assert {line.split("-")[0].split("=")[0] for line in pins - set(kept)} == {"nvidia", "cuda", "triton"}
    assert "--torch-backend=cpu" in make(checkout, "--dry-run", "lab", "TORCH_BACKEND=cpu").stdout
    assert "--require-hashes" in make(checkout, "--dry-run", "lab").stdout
    assert "--torch-backend" not in make(checkout, "--dry-run", "lab").stdout
