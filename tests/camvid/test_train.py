"""The long training of the CamVid lesson, and its command, on a made-up town."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from helpers.camvid import train
from helpers.camvid.model import CamVidSegmenter, load
from helpers.cli import app
from helpers.cli import train as train_commands
from helpers.datasets import camvid
from helpers.labels import CAMVID, CAMVID11
from town import write_town

pytestmark = pytest.mark.usefixtures("one_thread")
CLI = CliRunner()
STEMS = ("A_1", "A_2", "A_3", "A_4", "B_1", "B_2")
VOID = CAMVID11.ignore_index


@pytest.fixture
def town(tmp_path: Path) -> Path:
    made = write_town(tmp_path / "town", stems=STEMS, codes=CAMVID.class_names)
    (made / "valid.txt").write_text("B_1.png\nB_2.png\n")
    return made


def train_camvid(town: Path, out: Path, *options: str):
    return CLI.invoke(app, ["train", "camvid", "--dir", str(town), "--out", str(out), "--batch", "2", *options])


@pytest.mark.parametrize(("encoder", "pretrained"), [("random", False), ("imagenet", True)])
def test_the_encoder_is_chosen_by_name(encoder: str, pretrained: bool, town: Path, tmp_path: Path, monkeypatch) -> None:
    asked = []

    def note(*arguments, **options):
        asked.append(options["pretrained"])
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "train", note)
    done = train_camvid(town, tmp_path / "run", "--encoder", encoder)
    assert asked == [pretrained] and done.exit_code == 2, done.output


def test_score_ignores_void(town: Path) -> None:
    class Road(torch.nn.Module):
        def forward(self, images):
            road = torch.eye(11)[CAMVID11.index("Road")]
            return road.reshape(1, 11, 1, 1).expand(len(images), 11, *images.shape[2:])

        def parameters(self):
            yield torch.zeros(1)

    matrix = train.score(CamVidSegmenter(Road(), "small", CAMVID11, 80), camvid.split(town)[1], CAMVID)
    assert matrix.pixel_accuracy() == 0.5  # the void third does not count
    assert matrix.mean_iou() == 0.25  # road .5, building 0


# --- The command


def test_command_writes_weights_and_record(town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "run"
    monkeypatch.setattr(sys, "argv", ["helpers", "train", "camvid", "--dir", str(town)])
    done = train_camvid(town, out, "--minutes", "0.05", "--size", "96")
    assert done.exit_code == 0, done.output
    assert "4 pictures to learn from, 2 to validate on" in done.output and "mean IoU" in done.output
    record = json.loads((out / "record.json").read_text())
    assert record["command"] == "python -m helpers train camvid --dir town"
    assert record["steps"] > 1
    assert record["epochs"] == pytest.approx(record["steps"] * 2 / 4)
    assert not record["iou"]["Sky"] and record["valid_pictures"] == 2
    assert record["history"] and 0 <= record["history"][-1]["mean_iou"] <= 1
    # The other commands take the weights.
    scored = tmp_path / "scored.json"
    done = CLI.invoke(
        app, ["evaluate", str(out / "weights.pt"), str(town), "--list", "valid.txt", "--json", str(scored)]
    )
    assert done.exit_code == 0, done.output
    assert json.loads(scored.read_text())["mean_iou"] == record["mean_iou"]
    picture = town / "images" / "B_1.png"
    done = CLI.invoke(app, ["segment", str(picture), "--model", str(out / "weights.pt"), "--out", str(tmp_path / "s")])
    assert done.exit_code == 0, done.output
    mask = np.asarray(Image.open(tmp_path / "s" / "B_1_mask.png"))
    assert np.array_equal(mask, load(out / "weights.pt").predict(np.asarray(Image.open(picture))))
    # The same command again finds the run complete; another setting is refused and leaves it as it is.
    done = train_camvid(town, out, "--minutes", "0.05", "--size", "96")
    assert done.exit_code == 0 and "continued after " in done.output, done.output
    weights = (out / "weights.pt").read_bytes()
    assert json.loads((out / "record.json").read_text())["steps"] == record["steps"]
    done = train_camvid(town, out, "--minutes", "0.05", "--size", "128")
    assert done.exit_code == 2 and "other settings" in done.output and "another folder" in done.output
    assert (out / "weights.pt").read_bytes() == weights
    # Full size goes on from half size.
    done = train_camvid(town, tmp_path / "full", "--minutes", "0.05", "--start", str(out / "weights.pt"))
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "full" / "record.json").read_text())["before"]["epochs"] == record["epochs"]
    done = train_camvid(town, tmp_path / "other", "--arch", "resnet18", "--start", str(out / "weights.pt"))
    assert done.exit_code == 2 and "begin with it by --arch small" in done.output, done.output


def relabel(town: Path, size: tuple[int, int], class_id: int) -> None:
    Image.new("L", size, class_id).save(town / "labels" / "A_2_P.png")


BAD = {
    "unknown id": (lambda town: relabel(town, (80, 60), 77), "A_2_P.png: mask has class 77"),
    "other size": (lambda town: relabel(town, (40, 60), 4), "is 40×60, but its picture is 80×60"),
    "no label": (lambda town: (town / "labels" / "B_2_P.png").unlink(), "B_2.png: has no label"),
    "damaged": (lambda town: (town / "images" / "A_1.png").write_bytes(b"PNG"), "A_1.png: cannot read it as a picture"),
    "empty split": (lambda town: (town / "valid.txt").write_text(""), "valid.txt: it is empty"),
    "names in another order": (
        lambda town: (town / "codes.txt").write_text("\n".join(reversed(CAMVID.class_names))),
        "codes.txt lists",
    ),
    "all is valid": (
        lambda town: (town / "valid.txt").write_text("\n".join(f"{stem}.png" for stem in STEMS)),
        "none is left to train on",
    ),
    "no images": (lambda town: shutil.rmtree(town / "images"), "images: this folder is missing"),
    "other classes": (
        lambda town: (town / "codes.txt").write_text("\n".join(f"c{i}" for i in range(32))),
        "not CamVid's 32 or 11",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_data_is_named_before_training(case: str, town: Path, tmp_path: Path) -> None:
    damage, message = BAD[case]
    damage(town)
    done = train_camvid(town, tmp_path / "run", "--minutes", "9")
    assert done.exit_code == 2 and message in done.output, done.output
    assert "Traceback" not in done.output and not (tmp_path / "run").exists()


WRONG = {
    ("--batch", "5"): "a batch of 5 is larger than the 4 pictures to train on",
    ("--split", "C"): "sequences here: A, B",
    ("--size", "large"): "a number of pixels such as 480",
    ("--size", "20"): "20 pixels are too few",
    ("--minutes", "0"): "0.05",
    ("--arch", "vgg"): "resnet34",
    ("--start", "none.pt"): "none.pt",
    ("--rate", "1"): "'--rate'",
    ("--rate", "nan"): "'--rate'",
    ("--minutes", "inf"): "'--minutes'",
    ("--seed", "-1"): "'--seed'",
}


@pytest.mark.parametrize("options", WRONG, ids=" ".join)
def test_wrong_options_are_named(options: tuple[str, str], town: Path, tmp_path: Path) -> None:
    done = train_camvid(town, tmp_path / "run", *options)
    assert done.exit_code == 2 and WRONG[options] in done.output, done.output
    assert "Traceback" not in done.output


def test_practice_streets_or_camvid(town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CAMVID_DIR", raising=False)
    options = ["train", "camvid", "--batch", "99", "--out", str(tmp_path / "run")]
    done = CLI.invoke(app, options)
    assert done.exit_code == 2 and "the 76 pictures to train on" in done.output, done.output
    monkeypatch.setenv("SEGMENTATION_TIER", "full")
    monkeypatch.setattr(train_commands, "fetch", {"camvid": town}.get)
    done = CLI.invoke(app, options)
    assert done.exit_code == 2 and "the 4 pictures to train on" in done.output, done.output


def test_stopped_and_diverged_runs_end_in_one_line(town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(train.loop, "train", stop)
    done = train_camvid(town, tmp_path / "run")
    assert done.exit_code == 2 and "stopped before the first checkpoint" in done.output
    (tmp_path / "run" / "checkpoint.pt").write_bytes(b"")
    done = train_camvid(town, tmp_path / "run")
    assert done.exit_code == 2 and "goes on from" in done.output and "checkpoint.pt" in done.output
    assert not (tmp_path / "run" / "weights.pt").exists()


def test_size_may_be_height_by_width() -> None:
    longest_side = train_commands.longest_side
    assert [longest_side(text) for text in ("480", "360x480", "720×960")] == [480, 480, 960]
