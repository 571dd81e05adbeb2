"""Frames through tf.data: pairs stay pairs, ids stay ids, a seed gives one order."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from helpers.datasets.pairing import DatasetError
from helpers.images import save_image
from helpers.keras_unet import data
from helpers.masks import MaskError
from helpers.paths import DATA

FOLDER = DATA / "camvid_practice"


@pytest.fixture(scope="module")
def source() -> data.Source:
    return data.camvid_source(FOLDER)


def test_a_pair_has_one_size_and_void_is_255(source) -> None:
    image, mask = data.read_pair(source.valid_paths[0], source, size=(96, 128))
    assert image.shape == (96, 128, 3) and mask.shape == (96, 128)
    assert set(np.unique(mask)) <= {*range(11), data.VOID}
    whole = source.read_mask(source.valid_paths[0])
    assert set(np.unique(mask)) <= set(np.unique(whole)), "resizing invents no class"


def test_views_move_picture_and_mask_together() -> None:
    """The red of each pixel is its id, so that a view's mask can be read off its picture."""
    mask = np.repeat(np.repeat(np.arange(48, dtype=np.uint8).reshape(6, 8) * 5, 16, 0), 16, 1)
    image = np.stack([mask, np.full_like(mask, 120), np.full_like(mask, 120)], axis=-1)
    for seed in range(12):
        view, its_mask = data.random_view(tf.constant(image), tf.constant(mask), tf.constant([seed, 1]), size=(64, 80))
        view, its_mask = view.numpy(), its_mask.numpy()
        assert view.shape == (64, 80, 3) and its_mask.shape == (64, 80)
        assert set(np.unique(its_mask)) <= set(np.unique(mask))
        light = view[..., 1].mean()  # what 120 became
        assert 77 < light < 163
        inner = its_mask[1:-1, 1:-1] == its_mask[:-2, 1:-1]
        steady = inner & (its_mask[1:-1, 1:-1] == its_mask[2:, 1:-1]) & (its_mask[1:-1, 1:-1] == its_mask[1:-1, 2:])
        steady &= its_mask[1:-1, 1:-1] == its_mask[1:-1, :-2]
        red, ids = view[1:-1, 1:-1, 0][steady], its_mask[1:-1, 1:-1][steady]
        unclipped = (red > 0) & (red < 255)
        assert np.corrcoef(red[unclipped], ids[unclipped])[0, 1] > 0.99


def test_a_seed_gives_one_order_and_another_seed_another(source) -> None:
    pairs = data.frames(source.train_paths[:6], source, size=(48, 64))

    def first(seed: int) -> np.ndarray:
        return next(iter(data.training_batches(pairs, size=(32, 48), batch=4, seed=seed)))[0].numpy()

    assert np.array_equal(first(3), first(3))
    assert not np.array_equal(first(3), first(4))


def test_every_frame_comes_up_once_an_epoch(source) -> None:
    paths = source.valid_paths[:5]
    pairs = data.frames(paths, source, size=(32, 64))
    images = np.concatenate([batch.numpy() for batch, _ in data.validation_batches(pairs, batch=2)])
    assert np.array_equal(images, [data.read_pair(path, source, size=(32, 64))[0] for path in paths])


@pytest.fixture
def pets_folder(tmp_path):
    trimap = np.array([[1, 1, 3], [2, 3, 2]], np.uint8)
    for stem in ("cat_1", "dog_1"):
        (tmp_path / "images").mkdir(exist_ok=True)
        (tmp_path / "annotations" / "trimaps").mkdir(parents=True, exist_ok=True)
        save_image(tmp_path / "images" / f"{stem}.jpg", np.full((2, 3, 3), 90, np.uint8))
        Image.fromarray(trimap).save(tmp_path / "annotations" / "trimaps" / f"{stem}.png")
    (tmp_path / "annotations" / "trainval.txt").write_text("cat_1 1 1 1\n")
    (tmp_path / "annotations" / "test.txt").write_text("dog_1 2 2 1\n")
    return tmp_path


def test_the_border_of_a_pet_is_ignored(pets_folder) -> None:
    source = data.pets_source(pets_folder / "images", pets_folder / "annotations")
    assert [path.stem for path in source.train_paths + source.valid_paths] == ["cat_1", "dog_1"]
    assert source.read_mask(source.train_paths[0]).tolist() == [[1, 1, 255], [0, 255, 0]]


def test_pets_that_are_not_whole_are_refused(pets_folder) -> None:
    parts = pets_folder / "images", pets_folder / "annotations"
    Image.fromarray(np.zeros((2, 3), np.uint8)).save(parts[1] / "trimaps" / "cat_1.png")
    source = data.pets_source(*parts)
    with pytest.raises(MaskError, match="a trimap has 1, 2 and 3"):
        source.read_mask(source.train_paths[0])
    (parts[0] / "dog_1.jpg").unlink()
    with pytest.raises(DatasetError, match="dog_1"):
        data.pets_source(*parts)
    (parts[1] / "trainval.txt").unlink()
    with pytest.raises(DatasetError, match="trainval.txt is missing"):
        data.pets_source(*parts)
