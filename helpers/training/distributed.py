"""The training loop in several processes, one for each GPU or for some cores of a CPU (torch's DDP):

    torchrun --nproc-per-node 2 -m helpers.training.distributed RUN --steps 200

Each process has the whole network and a share of each batch. `DistributedDataParallel` averages their gradients, so all
take the same step. What makes them learn what one process would:

- A crop is drawn from seed, step and its place in the batch: any number of processes sees the same crops.
- The loss is a mean over the labelled pixels of the whole batch, from sums and counts that are added up. A mean of the
  processes' means would give each pixel of a half-labelled share twice the weight.
- Process 0's clock tells how far the training is; else one might stop while another waits for its gradients.
- Process 0 writes the checkpoint. All read it when they start, also if there were more or fewer of them before.

What stays different is batch normalisation: each process normalises its own share, so with two processes the statistics
of a batch of 8 are those of 4 crops. `--fixed-statistics` keeps those of ImageNet.
"""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import torch.distributed as dist
import typer
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from helpers import records
from helpers.datasets.camvid import get_y_fn, label_set, read_label, split
from helpers.datasets.pairing import DatasetError
from helpers.images import fit_within, read_image, resize_image
from helpers.labels import CAMVID11
from helpers.masks import resize_mask
from helpers.metrics import ConfusionMatrix
from helpers.networks.street_encoder import CHANNELS, StreetEncoder, standardise
from helpers.networks.unet import UNet
from helpers.paths import DATA
from helpers.training.augmentation import random_view
from helpers.training.loop import Draw, Loss, Run, RunError, World, train

WIDTHS = (64, 48, 32)  # of the U-Net's decoder
Crop = Callable[[np.random.Generator, float], tuple[np.ndarray, np.ndarray]]
Totals = Callable[[nn.Module, Tensor, Tensor], tuple[Tensor, Tensor]]


class Ranks(World):
    """The processes that torchrun has started: over NCCL where each has a GPU, else over gloo.

    Use it in a `with` block, which takes leave of the others.
    """

    def __init__(self):
        on_gpu = torch.cuda.is_available()
        if on_gpu:
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        self.device = torch.device("cuda" if on_gpu else "cpu")
        # A process that is killed leaves the others waiting; torchrun ends them at once, and this if it can't.
        dist.init_process_group("nccl" if on_gpu else "gloo", timeout=timedelta(minutes=5))
        self.place, self.size = dist.get_rank(), dist.get_world_size()

    def __enter__(self) -> "Ranks":
        return self

    def __exit__(self, *_error) -> None:
        dist.destroy_process_group()

    def wrap(self, network: nn.Module) -> nn.Module:
        return DistributedDataParallel(network)

    def agree(self, value: float) -> float:
        told = torch.tensor(value, dtype=torch.float64, device=self.device)
        dist.broadcast(told, src=0)
        return told.item()

    def total(self, values: Tensor) -> Tensor:
        """The sum of all processes' values."""
        values = values.detach().clone()
        dist.all_reduce(values)
        return values


class Alone(World):
    """One process, started without torchrun."""

    def __enter__(self) -> "Alone":
        return self

    def __exit__(self, *_error) -> None:
        pass

    def total(self, values: Tensor) -> Tensor:
        return values.detach()


def everybody() -> Ranks | Alone:
    """The processes that train together."""
    return Ranks() if "RANK" in os.environ else Alone()


def shared_draw(crop: Crop, batch: int, *, world: World) -> Draw:
    """Make a draw for `loop.train` in which each process draws its own places of the batch.

    Args:
        crop: from a generator and the share of the training that is over to a picture (H, W, 3) and mask (H, W), uint8.
        batch: crops in all processes together.
        world: the processes.

    Raises:
        RunError: they can't share the batch evenly.
    """
    if batch % world.size:
        raise RunError(f"a batch of {batch} can't be shared evenly by {world.size} processes; choose another --batch")

    def draw(rng: np.random.Generator, progress: float) -> tuple[Tensor, Tensor]:
        seeds = rng.integers(2**63, size=batch)  # one for each place: the same ones in every process
        crops = [crop(np.random.default_rng(seed), progress) for seed in seeds[world.place :: world.size]]
        images, masks = (np.stack(part) for part in zip(*crops, strict=True))
        return torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(masks)

    return draw


def shared_loss(totals: Totals, *, world: Ranks | Alone) -> Loss:
    """Make a loss for `loop.train` that is a mean over the whole batch, whichever process has which part.

    Args:
        totals: of a network, images and targets: the sum of the pixels' losses, and their number (or sum of weights).
        world: the processes.
    """

    def loss(network: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
        own, count = totals(network, images, targets)
        whole, pixels = world.total(torch.stack([own, count.to(own)]))
        pixels = pixels.clamp(min=1)
        # DDP divides the sum of the gradients by the number of processes; here that is undone.
        share = own * world.size / pixels
        return share + (whole / pixels - share).detach()  # its value is the mean, its gradient the share's

    return loss


def cross_entropy_totals(network: nn.Module, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Sum of the labelled pixels' cross-entropy, and their number; masks may be larger than the logits."""
    logits = F.interpolate(network(standardise(images)).float(), size=targets.shape[1:], mode="bilinear")
    ignore = CAMVID11.ignore_index
    total = F.cross_entropy(logits, targets.long(), ignore_index=ignore, reduction="sum")
    return total, (targets != ignore).sum()


def with_fixed_statistics(totals: Totals) -> Totals:
    """The same with batch normalisation by the statistics that the network brought along."""

    def fixed(network: nn.Module, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return totals(network, images, targets)

    return fixed


def read_pairs(folder: Path, names: list[Path], *, size: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pictures, shrunk to a longest side, and masks in CamVid's 11 classes."""
    source = label_set(folder)
    pairs = []
    for path in names:
        image, mask = read_image(path), read_label(get_y_fn(path), source)
        small = fit_within(mask.shape, size)
        pairs.append((resize_image(image, small), resize_mask(mask, small)))
    return pairs


def random_crop(pairs: list[tuple[np.ndarray, np.ndarray]], *, size: tuple[int, int]) -> Crop:
    """A crop of size (height, width) from any of the pictures, scaled, turned and perhaps mirrored."""

    def crop(rng: np.random.Generator, progress: float) -> tuple[np.ndarray, np.ndarray]:
        image, mask = pairs[rng.integers(len(pairs))]
        return random_view(image, mask, size=size, scale=(0.5, 1.5), rng=rng, ignore_index=CAMVID11.ignore_index)

    return crop


@torch.inference_mode()
def shared_score(
    network: nn.Module, pairs: list[tuple[np.ndarray, np.ndarray]], world: Ranks | Alone
) -> ConfusionMatrix:
    """One confusion matrix over pictures that the processes share out: counts are added up, never scores averaged."""
    matrix = ConfusionMatrix(CAMVID11.num_classes, ignore_index=CAMVID11.ignore_index)
    device = next(network.parameters()).device
    for image, mask in pairs[world.place :: world.size]:
        logits = network(standardise(torch.from_numpy(image).to(device).permute(2, 0, 1)[None]))
        pred = F.interpolate(logits.float(), size=mask.shape, mode="bilinear")[0].argmax(0)
        matrix.update(mask, pred.byte().cpu().numpy())
    summed = world.total(torch.from_numpy(matrix.counts).to(device))
    whole = ConfusionMatrix(CAMVID11.num_classes, ignore_index=CAMVID11.ignore_index)
    return whole.merge(summed.cpu().numpy())


def main(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="folder of the training; one that is there goes on")],
    data: Annotated[Path, typer.Option(help="CamVid's layout: images/, labels/, codes.txt, valid.txt")] = DATA
    / "camvid_practice",
    steps: Annotated[int | None, typer.Option(min=1, help="of the optimizer")] = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="instead of steps")] = None,
    batch: Annotated[int, typer.Option(min=1, help="crops in a step, in all processes together")] = 8,
    size: Annotated[int, typer.Option(min=64, help="longest side of the pictures in pixels")] = 240,
    crop: Annotated[int, typer.Option(min=32, help="width of a crop in pixels; its height is 3/4 of it")] = 128,
    rate: Annotated[float, typer.Option(help="highest learning rate")] = 1e-3,
    fixed_statistics: Annotated[bool, typer.Option("--fixed-statistics", help="of batch normalisation")] = False,
    save_every: Annotated[float, typer.Option(min=0, help="seconds between checkpoints")] = 60,
    seed: Annotated[int, typer.Option(help="of first weights and crops")] = 0,
) -> None:
    """Train a U-Net on street pictures in all processes that torchrun has started.

    Started again after a kill, with as many processes or another number of them, it goes on from the last checkpoint.
    """
    with everybody() as world:
        try:
            record = _train(
                world, run, data, steps, minutes, batch, size, crop, rate, fixed_statistics, save_every, seed
            )
        except (RunError, DatasetError, OSError, ValueError) as error:
            if world.place == 0:
                typer.echo(f"error: {error}", err=True)
            raise typer.Exit(2) from error
    if world.place == 0:
        rate_said = f"{record['images_per_second']:.1f} crops/s in {world.size} processes"
        typer.echo(f"{record['steps']} steps, {rate_said}, mean IoU {record['mean_iou']:.3f}; record in {run}")


def _train(world, run, data, steps, minutes, batch, size, crop, rate, fixed_statistics, save_every, seed) -> dict:
    if (steps is None) == (minutes is None):
        raise ValueError("name either --steps or --minutes")
    train_paths, valid_paths = split(data)
    pairs = read_pairs(data, train_paths, size=size)
    torch.manual_seed(seed)
    network = UNet(StreetEncoder(imagenet=True), CHANNELS, WIDTHS, CAMVID11.num_classes)
    totals = with_fixed_statistics(cross_entropy_totals) if fixed_statistics else cross_entropy_totals
    trained: Run = train(
        network,
        shared_draw(random_crop(pairs, size=(crop * 3 // 4 // 16 * 16, crop // 16 * 16)), batch, world=world),
        shared_loss(totals, world=world),
        steps=steps,
        minutes=minutes,
        folder=run,
        data=train_paths,
        settings={"batch": batch, "size": size, "crop": crop, "fixed_statistics": fixed_statistics},
        rate=rate,
        seed=seed,
        save_every=save_every,
        compute="plain",  # measuring would have the processes wait for each other
        world=world,
    )
    matrix = shared_score(trained.network, read_pairs(data, valid_paths, size=size), world)
    record = records.run_record(
        "helpers.training.distributed",
        processes=world.size,
        steps=trained.step,
        seconds=trained.record["seconds"],
        images_per_second=trained.record["images"] / trained.record["seconds"],
        losses=trained.losses,
        valid_pictures=len(valid_paths),
        **matrix.figures(CAMVID11.class_names),
    )
    if world.place == 0:
        records.save(run / "record.json", record)
    return record


if __name__ == "__main__":
    typer.run(main)
