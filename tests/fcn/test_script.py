"""The whole FCN lesson in one script: the notebook's cell, run alone."""

import numpy as np
import pytest

from helpers import paths
from helpers.images import read_image
from helpers.labels import PASCAL_VOC
from tools.authoring.notebooks import NOTEBOOKS, read_notebook


@pytest.fixture(scope="module")
def script() -> str:
    cells = read_notebook(NOTEBOOKS / "03_fcn_overlays.ipynb").cells
    (cell,) = (cell for cell in cells if "script" in cell.metadata.get("tags", []))
    return cell.source


def test_it_has_at_most_twenty_lines(script: str) -> None:
    assert len(script.splitlines()) <= 20


@pytest.mark.usefixtures("one_thread")
def test_it_lays_the_colours_of_its_labels_over_the_picture(
    script: str, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "REPO_ROOT", tmp_path)  # where it writes
    namespace = {"__name__": "__main__"}
    exec(script, namespace)
    (result,) = (tmp_path / "build").iterdir()
    image, labels = namespace["image"], namespace["labels"]
    assert labels.shape == image.shape[:2]
    assert {"person", "car"} <= {PASCAL_VOC.class_names[i] for i in np.unique(labels)}
    by_hand = 0.4 * image + 0.6 * PASCAL_VOC.colors[labels]
    difference = np.abs(read_image(result) - by_hand)
    assert difference.mean() < 3, "a JPEG, so nearly the same"
