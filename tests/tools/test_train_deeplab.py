"""The bundled DeepLab's network, loss and scores."""

from pathlib import Path

import numpy as np
import pytest
import torch

from helpers.labels import CAMVID11
from helpers.training.deeplab_network import DeepLabV3Plus, folded_weights, from_folded_weights
from tools.bundled_models import train_deeplab
from tools.bundled_models.targets import read_streets
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
