"""The checkers of lesson 02 accept right answers and nothing else."""

import numpy as np

from exercises import assert_accepts, assert_rejects
from helpers.driving.exercises import check_fading, check_flicker


def flicker(preds, truths):
    preds, truths = np.asarray(preds), np.asarray(truths)
    stays = (truths[1:] == truths[:-1]) & (truths[1:] != 255)
    return float((preds[1:] != preds[:-1])[stays].mean())


def test_flicker():
    assert_accepts(check_flicker, flicker)
    assert_rejects(
        check_flicker,
        {
            "real changes counted": lambda p, t: float((np.asarray(p)[1:] != np.asarray(p)[:-1]).mean()),
            "pixels without a label counted": lambda p, t: float(
                (np.asarray(p)[1:] != np.asarray(p)[:-1])[np.asarray(t)[1:] == np.asarray(t)[:-1]].mean()
            ),
            "truth and prediction swapped": lambda p, t: flicker(t, p),
            "a share of all pixels": lambda p, t: float(
                (
                    (np.asarray(p)[1:] != np.asarray(p)[:-1])
                    & (np.asarray(t)[1:] == np.asarray(t)[:-1])
                    & (np.asarray(t)[1:] != 255)
                ).mean()
            ),
            "in percent": lambda p, t: 100 * flicker(p, t),
        },
    )


def fading(logits, weight):
    mean = None
    for frame in logits:
        mean = frame if mean is None else weight * frame + (1 - weight) * mean
        yield mean.argmax(-1)


def scores_instead_of_ids(logits, weight):
    mean = 0
    for frame in logits:
        mean = weight * frame + (1 - weight) * mean
        yield mean.max(-1)


def mean_of_all_frames(logits, weight):
    for i in range(len(logits)):
        yield np.mean(logits[: i + 1], axis=0).argmax(-1)


def test_fading():
    assert_accepts(check_fading, fading)
    assert_rejects(
        check_fading,
        {
            "weights swapped": lambda logits, weight: fading(logits, 1 - weight),
            "no memory": lambda logits, weight: (frame.argmax(-1) for frame in logits),
            "mean of all frames": mean_of_all_frames,
            "scores instead of ids": scores_instead_of_ids,
            "argmax over the wrong axis": lambda logits, weight: (frame.argmax(0) for frame in logits),
            "last frame missing": lambda logits, weight: list(fading(logits, weight))[:-1],
        },
    )
