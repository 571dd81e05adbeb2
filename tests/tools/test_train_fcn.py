"""The bundled FCN's network, its targets in Pascal VOC ids, and its training."""

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F
from torchvision.models.segmentation.fcn import FCN

from helpers.labels import CAMVID11, CITYSCAPES, PASCAL_VOC
from helpers.networks.fcn import CHANNELS, fused_encoder, standardise, street_fcn
from helpers.training.checkpoints import load_checkpoint
from helpers.training.street_samples import StreetCrops
from tools.bundled_models import train_fcn
from tools.bundled_models.targets import read_streets
from town import write_town

pytestmark = pytest.mark.usefixtures("one_thread")


def voc_names(row: torch.Tensor) -> set[str]:
    return {PASCAL_VOC.class_names[index] for index in row.nonzero().flatten()}


def test_targets_stand_for_the_voc_classes_that_they_may_be() -> None:
    members = train_fcn.voc_members()
    camvid = {name: voc_names(members[19 + index]) for index, name in enumerate(CAMVID11.class_names)}
    assert camvid.pop("Car") == {"car", "bus"}
    assert camvid.pop("Pedestrian") == {"person"}
    assert camvid.pop("Bicyclist") == {"person", "bicycle", "motorbike"}
    assert set(map(frozenset, camvid.values())) == {frozenset({"background"})}
    streets = {name: voc_names(members[index]) for index, name in enumerate(CITYSCAPES.class_names)}
    assert (streets["rider"], streets["motorcycle"], streets["road"]) == ({"person"}, {"motorbike"}, {"background"})
    assert streets["truck"] == set()  # Pascal VOC has no trucks: neither background nor car


def test_rare_unions_weigh_more_and_targets_of_one_union_alike() -> None:
    counts = torch.ones(30, dtype=torch.int64)
    counts[CITYSCAPES.index("road")] = 1000
    weights = train_fcn.voc_weights(counts, train_fcn.voc_members())
    background = [weights[CITYSCAPES.index(name)] for name in ("road", "sky", "pole")] + [weights[19]]
    assert len(set(map(float, background))) == 1
    assert weights[CITYSCAPES.index("person")] > background[0]
    assert weights[CITYSCAPES.index("truck")] == 0


def test_loss_is_that_of_the_unions(tmp_path: Path) -> None:
    """With one class of VOC per target, it is PyTorch's own cross-entropy, main and auxiliary."""
    town = write_town(tmp_path / "town", stems=("A_1",), codes=CAMVID11.class_names + ("Void",))
    mixture = [(StreetCrops(read_streets(town)), 1.0)]
    torch.manual_seed(0)
    network = train_fcn.build(None).eval()
    images = torch.randint(0, 255, (1, 3, 64, 64), dtype=torch.uint8)
    targets = torch.full((1, 32, 32), 19 + CAMVID11.index("Road"))
    targets[:, :8] = 255
    targets[:, 8:12] = CITYSCAPES.index("truck")
    loss = train_fcn.voc_loss(mixture)(network, images, targets)
    features = network.backbone(standardise(images))
    out, aux = (
        F.interpolate(head(features[name]), size=(32, 32), mode="bilinear")
        for head, name in ((network.classifier, "out"), (network.aux_classifier, "aux"))
    )
    road = (targets != 255) & (targets >= 19)
    expected = F.cross_entropy(out, torch.where(road, 0, 255), ignore_index=255)  # truck, void: nothing is known
    expected += train_fcn.AUX_WEIGHT * F.cross_entropy(
        aux, torch.where(road, CITYSCAPES.index("road"), 255), ignore_index=255
    )
    torch.testing.assert_close(loss, expected)


def test_network_is_torchvisions_and_small() -> None:
    network = street_fcn().eval()
    assert isinstance(network, FCN) and network.aux_classifier is None
    assert sum(p.numel() for p in network.parameters()) * 2 < 8e6  # bytes in half precision
    with torch.inference_mode():
        assert network(torch.zeros(2, 3, 50, 70))["out"].shape == (2, 21, 50, 70)


def test_encoder_shrinks_step_by_step() -> None:
    features = fused_encoder().eval()(torch.zeros(1, 3, 64, 96))
    assert [(name, *value.shape[1:]) for name, value in features.items()] == [
        (str(2**i), channels, 64 >> i, 96 >> i) for i, channels in enumerate(CHANNELS, start=1)
    ]


def test_standardised_pictures_have_mean_0_and_deviation_1_and_a_flat_one_is_0() -> None:
    images = torch.randint(0, 255, (2, 3, 40, 40), dtype=torch.uint8)
    images[1] = 90
    first, flat = standardise(images)
    torch.testing.assert_close(first.mean((1, 2)), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(first.std((1, 2), correction=0), torch.ones(3), atol=1e-3, rtol=0)
    assert flat.abs().max() == 0


def test_exported_weights_are_a_plain_state_dict_in_half_precision(tmp_path: Path) -> None:
    network = train_fcn.build(None)
    train_fcn.export(network, tmp_path / "fcn_street.pt")
    state = load_checkpoint(tmp_path / "fcn_street.pt")
    street_fcn().load_state_dict(state)
    shift = state["classifier.4.bias"].float() - network.classifier[-1].bias.detach()
    assert {PASCAL_VOC.class_names[index] for index in (shift > 0.5).nonzero().flatten()} == {"car", "bus"}
    assert {value.dtype for value in state.values()} == {torch.float16, torch.int64}


def test_score_counts_cars_and_people_as_camvid_does(tmp_path: Path) -> None:
    town = write_town(tmp_path / "town", stems=("A_1",), codes=CAMVID11.class_names + ("Void",))
    frame = read_streets(town)[0]
    target = frame.target.copy()
    target[:10], target[10:20], target[20:30] = 19 + 8, 19 + 10, 255  # car, cyclist, void

    class Bus(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
            one = torch.eye(21)[PASCAL_VOC.index("bus")].reshape(1, 21, 1, 1)
            return {"out": one.expand(1, 21, *images.shape[2:])}

    figures = train_fcn.score(Bus(), [frame._replace(target=target)]).figures(train_fcn.TRAFFIC.class_names)
    assert figures["iou"]["car"] == pytest.approx(10 / 50)
    assert figures["iou"]["person"] == 0
