"""Several processes learn what one learns; the real ones, under torchrun, are the slow tests."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import ddp_program
from helpers.training.distributed import (
    Alone,
    cross_entropy_totals,
    random_crop,
    shared_draw,
    shared_loss,
    shared_score,
)
from helpers.training.loop import CHECKPOINT, RunError, train

pytestmark = pytest.mark.usefixtures("one_thread")


class Pretended(Alone):
    """One of several processes whose sums are known beforehand."""

    def __init__(self, place: int, size: int, total: torch.Tensor | None = None):
        self.place, self.size, self._total = place, size, total

    def total(self, values: torch.Tensor) -> torch.Tensor:
        return self._total


def batch(world: Alone, step: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    return shared_draw(ddp_program.crop, 8, world=world)(np.random.default_rng([0, step]), 0.0)


@pytest.mark.parametrize("size", [2, 4, 8])
def test_any_number_of_processes_draws_the_same_crops(size: int) -> None:
    images, masks = batch(Alone())
    for place in range(size):
        some, theirs = batch(Pretended(place, size))
        assert torch.equal(some, images[place::size]) and torch.equal(theirs, masks[place::size])
    assert not torch.equal(images, batch(Alone(), step=1)[0])


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    with pytest.raises(RunError, match="a batch of 8 can't be shared evenly by 3 processes"):
        shared_draw(ddp_program.crop, 8, world=Pretended(0, 3))


def gradients(world: Alone) -> tuple[float, torch.Tensor]:
    network = ddp_program.network()
    loss = shared_loss(ddp_program.totals, world=world)(network, *batch(world))
    loss.backward()
    return loss.item(), torch.cat([p.grad.flatten() for p in network.parameters()])


def test_the_gradient_is_that_of_one_process_although_labels_are_unevenly_spread() -> None:
    parts = [ddp_program.totals(ddp_program.network(), *batch(Pretended(place, 2))) for place in (0, 1)]
    sums, counts = (torch.stack(list(values)) for values in zip(*parts, strict=True))
    assert counts[0] != counts[1]
    whole = torch.stack([sums.sum().detach(), counts.sum().float()])
    loss, gradient = gradients(Alone())
    shares = [gradients(Pretended(place, 2, whole)) for place in (0, 1)]
    assert [value for value, _ in shares] == pytest.approx([loss, loss], rel=1e-6)
    assert torch.allclose((shares[0][1] + shares[1][1]) / 2, gradient, atol=1e-6)  # DDP takes the mean
    means = (sums / counts).mean()
    assert abs(means.item() - loss) > 1e-5  # the mean of the processes' means is something else


def test_scores_are_of_all_pictures_together() -> None:
    class OneClass(torch.nn.Conv2d):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x) * 0 + torch.arange(11.0, 0, -1)[None, :, None, None]

    rng = np.random.default_rng(0)
    pairs = [(np.zeros((4, 4, 3), np.uint8), rng.integers(0, 12, (4, 4)).astype(np.uint8)) for _ in range(5)]
    matrix = shared_score(OneClass(3, 11, 1), pairs, Alone())
    masks = np.stack([mask for _, mask in pairs])
    assert matrix.counts.sum() == (masks != 11).sum()
    assert matrix.matrix[:, 0].tolist() == [(masks == c).sum() for c in range(11)]


def test_crops_have_their_size_and_only_classes_that_were_there() -> None:
    image = np.full((60, 80, 3), 9, np.uint8)
    mask = np.repeat([[3], [7]], 30, 0).repeat(80, 1).astype(np.uint8)
    view, target = random_crop([(image, mask)], size=(32, 48))(np.random.default_rng(0), 0.0)
    assert view.shape == (32, 48, 3) and set(np.unique(target)) <= {3, 7, 11}


def test_the_loss_leaves_pixels_without_a_label_out() -> None:
    network = torch.nn.Conv2d(3, 11, 1)
    images, targets = torch.zeros(2, 3, 4, 4), torch.full((2, 8, 8), 11, dtype=torch.uint8)
    total, count = cross_entropy_totals(network, images, targets)
    assert (total.item(), count.item()) == (0, 0)
    targets[0, 0, :3] = 5
    assert cross_entropy_totals(network, images, targets)[1] == 3


def torchrun(folder: Path, *, processes: int, kill_at: int | None = None) -> int:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command += [ddp_program.__file__, str(folder), *([str(kill_at)] if kill_at else [])]
    paths = os.pathsep.join(filter(None, sys.path))
    return subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, timeout=250).returncode


def result(folder: Path) -> dict:
    return torch.load(folder / CHECKPOINT, weights_only=True)


def assert_equal_training(one: dict, other: dict) -> None:
    assert len(one["losses"]) == len(other["losses"]) == ddp_program.STEPS
    assert other["losses"] == pytest.approx(one["losses"], rel=1e-4)
    for name, value in one["network"].items():
        assert torch.allclose(other["network"][name].float(), value.float(), atol=1e-5), name


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict:
    folder = tmp_path_factory.mktemp("alone")
    ddp_program.run(folder, Alone())
    return result(folder)


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(tmp_path: Path, alone: dict) -> None:
    assert torchrun(tmp_path, processes=2) == 0
    assert_equal_training(alone, result(tmp_path))


@pytest.mark.slow
def test_a_killed_training_goes_on_also_with_another_number_of_processes(tmp_path: Path, alone: dict) -> None:
    assert torchrun(tmp_path, processes=2, kill_at=6) != 0
    assert 0 < len(result(tmp_path)["losses"]) <= 6
    ddp_program.run(tmp_path, Alone())
    assert_equal_training(alone, result(tmp_path))


def test_a_finished_training_is_not_done_again(tmp_path: Path) -> None:
    ddp_program.run(tmp_path, Alone())
    before = result(tmp_path)["losses"]
    draw = shared_draw(ddp_program.crop, ddp_program.BATCH, world=Alone())
    loss = shared_loss(ddp_program.totals, world=Alone())
    again = train(ddp_program.network(), draw, loss, steps=ddp_program.STEPS, folder=tmp_path, compute="plain")
    assert again.losses == before
