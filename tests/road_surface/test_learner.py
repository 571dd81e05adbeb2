"""fastai's side of the lesson: crops to train on, whole frames to validate on."""

import numpy as np
import pytest
from fastai.data.block import DataBlock
from fastai.data.transforms import FuncSplitter, Normalize
from fastai.vision.data import ImageBlock, MaskBlock

from helpers.datasets import rtk
from helpers.images import save_image
from helpers.labels import RTK
from helpers.masks import read_mask, save_mask
from helpers.road_surface.learner import RandomCrop

CROP = (32, 48)


@pytest.fixture
def dls(tmp_path):
    mask = np.zeros((64, 96), np.uint8)
    mask[32:] = 1
    image = np.where(mask == 1, 200, 40).astype(np.uint8)[..., None].repeat(3, axis=2)
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    for k in range(4):
        save_image(tmp_path / "images" / f"{k}.png", image)
        save_mask(tmp_path / "masks" / f"{k}.png", mask, RTK.palette())
    paths = sorted((tmp_path / "images").iterdir())
    block = DataBlock(
        blocks=(ImageBlock, MaskBlock(RTK.class_names)),
        splitter=FuncSplitter(lambda path: path == paths[-1]),
        get_y=lambda path: read_mask(rtk.get_y_fn(path)),
        item_tfms=[RandomCrop(CROP)],
        batch_tfms=[Normalize.from_stats([0] * 3, [1 / 255] * 3)],
    )
    return block.dataloaders(paths * 2, bs=2, num_workers=0)


def test_training_sees_crops_in_which_picture_and_mask_agree(dls) -> None:
    for images, masks in dls.train:
        assert images.shape == (2, 3, *CROP) and masks.shape == (2, *CROP)
        assert images.max() > 1, "the network takes 0 … 255"
        for image, mask in zip(images.mean(1), masks, strict=True):
            if 0 < (mask == 1).float().mean() < 1:
                assert image[mask == 1].median() > image[mask == 0].median()


def test_validation_sees_whole_frames_as_they_are(dls) -> None:
    images, masks = dls.valid.one_batch()
    assert images.shape[2:] == (64, 96)
    assert masks.unique().tolist() == [0, 1]
    np.testing.assert_allclose(images[0, :, 50].mean().item(), 200, atol=0.5)
