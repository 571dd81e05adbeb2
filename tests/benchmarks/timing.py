"""Times from one run, taken in turn, so that a busy moment of the machine meets all ways alike."""

import time
from collections.abc import Callable


def fastest_calls(calls: dict[str, Callable[[], object]], *, rounds: int) -> dict[str, float]:
    """Seconds of the fastest call of each, after one that warms up."""
    best = dict.fromkeys(calls, float("inf"))
    for round_ in range(rounds + 1):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            if round_:
                best[name] = min(best[name], time.perf_counter() - began)
    return best
