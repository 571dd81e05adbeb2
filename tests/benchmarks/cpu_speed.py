"""A training step and a prediction of fastai's ResNet34 U-Net in each way: python tests/benchmarks/cpu_speed.py

Writes data/measured/cpu_speed.json: which way the lessons take on this processor, and what each one costs.
"""

import copy

import torch
from fastai.vision.learner import create_unet_model
from timing import fastest_calls
from torch.nn import functional as F
from torchvision.models import resnet34

from helpers import compute, records
from helpers.training.devices import WAYS, has_arithmetic

CLASSES, BATCH, SIZE, ROUNDS = 11, 4, (180, 240), 2  # as in fastai's lesson


def main() -> None:
    torch.manual_seed(0)
    images, targets = torch.randn(BATCH, 3, *SIZE), torch.randint(0, CLASSES, (BATCH, *SIZE))
    first = create_unet_model(resnet34, CLASSES, SIZE, pretrained=False)
    # A precision that this processor only imitates takes minutes a step; the lessons don't try it either.
    ways = {name: way for name, way in WAYS.items() if has_arithmetic(way.dtype, images.device)}
    networks, losses = {name: way.place(copy.deepcopy(first)) for name, way in ways.items()}, {}

    def step(name: str) -> None:
        network = networks[name].train()
        network.zero_grad()
        with WAYS[name].autocast(images.device):
            logits = network(WAYS[name].order(images))
        loss = F.cross_entropy(logits.float(), targets)
        loss.backward()
        losses[name] = loss.item()

    @torch.inference_mode()
    def predict(name: str) -> None:
        with WAYS[name].autocast(images.device):
            networks[name].eval()(WAYS[name].order(images))

    seconds = {
        what: fastest_calls({name: lambda name=name, run=run: run(name) for name in ways}, rounds=ROUNDS)
        for what, run in (("step", step), ("prediction", predict))
    }
    record = records.run_record(
        __file__,
        network="DynamicUnet, resnet34",
        batch=BATCH,
        size=list(SIZE),
        threads=torch.get_num_threads(),
        seconds_per_step=seconds["step"],
        seconds_per_prediction=seconds["prediction"],
        chosen={what: compute.choose(times) for what, times in seconds.items()},
        ratio={what: times["plain"] / times[compute.choose(times)] for what, times in seconds.items()},
        losses=losses,
    )
    for what, times in seconds.items():
        print(f"{what}: {compute.describe({'work': 'DynamicUnet', 'seconds': times})}")
    print("record:", records.write("cpu_speed", record))


if __name__ == "__main__":
    main()
