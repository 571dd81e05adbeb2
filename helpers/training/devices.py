"""Where a network runs, and in which way it is fastest there (torch)."""

import copy
import hashlib
from collections.abc import Callable
from typing import NamedTuple

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

    def autocast(self, device: torch.device) -> torch.autocast:
        """Context in which convolutions run in this precision."""
        return torch.autocast(device.type, self.dtype, enabled=self.dtype != torch.float32)


WAYS = {
    "plain": Way(),
    "channels_last": Way(torch.channels_last),
    "bfloat16": Way(dtype=torch.bfloat16),
    "channels_last bfloat16": Way(torch.channels_last, torch.bfloat16),
}


def best_device() -> torch.device:
    """Choose a GPU where there is one (CUDA, or Apple's), else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def way_to_predict(network: nn.Module, images: Tensor) -> str:
    """Name the fastest of `WAYS` to run a network in evaluation mode on such pictures (B, C, H, W), where they are."""
    network = copy.deepcopy(network).eval()

    @torch.inference_mode()
    def predict(way: Way) -> None:
        with way.autocast(images.device):
            network(way.order(images))

    return _fastest("predict", network, images, predict)


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


def _fastest(what: str, network: nn.Module, images: Tensor, run: Callable[[Way], None]) -> str:
    shapes = [(name, tuple(value.shape)) for name, value in network.state_dict().items()]
    digest = hashlib.sha256(repr((type(network).__name__, shapes)).encode()).hexdigest()[:8]
    size = "×".join(map(str, images.shape))
    place = f"torch {torch.__version__}, {torch.get_num_threads()} threads, {images.device.type}"

    def candidate(way: Way) -> Callable[[], None]:
        def timed() -> None:
            way.place(network)
            run(way)
            if images.device.type == "cuda":
                torch.cuda.synchronize()

        return timed

    return fastest(
        f"{what} {type(network).__name__} {digest} on {size} ({place})",
        {name: candidate(way) for name, way in WAYS.items()},
    )


def half_precision(device: torch.device) -> torch.autocast:
    """Context in which convolutions run in bfloat16 where that is faster, and nothing changes elsewhere.

    Older CPUs, and GPUs such as the T4, emulate bfloat16 slower than float32, so the device is asked first.
    """
    if device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = device.type == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return torch.autocast(device.type, torch.bfloat16, enabled=fast)


def sharing_copy(network: nn.Module) -> nn.Module:
    """A copy for a thread of its own: its weights and statistics are the network's memory, its gradients are not."""
    twin = copy.deepcopy(network).train()
    tensors = zip([*twin.parameters(), *twin.buffers()], [*network.parameters(), *network.buffers()], strict=True)
    for own, shared in tensors:
        own.data = shared.data
    return twin
