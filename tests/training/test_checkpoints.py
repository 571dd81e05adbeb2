"""Checkpoints stay whole, name what is wrong with them, and run no code."""

from pathlib import Path

import pytest
import torch

from helpers.camvid import model as camvid
from helpers.road_surface import model as road_surface
from helpers.severstal import train as severstal
from helpers.training import checkpoints
from helpers.training.checkpoints import fill, load_checkpoint, save_checkpoint


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


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, {"weights": torch.zeros(1000)})
    data = bytearray(path.read_bytes())
    data[data.index(bytes(2000)) + 999] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"checkpoint\.pt is damaged: the checksum of its part .*data/0 is wrong"):
        load_checkpoint(path)


def test_only_a_dictionary_is_a_checkpoint(tmp_path: Path) -> None:
    torch.save([torch.zeros(3)], tmp_path / "list.pt")
    with pytest.raises(ValueError, match=r"list\.pt is not a checkpoint of this package \(it holds a list\)"):
        load_checkpoint(tmp_path / "list.pt")


def test_weights_have_to_fit_and_to_be_numbers() -> None:
    network = torch.nn.Linear(2, 1)
    fill(network, {"weight": torch.ones(1, 2), "bias": torch.zeros(1)}, "w.pt")
    assert network(torch.ones(1, 2)).item() == 2
    for weights in ({}, {"weight": torch.ones(3, 2), "bias": torch.zeros(1)}, {"weight": 1, "bias": 2}, [], None):
        with pytest.raises(ValueError, match=r"^w\.pt isn't as this version writes it") as error:
            fill(network, weights, "w.pt")
        assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match="w.pt holds weights that are no numbers, bias for one"):
        fill(network, {"weight": torch.ones(1, 2), "bias": torch.tensor([torch.nan])}, "w.pt")


LESSONS = {"camvid": camvid, "road_surface": road_surface, "severstal": severstal}


@pytest.mark.parametrize("room", LESSONS)
@pytest.mark.parametrize("parts", [{}, {"weights": {}, "network": {}}, {"arch": 3, "labels": [], "encoder": None}])
def test_weights_of_another_version_are_named(tmp_path: Path, room: str, parts: dict) -> None:
    save_checkpoint(tmp_path / "w.pt", {"lesson": LESSONS[room].LESSON, "size": 64, "scale": 0.5, **parts})
    with pytest.raises(ValueError, match="w.pt isn't as this version writes it|unknown arch"):
        LESSONS[room].load(tmp_path / "w.pt")
