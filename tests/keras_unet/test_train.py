"""`train keras`, with a tiny budget: trains, records, goes on, refuses."""

import json
import shutil

import keras
import numpy as np
import pytest
from typer.testing import CliRunner

from helpers.cli import app
from helpers.datasets import camvid
from helpers.images import read_image, save_image
from helpers.keras_unet import data, train
from helpers.paths import DATA


@pytest.fixture
def town(tmp_path):
    """Eight practice frames, two of them to validate on, in CamVid's layout."""
    source, folder = DATA / "camvid_practice", tmp_path / "town"
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    train_paths, valid_paths = camvid.split(source)
    for path in [*train_paths[:6], *valid_paths[:2]]:
        shutil.copy(path, folder / "images")
        shutil.copy(camvid.get_y_fn(path), folder / "labels")
    shutil.copy(source / "codes.txt", folder)
    (folder / "valid.txt").write_text("".join(f"{path.name}\n" for path in valid_paths[:2]))
    return folder


def run(*arguments):
    return CliRunner().invoke(app, ["train", "keras", *map(str, arguments)])


@pytest.mark.slow
def test_it_trains_records_and_refuses(town, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(train, "FRAME", (64, 96))
    monkeypatch.setattr(train, "VIEW", (32, 64))
    out = tmp_path / "run"
    arguments = ["--dir", town, "--out", out, "--epochs", "2", "--batch", "3", "--encoder", "mobilenetv2"]
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    record = json.loads((out / "record.json").read_text())
    assert record["steps"] == 4 and record["encoder"] == "mobilenetv2" and record["weights"] is None
    assert 0 <= record["mean_iou"] <= 1 and len(record["losses"]) == 2
    assert keras.models.load_model(out / "weights.keras").output_shape[-1] == 11

    refused = run("--dir", town, "--batch", "64", "--out", tmp_path / "other")
    assert refused.exit_code == 2 and "lower --batch" in refused.output and "Traceback" not in refused.output
    shutil.rmtree(town / "labels")
    assert run("--dir", town, "--out", tmp_path / "other").exit_code == 2


@pytest.mark.slow
def test_a_loss_that_is_not_finite_saves_nothing(town, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(train, "FRAME", (32, 64))
    monkeypatch.setattr(train, "VIEW", (32, 32))

    def broken(model, **options):
        model.compile(loss=lambda target, logits: keras.ops.mean(logits) * np.nan)
        return model

    monkeypatch.setattr(train, "compiled", broken)
    with pytest.raises(ValueError, match="nothing was saved"):
        train.train(tmp_path / "run", data.camvid_source(town), encoder="mobilenetv2", epochs=1, batch=2)
    assert not (tmp_path / "run" / "weights.keras").exists()


def test_a_picture_that_is_not_there_is_named(town) -> None:
    save_image(town / "images" / "extra.png", read_image(next((town / "images").iterdir())))
    assert run("--dir", town).exit_code == 2
