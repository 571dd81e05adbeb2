"""The checkers of lesson 07: right answers pass, likely mistakes don't."""

import numpy as np

from exercises import assert_accepts, assert_rejects
from helpers.backgrounds.exercises import check_mean_light, check_mix, check_steady


def mix(person, behind, alpha):
    alpha = alpha[..., None]
    return np.rint(alpha * person + (1 - alpha) * behind).astype(np.uint8)


def test_mix() -> None:
    assert_accepts(check_mix, mix)
    assert_accepts(check_mix, lambda p, b, a: (a[..., None] * p + (1 - a[..., None]) * b).astype(np.uint8))

    def in_place(person, behind, alpha):
        behind[:] = mix(person, behind, alpha)
        return behind

    assert_rejects(
        check_mix,
        {
            "person and background swapped": lambda p, b, a: mix(b, p, a),
            "a hard edge": lambda p, b, a: mix(p, b, (a > 0.5).astype(float)),
            "floats": lambda p, b, a: a[..., None] * p + (1 - a[..., None]) * b,
            "person not weighted": lambda p, b, a: np.clip(p + (1 - a[..., None]) * b, 0, 255).astype(np.uint8),
            "alpha as uint8": lambda p, b, a: mix(p, b, a.astype(np.uint8)),
            "in place": in_place,
            "nothing": lambda p, b, a: None,
        },
    )


def test_mean_light() -> None:
    assert_accepts(check_mean_light, lambda a, b: 255 * (((a / 255) ** 2.2 + (b / 255) ** 2.2) / 2) ** (1 / 2.2))
    assert_rejects(
        check_mean_light,
        {
            "the mean of the grey levels": lambda a, b: (a + b) / 2,
            "no way back": lambda a, b: 255 * ((a / 255) ** 2.2 + (b / 255) ** 2.2) / 2,
            "exponents swapped": lambda a, b: 255 * (((a / 255) ** (1 / 2.2) + (b / 255) ** (1 / 2.2)) / 2) ** 2.2,
            "a sum": lambda a, b: 255 * ((a / 255) ** 2.2 + (b / 255) ** 2.2) ** (1 / 2.2),
            "nothing": lambda a, b: None,
        },
    )


def steady(alphas, keep):
    kept = [alphas[0]]
    for alpha in alphas[1:]:
        kept.append(keep * kept[-1] + (1 - keep) * alpha)
    return kept


def test_steady() -> None:
    assert_accepts(check_steady, steady)

    def in_place(alphas, keep):
        for i in range(1, len(alphas)):
            alphas[i][:] = keep * alphas[i - 1] + (1 - keep) * alphas[i]
        return alphas

    assert_rejects(
        check_steady,
        {
            "shares swapped": lambda alphas, keep: steady(alphas, 1 - keep),
            "the former frame, not the former average": lambda alphas, keep: [
                keep * before + (1 - keep) * now for before, now in zip([alphas[0], *alphas], alphas, strict=False)
            ],
            "one frame too few": lambda alphas, keep: steady(alphas, keep)[1:],
            "begins at nothing": lambda alphas, keep: steady([0 * alphas[0], *alphas], keep)[1:],
            "the mean of all": lambda alphas, keep: [np.mean(alphas, 0)] * len(alphas),
            "in place": in_place,
        },
    )
