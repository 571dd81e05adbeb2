"""The checkers of lesson 04: right answers pass, likely mistakes don't."""

import numpy as np

from exercises import assert_accepts, assert_rejects
from helpers.camvid.exercises import check_class_weights, check_join_skip, check_split_by_drive


def split(stems, is_valid):
    return [stem for stem in stems if not is_valid(stem)], [stem for stem in stems if is_valid(stem)]


def split_by_drive(stems, drive):
    return split(stems, lambda stem: stem.split("_")[0] == drive)


def test_split_by_drive() -> None:
    assert_accepts(check_split_by_drive, split_by_drive)
    assert_rejects(
        check_split_by_drive,
        {
            "startswith: 0016E50 also": lambda stems, drive: split(stems, lambda stem: stem.startswith(drive)),
            "anywhere in the name": lambda stems, drive: split(stems, lambda stem: drive in stem),
            "the other way round": lambda stems, drive: split_by_drive(stems, drive)[::-1],
            "sorted by chance of the name": lambda stems, drive: split_by_drive(sorted(stems), drive),
            "only one list": lambda stems, drive: split_by_drive(stems, drive)[1],
            "no return": lambda stems, drive: None,
        },
    )


def doubled(deep):
    return deep.repeat(2, axis=1).repeat(2, axis=2)


def join_skip(deep, skip):
    return np.concatenate([doubled(deep), skip])


def test_join_skip() -> None:
    assert_accepts(check_join_skip, join_skip)
    assert_rejects(
        check_join_skip,
        {
            "skip first": lambda deep, skip: np.concatenate([skip, doubled(deep)]),
            "channels doubled too": lambda deep, skip: np.concatenate([doubled(deep).repeat(2, axis=0), skip]),
            "tiled instead of doubled": lambda deep, skip: np.concatenate([np.tile(deep, (1, 2, 2)), skip]),
            "side by side": lambda deep, skip: np.concatenate([doubled(deep)[:1], skip[:1]], axis=2),
            "transposed": lambda deep, skip: join_skip(deep, skip).transpose(0, 2, 1),
            "the skip forgotten": lambda deep, skip: doubled(deep),
        },
    )


def class_weights(counts, void):
    labelled = np.where(np.arange(len(counts)) == void, 0, counts)
    weights = 1 / np.log(1.02 + labelled / labelled.sum())
    weights[void] = 0
    return weights


def test_class_weights() -> None:
    def in_place(counts, void):
        weights = class_weights(counts, void)
        counts[void] = 0
        return weights

    def void_in_the_shares(counts, void):
        weights = 1 / np.log(1.02 + counts / counts.sum())
        weights[void] = 0
        return weights

    def void_weighted(counts, void):
        weights = class_weights(counts, void)
        weights[void] = 1 / np.log(1.02)
        return weights

    assert_accepts(check_class_weights, class_weights)
    assert_rejects(
        check_class_weights,
        {
            "Void counted in the shares": void_in_the_shares,
            "Void has a weight": void_weighted,
            "one over the share plus 1.02": lambda counts, void: np.expm1(class_weights(counts, void)),
            "scaled to mean 1": lambda counts, void: class_weights(counts, void) / class_weights(counts, void).mean(),
            "Void left out of the array": lambda counts, void: np.delete(class_weights(counts, void), void),
            "Void is always last": lambda counts, void: class_weights(counts, len(counts) - 1),
            "changes the counts": in_place,
        },
    )
