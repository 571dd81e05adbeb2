"""Checkpoints stay whole, averages are what they should be, the learning rate ends at zero."""

from pathlib import Path

import pytest
import torch
from torch import nn

from helpers.training import checkpoints
from helpers.training.checkpoints import AveragedWeights, load_checkpoint, save_checkpoint, warmup_cosine


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


def test_average_follows_the_network() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 0.0)
    average = AveragedWeights(network, decay=0.9)
    average.steps = 10_000  # past the first steps, in which the average follows faster
    nn.init.constant_(network.weight, 1.0)
    for expected in (0.1, 0.19, 0.271):
        average.update(network)
        assert average.network.weight.item() == pytest.approx(expected, rel=1e-5)
    assert network.weight.item() == 1.0
    assert not average.network.weight.requires_grad


def test_average_takes_statistics_along() -> None:
    network = nn.BatchNorm1d(2)
    average = AveragedWeights(network, decay=0.5)
    average.steps = 10_000
    network.running_mean.fill_(4.0)
    average.update(network)
    assert average.network.running_mean.tolist() == [2.0, 2.0]


def test_rate_rises_and_ends_at_zero() -> None:
    values = [warmup_cosine(i / 100, warmup=0.1) for i in range(101)]
    assert values[0] == 0 and values[10] == 1 and values[100] == pytest.approx(0, abs=1e-12)
    assert values[:11] == sorted(values[:11])
    assert values[10:] == sorted(values[10:], reverse=True)
    assert values[55] == pytest.approx(0.5)
    assert warmup_cosine(1.7) == pytest.approx(0, abs=1e-12)  # later than planned, never a negative rate
