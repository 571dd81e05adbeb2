"""The practice roads: the committed files, what a seed gives, and labels that say what is drawn."""

import json

import numpy as np
import pytest
from PIL import Image

from helpers.datasets import check_dataset, rtk
from helpers.labels import RTK
from helpers.masks import read_mask
from helpers.paths import DATA
from helpers.road_surface.data import class_counts, read_frames
from tools.manifest import differences
from tools.practice_roads.__main__ import SPECK, without_specks
from tools.practice_roads.camera import photograph
from tools.practice_roads.roads import FRAMES, ROADS
from tools.practice_roads.surface import (
    ASPHALT,
    BUMP,
    CATS_EYE,
    CRACK,
    DRAIN,
    MANHOLE,
    MARKING,
    PATCH,
    PAVED,
    PIXEL,
    POTHOLE,
    PUDDLE,
    UNPAVED,
    Surface,
)

FOLDER = DATA / "rtk_practice"


# What is committed


@pytest.fixture(scope="module")
def parts():
    return rtk.split(FOLDER)


def test_the_committed_files_are_as_they_were_made_and_small() -> None:
    assert differences(FOLDER) == []
    assert sum(path.stat().st_size for path in FOLDER.rglob("*.*")) < 6e6


def test_they_have_the_layout_of_rtk() -> None:
    assert check_dataset(FOLDER, "rtk") == []
    assert (FOLDER / "codes.txt").read_text().split() == list(RTK.class_names)
    assert len(list((FOLDER / "images").iterdir())) == FRAMES * len(ROADS)


def test_valid_holds_whole_drives(parts) -> None:
    drives = [{rtk.sequence(path) for path in part} for part in parts]
    assert drives[0] == {road.name for road in ROADS if not road.valid} and len(drives[0]) >= 5
    assert drives[1] == {road.name for road in ROADS if road.valid} and len(drives[1]) >= 3


def test_every_class_is_in_both_parts_and_the_rarest_in_several_drives_of_each(parts) -> None:
    for part in parts:
        counts = class_counts(read_frames(part))
        assert (counts.sum(axis=0) > 0).all()
        rarest = counts.sum(axis=0).argmin()
        assert len({rtk.sequence(path) for path, count in zip(part, counts[:, rarest], strict=True) if count}) >= 2


def test_classes_are_as_unequal_as_on_real_roads(parts) -> None:
    total = class_counts(read_frames([*parts[0], *parts[1]])).sum(axis=0)
    shares = total / total.sum()
    assert shares.min() < 1e-4 and shares.argmin() == CATS_EYE
    assert shares[[ASPHALT, PAVED, UNPAVED]].min() > 0.05
    assert (shares[MARKING:] < 0.05).all()


def test_the_card_tells_the_class_shares(parts) -> None:
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    totals = [class_counts(read_frames(part)).sum(axis=0) for part in parts]
    for i, name in enumerate(RTK.class_names):
        train, valid = (100 * total[i] / total.sum() for total in totals)
        assert f"| {i} {name} | {train:.3f} | {valid:.3f} |" in card


def test_masks_are_palette_pictures_in_rtks_colours() -> None:
    with Image.open(FOLDER / "masks" / "ipe_000.png") as mask:
        assert mask.mode == "P"
        colors = np.array(mask.getpalette()).reshape(-1, 3)
    np.testing.assert_array_equal(colors[:13], RTK.colors)


def test_the_manifest_lists_every_picture() -> None:
    names = set(json.loads((FOLDER / "manifest.json").read_text()))
    assert {f"images/{road.name}_{k:03}.jpg" for road in ROADS for k in range(FRAMES)} <= names


# What a seed gives


@pytest.fixture
def surface() -> Surface:
    surface = Surface(np.random.default_rng(0), 24.0, 3.0, 0.0)
    surface.pave("asphalt", 0, 24)
    return surface


def drawn(surface: Surface) -> dict[int, float]:
    """Square metres of each class that is no pavement."""
    counts = np.bincount(surface.classes.ravel(), minlength=13)
    return {i: counts[i] * PIXEL**2 for i in range(MARKING, 13) if counts[i]}


def test_the_same_seed_draws_the_same_road() -> None:
    def draw() -> Surface:
        surface = Surface(np.random.default_rng(3), 12.0, 3.0, 1.0)
        surface.pave("unpaved", 0, 12)
        surface.puddle(6, 0, 0.8, 0.6)
        return surface

    one, two = draw(), draw()
    np.testing.assert_array_equal(one.classes, two.classes)
    np.testing.assert_array_equal(one.colour, two.colour)


@pytest.mark.parametrize(
    ("draw", "label", "area"),
    [
        (lambda s: s.manhole(12, 0), MANHOLE, (0.28, 0.41)),
        (lambda s: s.drain(12, 1), DRAIN, (0.32, 0.5)),
        (lambda s: s.patch(12, 0, 2.0, 1.0), PATCH, (1.8, 2.2)),
        (lambda s: s.pothole(12, 0, 0.5, 0.4), POTHOLE, (0.35, 0.9)),
        (lambda s: s.puddle(12, 0, 0.8, 0.6), PUDDLE, (0.8, 2.2)),
        (lambda s: s.bump(12), BUMP, (8, 14)),
        (lambda s: s.crack(10, 0, along=4, across=0), CRACK, (0.2, 1.2)),
        (lambda s: s.crazing(12, 0, 1.0, 0.6), CRACK, (1.0, 2.8)),
        (lambda s: s.zebra(12), MARKING, (5, 9)),
    ],
)
def test_a_thing_has_its_class_and_its_size(surface, draw, label, area) -> None:
    draw(surface)
    (found,) = drawn(surface).items()
    assert found[0] == label
    assert area[0] < found[1] < area[1]


def test_water_lies_flat_and_mirrors_and_a_pothole_is_a_hole(surface) -> None:
    surface.puddle(8, 0, 0.8, 0.6)
    surface.pothole(16, 0, 0.5, 0.4)
    water, hole = surface.classes == PUDDLE, surface.classes == POTHOLE
    assert surface.rough[water].mean() < 0.1 < surface.rough[surface.classes == ASPHALT].mean()
    assert surface.height[water].std() < 0.01
    assert surface.height[hole].mean() < surface.height[surface.classes == ASPHALT].mean() - 0.03


def test_paint_that_is_worn_off_is_no_marking(surface) -> None:
    surface.zebra(12)
    marked = surface.classes == MARKING
    rows = surface.colour.mean(axis=2)
    assert rows[marked].min() > 1.5 * np.median(rows[surface.classes == ASPHALT])


def test_things_keep_off_each_other_and_on_the_road(surface) -> None:
    assert surface.free(12, 0, 0.5, 0.5)
    surface.manhole(12, 0)
    assert not surface.free(12, 0.3, 0.5, 0.5)
    assert not surface.free(6, 2.9, 0.5, 0.5), "reaches over the edge"
    surface.pave("unpaved", 18, 24)
    assert not surface.free(21, 0, 0.5, 0.5) and surface.free(21, 0, 0.5, 0.5, earth=True)
    assert surface.pavement(5) == "asphalt" and surface.pavement(21) == "unpaved"


# Labels and pictures


def test_specks_go_to_the_pavement_around_them() -> None:
    ids = np.full((20, 20), PAVED, np.uint8)
    ids[5, 5], ids[10, 10 : 10 + SPECK] = CRACK, MARKING
    cleaned = without_specks(ids)
    assert cleaned[5, 5] == PAVED
    np.testing.assert_array_equal(cleaned[10], ids[10])


def test_a_photograph_is_soft_and_repeats_itself() -> None:
    linear = np.full((288, 352, 3), 0.18, np.float32)
    linear[:, 176:] = 0.5
    one, two = photograph(linear, ROADS[0], 0), photograph(linear, ROADS[0], 0)
    np.testing.assert_array_equal(one, two)
    assert one.dtype == np.uint8 and one.shape == linear.shape
    assert (one != photograph(linear, ROADS[0], 1)).any(), "each frame has its own noise"
    assert one[144, 100:150].mean() < one[144, 200:250].mean()
    assert one[:20, 176:].mean() < one[134:154, 176:260].mean() - 3, "the corners are darker"


def test_frames_of_the_set_are_masks_that_can_be_read(parts) -> None:
    mask = read_mask(rtk.get_y_fn(parts[1][0]))
    assert mask.shape == rtk.SIZE and mask.max() < 13
