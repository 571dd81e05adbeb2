"""Losses for masks that may overlap: each class is a yes-or-no question of its own (torch)."""

import torch
from torch import Tensor
from torch.nn import functional as F


def soft_dice(logits: Tensor, target: Tensor, *, smooth: float = 1.0) -> Tensor:
    """Dice of probabilities instead of cut masks, so that it has a gradient; over the batch's pixels of a class.

    Args:
        logits: (B, C, H, W).
        target: (B, C, H, W), 0 and 1.
        smooth: added above and below, so that empty against empty is 1.

    Returns:
        (C,) in 0 … 1.
    """
    probs = torch.sigmoid(logits.float())
    common = (probs * target).sum((0, 2, 3))
    total = probs.sum((0, 2, 3)) + target.sum((0, 2, 3))
    return (2 * common + smooth) / (total + smooth)


def bce_dice_loss(logits: Tensor, target: Tensor, *, bce_share: float = 0.6) -> Tensor:
    """A mix of binary cross-entropy (each pixel counts) and 1 − Dice (each class counts, however small its defects).

    The Dice is that of the classes that occur in the batch: where there is nothing to overlap with, it has next to no
    gradient, and the cross-entropy alone asks for silence.

    Args:
        logits: (B, C, H, W).
        target: (B, C, H, W), 0 and 1.
        bce_share: 1 for cross-entropy alone, 0 for Dice alone.

    Returns:
        Scalar.
    """
    bce = F.binary_cross_entropy_with_logits(logits.float(), target.float())
    present = target.sum((0, 2, 3)) > 0
    dice_loss = ((1 - soft_dice(logits, target)) * present).sum() / present.sum().clamp(min=1)
    return bce_share * bce + (1 - bce_share) * dice_loss
