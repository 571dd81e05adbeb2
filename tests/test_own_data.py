"""The guide's project for a day: its folder, its table of ids and its commands work as it says."""

import re
import shlex
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from helpers.environment import ROOT
from helpers.labels import CAMVID11

PAGE = (ROOT / "notebooks" / "guide" / "own_data.md").read_text(encoding="utf-8")


def test_the_table_is_the_label_set() -> None:
    table = dict(re.findall(r"\| (\d+) \| ([A-Z]\w+) ", PAGE))
    assert {int(i): name for i, name in table.items()} == dict(enumerate(CAMVID11.class_names))
    assert f"| {CAMVID11.ignore_index} | no label |" in PAGE


@pytest.mark.slow
def test_its_commands_run_on_such_a_folder(tmp_path) -> None:
    folder, rng = tmp_path / "mystreet", np.random.default_rng(0)
    names = [f"{place}_{i:03}" for i, place in enumerate(["home"] * 4 + ["park"] * 2)]
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    for name in names:
        mask = np.kron(rng.integers(0, 12, (6, 8), np.uint8), np.ones((16, 16), np.uint8))
        Image.fromarray(np.stack([20 * mask] * 3, axis=-1)).save(folder / "images" / f"{name}.jpg")
        Image.fromarray(mask).save(folder / "labels" / f"{name}_P.png")
    (folder / "codes.txt").write_text("\n".join([*CAMVID11.class_names, "Void"]), encoding="utf-8")
    (folder / "valid.txt").write_text("park_004.jpg\npark_005.jpg\n", encoding="utf-8")
    commands = [shlex.split(line) for line in re.findall(r"^    (python -m helpers .+)$", PAGE, re.MULTILINE)]
    assert [words[3] for words in commands] == ["check-dataset", "evaluate", "segment", "train"]
    for words in commands:
        words = [sys.executable, *("0.05" if word == "10" else word for word in words[1:])]  # minutes
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
    assert (tmp_path / "mystreet_run" / "weights.pt").is_file()
    assert len(list((tmp_path / "seen").glob("*_overlay.*"))) == len(names)
