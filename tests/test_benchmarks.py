"""The benchmarks of `make bench` start as the README names them. Their times are nobody's business here."""

import subprocess
import sys
from pathlib import Path

import pytest

from helpers.paths import REPO_ROOT

FOLDER = REPO_ROOT / "tests" / "benchmarks"
SCRIPTS = sorted(path for path in FOLDER.glob("*.py") if "__main__" in path.read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_benchmark_finds_all_that_it_needs(script: Path) -> None:
    """All but `main`: a script sees its own folder and the repository, and nothing of the tests'."""
    code = f"import runpy, sys; sys.path.insert(0, {str(FOLDER)!r}); runpy.run_path({str(script)!r}, run_name='tried')"
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=REPO_ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_memory_of_one_way_is_taken_in_a_process_of_its_own(tmp_path: Path) -> None:
    clip = REPO_ROOT / "data" / "street_clip" / "clip.mp4"
    command = [sys.executable, FOLDER / "video_speed.py", "default_size", clip, tmp_path]
    done = subprocess.run(command, cwd=REPO_ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 50 < float(done.stdout) < 20_000, "megabytes"
