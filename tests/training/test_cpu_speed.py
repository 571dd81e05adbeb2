"""CpuSpeed and Workers: the same training, done faster."""

import copy
import pickle

import pytest
import torch
from fastai.callback.core import Callback
from fastai.vision.learner import create_unet_model
from torch import nn
from torchvision.models import resnet18

from helpers.training import cpu_speed
from helpers.training.cpu_speed import CpuSpeed, HalfPrecision
from helpers.training.devices import sharing_copy
from helpers.training.workers import Workers
from learners import tiny_learner, tiny_network, weights

torch.set_num_threads(1)


class Spy(Callback):
    """What the network gets and gives."""

    order = 50

    def __init__(self):
        self.seen = []

    def after_pred(self):
        self.seen.append((self.training, self.x.is_contiguous(memory_format=torch.channels_last), self.pred.dtype))


@pytest.fixture
def full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_speed, "half_precision", lambda device: torch.autocast(device.type, enabled=False))


@pytest.mark.parametrize("callbacks", [[CpuSpeed], [Workers], [CpuSpeed, Workers]])
def test_weights_are_those_of_the_plain_training(full_precision, callbacks: list) -> None:
    made = [callback() if callback is CpuSpeed else callback(2) for callback in callbacks]
    plain, fast = tiny_learner(), tiny_learner(*made)
    for learner in (plain, fast):
        learner.fit(3, lr=0.1)
    assert not torch.allclose(weights(plain.model), weights(tiny_network()), atol=1e-2)
    assert torch.allclose(weights(fast.model), weights(plain.model), atol=1e-5)


def test_half_precision_is_close_and_really_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_speed, "half_precision", lambda device: torch.autocast("cpu", torch.bfloat16))
    dtypes = []
    network = tiny_network()
    network[0].register_forward_hook(lambda module, inputs, output: dtypes.append(output.dtype))
    plain, fast, spy = tiny_learner(), tiny_learner(CpuSpeed(), network=network), Spy()
    fast.add_cb(spy)
    for learner in (plain, fast):
        learner.fit(2, lr=0.1)
    assert set(dtypes) == {torch.bfloat16}
    assert {dtype for _, _, dtype in spy.seen} == {torch.float32}  # loss and scores get full precision
    moved = (weights(plain.model) - weights(tiny_network())).norm()
    difference = (weights(plain.model) - weights(fast.model)).norm()
    assert 0 < difference < 0.05 * moved


def test_channels_last_in_training_and_validation() -> None:
    spy = Spy()
    learner = tiny_learner(CpuSpeed(), spy, valid=True)
    learner.fit(1, lr=0.1)
    assert [training for training, _, _ in spy.seen] == [True] * 4 + [False]
    assert all(last for _, last, _ in spy.seen)
    assert learner.model[0].weight.is_contiguous(memory_format=torch.channels_last)


@pytest.fixture
def two_threads():
    torch.set_num_threads(2)  # so that `Workers` has something to share out
    yield
    torch.set_num_threads(1)


class Interrupt(Callback):
    def after_pred(self):
        raise KeyboardInterrupt


@pytest.mark.parametrize("callbacks", [[CpuSpeed()], [CpuSpeed(), Workers(2)]])
def test_nothing_stays_behind(callbacks: list, two_threads) -> None:
    learner = tiny_learner(*callbacks)
    learner.fit(1, lr=0.1)
    assert "forward" not in vars(learner.model)
    assert learner.model(torch.zeros(1, 3, 8, 8)).dtype == torch.float32
    assert torch.get_num_threads() == 2
    pickle.dumps(learner.model)  # as `learn.export` does


def test_an_interrupted_training_leaves_no_half_precision_open() -> None:
    learner = tiny_learner(CpuSpeed(), Interrupt())
    with pytest.raises(KeyboardInterrupt):
        learner.fit(1, lr=0.1)
    assert not torch.is_autocast_enabled("cpu")
    assert learner.model(torch.zeros(1, 3, 8, 8)).dtype == torch.float32
    pickle.dumps(learner.model)


def test_a_copy_shares_weights_and_not_gradients() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
    twin = sharing_copy(network)
    with torch.no_grad():
        network[0].weight.add_(1.0)
    assert torch.equal(twin[0].weight, network[0].weight)
    twin(torch.randn(2, 3, 4, 4)).square().sum().backward()
    assert twin[0].weight.grad is not None and network[0].weight.grad is None
    assert network[1].running_mean.any()  # the copy's statistics are the network's


def test_fastais_own_unet_can_be_copied() -> None:
    """Its skips are hooks on the encoder; those of a copy must be on the copy's own."""
    network = create_unet_model(resnet18, 3, (64, 64), pretrained=False).eval()
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        wanted = network(images)
        twin = copy.deepcopy(network)
        network(torch.zeros(1, 3, 64, 64))  # would leave its own features in shared hooks
        assert torch.allclose(twin(images), wanted, atol=1e-5)
        assert torch.allclose(HalfPrecision(twin)(images), wanted, atol=0.5)
