"""fastai: all cores at work on one batch, also on a busy machine."""

from concurrent.futures import ThreadPoolExecutor

import torch
from fastai.callback.core import Callback
from torch import Tensor

from helpers.training.cpu_speed import HalfPrecision
from helpers.training.devices import sharing_copy


class Workers(Callback):
    """Several threads run network and gradients, each on its own part of the batch; they meet once a step.

    Threads inside the operators meet a thousand times a step, and where other programs want the cores too, each
    meeting waits for its last thread. Normalisations take their statistics from a part. For CPUs; after `CpuSpeed`.

    Args:
        count: of the parts; torch's threads are shared out among them. The parts should not be smaller than four
            views, for the sake of the normalisations.
    """

    def __init__(self, count: int):
        self.count = count

    def before_fit(self) -> None:
        self.copies = [sharing_copy(self.model) for _ in range(self.count)]
        self.threads = torch.get_num_threads()
        each = max(1, self.threads // self.count)
        torch.set_num_threads(each)
        self.executor = ThreadPoolExecutor(self.count, initializer=torch.set_num_threads, initargs=(each,))

    def before_train(self) -> None:
        self.model.forward = self.forward

    def forward(self, images: Tensor, *others) -> Tensor:
        """Stands in for the network's own; leaves the way back to `after_backward`."""
        parts = images.chunk(self.count)
        self.results = list(self.executor.map(lambda own, part: HalfPrecision(own)(part, *others), self.copies, parts))
        self.ends = [result.detach().requires_grad_() for result in self.results]
        return torch.cat(self.ends)

    def after_backward(self) -> None:
        list(self.executor.map(lambda result, end: result.backward(end.grad), self.results, self.ends))
        copies = zip(*(own.parameters() for own in self.copies), strict=True)
        for parameter, own in zip(self.model.parameters(), copies, strict=True):
            grads = [part.grad for part in own if part.grad is not None]
            parameter.grad = sum(grads) if grads else None
            for part in own:
                part.grad = None

    def after_train(self) -> None:
        vars(self.model).pop("forward", None)

    def after_fit(self) -> None:
        self.after_train()
        torch.set_num_threads(self.threads)
        self.executor.shutdown()
        del self.copies, self.executor
