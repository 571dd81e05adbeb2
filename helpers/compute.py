"""How to compute: of several ways to do the same, the one that is fastest on this machine. Measured, not assumed.

What a processor supports says little about what it is fast at, so the candidates run on the work at hand for a second
or two. The answer is kept in the cache folder, for this processor, these versions and this work. `SEGMENTATION_COMPUTE`
may name the ways to take instead ("openvino", "channels_last bfloat16"; several with commas), or be "plain": then
nothing is measured and the first way, which is the plain one, is taken.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from helpers.environment import gpu_name
from helpers.paths import cache_dir, replace_file
from helpers.records import processor

SECONDS = 1.5  # for all candidates of one question together, each one's first call apart
CLEARLY = 0.9  # another way has to take less than this share of the plain way's time
HOPELESS = 2.0  # a candidate that takes so many times the best one's is not timed again
_answers: dict[str, str] = {}


def fastest(key: str, candidates: dict[str, Callable[[], Any]], *, warm_up: bool = True) -> str:
    """Name the fastest of several ways to do the same.

    The plain way comes first in the dictionary and stays unless another takes clearly less time, so that a
    measurement on a busy machine does no harm.

    Args:
        key: what is done: the model, the size of its input, the versions of what runs it.
        candidates: name → function that does it once. One that fails is left out, unless it is the plain one.
        warm_up: call each once before it is timed, because its first call compiles.

    Returns:
        A key of `candidates`.
    """
    plain = next(iter(candidates))
    for name in os.environ.get("SEGMENTATION_COMPUTE", "").split(","):
        if (chosen := plain if name.strip() == "plain" else name.strip()) in candidates:
            return chosen
    if len(candidates) == 1:
        return plain
    about = {"work": key, "processor": processor(), "cores": os.cpu_count(), "gpu": gpu_name()}
    about["candidates"] = list(candidates)
    digest = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:20]
    if digest not in _answers:
        path = _folder() / f"{digest}.json"
        answer = _read(path)
        if answer is None:
            answer = about | {"seconds": measure(candidates, warm_up=warm_up)}
            with suppress(OSError):  # a cache that can't be written to costs a second at the next start
                path.parent.mkdir(parents=True, exist_ok=True)
                replace_file(path, json.dumps(answer, indent=2) + "\n")
        _answers[digest] = choose(answer["seconds"])
    return _answers[digest]


def measure(candidates: dict[str, Callable[[], Any]], *, warm_up: bool = True) -> dict[str, float]:
    """Time the candidates in turns, so that what else the machine does meets all of them alike.

    Returns:
        Name → the shortest time of one call in seconds; those that fail are missing.
    """
    best: dict[str, float] = {}
    plain = next(iter(candidates))
    for name, run in candidates.items():
        try:
            if warm_up:
                run()
            best[name] = _seconds(run)
        except Exception:
            if name == plain:
                raise
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end and len(best) > 1:
        hopeless = HOPELESS * min(best.values())
        for name in [name for name in best if best[name] < hopeless]:
            best[name] = min(best[name], _seconds(candidates[name]))
    return best


def _seconds(run: Callable[[], Any]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def choose(seconds: dict[str, float]) -> str:
    """The fastest of measured candidates; the first, plain one unless another is clearly faster.

    >>> choose({"plain": 1.0, "other": 0.95}), choose({"plain": 1.0, "other": 0.8})
    ('plain', 'other')
    """
    plain, quickest = next(iter(seconds)), min(seconds, key=seconds.get)
    return quickest if seconds[quickest] < CLEARLY * seconds[plain] else plain


def report() -> str:
    """Say what was measured on this processor, and what is therefore used: one line for each piece of work."""
    answers = (_read(path) for path in sorted(_folder().glob("*.json")))
    lines = sorted(describe(answer) for answer in answers if answer and answer["processor"] == processor())
    return "\n".join(lines) or "nothing was measured yet; the plain ways are used until then"


def describe(answer: dict) -> str:
    """Name the work, the way that is used and the time of each, fastest first."""
    seconds = answer["seconds"]
    times = ", ".join(f"{name} {1000 * seconds[name]:.3g} ms" for name in sorted(seconds, key=seconds.get))
    return f"{answer['work']}: {choose(seconds)} ({times})"


def _folder() -> Path:
    return cache_dir() / "compute"


def _read(path: Path) -> dict | None:
    """A kept answer; None where there is none that can be used."""
    try:
        answer = json.loads(path.read_text(encoding="utf-8"))
        choose(answer["seconds"])
        return answer
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration):
        return None
