"""The bundled DeepLab's network, loss and scores."""

from pathlib import Path

import pytest
import torch

from helpers.labels import CAMVID11, CITYSCAPES
from helpers.networks.deeplab import DeepLabV3Plus
from helpers.training.checkpoints import load_checkpoint
from helpers.training.street_samples import StreetCrops
from tools.bundled_models import train_deeplab
from tools.bundled_models.targets import MERGED, read_streets
from town import write_town

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def town(tmp_path: Path) -> Path:
    return write_town(tmp_path / "town", stems=("A_1", "A_2", "B_1"), codes=CAMVID11.class_names + ("Void",))


def test_score_of_a_network_that_says_road_everywhere(town: Path) -> None:
    class Road(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.eye(19)[0].reshape(1, 19, 1, 1).expand(1, 19, *images.shape[2:])

    matrix = train_deeplab.score(Road(), read_streets(town))
    result = matrix.figures(CAMVID11.class_names)
    assert result["pixel_accuracy"] == 0.5  # the void third does not count
    assert result["iou"]["Road"] == 0.5 and result["iou"]["Building"] == 0
    assert result["mean_iou"] == 0.25


def test_loss_is_that_of_the_unions(town: Path) -> None:
    """A CamVid label is right with any Cityscapes id that it holds."""
    mixture = [(StreetCrops(read_streets(town)), 1.0)]
    road, wall, building = (CITYSCAPES.index(name) for name in ("road", "wall", "building"))

    class Sure(torch.nn.Module):
        def __init__(self, index: int):
            super().__init__()
            self.index = index

        def half_size_logits(self, images: torch.Tensor) -> torch.Tensor:
            return 30 * torch.eye(19)[self.index].reshape(1, 19, 1, 1).expand(1, 19, 8, 8)

    targets = torch.full((1, 8, 8), MERGED + CAMVID11.index("Building"))
    loss = train_deeplab.street_loss(mixture)
    right = [float(loss(Sure(index), None, targets)) for index in (wall, building)]
    assert max(right) < 1e-6
    assert float(loss(Sure(road), None, targets)) == pytest.approx(30, abs=1.5)


def test_weights_are_exported_for_the_freezing(tmp_path: Path) -> None:
    network = DeepLabV3Plus()
    train_deeplab.export(network, tmp_path / "weights.pt")
    again = DeepLabV3Plus()
    again.load_state_dict(load_checkpoint(tmp_path / "weights.pt"))
    assert all(a.equal(b) for a, b in zip(network.parameters(), again.parameters(), strict=True))
