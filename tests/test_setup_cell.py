"""The set-up cell at home and in a stand-in for Colab: a bare Python with the frameworks, nothing of the suite."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from helpers import environment
from helpers.environment import REPOSITORY, ROOT
from tools.authoring.lint import SETUP_CELL
from tools.authoring.notebooks import notebook_paths, read_notebook

# Runs cells in one namespace, as a kernel does, then tells what the test asks about.
RUNNER = """
import json, sys
from importlib import metadata
names = {"__name__": "__main__"}
for source in json.load(open(sys.argv[1], encoding="utf-8")):
    exec(compile(source, "<cell>", "exec"), names)
frameworks = sorted({"fastai", "keras", "tensorflow", "torch", "torchvision"} & set(sys.modules))
print(json.dumps({"helpers": sys.modules["helpers"].__file__, "frameworks": frameworks, "path": sys.path}))
"""
VERSIONS = """
from importlib import metadata
print(*sorted({f"{d.name} {d.version}" for d in metadata.distributions()}), sep="\\n")
"""


UNPUBLISHED = f'REPOSITORY, TAG = "{REPOSITORY}", ""'
# The cell as `make publish REPO=ada/streets TAG=v1.0` leaves it.
PUBLISHED_CELL = SETUP_CELL.replace(UNPUBLISHED, 'REPOSITORY, TAG = "ada/streets", "v1.0"')


class Machine:
    """A Python of its own that sees the installed frameworks, but not `helpers`, and a folder to work in."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder / "python", with_pip=False, symlinks=os.name != "nt")
        self.python = folder / "python" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        site = sysconfig.get_path("purelib", vars={"base": str(folder / "python"), "platbase": str(folder / "python")})
        self.site = Path(site)
        # A path file is not followed further, so the editable install of helpers stays out of sight.
        (self.site / "shared.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
        self.content = folder / "content"
        self.content.mkdir()
        self.environ = {
            **os.environ,
            "MPLBACKEND": "Agg",
            "GIT_TERMINAL_PROMPT": "0",
            "PIP_NO_INDEX": "1",
            "PIP_CONFIG_FILE": os.devnull,
        }
        self.environ.pop("PYTHONPATH", None)

    def run(self, *cells: str, folder: Path | None = None) -> subprocess.CompletedProcess:
        (self.content / "cells.json").write_text(json.dumps(cells), encoding="utf-8")
        command = [self.python, "-c", RUNNER, str(self.content / "cells.json")]
        return subprocess.run(command, cwd=folder or self.content, env=self.environ, capture_output=True, text=True)

    def versions(self) -> list[str]:
        command = [self.python, "-c", VERSIONS]
        return subprocess.run(command, env=self.environ, capture_output=True, text=True, check=True).stdout.splitlines()


def result(done: subprocess.CompletedProcess) -> dict:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def publish_locally(machine: Machine, tree: Path) -> None:
    """Serve a folder as release v1.0 of a GitHub repository, which has gone on since, from a clone on this disk."""
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org", "-C", str(tree)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "--all", "--force"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "suite"], check=True)
    subprocess.run([*git, "tag", "--force", "v1.0"], check=True)
    subprocess.run([*git, "rm", "-r", "--quiet", "--cached", "helpers"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "something else"], check=True)
    bare = tree.parent / "bare.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(tree), str(bare)], check=True)
    machine.environ |= {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{bare.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/ada/streets",
    }


@pytest.fixture
def colab(machine: Machine, tmp_path: Path) -> Machine:
    """The machine with a stand-in for `google.colab`, and the suite to be had from its repository only."""
    (machine.site / "google" / "colab").mkdir(parents=True)
    (machine.site / "google" / "colab" / "__init__.py").touch()
    tree = tmp_path / "tree"
    for name in ("helpers", "data", "images"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tree)
    publish_locally(machine, tree)
    return machine


def wheel(folder: Path, name: str, *requirements: str) -> None:
    """A package with one empty module."""
    folder.mkdir(exist_ok=True)
    info = f"{name}-1.0.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *(f"Requires-Dist: {r}" for r in requirements)]
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}.py", "")
        file.writestr(f"{info}/METADATA", "\n".join(lines) + "\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")


def test_at_home_the_repository_above_is_used(machine: Machine) -> None:
    machine.environ["PATH"] = ""  # nothing can be cloned
    done = machine.run(SETUP_CELL, folder=ROOT / "tests")
    assert result(done)["helpers"] == str(ROOT / "helpers" / "__init__.py")
    assert "Jupyter" in done.stdout and "tier: sample" in done.stdout and "device: " in done.stdout


def test_before_it_is_published_no_stranger_s_repository_is_fetched(machine: Machine) -> None:
    assert UNPUBLISHED in SETUP_CELL, "the suite as it is kept names no release"
    machine.environ |= {"GIT_TRACE": str(machine.content / "git was called")}
    done = machine.run(SETUP_CELL)
    assert done.returncode and "must be published first: make publish REPO=owner/name" in done.stderr.splitlines()[-1]
    assert [path.name for path in machine.content.iterdir()] == ["cells.json"]


def test_a_release_that_is_not_there_is_one_line(colab: Machine) -> None:
    done = colab.run(PUBLISHED_CELL.replace("v1.0", "v9.9"))
    assert done.returncode and "could not fetch v9.9 of https://github.com/ada/streets" in done.stderr.splitlines()[-1]


def test_colab_fetches_the_repository_once(colab: Machine) -> None:
    before = colab.versions()
    done = colab.run(PUBLISHED_CELL, PUBLISHED_CELL)
    found = result(done)
    clone = colab.content / "streets"
    assert found["helpers"] == str(clone / "helpers" / "__init__.py")
    assert found["frameworks"] == [], "the report must not load a framework"
    assert found["path"].count(str(clone)) == 1
    assert done.stdout.count("Colab") == 2 and "installing" not in done.stdout
    assert colab.versions() == before
    assert (clone / ".git" / "shallow").exists()
    result(colab.run(PUBLISHED_CELL))  # a restarted kernel finds the clone


@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="this machine has a GPU, so no advice is given")
def test_colab_is_told_where_to_click(colab: Machine) -> None:
    assert "Runtime ▸ Change runtime type" in colab.run(PUBLISHED_CELL).stdout


@pytest.mark.slow
def test_missing_light_package_is_installed_and_nothing_else_changes(colab: Machine, tmp_path: Path) -> None:
    wheel(tmp_path / "wheels", "tiny_light", "numpy>=1.0")
    require(colab, tmp_path, "tiny-light>=1")
    before = colab.versions()
    done = colab.run(PUBLISHED_CELL, "import tiny_light, numpy", PUBLISHED_CELL)
    assert result(done)["frameworks"] == []
    assert done.stdout.count("installing tiny-light>=1") == 1
    assert set(colab.versions()) - set(before) == {"tiny_light 1.0"} and set(before) <= set(colab.versions())


@pytest.mark.slow
def test_a_package_that_would_replace_numpy_is_refused(colab: Machine, tmp_path: Path) -> None:
    wheel(tmp_path / "wheels", "tiny_greedy", "numpy==1.0")
    wheel(tmp_path / "wheels", "numpy")
    require(colab, tmp_path, "tiny-greedy")
    before = colab.versions()
    done = colab.run(PUBLISHED_CELL)
    assert done.returncode and "pip could not install tiny-greedy" in done.stderr
    assert colab.versions() == before


def require(machine: Machine, tmp_path: Path, requirement: str) -> None:
    """Add a dependency to the published suite, to be had from the folder of wheels."""
    tree = tmp_path / "tree"
    text = (tree / "pyproject.toml").read_text(encoding="utf-8")
    (tree / "pyproject.toml").write_text(
        text.replace("dependencies = [", f'dependencies = [\n    "{requirement}",', 1), encoding="utf-8"
    )
    shutil.rmtree(tmp_path / "bare.git")
    publish_locally(machine, tree)
    machine.environ["PIP_FIND_LINKS"] = str(tmp_path / "wheels")


def test_frameworks_are_never_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None)
    missing = environment.missing_packages()
    assert any(line.startswith("pooch") for line in missing)
    assert not any(line.startswith(("numpy", "torch", "tensorflow")) for line in missing)


def test_another_package_called_helpers_is_noticed(colab: Machine) -> None:
    (colab.site / "helpers.py").write_text("", encoding="utf-8")
    done = colab.run("import helpers", PUBLISHED_CELL)
    assert done.returncode and "another package called helpers is in the way" in done.stderr
    result(colab.run(PUBLISHED_CELL))  # after a restart, ours comes first


def test_without_a_network_one_line_says_so(machine: Machine) -> None:
    machine.environ |= {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "url.file:///nowhere.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com",
    }
    done = machine.run(PUBLISHED_CELL)
    assert done.returncode and "is this machine online?" in done.stderr.splitlines()[-1]
    assert [path.name for path in machine.content.iterdir()] == ["cells.json"]


def test_a_broken_driver_is_no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment.sys, "platform", "linux")
    monkeypatch.setattr(environment.shutil, "which", lambda name: sys.executable)
    monkeypatch.setattr(
        environment.subprocess,
        "run",
        lambda *a, **k: subprocess.CompletedProcess(a, 9, stdout="NVIDIA-SMI has failed", stderr=""),
    )
    assert environment.gpu_name() is None
    monkeypatch.setattr(
        environment.subprocess, "run", lambda *a, **k: subprocess.CompletedProcess(a, 0, stdout="Tesla T4\nTesla T4\n")
    )
    assert environment.gpu_name() == "Tesla T4" and "Tesla T4" in environment.report()


@pytest.mark.timeout(900)
@pytest.mark.slow
@pytest.mark.parametrize("path", [p for p in notebook_paths() if p.stem.startswith("01_")], ids=lambda path: path.stem)
def test_street_lesson_runs_in_colab_up_to_its_first_picture(colab: Machine, path: Path) -> None:
    code = [cell for cell in read_notebook(path).cells if cell.cell_type == "code"]
    first_picture = next(i for i, cell in enumerate(code) if '"image/' in json.dumps(cell.outputs))
    cells = [cell.source for cell in code[: first_picture + 1]]
    assert cells[0] == SETUP_CELL and len(cells) > 2
    cells[0] = PUBLISHED_CELL
    before = colab.versions()
    colab.environ["PYTHONPATH"] = str(ROOT / "tests" / "no_network")
    found = result(colab.run(*cells))
    assert found["helpers"].startswith(str(colab.content)) and colab.versions() == before
