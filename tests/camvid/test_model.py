"""The lesson's networks, and what is kept of a trained one."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from helpers.camvid import model
from helpers.camvid.model import CamVidSegmenter, StreetNetwork
from helpers.labels import CAMVID11

pytestmark = pytest.mark.usefixtures("one_thread")
IMAGE = np.random.default_rng(0).integers(0, 255, (90, 120, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def small() -> nn.Module:
    torch.manual_seed(0)
    return model.build("small", 11).eval().to(memory_format=torch.channels_last)


def test_logits_of_any_size(small: nn.Module) -> None:
    images = torch.from_numpy(IMAGE).permute(2, 0, 1)[None]
    with torch.no_grad():
        assert small(images).shape == (1, 11, 90, 120)
        half = small(images, (45, 60))
        assert half.shape == (1, 11, 45, 60) and half.dtype == torch.float32
        # Exposure is taken out inside: a darker picture gives nearly the same.
        assert torch.allclose(small(images.float() * 0.5 + 9, (45, 60)), half, atol=0.02)


def test_resnets_are_fastais_unet_and_nothing_is_downloaded() -> None:
    resnet = model.build("resnet18", 11).eval()
    assert type(resnet.network).__name__ == "DynamicUnet"
    with torch.no_grad():
        assert resnet(torch.rand(1, 3, 70, 90) * 255, (35, 45)).shape == (1, 11, 35, 45)
    with pytest.raises(ValueError, match="unknown arch 'vgg'; choose one of small, resnet18, resnet34"):
        model.build("vgg", 11)


def test_kept_and_read_again(small: nn.Module, tmp_path: Path) -> None:
    trained = CamVidSegmenter(small, "small", CAMVID11, 96)
    trained.save(tmp_path / "weights.pt")
    again = model.load(tmp_path / "weights.pt")
    assert (again.arch, again.labels, again.size) == ("small", CAMVID11, 96)
    pred = trained.predict(IMAGE)
    assert pred.shape == (90, 120) and pred.dtype == np.uint8 and pred.max() < 11
    assert np.array_equal(again.predict(IMAGE), pred)
    predict, labels = model.load_model(tmp_path / "weights.pt", size=64)
    assert labels is CAMVID11 and np.array_equal(predict(IMAGE), trained.predict(IMAGE, size=64))


def test_files_that_are_no_weights(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(b"no weights")
    with pytest.raises(ValueError, match="a.pt is not a checkpoint"):
        model.load(tmp_path / "a.pt")
    torch.save({"network": {}}, tmp_path / "b.pt")
    with pytest.raises(ValueError, match="b.pt holds no network of the CamVid lesson"):
        model.load(tmp_path / "b.pt")


class Brighter(nn.Module):
    """Class 1 where a pixel is brighter than the picture's mean, surer on the left."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))

    def forward(self, images: Tensor) -> Tensor:
        sure = self.gain * torch.linspace(1, 0.1, images.shape[3])
        return torch.cat([-images[:, :1] * sure, images[:, :1] * sure], 1)


def test_prediction_is_where_the_picture_is() -> None:
    """Whatever is mirrored or shrunk on the way: the answer has the picture's size and is not moved."""
    image = np.full((60, 100, 3), 40, np.uint8)
    image[10:30, 60:90] = 220
    wanted = (image[..., 0] > 100).astype(np.uint8)
    trained = CamVidSegmenter(StreetNetwork(Brighter()), "small", CAMVID11, 100)
    assert np.array_equal(trained.predict(image, tta=False), wanted)
    assert (trained.predict(image) != wanted).mean() < 0.02  # the smaller view is less sharp
    mirrored = trained.predict(image[:, ::-1].copy())[:, ::-1]
    assert np.array_equal(mirrored, trained.predict(image))
    shrunk = trained.predict(image, size=50, tta=False)
    assert shrunk.shape == (60, 100) and (shrunk != wanted).mean() < 0.03
