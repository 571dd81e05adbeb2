"""Losses for segmentation (torch)."""

import torch
from torch import Tensor


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


def merged_cross_entropy(
    logits: Tensor, target: Tensor, *, members: Tensor, weights: Tensor, ignore_index: int = 255
) -> Tensor:
    """Weighted cross-entropy of labels that may be coarser than the network's classes.

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
    label = torch.where(labelled, target, 0)
    inside = members[label].permute(0, 3, 1, 2)  # (B, C, H, W)
    loss = logits.logsumexp(1) - logits.masked_fill(~inside, -torch.inf).logsumexp(1)
    weight = weights[label] * labelled
    return (loss * weight).sum() / weight.sum().clamp(min=1e-6)
