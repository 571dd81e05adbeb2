"""A first run of a graph that is not the suite's own, in a process of its own: it may never return, or crash.

A graph is a program: it can loop for ever or ask for more memory than there is, and LiteRT runs native code on whatever
a damaged file says. Whether it answers at all is tried once, on a small grey picture; what passed is remembered in the
cache by its hash.
"""

import hashlib
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from helpers.deeplab.engines.base import GraphError
from helpers.model_files import is_tflite
from helpers.paths import REPO_ROOT, cache_dir, limit, replace_file

TRIED = 65  # side of the picture, in pixels


def try_out(path: Path) -> None:
    """Run a graph once in another process, unless this very file has passed before.

    Raises:
        GraphError: it gave no answer in time, or its process crashed. Other faults are left to whoever loads it.
    """
    files = sorted(path.rglob("*.pb")) if path.is_dir() else [path]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files if file.is_file())).hexdigest()
    passed = cache_dir() / "tried" / digest
    if passed.exists():
        return
    seconds = limit("SEGMENTATION_MODEL_SECONDS")
    command = [sys.executable, "-m", "helpers.deeplab.engines.trial", str(path.absolute())]
    environ = {**os.environ, "PYTHONPATH": str(REPO_ROOT), "CUDA_VISIBLE_DEVICES": ""}
    try:
        done = subprocess.run(command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise GraphError(
            f"{path} gave no answer within {seconds:g} s, so it isn't run here; if it is only slow, allow it more: "
            f"SEGMENTATION_MODEL_SECONDS={4 * seconds:g}"
        ) from error
    if done.returncode < 0 or done.returncode > 2:  # a signal, or memory that was refused
        raise GraphError(f"{path} makes the program that runs it crash, so it isn't run here; it is damaged or hostile")
    if done.returncode == 0:
        with suppress(OSError):  # then it is tried again
            passed.parent.mkdir(parents=True, exist_ok=True)
            replace_file(passed, "")


def main(path: str) -> int:
    """Load and run a graph; 0 where it answers, 2 where it is refused."""
    with suppress(ImportError, ValueError, OSError):  # Windows has no such limits
        import resource

        most = int(0.75 * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    try:
        _run_lite(Path(path)) if is_tflite(path) else _run_frozen(Path(path))
    except MemoryError:
        return 3
    except (ValueError, RuntimeError):
        return 2
    return 0


def _run_lite(path: Path) -> None:
    """Any model, whatever its inputs: DeepLab's are one kind of several that the suite runs."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=path.read_bytes(), num_threads=1)
    interpreter.allocate_tensors()
    for tensor in interpreter.get_input_details():
        interpreter.set_tensor(tensor["index"], np.zeros(tensor["shape"], tensor["dtype"]))
    interpreter.invoke()


def _run_frozen(path: Path) -> None:
    import numpy as np

    from helpers import deeplab

    deeplab.load_graph(path, engine="tensorflow")(np.full((TRIED, TRIED, 3), 128, np.uint8))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
