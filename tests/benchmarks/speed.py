"""Speed as a ratio against a reference in the same run: says little about the machine and much about the code."""

import time
from collections.abc import Callable


def speed_up(
    name: str, reference: Callable[[], object], ours: Callable[[], object], *, target: float, rounds: int = 7
) -> float:
    """How many times faster `ours` is than `reference`; prints the ratio and fails below half the target.

    Both are called in turn, so that a busy moment of the machine hits both, and the fastest call of each counts.

    Args:
        name: printed with the result.
        reference, ours: calls without arguments; each is warmed up once.
        target: the ratio to reach on a quiet machine; half of it is asserted.
        rounds: calls of each.
    """
    best = {reference: float("inf"), ours: float("inf")}
    for call in best:
        call()
    for _ in range(rounds):
        for call in best:
            start = time.perf_counter()
            call()
            best[call] = min(best[call], time.perf_counter() - start)
    ratio = best[reference] / best[ours]
    print(f"\n{name}: {1e3 * best[reference]:.2f} ms → {1e3 * best[ours]:.2f} ms, {ratio:.1f}× (target {target:g}×)")
    assert ratio >= target / 2, f"{name}: only {ratio:.1f}× the reference's speed, half the target is {target / 2:g}×"
    return ratio
