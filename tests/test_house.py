"""The import contracts at the end of pyproject.toml notice each kind of trespass."""

import shutil
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from helpers.environment import ROOT

pytestmark = pytest.mark.lint

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]


def layers() -> list[list[str]]:
    """The layers of the house from top to bottom, each with its modules; those in brackets may be missing."""
    (house,) = [contract for contract in CONTRACTS if contract.get("containers") == ["helpers"]]
    separated = (layer.replace("|", ":").split(":") for layer in house["layers"])
    return [[name.strip(" ()") for name in layer] for layer in separated]


TRESPASSES = {
    "the ground floor loads a framework": ("masks.py", "import torch", "the ground floor loads no framework"),
    "a tool uses another": ("../tools/authoring/lint.py", "import tools.bundled_models", "each tool stands by itself"),
    "two frameworks in one room": ("deeplab/__init__.py", "import torch", "TensorFlow rooms load no torch"),
    "training loads TensorFlow": ("training/__init__.py", "import keras", "torch rooms load no TensorFlow"),
    "a lesson uses another": ("fcn/__init__.py", "from helpers import deeplab", "never the other way"),
    "the suite needs its tools": ("cli/check.py", "import tools.authoring", "the suite never needs the tools"),
}


def lint_imports(folder: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the sources, whose imports are read but never executed."""
    skip = shutil.ignore_patterns("__pycache__", "*.csv")
    for name in ("helpers", "tools"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=skip)
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


def test_each_module_is_in_exactly_one_layer() -> None:
    named = sorted(name for layer in layers() for name in layer)
    assert named == sorted(set(named))
    there = {
        path.stem for path in (ROOT / "helpers").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert there - {"__init__"} <= set(named)


def test_each_layer_is_closed_to_those_below(house: Path) -> None:
    """In every layer one module is made to import one of the layer above: the contract names each of these."""
    there = [[name for name in layer if list((house / "helpers").glob(f"{name}*"))] for layer in layers()]
    planted = [(above[0], below[-1]) for above, below in pairwise(layer for layer in there if layer)]
    for above, below in planted:
        file = house / "helpers" / f"{below}.py"
        file = file if file.exists() else house / "helpers" / below / "__init__.py"
        file.write_text(f"import helpers.{above}\n", encoding="utf-8")
    said = " ".join(lint_imports(house).stdout.split())
    wanted = [f"helpers.{below} is not allowed to import helpers.{above}" for above, below in planted]
    assert [line for line in wanted if line not in said] == []
