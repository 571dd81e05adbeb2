"""Losses for segmentation (torch)."""

import torch
from torch import Tensor
from torch.nn import functional as F


def inverse_log_weights(counts: Tensor, *, offset: float = 1.1) -> Tensor:
    """Class weights 1 / ln(offset + share): rare classes count more, but by a bounded factor.

    From ENet (Paszke et al. 2016), which has 1.02 as offset; a larger one is milder. The weights are scaled so that
    the average labelled pixel has weight 1.

    Args:
        counts: (C,) labelled pixels of each class.
        offset: above 1.

    Returns:
        (C,) float32; 0 for a class without pixels.
    """
    shares = counts.float() / counts.sum()
    weights = torch.where(counts > 0, 1 / torch.log(offset + shares), 0.0)
    return weights / (weights * shares).sum()


def superclass_cross_entropy(
    logits: Tensor, target: Tensor, *, members: Tensor, weights: Tensor, ignore_index: int = 255
) -> Tensor:
    """Weighted cross-entropy of partial labels: superclasses that hold several of the network's classes.

    A label's probability is the sum of the probabilities of the classes it holds, so a coarse label says nothing
    about which of them it is.

    Args:
        logits: (B, C, H, W).
        target: (B, H, W) int64, each a row of ``members`` or ``ignore_index``.
        members: (G, C) bool; row g says which of the network's classes label g holds.
        weights: (G,) weight of each label.
        ignore_index: label that counts nothing.

    Returns:
        Scalar: the loss averaged over the labelled pixels' weights; 0 when all are ignored.
    """
    labelled = target != ignore_index
    label, logits = torch.where(labelled, target, 0), logits.float()
    inside = members[label].permute(0, 3, 1, 2)  # (B, C, H, W)
    loss = logits.logsumexp(1) - logits.masked_fill(~inside, -torch.inf).logsumexp(1)
    weight = weights[label] * labelled
    return (loss * weight).sum() / weight.sum().clamp(min=1e-6)


def soft_dice(logits: Tensor, target: Tensor, *, smooth: float = 1.0) -> Tensor:
    """Dice of probabilities instead of cut masks, so that it has a gradient; multilabel, over a batch's pixels.

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
    """Mix binary cross-entropy (each pixel counts) and Dice loss (each class counts, however small its defects).

    Multilabel: classes may overlap, each is a yes-or-no question of its own.

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
