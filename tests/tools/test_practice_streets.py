"""The practice streets: the committed files, the layout that a seed gives, and the exactness of the label pass."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from helpers.datasets import check_dataset
from helpers.labels import CAMVID, CAMVID11, CITYSCAPES, fold
from helpers.masks import read_mask
from helpers.paths import DATA, IMAGES
from helpers.video import VideoReader
from tools.manifest import differences
from tools.practice_streets.camera import develop
from tools.practice_streets.classes import COUNTABLE, FINE_CLASSES, FINE_IDS, TO_CAMVID, TO_CITYSCAPES
from tools.practice_streets.line import Line
from tools.practice_streets.plan import CLIP_FPS, CLIP_SECONDS, FRAME, PICTURES, PRACTICE, Shot, clip_shots
from tools.practice_streets.shapes import Shape, Thing
from tools.practice_streets.shares import class_shares
from tools.practice_streets.towns import DUSK, SUN

PRACTICE_DIR, CLIP_DIR, PICTURES_DIR = DATA / "camvid_practice", DATA / "street_clip", IMAGES / "streets"
SETS = {PRACTICE_DIR: PRACTICE, PICTURES_DIR: PICTURES}


# What is committed


@pytest.mark.parametrize("folder", [PRACTICE_DIR, CLIP_DIR, PICTURES_DIR], ids=lambda folder: folder.name)
def test_the_committed_files_are_as_they_were_made(folder):
    assert differences(folder) == []


def test_everything_together_stays_small():
    sizes = [path.stat().st_size for folder in (PRACTICE_DIR, CLIP_DIR, PICTURES_DIR) for path in folder.rglob("*.*")]
    assert sum(sizes) < 15e6


def test_the_practice_set_has_the_layout_of_camvid():
    assert check_dataset(PRACTICE_DIR, "camvid") == []
    assert (PRACTICE_DIR / "codes.txt").read_text().split() == list(CAMVID.class_names)
    assert {path.stem for path in (PRACTICE_DIR / "images").iterdir()} == {shot.stem for shot in PRACTICE}


def test_valid_is_a_town_that_train_never_saw():
    named = (PRACTICE_DIR / "valid.txt").read_text().split()
    valid = {name.split("_")[0] for name in named}
    train = {shot.stem.split("_")[0] for shot in PRACTICE if f"{shot.stem}.jpg" not in named}
    assert len(named) == 20 and len(train) >= 3
    assert not valid & train
    assert clip_shots()[0].town not in train | valid


@pytest.mark.parametrize("folder", SETS, ids=lambda folder: folder.name)
def test_both_label_maps_say_the_same_and_each_instance_is_one_thing(folder):
    allowed = pairs_of(TO_CAMVID, TO_CITYSCAPES)
    countable = {int(TO_CAMVID[i]) for i in COUNTABLE}
    for shot in SETS[folder]:
        with Image.open(shot.path(folder, "image")) as image:
            assert image.size == shot.size[::-1] and image.mode == "RGB"
        masks = [read_mask(shot.path(folder, kind)) for kind in ("camvid", "cityscapes", "instances")]
        assert {mask.shape for mask in masks} == {shot.size}
        camvid, cityscapes, instances = masks
        assert pairs_of(camvid, cityscapes) <= allowed
        owners = [(number, code) for number, code in pairs_of(instances, camvid) if number > 0]
        assert [number for number, _ in sorted(owners)] == list(range(1, instances.max() + 1))  # one class each
        assert {code for _, code in owners} <= countable


def pairs_of(first: np.ndarray, second: np.ndarray) -> set[tuple[int, int]]:
    """The pairs of ids that lie on the same pixels."""
    found = np.flatnonzero(np.bincount(first.ravel().astype(int) * 256 + second.ravel()))
    return {divmod(int(pair), 256) for pair in found}


def test_every_class_occurs_and_shares_are_like_a_street():
    train = [shot for shot in PRACTICE if not shot.valid]
    fine = class_shares([shot.path(PRACTICE_DIR, "cityscapes") for shot in train], CITYSCAPES)
    assert min(fine.values()) > 0
    for part in (train, [shot for shot in PRACTICE if shot.valid]):
        share = class_shares([s.path(PRACTICE_DIR, "camvid") for s in part], CAMVID, fold_to=CAMVID11)
        assert min(share.values()) > 0
        assert 25 < share["Road"] < 45 and 15 < share["Building"] < 35 and 5 < share["Sky"] < 25
        assert share["Pavement"] > 2 and share["Tree"] > 5 and share["Car"] > 3


def test_no_frame_is_filled_by_one_class():
    """As one would be whose camera stands in a tree's outline."""
    for shot in PRACTICE:
        share = class_shares([shot.path(PRACTICE_DIR, "camvid")], CAMVID, fold_to=CAMVID11)
        assert max(share.values()) < 75, shot.stem


def test_the_first_picture_shows_what_the_lessons_talk_about():
    mask = read_mask(PICTURES[0].path(PICTURES_DIR, "cityscapes"))
    for name in ("person", "rider", "bicycle", "car", "bus", "traffic light"):
        assert np.count_nonzero(mask == CITYSCAPES.index(name)) > 400, name


def test_the_clip_has_a_label_map_for_each_frame():
    with_labels = sorted((CLIP_DIR / "labels").glob("*.png"))
    frames = [frame for _, frame in VideoReader(CLIP_DIR / "clip.mp4")]
    assert len(frames) == len(with_labels) == CLIP_FPS * CLIP_SECONDS
    assert frames[0].shape == (*FRAME, 3)
    first, second, last = (read_mask(with_labels[i]) for i in (0, 1, -1))
    known = {*range(CITYSCAPES.num_classes), CITYSCAPES.ignore_index}
    assert first.shape == FRAME and all(set(np.unique(mask)) <= known for mask in (first, second, last))
    assert np.mean(first == second) > np.mean(first == last)  # the street comes nearer


# Classes


def test_the_tables_agree_with_the_label_sets():
    for name, (camvid, cityscapes) in FINE_CLASSES.items():
        assert 0 <= camvid < CAMVID.num_classes
        assert 0 <= cityscapes < CITYSCAPES.num_classes or cityscapes == CITYSCAPES.ignore_index, name
    assert TO_CAMVID[FINE_IDS["hedge"]] == CAMVID.index("VegetationMisc")
    assert TO_CITYSCAPES[FINE_IDS["grass"]] == CITYSCAPES.index("terrain")
    to_11, from_19 = fold(CAMVID, CAMVID11), fold(CITYSCAPES, CAMVID11)
    for name, (camvid, cityscapes) in FINE_CLASSES.items():
        if cityscapes != CITYSCAPES.ignore_index:
            assert to_11[camvid] == from_19[cityscapes], name


# Shapes


def test_a_box_has_its_size_and_place():
    a = Shape().box((1, 2, 3), (2, 4, 6), "brick", "wall", (0.1, 0.2, 0.3)).arrays()
    assert a["verts"].min(0).tolist() == [0, 0, 3] and a["verts"].max(0).tolist() == [2, 4, 9]
    assert len(a["starts"]) == 6 and set(a["part"]) == {FINE_IDS["wall"]} and a["materials"] == ["brick"]
    corners = a["verts"][a["loops"]].reshape(6, 4, 3)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert np.all(np.einsum("ij,ij->i", normals, corners.mean(1) - [1, 2, 6]) > 0)  # all look outwards


def test_patterns_are_laid_out_in_metres():
    a = Shape().quad([[0, 0, 0], [3, 0, 0], [3, 0, 2], [0, 0, 2]], "brick", "building", (1, 1, 1)).arrays()
    assert np.ptp(a["uv"], axis=0) == pytest.approx([3, 2])


def test_joining_turns_scales_and_moves():
    arm = Shape().quad([[0, 1, 0], [0, 2, 0], [0, 2, 1], [0, 1, 1]], "metal", "pole", (1, 1, 1))
    verts = Shape().join(arm, (10, 0, 0), turn=np.pi / 2, scale=2).arrays()["verts"]
    assert verts[0] == pytest.approx([8, 0, 0])  # (0, 1, 0) doubled, turned to -x, moved by 10


@given(st.integers(3, 12), st.floats(0.1, 3), st.floats(0.5, 9))
def test_a_rod_is_closed_and_keeps_its_radius(sides, radius, length):
    a = Shape().rod((0, 0, 0), (0, 0, length), radius, "metal", "pole", (1, 1, 1), sides=sides).arrays()
    assert np.hypot(*a["verts"][:, :2].T) == pytest.approx(radius)
    assert len(a["starts"]) == sides + 2 and np.ptp(a["verts"][:, 2]) == pytest.approx(length)


# Layout


EXTRAS = ("bus", "truck", "tram", "motorcycle", "cone", "dog", "child", "rider", "signals")


@pytest.fixture(scope="module")
def things() -> list[Thing]:
    """A short street with everything in it."""
    return Shot("a", "elmbury", 900, EXTRAS, length=50).world().things


def fingerprints(things: list[Thing], *names: str) -> list[bytes]:
    """The meshes of the things with a part of these fine classes; of all things where none is named."""
    found = [thing.shape.arrays() for thing in things]
    ids = [FINE_IDS[name] for name in names]
    return [a["verts"].tobytes() for a in found if not ids or np.isin(a["part"], ids).any()]


@pytest.mark.slow
def test_a_seed_gives_one_street_and_no_two_streets_share_a_house_a_tree_or_a_car(things):
    again = Shot("a", "elmbury", 900, EXTRAS, length=50).world().things
    other = Shot("b", "elmbury", 901, EXTRAS, length=50).world().things
    assert fingerprints(things) == fingerprints(again)
    unique = ("building", "tree", "car", "van", "bus", "person", "rider")
    assert len(fingerprints(things, *unique)) > 20
    assert not set(fingerprints(things, *unique)) & set(fingerprints(other, *unique))


def test_a_street_holds_what_was_asked_for(things):
    found = {int(i) for thing in things for i in np.unique(thing.shape.arrays()["part"])}
    missing = {FINE_IDS[name] for name in FINE_CLASSES} - found - {FINE_IDS["sky"]}
    by_chance = {"hatched marking", "luggage", "fence", "hedge", "wall", "clutter", "van", "sign", "person", "car"}
    assert missing <= {FINE_IDS[name] for name in by_chance}


def test_the_line_is_followed_metre_by_metre():
    lines = (Line.random(np.random.default_rng(seed), 150) for seed in range(20))
    line = next(line for line in lines if np.ptp(line.headings) > 0.05)  # one that bends
    steps = np.array([line.at(s + 1)[0] - line.at(s)[0] for s in range(-20, 140)])
    assert np.linalg.norm(steps, axis=1) == pytest.approx(1, abs=1e-3)
    where, heading = line.at(30, 2.0)
    to_the_right = where - line.at(30)[0]
    assert to_the_right == pytest.approx([2 * np.cos(heading), 2 * np.sin(heading)])


# Camera


def test_the_camera_meters_so_that_a_darker_scene_comes_out_alike():
    scene = np.random.default_rng(0).uniform(0.05, 0.4, (60, 80, 3))
    bright, dark = (develop(scene * k, np.random.default_rng(1), SUN).mean() for k in (1, 0.1))
    assert dark == pytest.approx(bright, rel=0.1)
    dusk = develop(scene, np.random.default_rng(1), DUSK)
    assert dusk.dtype == np.uint8 and dusk.shape == scene.shape
    assert dusk.mean() < bright - 20


def test_noise_alone_differs_between_the_frames_of_a_drive():
    scene = np.full((60, 80, 3), 0.2)
    frames = [develop(scene, np.random.default_rng(1), SUN, noise=np.random.default_rng(k)).astype(int) for k in (2, 3)]
    assert np.any(frames[0] != frames[1])
    assert abs(frames[0].mean() - frames[1].mean()) < 0.5


# Rendering: only where Blender is installed


@pytest.fixture(scope="module")
def stage():
    pytest.importorskip("bpy", reason="rendering needs the extra `render`")
    from tools.practice_streets.render import Stage

    shot = PRACTICE[0]
    stage = Stage(shot.world(), shot.size, samples=1)
    stage.look(**shot.view())
    return stage


def test_the_same_seed_gives_the_committed_masks_pixel_for_pixel(stage):
    fine, instances = stage.labels()
    assert np.array_equal(TO_CAMVID[fine], read_mask(PRACTICE[0].path(PRACTICE_DIR, "camvid")))
    assert np.array_equal(TO_CITYSCAPES[fine], read_mask(PRACTICE[0].path(PRACTICE_DIR, "cityscapes")))
    again, numbers = stage.labels()
    assert np.array_equal(fine, again) and np.array_equal(instances, numbers)


def test_the_picture_pass_leaves_the_label_pass_as_it_was(stage):
    before, _ = stage.labels()
    picture = stage.picture()
    after, _ = stage.labels()
    assert picture.shape == (*FRAME, 3) and picture.min() >= 0 and picture.max() > 0.2
    assert np.array_equal(before, after)
