"""The commands that train the bundled networks, on a made-up town."""

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from helpers import environment
from helpers.labels import CAMVID11
from helpers.networks.deeplab import DeepLabV3Plus
from helpers.training.checkpoints import save_checkpoint
from tools.bundled_models import command, train_deeplab, train_fcn
from town import SMALL, write_town

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(command, "CURRICULUM", (SMALL,))
    return write_town(tmp_path / "town", stems=("A_1", "A_2", "B_1"), codes=CAMVID11.class_names + ("Void",))


@pytest.mark.parametrize("module", [train_deeplab, train_fcn])
def test_record_names_command_and_device(module, town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, name = tmp_path / "run", module.__name__
    options = [str(run), "--dir", str(town), "--minutes", "0.01", "--leave-out", "B"]
    monkeypatch.setattr(sys, "argv", ["train.py", *options])
    result = CliRunner().invoke(module.app, options)
    assert result.exit_code == 0, result.output
    record = json.loads((run / "record.json").read_text())
    assert record["command"] == f"python -m {name} run --dir town --minutes 0.01 --leave-out B"
    assert record["device"] == environment.device_name() and record["steps"] > 0
    assert 0 <= record["figures"]["pixel_accuracy"] <= 1
    weights = {train_deeplab: "weights.pt", train_fcn: "fcn_street.pt"}[module]
    written = sorted(path.name for path in run.iterdir() if not path.name.startswith("."))
    assert written == sorted(["checkpoint.pt", "record.json", weights])

    # Another run may begin with these weights.
    options = [str(tmp_path / "other"), "--dir", str(town), "--minutes", "0.001", "--start", str(run / "checkpoint.pt")]
    result = CliRunner().invoke(module.app, options)
    assert result.exit_code == 0, result.output


def test_the_encoder_learns_slowly_and_its_first_stages_not_at_all() -> None:
    network = DeepLabV3Plus()
    groups = command.parameter_groups(network, network.encoder, scale=0.5)
    rates = {id(p): (group["scale"], group["weight_decay"]) for group in groups for p in group["params"]}
    assert rates[id(network.classifier.weight)] == (1.0, 0.03)
    assert rates[id(network.classifier.bias)] == (1.0, 0.0)
    assert rates[id(network.encoder.stages[3][0].expand.conv.weight)] == (0.5, 0.03)
    assert id(network.encoder.stem.conv.weight) not in rates
    assert id(network.encoder.stages[1][0].expand.conv.weight) not in rates


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--leave-out", "C"], "A, B"),
        (["--practice", "nowhere"], "nowhere"),
        (["--start", "nothing.pt"], "nothing.pt"),
        (["--start", "other.pt"], "other.pt holds no averaged weights"),
        (["--rate", "3"], "0.1"),
        (["--dir", "nowhere"], "nowhere"),
    ],
)
def test_wrong_options_are_named(options: list[str], message: str, town: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_checkpoint("other.pt", {"average": {"weights": 1}})
    result = CliRunner().invoke(train_deeplab.app, ["run", "--dir", str(town), *options], env={"COLUMNS": "200"})
    assert result.exit_code == 2 and message in " ".join(result.output.split()), result.output
    assert "Traceback" not in result.output and not (tmp_path / "run").exists()
