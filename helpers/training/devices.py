"""Where a network runs, and in which way it is fastest there (torch)."""

import copy
import hashlib
import math
import platform
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from helpers.compute import fastest


class Way(NamedTuple):
    """How a network computes: the order of its pictures in memory, and the precision of its convolutions."""

    memory_format: torch.memory_format = torch.contiguous_format
    dtype: torch.dtype = torch.float32

    def place(self, network: nn.Module) -> nn.Module:
        """Order a network's weights in memory; they keep their values and precision."""
        return network.to(memory_format=self.memory_format)

    def order(self, images: Tensor) -> Tensor:
        """Order pictures (B, C, H, W) in memory."""
        return images.contiguous(memory_format=self.memory_format)

    def autocast(self, device: torch.device) -> AbstractContextManager:
        """Context in which convolutions run in this precision; float32 leaves a context around it as it is."""
        return nullcontext() if self.dtype == torch.float32 else torch.autocast(device.type, self.dtype)


WAYS = {
    "plain": Way(),
    "channels_last": Way(torch.channels_last),
    "channels_last bfloat16": Way(torch.channels_last, torch.bfloat16),
}


def has_arithmetic(dtype: torch.dtype, device: torch.device) -> bool:
    """Whether a device computes in this precision itself, as far as torch tells; else timing it may take minutes.

    Of x86 processors only those with AVX-512 are given kernels for bfloat16 by oneDNN; others imitate them.
    """
    level = torch.backends.cpu.get_cpu_capability()
    imitates = device.type == "cpu" and dtype == torch.bfloat16 and level in ("DEFAULT", "AVX2")
    return not imitates or platform.machine() not in ("x86_64", "AMD64")


def best_device() -> torch.device:
    """Choose a GPU where there is one (CUDA, or Apple's), else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


class Predictor:
    """Runs a network in evaluation mode, without gradients, in the way that is fastest for pictures of this size.

    Args:
        network: stays where it is; its weights may be ordered anew in memory.
        ways: names of the `WAYS` that may be chosen, the plain one first.
    """

    def __init__(self, network: nn.Module, ways: Iterable[str] = tuple(WAYS)):
        self.network, self.ways = network, tuple(ways)
        self._chosen: dict[tuple, Way] = {}
        self._placed: Way | None = None

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Any:
        """What the network gives for pictures (B, C, H, W); floating-point numbers may be bfloat16."""
        size = images.device, *_about(images)
        if size not in self._chosen:
            self._chosen[size] = WAYS[way_to_predict(self.network, images, self.ways)]
        way = self._chosen[size]
        if way != self._placed:
            way.place(self.network)
            self._placed = way
        with way.autocast(images.device):
            return self.network(way.order(images))


def way_to_predict(network: nn.Module, images: Tensor, ways: Iterable[str] = tuple(WAYS)) -> str:
    """Name the fastest of some `WAYS` to run a network in evaluation mode on such pictures (B, C, H, W)."""
    network = copy.deepcopy(network).eval()

    @torch.inference_mode()
    def predict(way: Way) -> None:
        with way.autocast(images.device):
            network(way.order(images))

    return _fastest("predict", network, images, predict, ways)


def way_to_train(
    network: nn.Module, loss: Callable[[nn.Module, Tensor, Tensor], Tensor], images: Tensor, targets: Tensor
) -> str:
    """Name the fastest of `WAYS` to compute a network's gradients; the network itself stays as it is."""
    network = copy.deepcopy(network).train()

    def step(way: Way) -> None:
        network.zero_grad()
        with way.autocast(images.device):
            value = loss(network, way.order(images), targets)
        value.backward()

    state = torch.get_rng_state()
    try:
        return _fastest("train", network, images, step)
    finally:
        torch.set_rng_state(state)


def _about(images: Tensor) -> tuple[int, ...]:
    """Pictures in a batch, channels, and pixels to a power of two: what is fastest hardly depends on more."""
    batch, channels, height, width = images.shape
    return batch, channels, 2 ** round(math.log2(height * width))


def _fastest(
    what: str, network: nn.Module, images: Tensor, run: Callable[[Way], None], ways: Iterable[str] = tuple(WAYS)
) -> str:
    shapes = [(name, tuple(value.shape)) for name, value in network.state_dict().items()]
    digest = hashlib.sha256(repr((type(network).__name__, shapes)).encode()).hexdigest()[:8]
    batch, channels, pixels = _about(images)
    ways = [name for name in ways if has_arithmetic(WAYS[name].dtype, images.device)]
    place = f"torch {torch.__version__}, {torch.get_num_threads()} threads, {images.device.type}"

    def candidate(way: Way) -> Callable[[], None]:
        def timed() -> None:
            way.place(network)
            run(way)
            if images.device.type == "cuda":
                torch.cuda.synchronize()

        return timed

    return fastest(
        f"{what} {type(network).__name__} {digest} on {batch} × {channels} × {pixels} pixels ({place})",
        {name: candidate(WAYS[name]) for name in ways},
        warm_up=False,  # nothing is compiled, and a large network takes seconds
    )
