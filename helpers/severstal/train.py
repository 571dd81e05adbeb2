"""Training a U-Net on sheets of steel: crops that favour defects, moved together with their masks; prediction."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torchvision import tv_tensors
from torchvision.transforms import v2
from tqdm import tqdm

from helpers.labels import LabelSet, generic
from helpers.severstal.data import STEEL, Sheet
from helpers.severstal.model import UNet
from helpers.training import loop
from helpers.training.checkpoints import fill, load_checkpoint, parts_of, save_checkpoint
from helpers.training.devices import Predictor, best_device
from helpers.training.losses import bce_dice_loss

MEAN, STD = 0.35, 0.18  # of grey values in 0 … 1, about those of real sheets
LESSON = "severstal"


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


def crop_start(targets: np.ndarray, width: int, *, favour: float, rng: np.random.Generator) -> int:
    """Left edge of a crop: with probability `favour` a defect is inside, where there is one; else anywhere.

    Args:
        targets: (C, H, W) bool.
        width: of the crop, at most W.
    """
    last = targets.shape[2] - width
    present = np.flatnonzero(targets.any(axis=(1, 2)))
    if not len(present) or rng.random() >= favour:
        return int(rng.integers(last + 1))
    # First a class, then a column of it: small defects are looked at as often as large ones.
    column = rng.choice(np.flatnonzero(targets[rng.choice(present)].any(axis=0)))
    return int(np.clip(column - rng.integers(width), 0, last))


class Crops:
    """Random crops over a sheet's full height: float pictures (1, h, w) and targets (C, h, w) of 0 and 1.

    Args:
        sheets: to cut from; anything with `image()`, `targets()` and `pattern` as a `Sheet` has.
        width: of a crop on the sheet, in pixels.
        scale: by how much the crop is then shrunk.
        favour: share of the crops of a defective sheet that must show a defect.
    """

    def __init__(self, sheets: Sequence[Sheet], *, width: int = 256, scale: float = 0.5, favour: float = 0.8):
        if not sheets:
            raise ValueError("there is no picture to train on")
        # Decoding a sheet takes as long as its share of a training step, so the last 200 (400 MB) are kept.
        self.read = lru_cache(maxsize=200)(lambda index: (sheets[index].image(), sheets[index].targets()))
        height, whole = self.read(0)[0].shape[:2]
        if width > whole:
            raise ValueError(f"a crop of {width} pixels is wider than the pictures, which have {whole}")
        self.sheets, self.width, self.scale, self.favour = sheets, width, scale, favour
        self.augment = augmentation((round(height * scale), round(width * scale)))
        # Sheets with a rare pattern of defects come up more often, by the root of how rare they are.
        counts = Counter(sheet.pattern for sheet in sheets)
        shares = np.array([counts[sheet.pattern] ** -0.5 for sheet in sheets])
        self.shares = shares / shares.sum()

    def crop(self, index: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Cut a crop from a sheet: picture (1, h, w) float32 and targets (C, h, w) float32."""
        image, targets = self.read(index)
        x = crop_start(targets, self.width, favour=self.favour, rng=rng)
        picture = tv_tensors.Image(torch.from_numpy(image[:, x : x + self.width]).permute(2, 0, 1))
        masks = tv_tensors.Mask(torch.from_numpy(targets[:, :, x : x + self.width].copy()))
        torch.manual_seed(int(rng.integers(2**31)))  # torchvision's transforms follow torch's own random numbers
        picture, masks = self.augment(picture, masks)
        return picture.as_subclass(Tensor), masks.as_subclass(Tensor).float()

    def batch(self, size: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Draw pictures (size, 1, h, w) and targets (size, C, h, w)."""
        chosen = rng.choice(len(self.sheets), size, p=self.shares)
        pictures, targets = zip(*(self.crop(int(index), rng) for index in chosen), strict=True)
        return torch.stack(pictures), torch.stack(targets)


@dataclass
class SteelSegmenter:
    """A trained network and how it came about.

    Attributes:
        network: pictures (B, 1, H, W) to logits (B, C, H, W).
        scale: by how much sheets are shrunk for it.
        losses: of all steps of its training.
        record: seconds and steps of its training.
    """

    network: UNet
    scale: float
    losses: list[float] = field(default_factory=list)
    record: dict = field(default_factory=dict)

    @property
    def labels(self) -> LabelSet:
        """What the ids of `predict` mean."""
        classes = self.network.head.out_channels + 1
        return STEEL if classes == STEEL.num_classes else generic(classes)

    def save(self, path: str | Path) -> None:
        """Write weights and scale so that `load` can use them."""
        state = {key: value.cpu() for key, value in self.network.state_dict().items()}
        about = {"lesson": LESSON, "scale": self.scale, "blocks": self.network.blocks}
        save_checkpoint(path, about | {"network": state})

    def predict(self, image: np.ndarray) -> np.ndarray:
        """Segment a sheet (H, W, 3) uint8: (H, W) uint8 ids of `labels`; the higher class wins where two overlap."""
        probs = predict(self, image.mean(axis=2, keepdims=True).astype(np.uint8))
        return ((probs > 0.5) * np.arange(1, len(probs) + 1, dtype=np.uint8)[:, None, None]).max(axis=0)

    @cached_property
    def _predictor(self) -> Predictor:
        return Predictor(self.network.eval())


def load(path: str | Path) -> SteelSegmenter:
    """Read what `SteelSegmenter.save` wrote.

    Raises:
        ValueError: the file is no such checkpoint.
    """
    saved = load_checkpoint(path)
    if saved.get("lesson") != LESSON:
        raise ValueError(f"{path} holds no network of the steel lesson; name a weights.pt that `train steel` wrote")
    with parts_of(path):
        weights, scale = saved["network"], float(saved["scale"])
        network = UNet(len(weights["head.bias"]), blocks=tuple(saved["blocks"]))
    if not 0 < scale <= 1:
        raise ValueError(f"{path} shrinks sheets by a factor of {scale}, which can't be")
    fill(network, weights, path)
    return SteelSegmenter(network.to(best_device()).eval(), scale)


def train(
    crops: Crops,
    *,
    steps: int,
    batch: int = 8,
    blocks: tuple[int, ...] = (1, 1, 1, 1),
    rate: float = 2e-3,
    seed: int = 0,
    folder: Path | None = None,
    save_every: float = 60,
) -> SteelSegmenter:
    """Train a U-Net from scratch for a number of steps; what is returned has the averaged weights.

    Args:
        crops: where the batches come from.
        steps: of the optimizer.
        batch: crops in a step.
        blocks: of the encoder, see `UNet`.
        rate: largest learning rate.
        seed: of first weights, crops and flips.
        folder: of the run, which a killed one goes on from; without one nothing is kept.
        save_every: seconds between checkpoints.

    Raises:
        ValueError: the run can't go on, see `loop.train`.
    """
    torch.manual_seed(seed)
    names = [f"{sheet.path.name} {sheet.path.stat().st_size} {sheet.runs}" for sheet in crops.sheets] if folder else []
    network = UNet(crops.crop(0, np.random.default_rng(seed))[1].shape[0], blocks=blocks)

    def loss(network: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
        return bce_dice_loss(network(images), targets)

    run = loop.train(
        network,
        lambda rng, progress: crops.batch(batch, rng),
        loss,
        steps=steps,
        folder=folder,
        data=names,
        settings={"batch": batch, "width": crops.width, "scale": crops.scale},
        rate=rate,
        weight_decay=0.01,
        warmup=0.1,
        seed=seed,
        save_every=save_every,
    )
    return SteelSegmenter(run.network, crops.scale, run.losses, run.record)


@torch.inference_mode()
def predict(segmenter: SteelSegmenter, image: np.ndarray, *, tta: bool = True) -> np.ndarray:
    """Probabilities of each class for a whole sheet.

    Args:
        segmenter: from `train` or `load`.
        image: (H, W, 1) uint8.
        tta: test-time augmentation: also predict the sheet mirrored both ways, and average; a defect has no right way
            up.

    Returns:
        (C, H, W) float32 in 0 … 1.
    """
    height, width = image.shape[:2]
    device = next(segmenter.network.parameters()).device
    size = [round(height * segmenter.scale), round(width * segmenter.scale)]
    sheet = v2.functional.resize(tv_tensors.Image(torch.from_numpy(image).permute(2, 0, 1)[None]), size)
    sheet = (sheet.as_subclass(Tensor).to(device) / 255 - MEAN) / STD
    flips = [(), (2,), (3,), (2, 3)] if tta else [()]
    logits = [segmenter._predictor(sheet.flip(axes)).float().flip(axes) for axes in flips]
    probs = torch.stack([each.sigmoid() for each in logits]).mean(0)
    return nn.functional.interpolate(probs, (height, width), mode="bilinear")[0].cpu().numpy()


def predictions(
    segmenter: SteelSegmenter, sheets: Sequence[Sheet], *, tta: bool = True
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Truth (C, H, W) bool and probabilities (C, H, W) of one sheet after the other, as `scores.measure` takes them."""
    for sheet in tqdm(sheets, unit="sheet", leave=False, disable=None):
        yield sheet.targets(), predict(segmenter, sheet.image(), tta=tta)
