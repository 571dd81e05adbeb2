"""Person models: loading, what they refuse, alpha at full size, and real ones against each other."""

import pickle
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers import models, paths
from helpers.assets import ASSETS
from helpers.backgrounds import PERSON, ModelError, PersonModel, from_logits, load_model
from helpers.backgrounds.network import PersonNet
from helpers.backgrounds.scores import person_iou
from helpers.images import read_image
from helpers.labels import PASCAL_VOC
from helpers.masks import read_mask

pytestmark = pytest.mark.usefixtures("one_thread")


def brightness(image: np.ndarray) -> np.ndarray:
    return (image.mean(2).astype(np.float32) - 128) / 16


def test_alpha_is_the_sigmoid_at_the_pictures_size() -> None:
    image = np.repeat(np.array([[0, 112, 128, 144, 255]], np.uint8)[..., None], 3, 2)
    alpha = PersonModel("bright", brightness).alpha(image)
    assert alpha.dtype == np.float32
    np.testing.assert_allclose(alpha[0], 1 / (1 + np.exp(-np.array([-8, -1, 0, 1, 127 / 16]))), atol=1e-6)


def test_a_large_picture_is_seen_small_and_answered_large() -> None:
    seen = []

    def log_odds(image: np.ndarray) -> np.ndarray:
        seen.append(image.shape)
        return brightness(image)[::2, ::2]

    image = np.zeros((300, 400, 3), np.uint8)
    image[:, 200:] = 255
    model = PersonModel("bright", log_odds, size=100)
    alpha = model.alpha(image)
    assert seen == [(75, 100, 3)] and alpha.shape == (300, 400)
    assert model.coarse(image).shape == (38, 50)
    assert np.array_equal(model.predict(image)[:, [0, 150, 250, 399]], np.tile([0, 0, 1, 1], (300, 1)))
    assert model.labels.class_names[model.predict(image).max()] == "person"


@pytest.mark.parametrize("image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)])
def test_what_is_no_picture(image: np.ndarray) -> None:
    with pytest.raises(ModelError, match="a picture is"):
        PersonModel("bright", brightness).alpha(image)


def test_softmax_of_many_classes_is_the_persons_share() -> None:
    logits = np.random.default_rng(0).normal(0, 2, (6, 7, 21)).astype(np.float32)
    alpha = from_logits("voc", lambda image: logits).alpha(np.zeros((6, 7, 3), np.uint8))
    share = np.exp(logits) / np.exp(logits).sum(2, keepdims=True)
    np.testing.assert_allclose(alpha, share[..., PASCAL_VOC.index("person")], atol=1e-5)


def test_a_model_that_does_not_say_which_class_is_a_person() -> None:
    model = from_logits("streets", lambda image: np.zeros((2, 2, 19), np.float32))
    with pytest.raises(ModelError, match="streets tells 19 classes apart; say with person="):
        model.alpha(np.zeros((4, 4, 3), np.uint8))
    assert (
        from_logits("streets", lambda image: np.zeros((2, 2, 19)), person=11)
        .coarse(np.zeros((4, 4, 3), np.uint8))
        .shape
    )


def test_the_network_gives_log_odds_at_half_size() -> None:
    network = PersonNet().eval()
    with torch.inference_mode():
        assert network(torch.zeros(2, 3, 96, 80)).shape == (2, 1, 48, 40)
        assert network(torch.zeros(1, 3, 75, 51)).shape == (1, 1, 38, 26)


def test_a_saved_network_gives_the_same_again(tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(PersonNet().half().state_dict(), tmp_path / "mine.pt")
    image = np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8)
    first, second = (load_model(tmp_path / "mine.pt", device="cpu").alpha(image) for _ in range(2))
    np.testing.assert_array_equal(first, second)


class Danger:
    def __reduce__(self):
        return print, ("code ran",)


def test_files_that_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "model.pt"
    with pytest.raises(ModelError, match="no model at .*model.pt; name a file, or one of: person_small"):
        load_model(path)
    path.write_bytes(pickle.dumps({"weights": Danger()}))
    with pytest.raises(ModelError, match="is a pickle, which can hold code"):
        load_model(path)
    torch.save({"weights": Danger()}, path)
    with pytest.raises(ModelError, match="refused"):
        load_model(path)
    assert "code ran" not in capsys.readouterr().out
    path.write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(ModelError, match="damaged|refused"):
        load_model(path)
    torch.save({"encoder.stem": torch.zeros(3)}, path)
    with pytest.raises(ModelError, match="don't fit model"):
        load_model(path)
    torch.save([1, 2], path)
    with pytest.raises(ModelError, match="no state dict"):
        load_model(path)
    (tmp_path / "model.tflite").write_bytes(b"TFL3 not really")
    with pytest.raises(ModelError, match="damaged or not a model that LiteRT can run"):
        load_model(tmp_path / "model.tflite")
    (tmp_path / "model.bin").write_bytes(b"neither this nor that")
    with pytest.raises(ModelError, match="none of .pt"):
        load_model(tmp_path / "model.bin")
    with pytest.raises(ModelError, match="at least 32"):
        load_model(size=8)


def test_the_vendors_model_is_registered_with_its_size_and_hash() -> None:
    asset = ASSETS["selfie_segmentation"]
    assert asset.size == 249024 and asset.hash.startswith("sha256:") and "Apache-2.0" in asset.licence


def test_the_registry_knows_the_bundled_model() -> None:
    model = models.load("person_small")
    mask = model.predict(np.zeros((40, 60, 3), np.uint8))
    assert mask.shape == (40, 60) and model.labels is PERSON


def test_threads_share_a_model() -> None:
    model = load_model(size=96, device="cpu")
    images = np.random.default_rng(0).integers(0, 256, (4, 60, 80, 3), dtype=np.uint8)
    alone, together = [model.alpha(image) for image in images], [None] * 4

    def work(i: int) -> None:
        together[i] = model.alpha(images[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_allclose(np.stack(together), np.stack(alone), atol=1e-5)


def test_the_bundled_weights_are_small() -> None:
    assert (paths.DATA / "models" / "person_small.pt").stat().st_size < 9e6


@pytest.mark.parametrize(
    ("file", "least"),
    [
        ("person_small", 0.80),
        ("selfie_segmentation.tflite", 0.85),
        ("deeplabv3_257_mv_gpu.tflite", 0.70),
        ("deeplabv3_mnv2_pascal_quant.tflite", 0.80),
    ],
)
def test_real_pedestrians(real_data: Path, file: str, least: float) -> None:
    model = load_model(real_data / "models" / file if "." in file else file)
    image = read_image(real_data / "photos" / "FudanPed00054.png")
    assert person_iou(model.predict(image), read_mask(real_data / "photos" / "FudanPed00054_mask.png") > 0) > least


def test_a_real_frozen_graph_finds_the_astronaut(real_data: Path) -> None:
    folder = real_data / "models" / "deeplab_dm05_portrait_513"
    graph = models.load_person(folder / "frozen_inference_graph.pb")
    image = read_image(real_data / "photos" / "astronaut.jpg")
    vendor = load_model(real_data / "models" / "selfie_segmentation.tflite")
    assert person_iou(graph.predict(image), vendor.predict(image)) > 0.85
