"""Training a U-Net on sheets of steel: crops that favour defects, moved together with their masks; prediction."""

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, WeightedRandomSampler
from torchvision import tv_tensors
from torchvision.transforms import v2
from tqdm import tqdm

from helpers.severstal.data import Sheet
from helpers.severstal.model import UNet
from helpers.training.checkpoints import AveragedWeights, load_checkpoint, save_checkpoint, warmup_cosine
from helpers.training.devices import best_device, half_precision
from helpers.training.overlap import bce_dice_loss

MEAN, STD = 0.35, 0.18  # of grey values in 0 … 1, about those of real sheets


def augmentation(size: tuple[int, int]) -> v2.Compose:
    """Transforms of a crop and its masks: both are resized and flipped alike, light changes the picture only."""
    return v2.Compose(
        [
            v2.Resize(size),  # bilinear for an Image, nearest for a Mask
            v2.RandomHorizontalFlip(),
            v2.RandomVerticalFlip(),
            v2.ColorJitter(brightness=0.3, contrast=0.3),
            v2.ToDtype({tv_tensors.Image: torch.float32, "others": None}, scale=True),
            v2.Normalize([MEAN], [STD]),
        ]
    )


def crop_start(targets: np.ndarray, width: int, *, favour: float, rng: random.Random) -> int:
    """Left edge of a crop: with probability `favour` a defect is inside, where there is one; else anywhere.

    Args:
        targets: (C, H, W) bool.
        width: of the crop, at most W.
    """
    last = targets.shape[2] - width
    present = np.flatnonzero(targets.any(axis=(1, 2))).tolist()
    if not present or rng.random() >= favour:
        return rng.randint(0, last)
    # First a class, then a column of it: small defects are looked at as often as large ones.
    columns = np.flatnonzero(targets[rng.choice(present)].any(axis=0)).tolist()
    return min(max(rng.choice(columns) - rng.randrange(width), 0), last)


class Crops(Dataset):
    """Random crops over a sheet's full height: float pictures (1, h, w) and targets (C, h, w) of 0 and 1.

    Args:
        sheets: to cut from; anything with `image()` and `targets()` as a `Sheet` has.
        width: of a crop on the sheet, in pixels.
        scale: by how much the crop is then shrunk.
        favour: share of the crops of a defective sheet that must show a defect.
        seed: of the crops; flips and light follow torch's own.
    """

    def __init__(
        self, sheets: Sequence[Sheet], *, width: int = 256, scale: float = 0.5, favour: float = 0.8, seed: int = 0
    ):
        if not sheets:
            raise ValueError("there is no picture to train on")
        # Decoding a sheet takes as long as its share of a training step, so the last 200 (400 MB) are kept.
        self.read = lru_cache(maxsize=200)(lambda index: (sheets[index].image(), sheets[index].targets()))
        height, whole = self.read(0)[0].shape[:2]
        if width > whole:
            raise ValueError(f"a crop of {width} pixels is wider than the pictures, which have {whole}")
        self.sheets, self.width, self.scale, self.favour = sheets, width, scale, favour
        self.rng = random.Random(seed)
        self.augment = augmentation((round(height * scale), round(width * scale)))

    def __len__(self) -> int:
        return len(self.sheets)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image, targets = self.read(index)
        x = crop_start(targets, self.width, favour=self.favour, rng=self.rng)
        crop = tv_tensors.Image(torch.from_numpy(image[:, x : x + self.width]).permute(2, 0, 1))
        masks = tv_tensors.Mask(torch.from_numpy(targets[:, :, x : x + self.width].copy()))
        crop, masks = self.augment(crop, masks)
        return crop.as_subclass(Tensor), masks.as_subclass(Tensor).float()


@dataclass
class Run:
    """A trained network and how it came about."""

    network: UNet
    scale: float
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    def save(self, path) -> None:
        """Write weights and scale so that `load` can use them."""
        state = {key: value.cpu() for key, value in self.network.state_dict().items()}
        save_checkpoint(path, {"network": state, "scale": self.scale, "blocks": self.network.blocks})


def load(path) -> Run:
    """Read what `Run.save` wrote.

    Raises:
        ValueError: the file is no such checkpoint.
    """
    saved = load_checkpoint(path)
    network = UNet(len(saved["network"]["head.bias"]), blocks=tuple(saved["blocks"]))
    network.load_state_dict(saved["network"])
    return Run(network.to(best_device(), memory_format=torch.channels_last).eval(), saved["scale"])


def train(
    crops: Crops, *, steps: int, batch: int = 8, blocks: tuple[int, ...] = (1, 1, 1, 1), peak_rate: float = 2e-3,
    seed: int = 0,
) -> Run:  # fmt: skip
    """Train a U-Net from scratch for a number of steps.

    Sheets with a rare pattern of defects come up more often (by the root of how rare they are), AdamW follows a
    warm-up and a cosine, and what is returned are the averaged weights.

    Args:
        crops: where the batches come from.
        steps: of the optimizer.
        batch: crops in a step.
        blocks: of the encoder, see `UNet`.
        peak_rate: largest learning rate.
        seed: of first weights, order and flips.
    """
    torch.manual_seed(seed)
    device = best_device()
    network = UNet(crops[0][1].shape[0], blocks=blocks).to(device, memory_format=torch.channels_last)
    average = AveragedWeights(network)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    counts = Counter(sheet.pattern for sheet in crops.sheets)
    weights = [counts[sheet.pattern] ** -0.5 for sheet in crops.sheets]
    batches = DataLoader(crops, batch, sampler=WeightedRandomSampler(weights, steps * batch))
    run = Run(average.network, crops.scale)
    began, cpu_began = time.monotonic(), time.process_time()
    network.train()
    for step, (images, targets) in enumerate(tqdm(batches, unit="step", leave=False)):
        images, targets = images.to(device, memory_format=torch.channels_last), targets.to(device)
        for group in optimizer.param_groups:
            group["lr"] = peak_rate * warmup_cosine((step + 1) / steps, warmup=0.1)
        with half_precision(device):
            logits = network(images)
        loss = bce_dice_loss(logits, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average.update(network)
        run.losses.append(loss.item())
    run.seconds, run.cpu_seconds = time.monotonic() - began, time.process_time() - cpu_began
    return run


@torch.inference_mode()
def predict(run: Run, image: np.ndarray, *, flips: bool = True) -> np.ndarray:
    """Probabilities of each class for a whole sheet.

    Args:
        run: from `train` or `load`.
        image: (H, W, 1) uint8.
        flips: also predict the mirrored sheet, flipped both ways, and average; a defect has no right way up.

    Returns:
        (C, H, W) float32 in 0 … 1.
    """
    height, width = image.shape[:2]
    device = next(run.network.parameters()).device
    size = [round(height * run.scale), round(width * run.scale)]
    sheet = v2.functional.resize(tv_tensors.Image(torch.from_numpy(image).permute(2, 0, 1)[None]), size)
    sheet = (sheet.to(device) / 255 - MEAN) / STD
    views = [(), (2,), (3,), (2, 3)] if flips else [()]
    with half_precision(device):
        logits = [run.network(sheet.flip(axes)).float().flip(axes) for axes in views]
    probs = torch.stack([view.sigmoid() for view in logits]).mean(0)
    return torch.nn.functional.interpolate(probs, (height, width), mode="bilinear")[0].cpu().numpy()


def predictions(run: Run, sheets: Sequence[Sheet], *, flips: bool = True) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Truth (C, H, W) bool and probabilities (C, H, W) of one sheet after the other, as `scores.measure` takes them."""
    for sheet in tqdm(sheets, unit="sheet", leave=False, disable=None):
        yield sheet.targets(), predict(run, sheet.image(), flips=flips)
