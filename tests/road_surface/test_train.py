"""Crops that keep picture and mask together, losses with known values, stages that follow each other."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from helpers.metrics import ConfusionMatrix
from helpers.records import rounded
from helpers.road_surface import train
from helpers.road_surface.data import Frame
from helpers.road_surface.model import adjustment, predict, score

pytestmark = pytest.mark.usefixtures("one_thread")

ROAD, CRACK = 1, 12


def frame(seed: int = 0) -> Frame:
    """Grey asphalt under a dark sky, with a bright crack of four pixels somewhere."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((64, 96), np.uint8)
    mask[24:] = ROAD
    y, x = rng.integers(34, 60), rng.integers(10, 86)
    mask[y : y + 2, x : x + 2] = CRACK
    image = np.select([mask == ROAD, mask == CRACK], [110, 250], 20)
    return Frame(image.astype(np.uint8)[..., None].repeat(3, axis=2), mask)


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    return [frame(seed) for seed in range(4)]


class Float(nn.Module):
    def forward(self, images):
        return images.float()


def tiny() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(Float(), nn.BatchNorm2d(3), nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 13, 1))


def test_a_crop_moves_picture_and_mask_alike(frames) -> None:
    rng = np.random.default_rng(1)
    for _ in range(5):
        image, mask = train.crop(*frames[0], size=(60, 90), rng=rng)
        assert image.shape == (60, 90, 3) and mask.shape == (60, 90)
        light = [np.median(image[mask == label]) for label in (0, ROAD, CRACK) if np.count_nonzero(mask == label) > 1]
        assert len(light) >= 2 and light == sorted(light)


def test_balanced_crops_show_the_rare_class(frames) -> None:
    def shown(balanced: float) -> float:
        rng = np.random.default_rng(0)
        masks = [train.crop(*frames[0], size=(16, 24), rng=rng, balanced=balanced)[1] for _ in range(60)]
        return np.mean([(mask == CRACK).any() for mask in masks])

    assert shown(1.0) > 0.9 > 0.5 > shown(0.0)


def test_a_frame_without_rare_classes_is_cropped_anywhere() -> None:
    mask = np.full((64, 96), ROAD, np.uint8)
    rng = np.random.default_rng(0)
    assert train.rare_place(mask, rng) is None
    train.crop(np.zeros((64, 96, 3), np.uint8), mask, size=(32, 48), rng=rng, balanced=1.0)


def test_rare_classes_are_drawn_evenly_whatever_their_size() -> None:
    mask = np.zeros((40, 40), np.uint8)
    mask[:20], mask[39, 39] = 9, CRACK
    rng = np.random.default_rng(0)
    places = [train.rare_place(mask, rng) for _ in range(200)]
    assert 60 < sum(place == (39.5, 39.5) for place in places) < 140


def test_focal_loss_without_gamma_is_cross_entropy() -> None:
    logits, target = torch.randn(2, 5, 3, 4, generator=torch.manual_seed(0)), torch.randint(0, 5, (2, 3, 4))
    torch.testing.assert_close(train.focal_loss(logits, target, gamma=0.0), F.cross_entropy(logits, target))
    even = torch.zeros(1, 2, 1, 1)  # p = 1/2: (1/2)² ln 2
    assert train.focal_loss(even, torch.zeros(1, 1, 1, dtype=torch.long)).item() == pytest.approx(0.25 * np.log(2))


def test_soft_dice_of_sure_predictions_is_that_of_the_masks() -> None:
    target = torch.zeros(1, 4, 4, dtype=torch.long)
    target[0, :, 2:] = 1
    pred = target.clone()
    pred[0, 0, 2:] = 0
    logits = 40.0 * F.one_hot(pred, 3).permute(0, 3, 1, 2)
    matrix = ConfusionMatrix(3).update(target[0].numpy(), pred[0].numpy())
    assert train.soft_dice_loss(logits, target).item() == pytest.approx(1 - np.nanmean(matrix.dice()), abs=1e-5)


def test_weights_reach_the_cross_entropy() -> None:
    images, target = torch.zeros(1, 3, 2, 2), torch.tensor([[[0, 0], [0, 1]]])
    logits = torch.tensor([2.0, 0.0])[None, :, None, None].expand(1, 2, 2, 2)

    def loss(weights) -> float:
        return train.loss_function("cross_entropy", weights)(lambda _: logits, images, target).item()

    right, wrong = np.log1p(np.exp(-2)), np.log1p(np.exp(2))
    assert loss(None) == pytest.approx((3 * right + wrong) / 4)
    assert loss(np.array([1, 9])) == pytest.approx((3 * right + 9 * wrong) / 12)
    assert loss(np.array([1, 0])) == pytest.approx(right), "a class of weight 0 is not learned"


def test_two_stages_follow_each_other_and_a_finished_run_is_read_again(tmp_path, frames) -> None:
    judged = []

    def judge(network: nn.Module) -> dict:
        matrix = score(network, frames)
        judged.append(matrix.iou()[ROAD])
        return train.figures(matrix)

    def run() -> dict:
        return train.two_stages(
            tiny(),
            frames,
            train.Way(weights="enet", balanced=1.0),
            steps=(40, 5),
            folder=tmp_path,
            seed=0,
            judge=judge,
            size=(32, 48),
            batch=4,
            rate=0.02,
        )[1]

    first, again = run(), run()
    assert judged[0] > 0.5, "stage one finds the road"
    assert first["stage_1"]["steps"] == 40 and first["stage_2"]["steps"] == 5
    assert rounded(first) == rounded(again), "nothing is trained twice"
    assert set(first["stage_2"]) >= {"mean_iou", "iou", "found", "pavement_iou", "recall", "precision", "seconds"}


def test_logit_adjustment_takes_the_frequencies_out() -> None:
    shift = adjustment(np.array([900, 90, 0, 10]))
    np.testing.assert_allclose(np.exp(-shift[[0, 1, 3]]), [0.9, 0.09, 0.01])
    assert shift[2] == -np.inf
    np.testing.assert_allclose(adjustment(np.array([900, 100]), strength=0.0), 0)

    class Undecided(nn.Module):
        def __init__(self):
            super().__init__()
            self.unused = nn.Parameter(torch.zeros(1))

        def forward(self, images):
            logits = torch.zeros(len(images), 4, *images.shape[2:])
            logits[:, 0] = 2.0
            return logits

    image = np.zeros((2, 3, 3), np.uint8)
    assert (predict(Undecided(), image) == 0).all()
    assert (predict(Undecided(), image, shift=shift) == 3).all()
