"""What the lesson's own training consists of: batches, scores without Void, records."""

import json

import numpy as np
import pytest
import torch
from fastai.callback.core import Callback

from camvid_lesson import data_block, make_learner
from helpers.camvid import learner
from helpers.camvid.model import StreetNetwork
from helpers.camvid.train import read_records
from helpers.images import save_image
from helpers.labels import CAMVID, CAMVID11
from helpers.masks import save_mask
from helpers.metrics import ConfusionMatrix

pytestmark = pytest.mark.usefixtures("one_thread")

ROAD, CAR, VOID = 3, 8, 11  # CamVid 11
SIZE = (32, 48)


@pytest.fixture(scope="module")
def dls(tmp_path_factory):
    """Frames with a dark road on the left, a bright car on the right and an unlabelled strip at the top."""
    folder = tmp_path_factory.mktemp("camvid")
    mask = np.full((48, 72), CAMVID.index("Road"), np.uint8)
    mask[:, 40:] = CAMVID.index("SUVPickupTruck")
    mask[:4] = CAMVID.ignore_index
    image = np.where(mask == CAMVID.index("Road"), 20, 235).astype(np.uint8)[..., None].repeat(3, axis=2)
    (folder / "images").mkdir()
    (folder / "labels").mkdir()
    for i in range(6):
        save_image(folder / "images" / f"town_{i}.png", image)
        save_mask(folder / "labels" / f"town_{i}_P.png", mask, CAMVID.palette())
    (folder / "codes.txt").write_text("\n".join(CAMVID.class_names), encoding="utf-8")
    (folder / "valid.txt").write_text("town_4.png\ntown_5.png\n", encoding="utf-8")
    return data_block(folder, SIZE).dataloaders(folder / "images", bs=2, num_workers=0)


def test_batches_are_split_by_the_list_and_folded_to_eleven_classes(dls) -> None:
    names = [[path.name for path in part.items] for part in (dls.train_ds, dls.valid_ds)]
    assert sorted(names[0]) == [f"town_{i}.png" for i in range(4)]
    assert sorted(names[1]) == ["town_4.png", "town_5.png"]
    images, masks = dls.one_batch()
    assert images.shape == (2, 3, *SIZE) and masks.shape == (2, *SIZE)
    assert set(masks.unique().tolist()) <= {ROAD, CAR, VOID}
    assert 150 < images.max().item() <= 256, "the network takes 0 … 255"


def test_frames_for_validation_stay_as_they_are(dls) -> None:
    images, masks = dls.valid.one_batch()
    rows, columns = SIZE
    expected = np.full(SIZE, ROAD)
    expected[:, columns * 40 // 72 :] = CAR
    off_border = np.abs(np.arange(columns) - columns * 40 / 72) > 1.5
    below_void = slice(rows * 4 // 48 + 2, None)
    got = masks[0].numpy()[below_void][:, off_border]
    np.testing.assert_array_equal(got, expected[below_void][:, off_border])
    bright = images[0].mean(0).numpy()[below_void][:, off_border] > 128
    np.testing.assert_array_equal(bright, got == CAR)


def test_picture_and_mask_move_together_and_views_differ(dls) -> None:
    views, masks = learner.draw_again(dls, 0, count=12)
    assert views.dtype == np.uint8 and views.shape == (12, *SIZE, 3)
    assert len({mask.tobytes() for mask in masks}) > 6, "each draw is another view"
    labelled = masks != VOID
    agree = (views.mean(axis=3) > 128) == (masks == CAR)
    assert agree[labelled].mean() > 0.95
    mirrored = [(mask[:, :4] == CAR).mean() > (mask[:, -4:] == CAR).mean() for mask in masks]
    assert any(mirrored) and not all(mirrored)


def test_accuracy_leaves_void_out() -> None:
    target = torch.tensor([[[0, 1], [VOID, VOID]]])
    logits = torch.zeros(1, 11, 2, 2)
    logits[0, 0] = 1.0  # says Sky everywhere
    assert learner.acc_camvid(logits, target).item() == 0.5


class Batch:
    """As much of a Learner as a metric looks at."""

    def __init__(self, target, pred):
        self.y = torch.tensor(target)
        self.pred = torch.nn.functional.one_hot(torch.tensor(pred), 11).movedim(-1, 1).float()


def test_mean_iou_sums_over_batches_before_it_divides() -> None:
    targets = [[[[0, 0], [0, VOID]]], [[[1, 1], [0, VOID]]]]
    preds = [[[[0, 0], [1, 5]]], [[[1, 1], [1, 0]]]]
    metric = learner.MeanIoU()
    metric.reset()
    for target, pred in zip(targets, preds, strict=True):
        metric.accumulate(Batch(target, pred))
    assert metric.value == pytest.approx((2 / 4 + 2 / 4) / 2)  # Sky: 2 of 4 pixels in either; Building: 2 of 4
    metric.reset()
    metric.accumulate(Batch(targets[0], preds[0]))
    assert metric.value == pytest.approx((2 / 3 + 0) / 2), "reset forgets"


def test_a_step_lowers_the_loss_and_the_average_is_what_is_kept(dls) -> None:
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.BatchNorm2d(3), torch.nn.Conv2d(3, CAMVID11.num_classes, 1))
    learn = make_learner(dls, network, weights=torch.ones(CAMVID11.num_classes))
    with learn.no_bar(), learn.no_logging():
        before = learn.validate()[0]
        learn.fit_one_cycle(8, 0.1)
    average = {key: value.clone() for key, value in learn.ema.average.module.state_dict().items()}
    segmenter = learner.to_segmenter(learn, SIZE)
    assert all(torch.equal(value, average[key]) for key, value in segmenter.network.state_dict().items())
    with learn.no_bar(), learn.no_logging():
        assert learn.validate()[0] < 0.7 * before
    assert segmenter.labels is CAMVID11 and not segmenter.network.training


class Spy(Callback):
    """What the network's layers and the loss get."""

    order = 50

    def __init__(self):
        self.seen, self.layer = [], None

    def before_fit(self):
        self.model.network[1].register_forward_hook(self.look)

    def look(self, module, inputs, output):
        self.layer = inputs[0].is_contiguous(memory_format=torch.channels_last), output.dtype

    def after_pred(self):
        self.seen.append((self.training, *self.layer, self.pred.dtype))


class Interrupt(Callback):
    def after_pred(self):
        raise KeyboardInterrupt


def test_training_takes_the_way_that_was_measured(dls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learner, "way_to_train", lambda *arguments: "channels_last bfloat16")
    layers = torch.nn.Sequential(torch.nn.BatchNorm2d(3), torch.nn.Conv2d(3, 11, 1))
    spy = Spy()
    learn = make_learner(dls, StreetNetwork(layers))
    with learn.no_bar(), learn.no_logging(), learn.added_cbs(spy):
        learn.fit(1, 0.1)
    assert set(spy.seen) == {(training, True, torch.bfloat16, torch.float32) for training in (True, False)}
    with pytest.raises(KeyboardInterrupt), learn.no_bar(), learn.no_logging(), learn.added_cbs(Interrupt()):
        learn.fit(1, 0.1)
    assert not torch.is_autocast_enabled("cpu"), "an interrupted training leaves nothing open"


def test_shares_of_classes_leave_void_out(dls) -> None:
    shares = learner.class_shares(dls.train_ds.items, CAMVID)
    assert shares.shape == (11,)
    assert shares[[ROAD, CAR]] == pytest.approx([40 / 72, 32 / 72])


def test_records_come_with_command_and_scores(tmp_path, capsys) -> None:
    matrix = ConfusionMatrix(11).update(np.array([0, 0, 1]), np.array([0, 1, 1]))
    record = {
        "command": "python -m helpers train camvid",
        "date": "2026-11-20",
        "device": "2 CPU cores",
        "minutes": 3.02,
        "epochs": 12.6,
        "before": {"command": "half the size", "minutes": 2, "epochs": 20.4},
        **matrix.figures(CAMVID11.class_names),
    }
    (tmp_path / "camvid_try.json").write_text(json.dumps(record), encoding="utf-8")
    iou = read_records("try", folder=tmp_path)["try"]["iou"]
    np.testing.assert_allclose(iou[:2], [0.5, 0.5])
    assert np.isnan(iou[2:]).all(), "classes that are in neither truth nor prediction have no score"
    printed = capsys.readouterr().out
    for part in (
        "try: python -m helpers train camvid",
        "2 CPU cores",
        "3.0 min, 13 epochs",
        "mean IoU 0.5000",
        "before: half the size",
        "2.0 min, 20 epochs",
    ):
        assert part in printed
