"""The checkers of lesson 00 accept what is right and turn down the likely mistakes."""

import numpy as np

from exercises import assert_accepts, assert_rejects
from helpers.start.exercises import check_class_share, check_iou, check_to_groups


def class_share(mask, class_id):
    return (mask[mask != 255] == class_id).mean()


def iou(target, pred, class_id):
    labelled = target != 255
    true, found = target[labelled] == class_id, pred[labelled] == class_id
    union = (true | found).sum()
    return (true & found).sum() / union if union else np.nan


def to_groups(mask):
    table = np.full(256, 3, np.uint8)
    table[[0, 1]], table[[11, 12]], table[13:19], table[255] = 0, 1, 2, 255
    return table[mask]


def test_class_share():
    assert_accepts(check_class_share, class_share)
    assert_rejects(
        check_class_share,
        {
            "unlabelled pixels counted": lambda mask, class_id: (mask == class_id).mean(),
            "off by one class": lambda mask, class_id: class_share(mask, class_id + 1),
            "percent": lambda mask, class_id: 100 * class_share(mask, class_id),
            "number of pixels": lambda mask, class_id: (mask == class_id).sum(),
            "no return": lambda mask, class_id: None,
        },
    )


def test_iou():
    assert_accepts(check_iou, iou)
    assert_rejects(
        check_iou,
        {
            "unlabelled pixels counted": lambda t, p, c: iou(np.where(t == 255, 19, t), p, c),
            "dice": lambda t, p, c: 2 * iou(t, p, c) / (1 + iou(t, p, c)),
            "recall": lambda t, p, c: (p[t == c] == c).sum() / max(1, (t == c).sum()),
            "absent class scores 0": lambda t, p, c: np.nan_to_num(iou(t, p, c)),
            "absent class scores 1": lambda t, p, c: np.nan_to_num(iou(t, p, c), nan=1.0),
            "pixel accuracy": lambda t, p, c: (t == p)[t != 255].mean(),
        },
    )


def one_after_the_other(mask):
    groups = mask.copy()
    for ids, group in (([0, 1], 0), ([11, 12], 1), (range(13, 19), 2), (range(2, 11), 3)):
        groups[np.isin(groups, ids)] = group
    return groups


def in_place(mask):
    mask[:] = to_groups(mask)
    return mask


def test_to_groups():
    assert_accepts(check_to_groups, to_groups)
    assert_rejects(
        check_to_groups,
        {
            "new ids collide with old ones": one_after_the_other,
            "255 became a group": lambda mask: np.where(mask == 255, 3, to_groups(mask)),
            "off by one class": lambda mask: to_groups(np.where(mask == 255, mask, mask - 1)),
            "transposed": lambda mask: to_groups(mask).T,
            "floats": lambda mask: to_groups(mask).astype(np.float32),
            "changes the mask it was given": in_place,
        },
    )
