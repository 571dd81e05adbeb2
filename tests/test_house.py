"""The import contracts at the end of pyproject.toml notice each kind of trespass."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.environment import ROOT

TRESPASSES = {
    "the ground floor loads a framework": ("masks.py", "import torch", "the ground floor loads no framework"),
    "the ground floor uses a lesson": ("labels.py", "from helpers import deeplab", "never the other way"),
    "two frameworks in one room": ("deeplab/__init__.py", "import torch", "TensorFlow rooms load no torch"),
    "training loads TensorFlow": ("training/__init__.py", "import keras", "torch rooms load no TensorFlow"),
    "a lesson uses another": ("fcn/__init__.py", "from helpers import deeplab", "never the other way"),
    "labels use masks": ("labels.py", "from helpers import paths, assets", "never the other way"),
}


def lint_imports(folder: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the package's sources, whose imports are read but never executed."""
    skip = shutil.ignore_patterns("__pycache__", "*.csv")
    shutil.copytree(ROOT / "helpers", tmp_path / "helpers", ignore=skip)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize("trespass", TRESPASSES)
def test_trespass_is_noticed(house: Path, trespass: str) -> None:
    file, line, contract = TRESPASSES[trespass]
    with (house / "helpers" / file).open("a", encoding="utf-8") as source:
        source.write(f"\n{line}\n")
    done = lint_imports(house)
    broken = " ".join(done.stdout.split())
    assert done.returncode and "BROKEN" in broken
    assert contract in broken.split("Broken contracts")[1]


def test_the_house_is_in_order(house: Path) -> None:
    done = lint_imports(house)
    assert done.returncode == 0, done.stdout
