"""The lesson's live training on the practice streets reaches its bar on the town that it never saw: about 45 s."""

import pytest
import torch
from fastai.torch_core import set_seed

from camvid_lesson import data_block, make_learner
from helpers.camvid import learner, model
from helpers.camvid.train import score
from helpers.datasets import camvid
from helpers.labels import CAMVID11
from helpers.paths import DATA
from helpers.training.losses import inverse_log_weights

PRACTICE = DATA / "camvid_practice"
SIZE, BATCH, EPOCHS, RATE = (120, 160), 8, 30, 4e-3  # as in notebook 04


@pytest.mark.slow
@pytest.mark.timeout(900)  # on a busy machine
def test_live_training_learns_streets_not_frames() -> None:
    set_seed(0, reproducible=True)
    train_paths, valid_paths = camvid.split(PRACTICE)
    assert not set(map(camvid.sequence, train_paths)) & set(map(camvid.sequence, valid_paths))
    labels = camvid.label_set(PRACTICE)
    dls = data_block(PRACTICE, SIZE).dataloaders(PRACTICE / "images", bs=BATCH, num_workers=0)
    weights = inverse_log_weights(torch.from_numpy(learner.class_shares(train_paths, labels)))
    learn = make_learner(dls, model.build("small", CAMVID11.num_classes), weights=weights)
    with learn.no_bar(), learn.no_logging():
        learn.fit_one_cycle(EPOCHS, RATE)
    matrix = score(learner.to_segmenter(learn, SIZE), valid_paths, labels)
    print(matrix.table(CAMVID11.class_names))
    assert matrix.mean_iou() >= 0.35
    assert (matrix.iou() > 0.2).sum() >= 5
