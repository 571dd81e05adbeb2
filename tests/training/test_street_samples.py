"""Frames of streets and random crops of them, on a made-up town."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from helpers.datasets import camvid
from helpers.labels import CAMVID11
from helpers.training import street_samples
from helpers.training.street_samples import CURRICULUM, IGNORE, Frame, Step, StreetCrops, curriculum, drawing
from town import SMALL, write_town

BUILDING, ROAD = CAMVID11.index("Building"), CAMVID11.index("Road")
THINGS = np.array([ROAD])


@pytest.fixture
def town(tmp_path: Path) -> Path:
    return write_town(tmp_path / "town", stems=("A_1", "A_2", "B_1"), codes=CAMVID11.class_names + ("Void",))


def read(town: Path, **options) -> list[Frame]:
    def read_target(path: Path) -> np.ndarray:
        mask = camvid.read_label(camvid.get_y_fn(path), camvid.label_set(town))
        return np.where(mask == CAMVID11.ignore_index, IGNORE, mask).astype(np.uint8)

    return street_samples.read_frames(camvid.split(town, "none")[0], read_target, **options)


def test_large_frames_are_shrunk_with_their_targets(town: Path) -> None:
    for name, method in (("images/A_1.png", Image.BILINEAR), ("labels/A_1_P.png", Image.NEAREST)):
        Image.open(town / name).resize((960, 720), method).save(town / name)
    large, small, _ = read(town)
    assert large.image.shape == (360, 480, 3) and large.target.shape == (360, 480)
    assert small.image.shape == (60, 80, 3)
    assert set(np.unique(large.target)) == set(np.unique(small.target)) == {BUILDING, ROAD, IGNORE}
    assert read(town, size=40)[1].target.shape == (30, 40)
    assert [frame.sequence for frame in read(town)] == ["A", "A", "B"]


def test_crops_follow_the_pictures_size() -> None:
    assert curriculum() == CURRICULUM
    half = curriculum(240, 16)
    assert [step.size for step in half] == [(80, 112), (112, 160), (160, 224)]
    assert [step.batch for step in curriculum(480, 2)] == [2, 2, 2]


def test_batches_follow_the_progress(town: Path) -> None:
    draw = drawing([(StreetCrops(read(town)), 1.0)], curriculum(96, 4), things=THINGS)
    images, targets = draw(np.random.default_rng(0), 0.0)
    assert images.shape == (4, 3, 32, 48) and images.dtype == torch.uint8
    assert targets.shape == (4, 16, 24) and targets.dtype == torch.int64  # half the resolution
    assert set(targets.unique().tolist()) <= {BUILDING, ROAD, IGNORE}
    assert draw(np.random.default_rng(0), 0.99)[0].shape == (2, 3, 64, 96)
    assert draw(np.random.default_rng(0), 1.0)[0].shape == (2, 3, 64, 96)  # drawn ahead and never used


def test_colours_and_classes_stay_together(town: Path) -> None:
    """Stripes of the town are 200, 120 and 60 bright: a crop's classes must follow its brightness."""
    draw = drawing([(StreetCrops(read(town)), 1.0)], curriculum(96, 8), things=np.array([7]))
    both = 0
    for seed in range(3):
        images, targets = draw(np.random.default_rng(seed), 0.0)
        for image, target in zip(images.float().mean(1)[:, ::2, ::2], targets, strict=True):
            building, road = (image[target == class_id] for class_id in (BUILDING, ROAD))
            if len(building) and len(road):
                both += 1
                assert building.median() > road.median()
    assert both > 5


def test_same_seed_same_crops(town: Path) -> None:
    draw = drawing([(StreetCrops(read(town)), 1.0)], curriculum(96, 2), things=THINGS)
    a, b, other = (draw(np.random.default_rng(seed), 0.0) for seed in (1, 1, 2))
    assert torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) and not torch.equal(a[0], other[0])


def test_crops_come_from_the_mixture_in_its_shares(town: Path) -> None:
    frames = read(town)
    other = StreetCrops([frame._replace(target=np.full_like(frame.target, 7)) for frame in frames])
    mixture = [(StreetCrops(frames), 0.0), (other, 1.0)]
    images, targets = street_samples.draw_batch(mixture, SMALL, np.random.default_rng(0), things=THINGS)
    assert images.shape == (2, 48, 64, 3) and images.dtype == np.uint8
    assert set(np.unique(targets)) <= {7, IGNORE}


def test_rare_classes_and_short_sequences_come_up_often(town: Path) -> None:
    frames = read(town)
    rare = frames[0].target.copy()
    rare[50:56, 40:46] = 9
    crops = StreetCrops([frames[0]._replace(target=rare), *[frames[1]] * 8, frames[2]])
    assert crops.share[-1] == pytest.approx(3 * crops.share[0])  # alone, against nine of one sequence
    rng, step = np.random.default_rng(0), Step(1.0, (24, 24), 1, (1.0, 1.0))
    shown = sum((crops.draw(step, rng)[1] == 9).any() for _ in range(60))
    assert shown > 6  # of all pixels it has 1 in 500, of all frames 1 in 10


def test_nothing_to_learn_from(town: Path) -> None:
    with pytest.raises(ValueError, match="no frames are left to learn from"):
        StreetCrops([])
    with pytest.raises(ValueError, match="no class has more than 30 labelled pixels"):
        StreetCrops([frame._replace(target=np.full_like(frame.target, IGNORE)) for frame in read(town)])
