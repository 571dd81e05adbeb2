"""Pictures and labels for the engines."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyarrow", reason='the extra "scale" is not installed')

from helpers.images import save_image  # noqa: E402
from helpers.labels import CAMVID11  # noqa: E402
from helpers.masks import save_mask  # noqa: E402


@pytest.fixture(scope="session")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 small pictures with labels in labels/; picture i has i in its blue channel. Labels are wrong in places."""
    folder = tmp_path_factory.mktemp("drive")
    (folder / "labels").mkdir()
    rng = np.random.default_rng(0)
    for i in range(40):
        ids = rng.integers(0, 11, (4, 6)).astype(np.uint8)
        image = np.zeros((4, 6, 3), np.uint8)
        image[..., 0], image[..., 2] = ids * 25, i
        save_image(folder / f"frame_{i:03d}.png", image)
        label = np.where(rng.random(ids.shape) < 0.3, rng.integers(0, 12, ids.shape), ids).astype(np.uint8)
        save_mask(folder / "labels" / f"frame_{i:03d}_P.png", label, CAMVID11.palette())
    return folder
