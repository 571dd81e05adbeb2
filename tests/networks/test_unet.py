"""The shared U-Net: its skips, its shapes, the networks that are built with it."""

from collections import OrderedDict

import pytest
import torch
from torch import Tensor, nn

from helpers.networks.street_encoder import CHANNELS, StreetEncoder
from helpers.networks.unet import UNet

pytestmark = pytest.mark.usefixtures("one_thread")


class Halves(nn.Module):
    """An encoder that gives the picture at 1/2 and 1/4, and remembers nothing."""

    def forward(self, x: Tensor) -> OrderedDict:
        return OrderedDict({"2": x[:, :, ::2, ::2], "4": x[:, :, ::4, ::4]})


@pytest.mark.parametrize("size", [(64, 96), (37, 101)])
def test_logits_have_the_size_of_the_largest_features(size: tuple[int, int]) -> None:
    unet = UNet(StreetEncoder(), CHANNELS, (16, 16, 16), 5).eval()
    assert unet(torch.zeros(2, 3, *size)).shape == (2, 5, -(-size[0] // 2), -(-size[1] // 2))


def test_a_skip_carries_what_the_small_maps_have_lost() -> None:
    torch.manual_seed(0)
    unet = UNet(Halves(), (3, 3), (8,), 2).eval()
    image, other = torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 16, 16)
    other[:, :, 6, 6] = 9.0  # at 1/2 this pixel is seen, at 1/4 it is not
    features = unet.encoder(other)
    assert features["2"].any() and not features["4"].any()
    changed = (unet(image) != unet(other)).any(dim=1)[0]
    rows, columns = changed.nonzero().T
    assert changed[3, 3] and rows.min() >= 2 and rows.max() <= 4 and columns.min() >= 2 and columns.max() <= 4


def test_every_weight_learns() -> None:
    unet = UNet(StreetEncoder(), CHANNELS, (16, 16, 16), 5).train()
    unet(torch.randn(2, 3, 64, 64)).square().mean().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in unet.parameters())


def test_widths_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        UNet(StreetEncoder(), CHANNELS, (16, 16), 5)
