"""The road network: shapes, which weights train, a file that holds it, ImageNet against random."""

import numpy as np
import pytest
import torch

from helpers import models
from helpers.labels import RTK
from helpers.road_surface.model import KEPT_STAGES, Trained, build, load, predict, score
from helpers.training.checkpoints import save_checkpoint

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return build("random").eval()


def test_logits_have_the_size_of_the_picture(network) -> None:
    with torch.inference_mode():
        assert network(torch.zeros(1, 3, 50, 70)).shape == (1, 13, 50, 70)
    assert predict(network, np.zeros((50, 70, 3), np.uint8)).shape == (50, 70)


def test_exposure_changes_nothing_much(network) -> None:
    image = np.random.default_rng(0).integers(40, 120, (64, 64, 3), dtype=np.uint8)
    brighter = image * 2
    assert np.mean(predict(network, image) == predict(network, brighter)) > 0.98


def test_only_imagenets_first_layers_stay_as_they_are() -> None:
    random, imagenet = build("random"), build("imagenet")
    assert all(parameter.requires_grad for parameter in random.parameters())
    encoder = imagenet.network.encoder
    frozen = [*encoder.stem.parameters(), *encoder.stages[:KEPT_STAGES].parameters()]
    assert not any(parameter.requires_grad for parameter in frozen)
    assert sum(not parameter.requires_grad for parameter in imagenet.parameters()) == len(frozen) > 0


def test_an_unknown_encoder_is_named() -> None:
    with pytest.raises(ValueError, match="unknown encoder 'vgg'; choose one of imagenet, random"):
        build("vgg")


def test_a_saved_network_predicts_the_same(tmp_path, network) -> None:
    image = np.random.default_rng(1).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    Trained(network, "imagenet").save(tmp_path / "weights.pt")
    again = load(tmp_path / "weights.pt")
    assert again.labels is RTK and again.encoder == "imagenet"
    np.testing.assert_array_equal(again.predict(image), predict(network, image))
    registered = models.load(str(tmp_path / "weights.pt"))  # as `segment --model` and `evaluate` load it
    assert registered.labels is RTK
    np.testing.assert_array_equal(registered.predict(image), again.predict(image))


def test_another_lessons_file_is_refused(tmp_path) -> None:
    save_checkpoint(tmp_path / "weights.pt", {"lesson": "camvid"})
    with pytest.raises(ValueError, match="holds no network of the road lesson"):
        load(tmp_path / "weights.pt")


def test_scores_are_summed_over_all_frames(network) -> None:
    rng = np.random.default_rng(2)
    frames = [(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8), rng.integers(0, 13, (32, 32))) for _ in range(2)]
    matrix = score(network, frames)
    assert matrix.matrix.sum() == 2 * 32 * 32
    right = np.mean([predict(network, image) == mask for image, mask in frames])
    assert matrix.pixel_accuracy() == pytest.approx(right)
