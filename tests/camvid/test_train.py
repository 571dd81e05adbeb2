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
from helpers.camvid.model import Trained, load
from helpers.cli import app
from helpers.cli import train_camvid as train_camvid_module
from helpers.datasets import camvid
from helpers.labels import CAMVID, CAMVID11
from helpers.training.recipe import CURRICULUM
from town import write_town

torch.set_num_threads(1)
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


# --- Frames and views


def test_frames_of_both_codes_have_the_same_targets(town: Path, tmp_path: Path) -> None:
    town11 = write_town(tmp_path / "town11", stems=STEMS, codes=(*CAMVID11.class_names, "Void"))
    a, b = (train.read_frames(camvid.split(f, "none")[0], camvid.label_set(f), size=480)[0] for f in (town, town11))
    assert np.array_equal(a.target, b.target) and a.image.shape == (60, 80, 3)


def test_frames_are_shrunk_with_their_masks(town: Path) -> None:
    frame = train.read_frames(camvid.split(town)[0], CAMVID, size=40)[0]
    assert frame.image.shape == (30, 40, 3) and frame.target.shape == (30, 40)


def test_views_follow_the_clock_and_pictures_size() -> None:
    assert train.curriculum(480, 16)[0].size == CURRICULUM[0].size
    half, full = train.curriculum(240, 16), train.curriculum(480, 16)
    assert [step.size for step in half] == [(80, 112), (112, 160), (160, 224)]
    assert [step.batch for step in full] == [16, 10, 8] and [s.batch for s in train.curriculum(480, 2)] == [2, 2, 2]


def test_views_are_batches_with_camvid_ids(town: Path) -> None:
    frames = train.read_frames(camvid.split(town)[0], CAMVID, size=96)
    views = train.Views(frames, train.curriculum(96, 4))
    assert len(views) == 1  # an epoch: as many views as frames
    (images, targets), *_ = list(views)
    assert images.shape == (4, 3, 32, 48) and images.dtype == torch.uint8
    assert targets.shape == (4, 16, 24) and targets.dtype == torch.int64  # half the resolution
    assert set(targets.unique().tolist()) <= {CAMVID11.index("Building"), CAMVID11.index("Road"), VOID}
    views.progress = 0.99
    *_, (images, _) = views  # the first was drawn ahead
    assert images.shape == (2, 3, 64, 96)
    counts = views.class_counts()
    assert counts.nonzero().flatten().tolist() == [CAMVID11.index("Building"), CAMVID11.index("Road")]


def test_colours_and_classes_stay_together(town: Path) -> None:
    """Stripes of the town are 200, 120 and 60 bright: a view's classes must follow its brightness."""
    frames = train.read_frames(camvid.split(town)[0], CAMVID, size=96)
    views = train.Views(frames, train.curriculum(96, 8))
    for images, targets in views:
        for image, target in zip(images.float().mean(1)[:, ::2, ::2], targets, strict=True):
            building, road = (image[target == CAMVID11.index(name)] for name in ("Building", "Road"))
            assert not (len(building) and len(road)) or building.median() > road.median()


def test_same_seed_same_views(town: Path) -> None:
    frames = train.read_frames(camvid.split(town)[0], CAMVID, size=96)
    a, b, other = (next(iter(train.Views(frames, train.curriculum(96, 2), seed=seed))) for seed in (1, 1, 2))
    assert torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) and not torch.equal(a[0], other[0])


def test_score_ignores_void(town: Path) -> None:
    class Road(torch.nn.Module):
        def forward(self, images):
            road = torch.eye(11)[CAMVID11.index("Road")]
            return road.reshape(1, 11, 1, 1).expand(len(images), 11, *images.shape[2:])

        def parameters(self):
            yield torch.zeros(1)

    matrix = train.score(Trained(Road(), "small", CAMVID11, 80), camvid.split(town)[1], CAMVID)
    assert matrix.pixel_accuracy() == 0.5  # the void third does not count
    assert matrix.mean_iou() == 0.25  # road .5, building 0


# --- The command


def test_command_writes_weights_and_record(town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "run"
    monkeypatch.setattr(sys, "argv", ["helpers", "train", "camvid", "--dir", str(town)])
    done = train_camvid(town, out, "--minutes", "0.1", "--size", "96")
    assert done.exit_code == 0, done.output
    assert "4 pictures to learn from, 2 to validate on" in done.output and "mean IoU" in done.output
    record = json.loads((out / "record.json").read_text())
    assert record["command"] == "python -m helpers train camvid --dir town"
    assert record["minutes"] == pytest.approx(0.1, abs=0.05) and record["steps"] > 1
    assert record["epochs"] == pytest.approx(record["steps"] * 2 / 4)
    assert record["iou"]["Sky"] is None and record["valid_pictures"] == 2
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
    weights = (out / "weights.pt").read_bytes()
    done = train_camvid(town, out, "--minutes", "0.1", "--size", "96")
    assert done.exit_code == 0 and "continued after 0.1 minutes" in done.output, done.output
    assert json.loads((out / "record.json").read_text())["steps"] == record["steps"]
    done = train_camvid(town, out, "--minutes", "0.1", "--size", "128")
    assert done.exit_code == 2 and "other settings" in done.output and "another folder" in done.output
    assert (out / "weights.pt").stat().st_size == len(weights)
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
}  # fmt: skip


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
    monkeypatch.setattr(train_camvid_module, "fetch", {"camvid": town}.get)
    done = CLI.invoke(app, options)
    assert done.exit_code == 2 and "the 4 pictures to train on" in done.output, done.output


def test_size_may_be_height_by_width() -> None:
    longest_side = train_camvid_module.longest_side
    assert [longest_side(text) for text in ("480", "360x480", "720×960")] == [480, 480, 960]
