"""A training step of fastai's ResNet U-Net on the CPU, as it is and with `CpuSpeed`: times and losses from one run.

python -m pytest tests/benchmarks/test_cpu_speed.py -s     # as part of make bench
python tests/benchmarks/test_cpu_speed.py                  # writes data/measured/cpu_speed.json as well
"""

import copy
import platform
import time
from collections.abc import Callable
from datetime import date

import pytest
import torch
from fastai.callback.channelslast import ChannelsLast
from fastai.callback.core import Callback, TrainEvalCallback
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.vision.learner import create_unet_model
from torch import nn
from torchvision.models import resnet18, resnet34

from helpers import environment, paths
from helpers.evaluation import save_json
from helpers.training.cpu_speed import CpuSpeed, HalfPrecision
from helpers.training.workers import Workers

RECORD = paths.DATA / "measured" / "cpu_speed.json"
CLASSES = 11
TARGET = 2.5  # times faster, on a CPU with bfloat16
BFLOAT16 = torch.ops.mkldnn._is_mkldnn_bf16_supported()


class OnlyHalfPrecision(Callback):
    """bfloat16 in the default memory layout."""

    def before_train(self):
        self.model.forward = HalfPrecision(self.model)

    def after_train(self):
        del self.model.forward


WAYS: dict[str, Callable[[], list[Callback]]] = {
    "default": list,
    "bfloat16 alone": lambda: [OnlyHalfPrecision()],
    "channels last alone": lambda: [ChannelsLast()],
    "CpuSpeed": lambda: [CpuSpeed()],
    "CpuSpeed, Workers": lambda: [CpuSpeed(), Workers(torch.get_num_threads())],
}


class Noted(Callback):
    """The losses of all steps."""

    def __init__(self):
        self.values = []

    def after_loss(self):
        if self.training:
            self.values.append(self.loss.item())


def learners(ways: list[str], *, arch: Callable, batch: int, size: tuple[int, int]) -> dict[str, Learner]:
    """A Learner for each way: the same first weights, the same batch, fastai's default optimizer."""
    torch.manual_seed(0)
    network = create_unet_model(arch, CLASSES, size, pretrained=False)
    data = [(torch.randn(batch, 3, *size), torch.randint(0, CLASSES, (batch, *size)))]
    return {
        way: Learner(
            DataLoaders(data, []),
            copy.deepcopy(network),
            loss_func=nn.CrossEntropyLoss(),
            default_cbs=False,
            cbs=[TrainEvalCallback(), *WAYS[way](), Noted()],
        )
        for way in ways
    }


def compare(ways: list[str], *, arch: Callable, batch: int, size: tuple[int, int], rounds: int) -> dict:
    """Seconds of a training step and of a prediction: called in turn, the fastest of some rounds each."""
    made = learners(ways, arch=arch, batch=batch, size=size)
    training, prediction = ({way: float("inf") for way in ways} for _ in range(2))
    for round_ in range(rounds + 1):  # the first one warms up
        for way, learner in made.items():
            began = time.perf_counter()
            learner.fit(1, lr=1e-4)
            between = time.perf_counter()
            learner.validate(dl=learner.dls.train)
            end = time.perf_counter()
            if round_:
                training[way] = min(training[way], between - began)
                prediction[way] = min(prediction[way], end - between)
    return {
        "network": f"DynamicUnet, {arch.__name__}",
        "batch": batch,
        "size": list(size),
        "bfloat16": BFLOAT16,
        "seconds_per_step": {way: round(seconds, 3) for way, seconds in training.items()},
        "seconds_per_prediction": {way: round(seconds, 3) for way, seconds in prediction.items()},
        "training_ratio": round(training["default"] / training["CpuSpeed"], 2),
        "prediction_ratio": round(prediction["default"] / prediction["CpuSpeed"], 2),
        "losses": {way: [round(value, 4) for value in learner.noted.values] for way, learner in made.items()},
    }


def say(found: dict) -> None:
    seconds = ", ".join(f"{way} {value:.2f} s" for way, value in found["seconds_per_step"].items())
    print(
        f"\n{found['network']}, batch {found['batch']} at {found['size'][0]}×{found['size'][1]}: a step takes {seconds}"
    )
    print(
        f"CpuSpeed: {found['training_ratio']:.1f}× in training (target {TARGET:g}×), "
        f"{found['prediction_ratio']:.1f}× in prediction; last losses {[v[-1] for v in found['losses'].values()]}"
    )


@pytest.mark.skipif(not BFLOAT16, reason="this processor has no bfloat16 instructions; CpuSpeed doesn't use any then")
def test_a_step_is_faster_at_equal_loss():
    found = compare(["default", "CpuSpeed"], arch=resnet18, batch=2, size=(96, 128), rounds=2)
    say(found)
    assert found["training_ratio"] >= TARGET / 2
    assert found["losses"]["CpuSpeed"] == pytest.approx(found["losses"]["default"], rel=0.03)


def main() -> None:
    record = {
        "command": "python tests/benchmarks/test_cpu_speed.py",
        "date": date.today().isoformat(),
        "device": f"{environment.device_name()}, {platform.machine()}",
        **compare(list(WAYS), arch=resnet34, batch=4, size=(180, 240), rounds=2),  # as in fastai's lesson
    }
    save_json(RECORD, record)
    say(record)
    print(f"record: {RECORD}")


if __name__ == "__main__":
    main()
