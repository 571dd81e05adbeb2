"""From pictures to class ids, probabilities, and colours over the picture."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from helpers.fcn.models import NARROWEST, ModelError, SegmentationModel
from helpers.images import read_image
from helpers.labels import PASCAL_VOC, LabelSet
from helpers.masks import MaskError, colorize

Picture = str | Path | Image.Image | np.ndarray

# Scores are enlarged up to this size, ids beyond: scores take 4 bytes for each class and pixel.
MOST_PIXELS = 2**25


def get_segment_labels(
    image: Picture, model: SegmentationModel, device: torch.device | str | None = None
) -> np.ndarray:
    """Give each pixel its class.

    Args:
        image: (H, W, 3) uint8 RGB, a Pillow picture, or the path of one.
        model: from `load_model`.
        device: where to run, if not where the model is; the model then moves there.

    Returns:
        (H, W) uint8 ids of `model.labels`.

    Raises:
        ModelError: this is no picture, or there is too little memory.
    """
    return segment_batch([image], model, device)[0]


@torch.inference_mode()
def segment_batch(
    images: Sequence[Picture], model: SegmentationModel, device: torch.device | str | None = None
) -> np.ndarray:
    """Give each pixel of several pictures of one size its class, in one go.

    Args:
        images: B pictures, each as for `get_segment_labels`.
        model, device: as there.

    Returns:
        (B, H, W) uint8 ids of `model.labels`.

    Raises:
        ModelError: they are no pictures, or differ in size, or there is too little memory.
    """
    logits, size = _logits(images, model, device)
    return _labels(logits, size).cpu().numpy()


@torch.inference_mode()
def get_probabilities(image: Picture, model: SegmentationModel, device: torch.device | str | None = None) -> np.ndarray:
    """How sure the model is of each class: the softmax of its logits.

    Args:
        image, model, device: as for `get_segment_labels`.

    Returns:
        (num_classes, H, W) float32; sums to 1 in each pixel.
    """
    logits, size = _logits([image], model, device)
    return _enlarged(logits, size)[0].softmax(0).cpu().numpy()


def draw_segmentation_map(
    labels: np.ndarray, label_set: LabelSet = PASCAL_VOC, *, palette: str = "official"
) -> np.ndarray:
    """Give each class its colour of the label colour map.

    Args:
        labels: (H, W) integer class ids.
        label_set: whose colours.
        palette: "official" or "colorblind".

    Returns:
        (H, W, 3) uint8 RGB.
    """
    return colorize(labels, label_set.palette(palette))


def image_overlay(image: np.ndarray, segmented: np.ndarray, *, alpha: float = 0.6) -> np.ndarray:
    """Lay a colour map over the picture: (1 − alpha) · image + alpha · segmented, rounded.

    Args:
        image: (H, W, 3) uint8 RGB.
        segmented: (H, W, 3) uint8 RGB, from `draw_segmentation_map`.
        alpha: strength of the colours, 0 … 1.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        MaskError: the two differ in size.
    """
    image = np.asarray(image)
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha is {alpha}; it lies between 0 (picture) and 1 (colours)")
    if image.shape != segmented.shape:
        raise MaskError(f"picture is {image.shape} and colour map {segmented.shape}; both are (H, W, 3) of one size")
    return cv2.addWeighted(segmented, alpha, image, 1 - alpha, 0)


def _logits(images: Sequence[Picture], model: SegmentationModel, device) -> tuple[Tensor, tuple[int, int]]:
    """(B, num_classes, h, w) float32 at the network's size, and the (height, width) of the pictures."""
    if device is not None:
        model.network.to(device)
    arrays = [_checked(image) for image in images]
    sizes = {array.shape[:2] for array in arrays}
    if len(sizes) != 1:
        found = f"these have {sorted(sizes)} (height, width)" if sizes else "there are no pictures"
        raise ModelError(f"a batch has pictures of one size; {found}")
    batch = torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).to(model.device)
    try:
        logits = model.predictor(model.transforms(batch))["out"]
    except RuntimeError as error:  # on a CPU torch has no class of its own for it
        if isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error):
            height, width = sizes.pop()
            found = f"a batch of {len(arrays)}, each {height}×{width}, with {model.name}"
            raise ModelError(f"too little memory for {found}; choose a smaller size or model") from error
        raise
    return logits.float(), sizes.pop()


def _labels(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """(B, H, W) uint8: the winners at the pictures' size.

    Enlarging scores instead of ids hardly changes what is right, but outlines come out smooth. It costs time for each
    class, so only those are enlarged that win somewhere in the small map.
    """
    ids = logits.argmax(1).byte()
    if logits.shape[2:] == size:
        return ids
    if size[0] * size[1] > MOST_PIXELS:
        return F.interpolate(ids[:, None], size=size, mode="nearest-exact")[:, 0]
    winners = ids.unique()
    scores = _enlarged(logits[:, winners.long()].contiguous(), size)
    return winners[scores.max(1).indices]  # the same as argmax, in a tenth of its time on a CPU


def _enlarged(logits: Tensor, size: tuple[int, int]) -> Tensor:
    if logits.shape[2:] == size:
        return logits
    return F.interpolate(logits, size=size, mode="bilinear", align_corners=False)


def _checked(image: Picture) -> np.ndarray:
    """(H, W, 3) uint8 RGB of a picture that is given in one of the usual ways."""
    if isinstance(image, str | Path):
        image = read_image(image)
    if isinstance(image, Image.Image):
        image = np.array(image.convert("RGB"))
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ModelError(f"a picture is (H, W, 3) uint8 RGB, this one is {image.shape} {image.dtype}")
    height, width = image.shape[:2]
    if 0 in image.shape:
        raise ModelError(f"the picture is empty: {image.shape}")
    if max(height, width) > NARROWEST * min(height, width):
        raise ModelError(f"the picture is {height}×{width} (height × width), too narrow a strip; crop it")
    return image
