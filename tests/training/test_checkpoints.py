"""Checkpoints stay whole, name what is wrong with them, and run no code."""

from pathlib import Path

import pytest
import torch

from helpers.training import checkpoints
from helpers.training.checkpoints import load_checkpoint, save_checkpoint


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "run" / "checkpoint.pt"
    save_checkpoint(path, {"weights": torch.arange(3), "record": {"steps": 7, "history": [[1, 0.5]]}})
    state = load_checkpoint(path)
    assert state["record"] == {"steps": 7, "history": [[1, 0.5]]}
    torch.testing.assert_close(state["weights"], torch.arange(3))


def test_interrupted_save_keeps_the_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, {"steps": 1})

    def half_a_save(state: dict, part: Path) -> None:
        part.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints.torch, "save", half_a_save)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(path, {"steps": 2})
    assert load_checkpoint(path) == {"steps": 1}


def test_a_full_disk_is_named_and_the_last_checkpoint_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, {"steps": 1})

    def full(state: dict, part: Path) -> None:
        part.write_bytes(b"half")
        raise RuntimeError("[enforce fail at inline_container.cc:626] . unexpected pos 64 vs 0")

    monkeypatch.setattr(checkpoints.torch, "save", full)
    with pytest.raises(OSError, match=r"checkpoint\.pt can't be written; is the disk full"):
        save_checkpoint(path, {"steps": 2})
    assert load_checkpoint(path) == {"steps": 1} and list(tmp_path.iterdir()) == [path]


def test_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, {"weights": torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"checkpoint\.pt is not a checkpoint"):
        load_checkpoint(path)
    with pytest.raises(FileNotFoundError):
        load_checkpoint(tmp_path / "missing.pt")


def test_code_in_a_checkpoint_does_not_run(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple:
            return (Path.touch, (tmp_path / "exploded",))

    torch.save({"weights": Bomb()}, tmp_path / "checkpoint.pt")
    with pytest.raises(ValueError, match="not a checkpoint"):
        load_checkpoint(tmp_path / "checkpoint.pt")
    assert not (tmp_path / "exploded").exists()
