"""The kit for a room without a network, made of one small package and set up with the network switched off."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tools.authoring import kit

DEAD = "http://127.0.0.1:9"  # a proxy that nobody answers at


def test_pins_of_the_lock_are_those_without_cuda() -> None:
    lines = kit.pins((kit.REPO_ROOT / "requirements.lock").read_text(encoding="utf-8"))
    assert len(lines) > 100 and all("==" in line and "--hash" not in line for line in lines)
    assert any(line.startswith("torch==") for line in lines)
    assert not [line for line in lines if line.startswith(("nvidia", "cuda", "triton"))]


def install(folder: Path, where: Path, **variables: str) -> subprocess.CompletedProcess:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "PYTHONPATH"))}
    environ |= {
        "http_proxy": DEAD,
        "https_proxy": DEAD,
        "HTTPS_PROXY": DEAD,
        "PIP_CONFIG_FILE": os.devnull,
        **variables,
    }
    command = [sys.executable, folder / "install.py", where]
    return subprocess.run(command, env=environ, capture_output=True, text=True)


def test_another_python_is_told_which_one_it_takes(tmp_path: Path) -> None:
    (tmp_path / "install.py").write_text(kit.INSTALL.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "kit.json").write_text(json.dumps({"system": "Amiga m68k", "python": "2.7"}))
    done = install(tmp_path, tmp_path / "suite")
    assert done.returncode and "this kit is for Amiga m68k and Python 2.7, found" in done.stderr
    assert not (tmp_path / "suite").exists()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_kit_sets_up_the_suite_without_a_network(tmp_path: Path) -> None:
    lock = tmp_path / "tiny.lock"
    pin = next(line for line in kit.pins((kit.REPO_ROOT / "requirements.lock").read_text()) if "iniconfig==" in line)
    lock.write_text(f"{pin} \\\n    --hash=sha256:00\n")
    try:
        kit.addresses([pin], backend="cpu")
    except subprocess.CalledProcessError:
        pytest.skip("no package index can be reached, so no kit can be made here")
    out, suite = tmp_path / "kit", tmp_path / "suite"
    result = CliRunner().invoke(kit.app, ["--out", str(out), "--lock", str(lock)])
    assert result.exit_code == 0, result.output
    names = sorted(path.name.split("-")[0] for path in (out / "wheels").iterdir())
    assert names == ["iniconfig", "setuptools"]
    assert sorted(p.name for p in out.iterdir()) == [
        "README.txt",
        "install.py",
        "kit.json",
        "requirements.txt",
        "suite",
        "wheels",
    ]
    assert not (out / "suite" / ".venv").exists() and (out / "suite" / "notebooks" / "00_start_here.ipynb").exists()

    done = install(out, suite)
    assert done.returncode == 0, done.stderr
    python = suite / ".venv" / "bin" / "python"
    look = "import helpers, iniconfig; print(helpers.__file__)"
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    found = subprocess.run(
        [python, "-c", look], cwd=tmp_path, env=environ, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert Path(found).is_relative_to(suite)
    if (suite / "Makefile").exists():
        assert subprocess.run(["make", "--question", ".venv/ready"], cwd=suite).returncode == 0, (
            "make would set up again"
        )
