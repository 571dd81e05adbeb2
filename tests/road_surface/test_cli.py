"""The road lesson's commands: what is wrong with a folder is said in one go, and a tiny run leaves its record."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from helpers.cli import app
from helpers.images import save_image
from helpers.labels import RTK
from helpers.masks import save_mask

CLI = CliRunner()


@pytest.fixture
def roads(tmp_path):
    """Six frames: sky above, asphalt below, a marking down the middle."""
    folder = tmp_path / "roads"
    mask = np.zeros((288, 352), np.uint8)
    mask[120:], mask[120:, 170:180] = RTK.index("roadAsphalt"), RTK.index("roadMarking")
    image = np.select([mask == 1, mask == 4], [90, 240], 150).astype(np.uint8)[..., None].repeat(3, axis=2)
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for k in range(6):
        save_image(folder / "images" / f"drive_{k}.png", image)
        save_mask(folder / "masks" / f"drive_{k}.png", mask, RTK.palette())
    return folder


def test_a_folder_with_problems_is_not_trained_on(roads, tmp_path) -> None:
    (roads / "masks" / "drive_2.png").unlink()
    save_mask(roads / "masks" / "drive_3.png", np.full((288, 352), 13, np.uint8), RTK.palette())
    done = CLI.invoke(app, ["train", "road", "--dir", str(roads), "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "has 2 problems" in done.output and "drive_2.png" in done.output and "class 13" in done.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["road", "road-ways"])
def test_no_folder_is_no_crash(command, tmp_path) -> None:
    done = CLI.invoke(app, ["train", command, "--dir", str(tmp_path / "nowhere")])
    assert done.exit_code == 2 and "is not a folder" in done.output


def test_no_photos_is_no_crash(tmp_path) -> None:
    done = CLI.invoke(app, ["train", "road-cracks", str(tmp_path)])
    assert done.exit_code == 2 and "has no list train_list.txt" in done.output


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_a_short_run_leaves_weights_and_a_record_and_is_not_done_twice(roads, tmp_path) -> None:
    out = tmp_path / "out"
    command = ["train", "road", "--dir", str(roads), "--encoder", "random", "--batch", "2", "--out", str(out)]
    done = CLI.invoke(app, [*command, "--steps", "3", "--steps-two", "2"])
    assert done.exit_code == 0, done.output
    assert "5 pictures to learn from, 1 to validate on" in done.output
    record = json.loads((out / "record.json").read_text())
    assert record["stage_1"]["steps"] == 3 and record["stage_2"]["steps"] == 2
    assert record["encoder"] == "random" and record["weights"] == "enet" and len(record["pixels"]) == 13
    assert (out / "weights.pt").exists()

    again = CLI.invoke(app, [*command, "--steps", "3", "--steps-two", "2"])
    assert again.exit_code == 0
    assert json.loads((out / "record.json").read_text())["stage_2"]["seconds"] == record["stage_2"]["seconds"]

    other = CLI.invoke(app, [*command, "--steps", "9", "--steps-two", "2"])
    assert other.exit_code == 2 and "other settings" in other.output
