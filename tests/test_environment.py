"""What a record says about the command and the machine (the set-up cell is tested in test_setup_cell.py)."""

import os
import sys
from pathlib import Path

import pytest

from helpers import environment


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["check"], "python -m helpers check"),
        (
            ["evaluate", "deeplab_street", "{root}/data/camvid_practice"],
            "python -m helpers evaluate deeplab_street data/camvid_practice",
        ),
        (["evaluate", "{outside}/model.pb", "--limit", "5"], "python -m helpers evaluate model.pb --limit 5"),
        (["train", "--out={outside}/run", "--seed=3"], "python -m helpers train --out=run --seed=3"),
        (["segment", "--out", "{outside}/not there yet"], "python -m helpers segment --out not there yet"),
        (["evaluate", "inside.txt", "no_such_file.txt"], "python -m helpers evaluate inside.txt no_such_file.txt"),
    ],
)
def test_a_record_names_no_path_of_the_machine(
    words: list[str], command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "inside.txt").touch()
    monkeypatch.chdir(tmp_path)
    words = [word.format(root=environment.ROOT, outside=tmp_path) for word in words]
    monkeypatch.setattr(sys, "argv", ["anything", *words])
    assert environment.typed_command() == command


def test_a_program_of_its_own_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["anything", "run"])
    module = "tools.bundled_models.train_deeplab"
    assert environment.typed_command(module) == f"python -m {module} run"


def test_device_is_the_gpu_or_the_number_of_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "gpu_name", lambda: "Tesla T4")
    assert environment.device_name() == "Tesla T4"
    monkeypatch.setattr(environment, "gpu_name", lambda: None)
    assert environment.device_name() == f"{os.cpu_count()} CPU cores"
