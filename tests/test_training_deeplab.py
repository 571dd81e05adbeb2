"""The recipe of the bundled DeepLab on a made-up town of a few small frames."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from helpers import environment
from helpers.labels import CAMVID, CAMVID11, CITYSCAPES
from helpers.training import deeplab, deeplab_data
from helpers.training.checkpoints import load_checkpoint
from helpers.training.deeplab_network import DeepLabV3Plus, folded_weights, from_folded_weights

torch.set_num_threads(1)  # the frames are too small to share
SMALL = deeplab_data.Step(1.0, (48, 64), 2, (0.5, 1.0))


def write_town(folder: Path, *, stems: tuple[str, ...], codes: tuple[str, ...], fine: bool = False) -> Path:
    """Frames with sky (or void), building and road in stripes."""
    for name in ("images", "labels", "cityscapes"):
        (folder / name).mkdir(parents=True)
    (folder / "codes.txt").write_text("\n".join(codes))
    stripes = [codes.index(name) for name in ("Void", "Building", "Road")]
    for number, stem in enumerate(stems):
        rng = np.random.default_rng(number)
        image = np.repeat(np.array([200, 120, 60], np.uint8), 20)[:, None, None].repeat(80, 1).repeat(3, 2)
        image = image + rng.integers(0, 30, image.shape, np.uint8)
        Image.fromarray(image).save(folder / "images" / f"{stem}.png")
        mask = np.repeat(np.array(stripes, np.uint8), 20)[:, None].repeat(80, 1)
        Image.fromarray(mask).save(folder / "labels" / f"{stem}_P.png")
        if fine:
            mask = np.repeat(np.array([10, 3, 0], np.uint8), 20)[:, None].repeat(80, 1)  # sky, wall, road
            Image.fromarray(mask).save(folder / "cityscapes" / f"{stem}.png")
    return folder


@pytest.fixture
def town(tmp_path: Path) -> Path:
    return write_town(tmp_path / "town", stems=("A_1", "A_2", "B_1"), codes=CAMVID11.class_names + ("Void",))


def test_targets_of_both_camvids_are_merged_labels(town: Path, tmp_path: Path) -> None:
    town32 = write_town(tmp_path / "town32", stems=("A_1",), codes=CAMVID.class_names)
    for folder in (town, town32):
        target = deeplab_data.read_frames(folder)[0].target
        assert [int(target[row, 0]) for row in (0, 30, 59)] == [255, 19 + 1, 19 + 3]


def test_cityscapes_ids_come_first(tmp_path: Path) -> None:
    folder = write_town(tmp_path / "practice", stems=("T_1",), codes=CAMVID.class_names, fine=True)
    target = deeplab_data.read_frames(folder)[0].target
    assert [int(target[row, 0]) for row in (0, 30, 59)] == [10, 3, 0]


def test_large_frames_are_shrunk(town: Path) -> None:
    for name, method in (("images/A_1.png", Image.BILINEAR), ("labels/A_1_P.png", Image.NEAREST)):
        Image.open(town / name).resize((960, 720), method).save(town / name)
    large, small, _ = deeplab_data.read_frames(town)
    assert large.image.shape == (360, 480, 3) and large.target.shape == (360, 480)
    assert small.image.shape == (60, 80, 3)
    assert set(np.unique(large.target)) == set(np.unique(small.target))


def test_valid_frames_can_be_held_back(town: Path) -> None:
    (town / "valid.txt").write_text("A_2.png\n")
    assert [frame.stem for frame in deeplab_data.read_frames(town)] == ["A_1", "A_2", "B_1"]
    assert [frame.stem for frame in deeplab_data.read_frames(town, valid=False)] == ["A_1", "B_1"]


def test_folder_that_is_no_camvid_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="images"):
        deeplab_data.read_frames(tmp_path)
    folder = write_town(tmp_path / "town", stems=("A_1",), codes=("Void", "Building", "Road"))
    with pytest.raises(ValueError, match="3 classes"):
        deeplab_data.read_frames(folder)


def test_merged_labels_hold_the_classes_that_fold_to_them() -> None:
    members = deeplab_data.target_members()
    assert members.shape == (30, 19)
    assert members[:19].equal(torch.eye(19, dtype=torch.bool))
    names = {
        label: {CITYSCAPES.class_names[i] for i in members[19 + CAMVID11.index(label)].nonzero().flatten()}
        for label in ("Building", "SignSymbol", "Car", "Bicyclist", "Sky")
    }
    assert names == {
        "Building": {"building", "wall"},
        "SignSymbol": {"traffic light", "traffic sign"},
        "Car": {"car", "truck", "bus", "train"},
        "Bicyclist": {"rider", "bicycle", "motorcycle"},
        "Sky": {"sky"},
    }
    assert (members[19:].sum(0) == 1).all()  # each class folds to exactly one label


def test_views_come_from_the_pools_in_their_shares(town: Path, tmp_path: Path) -> None:
    practice = write_town(tmp_path / "practice", stems=("T_1",), codes=CAMVID.class_names, fine=True)
    pools = [(deeplab_data.Pool(deeplab_data.read_frames(town)), 0.0)]
    pools += [(deeplab_data.Pool(deeplab_data.read_frames(practice)), 1.0)]
    images, targets = deeplab_data.draw_batch(pools, SMALL, np.random.default_rng(0))
    assert images.shape == (2, 48, 64, 3) and images.dtype == np.uint8
    assert targets.shape == (2, 48, 64)
    assert set(np.unique(targets)) <= {0, 3, 10, 255}
    weights = deeplab_data.target_weights(pools)
    assert (weights > 0).nonzero().flatten().tolist() == [0, 3, 10, 20, 22]


def test_score_of_a_network_that_says_road_everywhere(town: Path) -> None:
    class Road(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.eye(19)[0].reshape(1, 19, 1, 1).expand(1, 19, *images.shape[2:])

    matrix = deeplab.score(Road(), deeplab_data.read_frames(town), torch.device("cpu"))
    result = deeplab.figures(matrix)
    assert result["pixel_accuracy"] == 0.5  # the void third does not count
    assert result["iou"]["Road"] == 0.5 and result["iou"]["Building"] == 0
    assert result["mean_iou"] == 0.25


def test_network_takes_any_size_and_ignores_exposure() -> None:
    torch.manual_seed(0)
    network = DeepLabV3Plus().eval()
    image = torch.randint(40, 90, (1, 3, 33, 50), dtype=torch.uint8)
    with torch.inference_mode():
        logits = network(image)
        brighter = network(image * 2)
        assert network(image[..., :1, :1]).shape == (1, 19, 1, 1)
    assert logits.shape == (1, 19, 33, 50)
    torch.testing.assert_close(logits, brighter, atol=0.02, rtol=0)


def test_folded_weights_are_half_precision_and_read_back() -> None:
    network = DeepLabV3Plus().eval()
    weights = folded_weights(network)
    assert all(value.dtype == np.float16 for value in weights.values())
    again = folded_weights(from_folded_weights(weights))
    assert weights.keys() == again.keys()
    for name, value in weights.items():
        np.testing.assert_array_equal(value, again[name])


def test_training_continues_after_a_stop(town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deeplab, "CURRICULUM", (SMALL,))
    frames = deeplab_data.read_frames(town)
    pools = [(deeplab_data.Pool([f for f in frames if f.drive == "A"]), 1.0)]
    left_out = [f for f in frames if f.drive == "B"]
    run = tmp_path / "run"
    first = deeplab.train(run, pools, minutes=2 / 60, left_out=left_out)
    assert 0 <= first["figures"]["pixel_accuracy"] <= 1
    before = load_checkpoint(run / "checkpoint.pt")
    assert before["record"]["steps"] == first["steps"] > 0

    second = deeplab.train(run, pools, minutes=4 / 60, left_out=left_out)
    assert second["steps"] > first["steps"]
    assert second["seconds"] >= 4 > first["seconds"]
    assert second["history"][0] == first["history"][0]
    with np.load(run / "weights.npz") as weights:
        assert set(weights) == set(folded_weights(DeepLabV3Plus()))

    # Time is up: a third start changes nothing but is no error.
    third = deeplab.train(run, pools, minutes=4 / 60, left_out=left_out)
    assert third["steps"] == second["steps"]

    # Another run may begin with these weights.
    other = deeplab.train(tmp_path / "other", pools, minutes=1 / 60, left_out=[], start=run / "checkpoint.pt")
    assert "figures" not in other


def test_record_names_command_and_device(town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deeplab, "CURRICULUM", (SMALL,))
    run = tmp_path / "run"
    options = [str(run), "--dir", str(town), "--minutes", "0.01", "--workers", "1"]
    monkeypatch.setattr(sys, "argv", ["deeplab.py", *options])
    result = CliRunner().invoke(deeplab.app, options)
    assert result.exit_code == 0, result.output
    record = json.loads((run / "record.json").read_text())
    assert record["command"] == "python -m helpers.training.deeplab run --dir town --minutes 0.01 --workers 1"
    assert record["device"] == environment.device_name() and record["steps"] > 0
    assert sorted(path.name for path in run.iterdir()) == ["checkpoint.pt", "record.json", "weights.npz"]


@pytest.mark.parametrize(
    ("options", "message"), [(["--leave-out", "C"], "A, B"), (["--practice", "nowhere"], "nowhere")]
)
def test_wrong_options_are_one_clear_error(town: Path, tmp_path: Path, options: list[str], message: str) -> None:
    run = tmp_path / "run"
    result = CliRunner().invoke(deeplab.app, [str(run), "--dir", str(town), "--minutes", "0.01", *options])
    assert result.exit_code == 2
    assert message in result.output
    assert isinstance(result.exception, SystemExit)
    assert not (run / "weights.npz").exists()
