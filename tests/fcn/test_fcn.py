"""The FCN room against torchvision's own steps done by hand; random weights, since no answer depends on them."""

import argparse
import os
import pickle
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from unittest.mock import Mock

import numpy as np
import pooch
import pytest
import torch
from PIL import Image
from torch.nn import functional as F
from torchvision.models import get_model
from torchvision.models.segmentation import FCN_ResNet50_Weights, LRASPP_MobileNet_V3_Large_Weights
from torchvision.utils import draw_segmentation_masks

from helpers import assets, fcn, paths
from helpers.fcn.models import WEIGHTS
from helpers.images import read_image, resize_image, save_image
from helpers.labels import CAMVID11, CITYSCAPES, PASCAL_VOC
from helpers.masks import MaskError, overlay
from helpers.networks.fcn import street_fcn
from helpers.networks.weights import read_weights

pytestmark = pytest.mark.usefixtures("one_thread")

STREET = paths.IMAGES / "streets" / "street_sun.jpg"


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    """A street of 120×160 pixels."""
    return resize_image(read_image(STREET), (120, 160))


def save_weights(path, network) -> None:
    """As the bundled weights are stored: in half precision."""
    torch.save({k: v.half() if v.is_floating_point() else v for k, v in network.state_dict().items()}, path)


@pytest.fixture(scope="module")
def street_file(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("street") / "my_street.pt"
    save_weights(path, street_fcn())
    return path


@pytest.fixture(scope="module")
def street(street_file) -> fcn.SegmentationModel:
    return fcn.load_model(street_file, "cpu", size=160, bfloat16=False)


@pytest.fixture
def web(tmp_path, monkeypatch):
    """Gives a network to a server that stands in for torchvision's; its hash is what the registry expects."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            requests.append(self.path)

    def publish(name: str, network: torch.nn.Module) -> None:
        asset = assets.ASSETS[name]
        torch.save(network.state_dict(), folder / asset.file)
        published = pooch.file_hash(str(folder / asset.file), alg="sha256")[:8]
        address = f"http://127.0.0.1:{server.server_port}/{asset.file}"
        local = replace(asset, addresses=(address,), hash=f"sha256:{published}")
        monkeypatch.setitem(assets.ASSETS, name, local)

    def refuse(*args, **kwargs):
        raise AssertionError("a download behind our back")

    requests, folder = [], tmp_path / "web"
    folder.mkdir()
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    monkeypatch.setenv("SEGMENTATION_CACHE", str(tmp_path / "cache"))
    publish.requests = requests
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield publish
        server.shutdown()


def by_hand(network, transforms, image) -> np.ndarray:
    """torchvision's pipeline as its documentation writes it, then the logits at the picture's size."""
    batch = transforms(torch.from_numpy(image).permute(2, 0, 1)).unsqueeze(0)
    with torch.inference_mode():
        logits = network.eval()(batch)["out"]
        logits = F.interpolate(logits, size=image.shape[:2], mode="bilinear", align_corners=False)
    return logits[0].numpy()


def untrained(name: str, image: np.ndarray, **options) -> torch.nn.Module:
    """torchvision's architecture with random weights, and biases with which several classes win in the picture."""
    torch.manual_seed(1)
    network = get_model(name, weights=None, weights_backbone=None, **options)
    head = network.classifier.high_classifier if "lraspp" in name else network.classifier[-1]
    logits = by_hand(network, WEIGHTS[name].transforms(resize_size=None), image)
    with torch.no_grad():
        head.bias -= torch.from_numpy(logits.mean((1, 2)))
    return network


# ---- torchvision's models


def test_published_figures_are_those_of_the_model_cards():
    expected = {
        "lraspp_mobilenet_v3_large": (57.9, 91.2, 3.22, 2.1, 12.5),
        "deeplabv3_mobilenet_v3_large": (60.3, 91.2, 11.03, 10.5, 42.3),
        "fcn_resnet50": (60.5, 91.4, 35.32, 152.7, 135.0),
        "fcn_resnet101": (63.7, 91.9, 54.31, 232.7, 207.7),
        "deeplabv3_resnet50": (66.4, 92.4, 42.00, 178.7, 160.5),
        "deeplabv3_resnet101": (67.4, 92.4, 61.00, 258.7, 233.2),
    }
    assert set(fcn.MODELS) == {"fcn_street", *expected} and fcn.MODELS["fcn_street"] is None
    for name, (miou, accuracy, *sizes) in expected.items():
        facts = fcn.MODELS[name]
        assert (facts.miou, facts.pixel_accuracy) == (miou, accuracy)
        assert [facts.parameters, facts.gflops, facts.megabytes] == pytest.approx(sizes, abs=0.06)


@pytest.mark.parametrize("name", WEIGHTS)
def test_registry_and_label_set_agree_with_the_weights_enum(name):
    weights = WEIGHTS[name]
    assert assets.ASSETS[name].file == weights.url.rpartition("/")[2]
    assert weights.url in assets.ASSETS[name].addresses
    spelled = [category.strip("_") for category in weights.meta["categories"]]
    assert spelled == [label.replace(" ", "").replace("/", "") for label in PASCAL_VOC.class_names]


def test_lraspp_is_downloaded_once_and_equals_torchvision_by_hand(web, image):
    network = untrained("lraspp_mobilenet_v3_large", image)
    web("lraspp_mobilenet_v3_large", network)
    model = fcn.load_model("lraspp_mobilenet_v3_large", "cpu")
    fcn.load_model("lraspp_mobilenet_v3_large", "cpu")
    assert len(web.requests) == 1
    logits = by_hand(network, LRASPP_MobileNet_V3_Large_Weights.COCO_WITH_VOC_LABELS_V1.transforms(), image)
    pred = fcn.get_segment_labels(image, model)
    assert pred.shape == image.shape[:2] and pred.dtype == np.uint8 and len(np.unique(pred)) >= 4
    assert (pred == logits.argmax(0)).mean() > 0.999
    np.testing.assert_allclose(fcn.get_probabilities(image, model), softmax(logits), atol=1e-4)


def test_fcn_resnet50_with_its_auxiliary_classifier_equals_torchvision_by_hand(web, image):
    image = resize_image(image, (72, 96))
    network = untrained("fcn_resnet50", image, aux_loss=True)
    web("fcn_resnet50", network)
    model = fcn.load_model("fcn_resnet50", "cpu", size=96)
    assert model.labels is PASCAL_VOC and not model.network.training
    preset = FCN_ResNet50_Weights.COCO_WITH_VOC_LABELS_V1.transforms(resize_size=None)
    logits = by_hand(network, preset, image)
    pred = fcn.get_segment_labels(image, model)
    assert len(np.unique(pred)) >= 4 and (pred == logits.argmax(0)).mean() > 0.999


@pytest.mark.parametrize("name", WEIGHTS)
def test_every_name_builds_torchvision_s_architecture_and_takes_its_weights(name, monkeypatch, tmp_path):
    """On the device "meta", where tensors have shapes but no content."""
    with torch.device("meta"):
        trained = get_model(
            name, weights=None, weights_backbone=None, **({"aux_loss": True} if "lr" not in name else {})
        )
        monkeypatch.setattr("helpers.fcn.models.assets.fetch", lambda name: tmp_path)
        monkeypatch.setattr("helpers.fcn.models.read_weights", lambda path: trained.state_dict())
        model = fcn.load_model(name, "meta")
    parameters = sum(p.numel() for p in trained.parameters())
    assert parameters / 1e6 == pytest.approx(fcn.MODELS[name].parameters)
    assert "aux_classifier.0.weight" not in model.network.state_dict()
    assert model.transforms.resize_size == [520] and model.labels is PASCAL_VOC


def test_a_wrong_download_is_refused(web):
    network = get_model("lraspp_mobilenet_v3_large", weights=None, weights_backbone=None)
    web("lraspp_mobilenet_v3_large", network)
    wrong = replace(assets.ASSETS["lraspp_mobilenet_v3_large"], hash="sha256:d234d4ea")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(assets.ASSETS, "lraspp_mobilenet_v3_large", wrong)
        with pytest.raises(assets.AssetError, match="its sha256 is .* but the published one is d234d4ea"):
            fcn.load_model("lraspp_mobilenet_v3_large")


def test_other_weights_under_a_published_name_do_not_fit(web):
    web("lraspp_mobilenet_v3_large", street_fcn())
    with pytest.raises(fcn.ModelError, match=r"don't fit lraspp_mobilenet_v3_large: \d+ tensors differ"):
        fcn.load_model("lraspp_mobilenet_v3_large")


# ---- the bundled architecture


def test_street_model_equals_its_steps_by_hand(street, street_file, image):
    pixels = image.astype(np.float64)
    standard = (pixels - pixels.mean((0, 1))) / np.sqrt(pixels.var((0, 1)) + 1)
    network = street_fcn().eval()
    network.load_state_dict({k: v.float() for k, v in torch.load(street_file, weights_only=True).items()})
    with torch.inference_mode():
        logits = network(torch.from_numpy(standard.transpose(2, 0, 1)[None].astype(np.float32)))["out"][0].numpy()
    pred = fcn.get_segment_labels(image, street)
    assert len(np.unique(pred)) >= 4
    assert (pred == logits.argmax(0)).mean() > 0.999
    np.testing.assert_allclose(fcn.get_probabilities(image, street), softmax(logits), atol=1e-4)


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(0))
    return powers / powers.sum(0)


def test_a_large_picture_is_seen_small_and_gets_labels_of_its_size(street, image):
    large = resize_image(image, (301, 397))
    pred = fcn.get_segment_labels(large, street)
    assert pred.shape == (301, 397)
    with torch.inference_mode():
        logits = street.network(street.transforms(torch.from_numpy(large).permute(2, 0, 1)[None]))["out"]
    assert logits.shape[2:] == (121, 160)
    winners = np.unique(logits.argmax(1))
    assert set(np.unique(pred)) <= set(winners)  # nothing appears that the network saw nowhere
    enlarged = F.interpolate(logits, size=(301, 397), mode="bilinear", align_corners=False)
    assert (pred == enlarged.argmax(1)[0].numpy()).mean() > 0.999


def test_ids_of_huge_pictures_are_enlarged_by_nearest_neighbour(street, image, monkeypatch):
    large = resize_image(image, (240, 320))
    smooth = fcn.get_segment_labels(large, street)
    monkeypatch.setattr("helpers.fcn.predict.MOST_PIXELS", 1000)
    blocky = fcn.get_segment_labels(large, street)
    np.testing.assert_array_equal(blocky, blocky[::2, ::2].repeat(2, 0).repeat(2, 1))
    assert 0.9 < (blocky == smooth).mean() < 1


@pytest.mark.parametrize("size", [(1, 1), (1, 16), (16, 1), (33, 97)])
def test_pictures_of_any_size(street, size):
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    assert fcn.get_segment_labels(picture, street).shape == size
    probs = fcn.get_probabilities(picture, street)
    assert probs.shape == (21, *size) and probs.dtype == np.float32
    np.testing.assert_allclose(probs.sum(0), 1, atol=1e-5)


def test_exposure_hardly_matters_to_the_street_model(street, image):
    darker = (image * 0.6).astype(np.uint8)
    assert (fcn.get_segment_labels(image, street) == fcn.get_segment_labels(darker, street)).mean() > 0.9


def test_a_batch_gives_what_single_pictures_give(street, image):
    pictures = [image, image[:, ::-1], 255 - image]
    preds = fcn.segment_batch(pictures, street)
    assert preds.shape == (3, 120, 160) and preds.dtype == np.uint8
    for picture, pred in zip(pictures, preds, strict=True):
        assert (pred == fcn.get_segment_labels(picture, street)).mean() > 0.999
    assert not np.array_equal(preds[0], preds[1])


def test_bfloat16_is_for_those_who_ask_and_for_the_bundled_one(street, street_file, image):
    half = fcn.load_model(street_file, "cpu", size=160)
    assert half.bfloat16 and not street.bfloat16
    assert half.network(half.transforms(torch.zeros(1, 3, 8, 8, dtype=torch.uint8)))["out"].dtype == torch.float32
    np.testing.assert_allclose(fcn.get_probabilities(image, half), fcn.get_probabilities(image, street), atol=0.05)


def test_a_path_and_a_pillow_picture_are_as_good_as_an_array(street, image, tmp_path):
    save_image(tmp_path / "street.png", image)
    expected = fcn.get_segment_labels(image, street)
    for picture in (tmp_path / "street.png", str(tmp_path / "street.png"), Image.fromarray(image)):
        np.testing.assert_array_equal(fcn.get_segment_labels(picture, street), expected)
    gray = Image.fromarray(image).convert("L")
    np.testing.assert_array_equal(
        fcn.get_segment_labels(gray, street), fcn.get_segment_labels(np.repeat(np.array(gray)[..., None], 3, 2), street)
    )


def test_the_guide_s_third_argument_says_where_to_run(street, image):
    np.testing.assert_array_equal(
        fcn.get_segment_labels(image, street, torch.device("cpu")), fcn.get_segment_labels(image, street)
    )
    assert street.device == torch.device("cpu")


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros((4, 5), np.uint8), r"this one is \(4, 5\) uint8"),
        (np.zeros((4, 5, 4), np.uint8), r"this one is \(4, 5, 4\) uint8"),
        (np.zeros((3, 40, 50), np.uint8), r"this one is \(3, 40, 50\) uint8"),
        (np.zeros((4, 5, 3)), "float64"),
        (np.zeros((0, 5, 3), np.uint8), "empty"),
        (np.zeros((10, 3000, 3), np.uint8), "10×3000 .* too narrow"),
    ],
)
def test_what_is_no_picture_is_refused(street, picture, message):
    for function in (fcn.get_segment_labels, fcn.get_probabilities):
        with pytest.raises(fcn.ModelError, match=message):
            function(picture, street)


def test_a_batch_of_different_sizes_or_of_nothing_is_refused(street, image):
    with pytest.raises(fcn.ModelError, match=r"\(60, 160\), \(120, 160\)"):
        fcn.segment_batch([image, image[:60]], street)
    with pytest.raises(fcn.ModelError, match="no pictures"):
        fcn.segment_batch([], street)


@pytest.mark.parametrize("fail", [lambda batch: torch.empty(10**15), Mock(side_effect=torch.OutOfMemoryError)])
def test_too_little_memory_is_said_in_one_line(street, image, fail):
    with pytest.raises(fcn.ModelError, match="too little memory for a batch of 1, each 120×160, with my_street"):
        fcn.get_segment_labels(image, replace(street, transforms=fail))


def test_other_failures_of_the_network_are_not_taken_for_a_lack_of_memory(street, image):
    with pytest.raises(RuntimeError, match="channels"):
        fcn.get_segment_labels(image, replace(street, transforms=lambda batch: batch[:, :2].float()))


# ---- files of one's own


def test_own_weights_with_other_classes(tmp_path, image):
    save_weights(tmp_path / "own.pt", street_fcn(11))
    assert fcn.load_model(tmp_path / "own.pt").labels.name == "unnamed classes"
    model = fcn.load_model(tmp_path / "own.pt", labels="camvid11")
    assert model.labels is CAMVID11 and model.name == "own"
    assert fcn.get_segment_labels(image, model).max() < 11
    with pytest.raises(fcn.ModelError, match="tells 11 classes apart, but Cityscapes has 19"):
        fcn.load_model(tmp_path / "own.pt", labels=CITYSCAPES)
    with pytest.raises(fcn.ModelError, match="unknown label set 'town'"):
        fcn.load_model(tmp_path / "own.pt", labels="town")


class Code:
    """Runs a command when it is unpickled by someone careless."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return os.mkdir, (self.marker,)


@pytest.mark.parametrize("write", [torch.save, lambda code, path: path.write_bytes(pickle.dumps(code))])
def test_code_in_place_of_weights_is_refused_and_does_not_run(tmp_path, write):
    write({"classifier.4.weight": torch.zeros(21, 24, 1, 1), "code": Code(tmp_path / "ran")}, tmp_path / "evil.pt")
    with pytest.raises(fcn.ModelError, match="evil.pt is refused: .* holds code"):
        fcn.load_model(tmp_path / "evil.pt")
    assert not (tmp_path / "ran").exists()
    torch.load(tmp_path / "evil.pt", weights_only=False) if write is torch.save else pickle.loads(
        (tmp_path / "evil.pt").read_bytes()
    )
    assert (tmp_path / "ran").exists()  # so the file was really dangerous


@pytest.mark.parametrize("zipped", [True, False])
def test_damage_anywhere_in_a_file_is_told_as_such(tmp_path, zipped):
    torch.save({"weight": torch.zeros(3)}, tmp_path / "w.pt", _use_new_zipfile_serialization=zipped)
    whole = np.fromfile(tmp_path / "w.pt", np.uint8)
    rng = np.random.default_rng(0)
    refused = 0
    for place in rng.integers(0, len(whole), 300):
        damaged = whole.copy()
        damaged[place] ^= rng.integers(1, 256, dtype=np.uint8)
        damaged[: rng.integers(len(whole)) if place % 4 == 0 else None].tofile(tmp_path / "w.pt")
        try:
            read_weights(tmp_path / "w.pt")
        except fcn.ModelError:
            refused += 1
    assert refused > 100  # what still can be read has only other numbers or names


def test_files_that_are_no_weights_are_refused_in_one_line(tmp_path, street_file, recwarn):
    data = street_file.read_bytes()
    state = torch.load(street_file, weights_only=True)
    first = next(iter(state))
    files = {
        "cut.pt": data[: len(data) // 2],
        "empty.pt": b"",
        "text.pt": b"hello world",
        "list.pt": [torch.zeros(3)],
        "other.pt": {"weight": torch.zeros(3)},
        "missing.pt": {k: v for k, v in state.items() if k != first},
        "more.pt": {**state, "more": torch.zeros(3)},
        "shape.pt": {**state, first: torch.zeros(7)},
        "number.pt": {**state, "classifier.4.weight": torch.tensor(21.0)},
    }
    for name, content in files.items():
        if isinstance(content, bytes):
            (tmp_path / name).write_bytes(content)
        else:
            torch.save(content, tmp_path / name)
        with pytest.raises(fcn.ModelError) as error:
            fcn.load_model(tmp_path / name)
        assert name.split(".")[0] in str(error.value) and "\n" not in str(error.value), name
    assert not recwarn.list
    with pytest.raises(
        fcn.ModelError, match="no model at .*nothing.pt; name a file, or one of: fcn_street, fcn_resnet"
    ):
        fcn.load_model(tmp_path / "nothing.pt")
    with pytest.raises(fcn.ModelError, match="size is 3; it is at least 16"):
        fcn.load_model(street_file, size=3)


# ---- overlays


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 21, (30, 40), np.uint8)


def test_segmentation_map_has_the_official_colours(labels):
    drawn = fcn.draw_segmentation_map(labels)
    np.testing.assert_array_equal(drawn, PASCAL_VOC.colors[labels])
    assert tuple(fcn.draw_segmentation_map(np.full((1, 1), 15))[0, 0]) == (192, 128, 128)  # person
    assert not np.array_equal(fcn.draw_segmentation_map(labels, palette="colorblind"), drawn)
    np.testing.assert_array_equal(fcn.draw_segmentation_map(labels % 11, CAMVID11), CAMVID11.colors[labels % 11])
    with pytest.raises(MaskError, match=r"shape \(H, W\)"):
        fcn.draw_segmentation_map(labels[None])


@pytest.mark.parametrize("alpha", [0.0, 0.25, 0.6, 1.0])
def test_overlay_equals_torchvision_s_drawing_and_the_ground_floor_s(labels, alpha):
    image = np.random.default_rng(4).integers(0, 256, (30, 40, 3), np.uint8)
    blended = fcn.image_overlay(image, fcn.draw_segmentation_map(labels), alpha=alpha)
    np.testing.assert_array_equal(blended, overlay(image, labels, PASCAL_VOC.palette(), alpha=alpha))
    drawn = draw_segmentation_masks(
        torch.from_numpy(image).permute(2, 0, 1),
        torch.from_numpy(labels)[None] == torch.arange(21)[:, None, None],
        alpha=alpha,
        colors=[tuple(map(int, color)) for color in PASCAL_VOC.colors],
    )
    # torchvision cuts the fraction off, ours rounds.
    difference = blended.astype(int) - drawn.permute(1, 2, 0).numpy()
    assert difference.min() >= 0 and difference.max() <= (0 if alpha in (0, 1) else 1)


def test_overlay_refuses_what_does_not_fit(labels):
    image, drawn = np.zeros((30, 40, 3), np.uint8), fcn.draw_segmentation_map(labels)
    with pytest.raises(MaskError, match=r"picture is \(20, 40, 3\) and colour map \(30, 40, 3\)"):
        fcn.image_overlay(image[:20], drawn)
    with pytest.raises(MaskError, match=r"colour map \(30, 40\)"):
        fcn.image_overlay(image, labels)
    with pytest.raises(ValueError, match="alpha is 2"):
        fcn.image_overlay(image, drawn, alpha=2)


def test_weights_are_found_in_the_checkpoints_of_other_programs(tmp_path, street_file, recwarn):
    """Names by DataParallel and torch.compile, checkpoints of a training, torchvision's recipe with its arguments."""
    state = torch.load(street_file, weights_only=True)
    prefixed = {f"module.{key}": value for key, value in state.items()}
    for saved in (
        prefixed,
        {"model": state, "epoch": 3},
        {"state_dict": prefixed},
        {f"module._orig_mod.{key}": value for key, value in state.items()},
        {"model": state, "args": argparse.Namespace(lr=0.1)},
    ):
        torch.save(saved, tmp_path / "other.pt")
        found = read_weights(tmp_path / "other.pt")
        assert found.keys() == state.keys() and all(torch.equal(found[key], state[key]) for key in state)


def test_weights_of_torchvision_s_networks_are_recognised_by_their_names(tmp_path):
    torch.manual_seed(0)
    network = get_model("lraspp_mobilenet_v3_large", weights=None, weights_backbone=None, num_classes=4)
    save_weights(tmp_path / "mine.pth", network)
    model = fcn.load_model(tmp_path / "mine.pth", "cpu")
    assert model.labels.num_classes == 4 and type(model.network).__name__ == "LRASPP"


def test_weights_that_are_damaged_or_diverged_are_refused(tmp_path, street_file):
    state = torch.load(street_file, weights_only=True)
    first = next(iter(state))
    torch.save({**state, first: torch.full_like(state[first], torch.nan)}, tmp_path / "nan.pt")
    with pytest.raises(fcn.ModelError, match="no numbers, .* that training diverged"):
        fcn.load_model(tmp_path / "nan.pt")
    data = bytearray(street_file.read_bytes())
    data[len(data) // 2] ^= 4
    (tmp_path / "flipped.pt").write_bytes(data)
    with pytest.raises(fcn.ModelError, match="damaged"):
        fcn.load_model(tmp_path / "flipped.pt")
    torch.save({"classifier.4.weight": torch.zeros(3000, 8, 1, 1)}, tmp_path / "wide.pt")
    with pytest.raises(fcn.ModelError, match="3000 classes apart; a mask has room for 256"):
        fcn.load_model(tmp_path / "wide.pt")
