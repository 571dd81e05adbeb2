"""fastai on a processor, at the speed that the processor has."""

import torch
from fastai.callback.core import Callback
from torch import Tensor, nn

from helpers.training.devices import half_precision


class CpuSpeed(Callback):
    """Channels last in memory and, where the hardware has it, bfloat16: in training, validation and prediction.

    fastai's own `to_bf16` asks for the autocast of a GPU and so does nothing on a CPU. Either of the two alone gains
    less, see `data/measured/cpu_speed.json`. Weights, loss and predictions stay float32.
    """

    order = -1  # before callbacks that copy the model

    def before_fit(self) -> None:
        self.model.to(memory_format=torch.channels_last)

    def before_train(self) -> None:
        self.before_fit()
        self.model.forward = HalfPrecision(self.model)

    def after_train(self) -> None:
        vars(self.model).pop("forward", None)

    before_validate = before_train
    after_validate = after_fit = after_train

    def before_batch(self) -> None:
        images, *others = self.xb
        self.learn.xb = (images.contiguous(memory_format=torch.channels_last), *others)


class HalfPrecision:
    """Stands in for a network's `forward`: runs it in mixed precision and gives float32.

    A context around this one call closes whatever happens in it; one that a callback opens and another closes would
    stay open when somebody interrupts the training.
    """

    def __init__(self, network: nn.Module):
        self.network = network

    def __call__(self, images: Tensor, *others) -> Tensor:
        with half_precision(images.device):
            return type(self.network).forward(self.network, images, *others).float()
