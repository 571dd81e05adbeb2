"""Where to train, and how to make that fast (torch)."""

import copy

import torch
from torch import nn


def best_device() -> torch.device:
    """A GPU where there is one (CUDA, or Apple's), else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


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
