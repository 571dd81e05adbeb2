"""A tiny Learner on made-up batches, for trying callbacks."""

from functools import partial

import torch
from fastai.callback.core import TrainEvalCallback
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.optimizer import OptimWrapper
from torch import nn

CLASSES = 3


class Batches(list):
    """Pictures whose class is in which channel they are bright; a loader as `Views` is one."""

    progress = 0.0

    def __init__(self, count: int = 4):
        rng = torch.Generator().manual_seed(0)
        for _ in range(count):
            target = torch.randint(0, CLASSES, (4, 8, 8), generator=rng)
            image = nn.functional.one_hot(target, CLASSES).permute(0, 3, 1, 2) * 2.0
            self.append((image + torch.rand(image.shape, generator=rng), target))


def tiny_network() -> nn.Module:
    """Three layers, the same ones each time."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, CLASSES, 1))


def tiny_learner(*callbacks, network: nn.Module | None = None, valid: bool = False) -> Learner:
    """A Learner with plain gradient descent and these callbacks."""
    return Learner(
        DataLoaders(Batches(), Batches(1) if valid else []),
        network or tiny_network(),
        loss_func=nn.CrossEntropyLoss(),
        opt_func=partial(OptimWrapper, opt=torch.optim.SGD, momentum=0.9),
        default_cbs=False,
        cbs=[TrainEvalCallback(), *callbacks],
    )


def weights(network: nn.Module) -> torch.Tensor:
    """All parameters in a row."""
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])
