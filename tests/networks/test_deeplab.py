"""DeepLabV3+ on the street encoder: shapes, and what it must not depend on."""

import pytest
import torch

from helpers.networks.deeplab import NUM_CLASSES, DeepLabV3Plus

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def network() -> DeepLabV3Plus:
    torch.manual_seed(0)
    return DeepLabV3Plus().eval()


@pytest.mark.parametrize("size", [(64, 96), (61, 83)])
def test_logits_have_the_picture_s_size(network, size):
    images = torch.randint(0, 256, (2, 3, *size), dtype=torch.uint8)
    with torch.inference_mode():
        logits = network(images)
        half = network.half_size_logits(images)
    assert logits.shape == (2, NUM_CLASSES, *size) and logits.dtype == torch.float32
    # Twice the positions of the features at a 4th of the size, whose number is rounded up.
    assert half.shape == (2, NUM_CLASSES, *(2 * -(-side // 4) for side in size))


def test_exposure_changes_nothing(network):
    image = torch.rand(1, 3, 64, 96) * 100
    with torch.inference_mode():
        torch.testing.assert_close(network(image), network(image * 2 + 20), atol=5e-3, rtol=0)


def test_it_is_small_enough_for_a_repository(network):
    weights = sum(p.numel() for p in network.parameters())
    assert 2 * weights < 9e6  # bytes in half precision


def test_all_of_it_learns():
    network = DeepLabV3Plus().train()
    network.half_size_logits(torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)).square().mean().backward()
    idle = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert idle == []
