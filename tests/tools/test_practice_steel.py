"""The practice sheets: as committed, as made, and like the real ones where it matters."""

import numpy as np
import pytest

from helpers import severstal
from helpers.datasets import check_dataset
from helpers.paths import DATA
from tools import practice_steel
from tools.manifest import differences, write_manifest

PRACTICE = DATA / "severstal_practice"


@pytest.mark.parametrize("pattern", ["", "1", "2", "3", "4", "34", "13", "12"])
def test_a_sheet_has_the_defects_of_its_pattern(pattern):
    for seed in range(3):
        image, masks = practice_steel.render(pattern, np.random.default_rng(seed))
        assert image.shape == (256, 1600) and image.dtype == np.uint8
        assert masks.shape == (4, 256, 1600) and masks.sum(0).max() <= 1
        assert {str(i + 1) for i in range(4) if masks[i].any()} == set(pattern)


def test_same_seed_same_sheet():
    first, again, other = (practice_steel.render("34", np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert np.array_equal(first[0], again[0]) and np.array_equal(first[1], again[1])
    assert not np.array_equal(first[1], other[1])


def test_defects_change_the_picture_where_their_masks_are():
    # The surface is drawn first, so the same seed gives the same sheet with and without its defects.
    for pattern in "1234":
        clean, _ = practice_steel.render("", np.random.default_rng(8))
        image, masks = practice_steel.render(pattern, np.random.default_rng(8))
        change = np.abs(image.astype(int) - clean)
        inside = masks[int(pattern) - 1]
        assert change[inside].mean() > 2 * change[~inside].mean()


def test_the_committed_set_is_as_it_was_made():
    assert differences(PRACTICE) == []
    assert sum(path.stat().st_size for path in PRACTICE.rglob("*")) < 8e6


def test_the_committed_set_has_the_right_form_and_balance():
    assert check_dataset(PRACTICE, "severstal") == []
    found = severstal.statistics(severstal.read_sheets(PRACTICE))
    assert dict(found["patterns"]) == practice_steel.TRAIN_PATTERNS
    assert found["floor"] == pytest.approx(0.86, abs=0.01)
    assert found["by_class"][3] > found["by_class"][1] > found["by_class"][2]


def test_the_set_is_made_again_pixel_for_pixel(tmp_path, monkeypatch):
    monkeypatch.setattr(practice_steel, "TRAIN_PATTERNS", {"": 1, "3": 2})
    monkeypatch.setattr(practice_steel, "TEST_PATTERNS", {"1": 1})
    for name in ("one", "two"):
        practice_steel.write_set(tmp_path / name, seed=4)
    practice_steel.write_set(tmp_path / "three", seed=5)
    one, two, three = ((tmp_path / name / "manifest.json").read_text() for name in ("one", "two", "three"))
    assert one == two != three
    assert check_dataset(tmp_path / "one", "severstal") == []


def test_a_committed_sheet_can_be_rendered_again():
    sheet = next(s for s in severstal.read_sheets(PRACTICE) if s.pattern == "3")
    number = [s.path for s in severstal.read_sheets(PRACTICE)].index(sheet.path)
    image, masks = practice_steel.render(sheet.pattern, np.random.default_rng([0, 0, number]))
    assert np.array_equal(masks, sheet.targets())
    assert np.abs(image.astype(int) - sheet.image()[..., 0]).mean() < 5  # JPEG


def test_the_manifest_notices_every_change(tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(name)
    (tmp_path / "README.md").write_text("a card is no data")
    write_manifest(tmp_path)
    assert differences(tmp_path) == []
    (tmp_path / "a").write_text("x")
    (tmp_path / "b").unlink()
    (tmp_path / "d").write_text("d")
    assert differences(tmp_path) == ["a: changed", "b: missing", "d: not in manifest.json"]
