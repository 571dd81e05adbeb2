"""The whole lesson in one script: the notebook's cell, run alone."""

import numpy as np
import pytest
from PIL import Image

from helpers import paths
from helpers.deeplab import load_graph
from helpers.labels import CITYSCAPES
from helpers.masks import read_mask
from tools.authoring.notebooks import NOTEBOOKS, read_notebook


@pytest.fixture(scope="module")
def script() -> str:
    cells = read_notebook(NOTEBOOKS / "01_deeplab_street.ipynb").cells
    (cell,) = (cell for cell in cells if "script" in cell.metadata.get("tags", []))
    return cell.source


def test_it_has_at_most_twenty_lines(script: str) -> None:
    assert len(script.splitlines()) <= 20


def test_it_gives_what_the_package_gives(script: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "REPO_ROOT", tmp_path)  # where it writes
    namespace = {"__name__": "__main__"}
    exec(script, namespace)
    (result,) = (tmp_path / "build").iterdir()
    mask = read_mask(result)
    picture = namespace["picture"]
    assert max(mask.shape) == 384
    np.testing.assert_array_equal(mask, load_graph("deeplab_street")(np.asarray(picture)))
    with Image.open(result) as stored:
        road = np.array(stored.convert("RGB"))[mask == CITYSCAPES.index("road")]
    assert len(road) and (road == CITYSCAPES.colors[0]).all(), "viewers see the official colours"
