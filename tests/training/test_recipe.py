"""Training for a given time, and the commands that do it, on a made-up town."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from helpers import environment
from helpers.labels import CAMVID11
from helpers.training import recipe
from helpers.training.checkpoints import load_checkpoint, save_checkpoint
from helpers.training.deeplab_network import DeepLabV3Plus, folded_weights
from helpers.training.street_samples import Pool, read_frames
from tools.bundled_models import train_deeplab, train_fcn
from town import SMALL, write_town

torch.set_num_threads(1)  # the frames are too small to share


@pytest.fixture
def town(tmp_path: Path) -> Path:
    return write_town(tmp_path / "town", stems=("A_1", "A_2", "B_1"), codes=CAMVID11.class_names + ("Void",))


def test_training_continues_after_a_stop(town: Path, tmp_path: Path) -> None:
    pools = [(Pool(read_frames(town)), 1.0)]
    loss, run = train_deeplab.street_loss(pools), tmp_path / "run"

    def train(minutes: float) -> tuple[torch.nn.Module, dict]:
        return recipe.train(run, DeepLabV3Plus(), pools, loss, minutes=minutes, curriculum=(SMALL,),
                            measure=lambda network: {"mean_iou": float(network.training)})  # fmt: skip

    average, first = train(2 / 60)
    state = load_checkpoint(run / "checkpoint.pt")
    assert state["record"]["steps"] == first["steps"] > 0
    assert first["figures"] == {"mean_iou": 0.0}  # measured in evaluation mode
    for name, value in average.state_dict().items():
        assert value.equal(state["average"][name]), name

    _, second = train(4 / 60)
    assert second["steps"] > first["steps"]
    assert second["seconds"] >= 4 > first["seconds"]
    assert second["history"][0] == first["history"][0]

    # Time is up: a third start changes nothing but is no error.
    average, third = train(4 / 60)
    assert third["steps"] == second["steps"]
    assert average.classifier.bias.equal(load_checkpoint(run / "checkpoint.pt")["average"]["classifier.bias"])


def test_a_step_uses_the_mean_of_the_workers_gradients(town: Path) -> None:
    network = torch.nn.Linear(1, 1)
    pools = [(Pool(read_frames(town)), 1.0)]
    crew = [
        recipe.Worker(network, pools, lambda net, images, targets: net.weight.sum() * 3, device=torch.device("cpu"),
                      seed=seed)
        for seed in (0, 1)
    ]  # fmt: skip
    assert float(crew[0].gradients(SMALL).detach()) == float(network.weight.detach() * 3)
    with torch.no_grad():
        network.weight.fill_(7.0)  # the workers see the shared weights change
    assert float(crew[1].gradients(SMALL)) == 21.0
    assert float(crew[1].network.weight.grad) == 3.0
    assert network.weight.grad is None


@pytest.mark.parametrize("module", [train_deeplab, train_fcn])
def test_record_names_command_and_device(module, town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe.train, "__kwdefaults__", recipe.train.__kwdefaults__ | {"curriculum": (SMALL,)})
    run, name = tmp_path / "run", module.__name__
    options = [str(run), "--dir", str(town), "--minutes", "0.01", "--workers", "1", "--leave-out", "B"]
    monkeypatch.setattr(sys, "argv", ["train.py", *options])
    result = CliRunner().invoke(module.app, options)
    assert result.exit_code == 0, result.output
    record = json.loads((run / "record.json").read_text())
    assert record["command"] == f"python -m {name} run --dir town --minutes 0.01 --workers 1 --leave-out B"
    assert record["device"] == environment.device_name() and record["steps"] > 0
    assert 0 <= record["figures"]["pixel_accuracy"] <= 1
    weights = {train_deeplab: "weights.npz", train_fcn: "fcn_street.pt"}[module]
    assert sorted(path.name for path in run.iterdir()) == sorted(["checkpoint.pt", "record.json", weights])

    # Another run may begin with these weights.
    options = [str(tmp_path / "other"), "--dir", str(town), "--minutes", "0.001", "--start", str(run / "checkpoint.pt")]
    result = CliRunner().invoke(module.app, options)
    assert result.exit_code == 0, result.output


def test_deeplab_weights_can_be_frozen(town: Path, tmp_path: Path) -> None:
    train_deeplab.export(DeepLabV3Plus().eval(), tmp_path / "weights.npz")
    with np.load(tmp_path / "weights.npz") as weights:
        assert set(weights) == set(folded_weights(DeepLabV3Plus()))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--leave-out", "C"], "A, B"),
        (["--practice", "nowhere"], "nowhere"),
        (["--start", "nothing.pt"], "nothing.pt"),
        (["--minutes", "0"], "Invalid value for '--minutes'"),
        (["--workers", "0"], "Invalid value for '--workers'"),
    ],
)
def test_wrong_options_are_one_clear_error(town: Path, tmp_path: Path, options: list[str], message: str) -> None:
    run = tmp_path / "run"
    result = CliRunner().invoke(train_deeplab.app, [str(run), "--dir", str(town), "--minutes", "0.01", *options])
    assert result.exit_code == 2
    assert message in result.output
    assert isinstance(result.exception, SystemExit)
    assert not (run / "weights.npz").exists()


@pytest.mark.parametrize("state", [{"average": {"weight": torch.zeros(3)}}, {"weight": torch.zeros(3)}])
def test_checkpoints_of_other_networks_are_one_clear_error(town: Path, tmp_path: Path, state: dict) -> None:
    other = tmp_path / "other" / "checkpoint.pt"
    save_checkpoint(other, state)
    content = other.read_bytes()
    for run, options, message in (
        ("new", ["--start", str(other)], "no averaged weights that fit tools.bundled_models.train_deeplab"),
        ("other", [], "is not of this training"),
    ):
        result = CliRunner().invoke(train_deeplab.app, [str(tmp_path / run), "--dir", str(town), *options])
        assert result.exit_code == 2 and isinstance(result.exception, SystemExit)
        assert message in " ".join(result.output.replace("│", " ").split())
    assert other.read_bytes() == content
