"""Class weights and the cross-entropy of merged labels against values worked out by hand and by torch."""

import math

import pytest
import torch
from torch.nn import functional as F

from helpers.training.losses import inverse_log_weights, superclass_cross_entropy


def test_weights_of_known_shares() -> None:
    weights = inverse_log_weights(torch.tensor([75, 25]), offset=1.02)
    assert (weights[1] / weights[0]).item() == pytest.approx(math.log(1.77) / math.log(1.27), rel=1e-5)
    assert (0.75 * weights[0] + 0.25 * weights[1]).item() == pytest.approx(1.0)


def test_absent_class_weighs_nothing() -> None:
    assert inverse_log_weights(torch.tensor([10, 0, 30]))[1] == 0


def test_single_classes_give_plain_cross_entropy() -> None:
    torch.manual_seed(0)
    logits, target = torch.randn(2, 5, 6, 7), torch.randint(0, 5, (2, 6, 7))
    target[0, :3] = 255
    weights = torch.tensor([1.0, 2.0, 0.5, 3.0, 1.0])
    loss = superclass_cross_entropy(logits, target, members=torch.eye(5, dtype=torch.bool), weights=weights)
    torch.testing.assert_close(loss, F.cross_entropy(logits, target, weight=weights, ignore_index=255))


def test_merged_label_is_the_sum_of_probabilities() -> None:
    logits = torch.tensor([0.2, 0.5, 0.3]).log().reshape(1, 3, 1, 1)
    members = torch.tensor([[True, False, True]])
    loss = superclass_cross_entropy(
        logits, torch.zeros(1, 1, 1, dtype=torch.long), members=members, weights=torch.ones(1)
    )
    assert loss.item() == pytest.approx(-math.log(0.5), rel=1e-5)


def test_merged_label_keeps_the_ratio_of_its_members() -> None:
    """A step down the gradient changes both members' logits in proportion to their probabilities, and no NaN."""
    logits = torch.tensor([0.2, 0.5, 0.3]).log().reshape(1, 3, 1, 1).requires_grad_()
    members = torch.tensor([[True, False, True]])
    superclass_cross_entropy(
        logits, torch.zeros(1, 1, 1, dtype=torch.long), members=members, weights=torch.ones(1)
    ).backward()
    first, outside, second = logits.grad.flatten().tolist()
    assert outside == pytest.approx(0.5, rel=1e-4)
    assert first / second == pytest.approx(0.2 / 0.3, rel=1e-4)
    assert first < 0


def test_nothing_labelled_gives_zero() -> None:
    logits = torch.randn(1, 3, 2, 2, requires_grad=True)
    target = torch.full((1, 2, 2), 255)
    loss = superclass_cross_entropy(logits, target, members=torch.eye(3, dtype=torch.bool), weights=torch.ones(3))
    loss.backward()
    assert loss.item() == 0
    assert (logits.grad == 0).all()
