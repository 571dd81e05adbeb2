"""The steel lesson's training: crops, loss, network, a few steps of learning, the commands, cracks."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from helpers import rle, severstal
from helpers.cli import app
from helpers.datasets.pairing import DatasetError
from helpers.severstal import cracks, model, train
from helpers.training import losses

CLI = CliRunner()
pytestmark = pytest.mark.usefixtures("one_thread")


class Spot:
    """A sheet of 32 × 64 whose defect of class 1 is simply bright."""

    runs = ""

    def __init__(self, seed: int, *, clean: bool = False, path: Path | None = None):
        self.path = path
        rng = np.random.default_rng(seed)
        self.x, self.clean = int(rng.integers(0, 48)), clean
        self.noise = rng.integers(60, 110, (32, 64, 1)).astype(np.uint8)
        self.pattern = "" if clean else "1"

    def targets(self) -> np.ndarray:
        targets = np.zeros((2, 32, 64), bool)
        targets[0, 8:24, self.x : self.x + 16] = not self.clean
        return targets

    def image(self) -> np.ndarray:
        return np.where(self.targets()[0, :, :, None], 230, self.noise).astype(np.uint8)


class Stopping(train.Crops):
    """Crops that end after two batches, as a kill would."""

    def __init__(self, crops: train.Crops):
        vars(self).update(vars(crops), left=3)

    def batch(self, size, rng):
        self.left -= 1
        if not self.left:
            raise ValueError("not of these steps")
        return super().batch(size, rng)


# --- Crops


def test_picture_and_mask_move_together():
    crops = train.Crops([Spot(0), Spot(1)], width=32, scale=0.5)
    rng = np.random.default_rng(0)
    for i in range(24):
        image, targets = crops.crop(i % 2, rng)
        assert image.shape == (1, 16, 16) and image.dtype == torch.float32
        assert targets.shape == (2, 16, 16) and set(targets.unique().tolist()) <= {0.0, 1.0}
        # Wherever it was flipped to, the bright spot is what the mask marks.
        inside, outside = image[0][targets[0] == 1], image[0][targets[0] == 0]
        assert not len(inside) or inside.mean() > outside.mean() + 1


def test_crops_favour_defects_and_reach_everything():
    targets = np.zeros((4, 8, 100), bool)
    targets[0, 3, 40:42] = targets[3, :, 90:] = True
    rng = np.random.default_rng(0)
    starts = [train.crop_start(targets, 20, favour=1.0, rng=rng) for _ in range(300)]
    assert all(targets[:, :, x : x + 20].any() for x in starts) and max(starts) <= 80
    small = sum(targets[0, :, x : x + 20].any() for x in starts)
    assert 90 < small < 210  # as often as the large defect
    anywhere = [train.crop_start(targets, 20, favour=0.0, rng=rng) for _ in range(2000)]
    assert set(anywhere) == set(range(81))
    clean = [train.crop_start(targets & False, 20, favour=1.0, rng=rng) for _ in range(300)]
    assert max(clean) > 60 and min(clean) < 20


def test_rare_patterns_come_up_more_often_and_batches_follow_the_seed():
    crops = train.Crops([Spot(0, clean=True)] * 9 + [Spot(1)], width=32, scale=0.5)
    assert crops.shares[-1] == pytest.approx(3 * crops.shares[0])
    a, b, other = (crops.batch(3, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert a[0].shape == (3, 1, 16, 16) and a[1].shape == (3, 2, 16, 16)
    assert torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) and not torch.equal(a[0], other[0])


def test_crops_that_cannot_be():
    with pytest.raises(ValueError, match="no picture to train on"):
        train.Crops([])
    with pytest.raises(ValueError, match="a crop of 100 pixels is wider than the pictures, which have 64"):
        train.Crops([Spot(0)], width=100)


# --- Loss and network


def test_loss_by_hand():
    target = torch.zeros(1, 1, 2, 2)
    target[0, 0, 0] = 1
    logits = torch.zeros(1, 1, 2, 2)  # probability 0.5 everywhere
    assert losses.soft_dice(logits, target).item() == pytest.approx((2 * 1 + 1) / (2 + 2 + 1))
    assert losses.bce_dice_loss(logits, target, bce_share=1).item() == pytest.approx(np.log(2), abs=1e-6)
    assert losses.bce_dice_loss(logits, target).item() == pytest.approx(0.6 * np.log(2) + 0.4 * 0.4, abs=1e-6)
    sure = (2 * target - 1) * 30
    assert losses.bce_dice_loss(sure, target).item() == pytest.approx(0, abs=1e-4)
    assert losses.soft_dice(sure - 60, target * 0).item() == pytest.approx(1)  # empty against empty


def test_a_class_without_defects_costs_nothing_when_not_predicted():
    target = torch.zeros(2, 3, 8, 8)
    target[:, 0, :4] = 1
    logits = (2 * target - 1) * 30
    assert losses.bce_dice_loss(logits, target).item() < 1e-4
    false_alarm = logits.clone()
    false_alarm[:, 2, 0, 0] = 30
    assert losses.bce_dice_loss(false_alarm, target) > losses.bce_dice_loss(logits, target) + 0.02


@pytest.mark.parametrize("size", [(32, 64), (37, 101)])
def test_network_keeps_the_size(size):
    net = model.UNet(4).eval()
    logits = net(torch.zeros(1, 1, *size))
    assert logits.shape == (1, 4, *size)
    assert logits.sigmoid().mean() < 0.3  # starts from "probably no defect"


def test_a_few_steps_learn_the_bright_spot(tmp_path):
    sheets = [Spot(i, clean=i % 3 == 0) for i in range(12)]
    run = train.train(train.Crops(sheets, width=48, scale=1.0), steps=40, batch=6, seed=1)
    assert np.mean(run.losses[-5:]) < 0.5 * run.losses[0]
    fresh = [Spot(i, clean=i % 3 == 0) for i in range(100, 112)]
    areas = severstal.measure(train.predictions(run, fresh)).at(0)
    assert areas.mean_defect_dice() > 0.8 and areas.mean_recall() == 1
    # Without test-time augmentation it is one view instead of four, of the same size and range.
    once, four = (train.predict(run, fresh[1].image(), tta=tta) for tta in (False, True))
    assert once.shape == four.shape == (2, 32, 64) and once.dtype == np.float32
    flipped = train.predict(run, fresh[1].image()[::-1, ::-1].copy())[:, ::-1, ::-1]
    assert np.allclose(flipped, four, atol=1e-5) and not np.allclose(once, four, atol=1e-5)
    ids = run.predict(fresh[1].image())
    assert ids.shape == (32, 64) and (ids == 1).sum() > 100 and run.labels.num_classes == 3
    run.save(tmp_path / "weights.pt")
    again = train.load(tmp_path / "weights.pt")
    assert np.allclose(train.predict(again, fresh[1].image()), train.predict(run, fresh[1].image()), atol=1e-5)
    (tmp_path / "other.pt").write_bytes(b"no weights")
    with pytest.raises(ValueError, match="other.pt is not a checkpoint"):
        train.load(tmp_path / "other.pt")


def test_a_killed_training_goes_on_to_the_same_end(tmp_path):
    sheets = [Spot(i, path=tmp_path / f"{i}.png") for i in range(4)]
    for sheet in sheets:
        sheet.path.touch()
    crops = train.Crops(sheets, width=48, scale=1.0)
    whole = train.train(crops, steps=4, batch=2)
    with pytest.raises(ValueError, match="not of these steps"):
        train.train(Stopping(crops), steps=4, batch=2, folder=tmp_path / "run", save_every=0)
    again = train.train(crops, steps=4, batch=2, folder=tmp_path / "run")
    assert again.losses == whole.losses
    with pytest.raises(ValueError, match="other data"):
        train.train(train.Crops(sheets[:3], width=48, scale=1.0), steps=4, batch=2, folder=tmp_path / "run")


# --- CrackForest


def photos(folder: Path, count: int = 3) -> Path:
    for name in ("JPEGImages", "Annotations"):
        (folder / name).mkdir(parents=True)
    rng = np.random.default_rng(0)
    lines = []
    for i in range(count):
        mask = np.zeros((48, 64), np.uint8)
        mask[20:24] = 1
        mask[:4] = 2  # between cracks
        image = np.where(mask == 1, 20, rng.integers(120, 160, mask.shape)).astype(np.uint8)
        Image.fromarray(image).save(folder / "JPEGImages" / f"{i}.jpg")
        Image.fromarray(mask).save(folder / "Annotations" / f"{i}.png")
        lines.append(f"JPEGImages/{i}.jpg Annotations/{i}.png")
    (folder / "train_list.txt").write_text("\n".join(lines[:-1]) + "\n")
    (folder / "val_list.txt").write_text(lines[-1] + "\n")
    return folder


def test_cracks_are_class_one_only(tmp_path):
    (photo,) = cracks.read_photos(photos(tmp_path), "val_list.txt")
    targets = photo.targets()
    assert targets.shape == (1, 48, 64) and np.flatnonzero(targets[0].any(axis=1)).tolist() == [20, 21, 22, 23]
    assert rle.encode(targets[0]) == photo.runs and photo.image().shape == (48, 64, 1)


def test_what_is_wrong_with_a_list_of_photos(tmp_path):
    with pytest.raises(DatasetError, match="has no list val_list.txt"):
        cracks.read_photos(tmp_path / "nowhere", "val_list.txt")
    folder = photos(tmp_path / "set")
    (folder / "bad.txt").write_text("JPEGImages/0.jpg\nJPEGImages/9.jpg Annotations/0.png\n")
    with pytest.raises(DatasetError) as refusal:
        cracks.read_photos(folder, "bad.txt")
    first, second = str(refusal.value).splitlines()
    assert first.startswith("bad.txt, line 1") and second.startswith("bad.txt, line 2") and "9.jpg" in second


def test_f1_is_of_all_crack_pixels_together():
    areas = severstal.Areas(np.array([[10], [30]]), np.array([[10], [10]]), np.array([[0], [10]]))
    assert cracks.crack_f1(areas) == pytest.approx(2 * 10 / 60)


# --- Commands


def test_train_cracks_writes_weights_and_a_record(tmp_path, monkeypatch):
    folder = photos(tmp_path / "set")
    arguments = [
        "train",
        "cracks",
        str(folder),
        "--out",
        str(tmp_path / "run"),
        "--steps",
        "2",
        "--batch",
        "2",
        "--width",
        "32",
    ]
    monkeypatch.setattr(sys, "argv", ["helpers", *arguments])
    result = CLI.invoke(app, arguments)
    assert result.exit_code == 0, result.output
    record = json.loads((tmp_path / "run" / "record.json").read_text())
    assert record["command"].startswith("python -m helpers train cracks set") and str(tmp_path) not in record["command"]
    assert record["epochs"] == 2 and record["crack_f1_of_predicting_nothing"] == 0 <= record["crack_f1"] <= 1
    assert train.load(tmp_path / "run" / "weights.pt").scale == 1.0


def test_train_steel_lists_all_problems_and_writes_nothing(tmp_path):
    (tmp_path / "train_images").mkdir()
    (tmp_path / "train_images" / "a.jpg").write_bytes(b"no picture")
    (tmp_path / "train.csv").write_text("ImageId,ClassId,EncodedPixels\nb.jpg,1,1 3\nb.jpg,7,1 3\n")
    result = CLI.invoke(app, ["train", "steel", str(tmp_path), "--out", str(tmp_path / "run")])
    assert result.exit_code == 2 and not (tmp_path / "run").exists()
    for part in ("3 problems", "a.jpg: cannot read", "line 2 names b.jpg", "line 3 (b.jpg, class 7)"):
        assert part in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_sheets_are_said_before_the_training(tmp_path, count):
    (tmp_path / "train_images").mkdir()
    for i in range(count):
        Image.new("L", (1600, 256)).save(tmp_path / "train_images" / f"{i}.png")
    (tmp_path / "train.csv").write_text("ImageId,ClassId,EncodedPixels\n")
    result = CLI.invoke(app, ["train", "steel", str(tmp_path), "--out", str(tmp_path / "run")])
    assert result.exit_code == 2 and f"has {count} sheets: too few" in result.output
    assert not (tmp_path / "run" / "weights.pt").exists()


@pytest.mark.parametrize("command", ["steel", "cracks"])
def test_no_folder_no_traceback(tmp_path, command):
    result = CLI.invoke(app, ["train", command, str(tmp_path / "nowhere"), "--out", str(tmp_path / "run")])
    assert result.exit_code == 2 and "error: " in result.output and not (tmp_path / "run").exists()


def test_check_dataset_knows_the_layout(tmp_path):
    result = CLI.invoke(app, ["check-dataset", str(tmp_path), "--layout", "severstal"])
    assert result.exit_code == 2 and "train_images: this folder is missing" in result.output


# --- The competition's files


def test_competition_folder(tmp_path, monkeypatch):
    class Kagglehub:
        @staticmethod
        def competition_download(name):
            assert name == "severstal-steel-defect-detection"
            return str(tmp_path / "downloaded")

    monkeypatch.delenv("SEVERSTAL_DIR", raising=False)
    monkeypatch.setattr("helpers.severstal.data.find_spec", lambda name: None)
    with pytest.raises(severstal.AssetError, match="Kaggle account that has accepted the rules"):
        severstal.competition_folder()
    monkeypatch.setattr("helpers.severstal.data.find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "kagglehub", Kagglehub)
    assert severstal.competition_folder() == tmp_path / "downloaded"
    monkeypatch.setattr(Kagglehub, "competition_download", lambda name: 1 / 0)
    with pytest.raises(severstal.AssetError, match="kagglehub could not download .* division by zero"):
        severstal.competition_folder()
    (tmp_path / "mine").mkdir()
    monkeypatch.setenv("SEVERSTAL_DIR", str(tmp_path / "mine"))
    assert severstal.competition_folder() == tmp_path / "mine"
