"""The engine for a cluster: Ray Data keeps the model in actors, moves frames to them, and starts what died again.

What it took to make it dependable:

- Ray tells its makers how it is used unless `RAY_USAGE_STATS_ENABLED` is 0; set here before Ray is imported. (Even so
  its dashboard asks 169.254.169.254, where a cloud machine learns what it is. That never leaves the machine's host.)
- A node needs a free core for its first 15 seconds: five Python processes start, and if one is late Ray gives up with
  "timed out during startup". On a machine that is busy already, use the local engine.
- Ray's workers give way to every other process (niceness 15): on a machine that does anything else they starve, which
  looks as if the run had stopped. Here they are as nice as the program that starts them.
- Actors that hold all CPUs leave none for the tasks that write, and the pipeline waits for ever without a word
  (ray-project/ray#44687). Those tasks therefore ask for no CPU, and more actors than CPUs are refused.
- The manifest is handed over as Arrow tables, not read by Ray: one small Parquet file would be one block, thus work for
  one actor; and reading is one more kind of task that waits for a free CPU.
- Named arguments only: the positions of `map_batches` have changed between releases.
- One failing row fails its batch, the batch is tried again, and then the run fails: so `SegmentFrames` catches errors
  frame by frame.
"""

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

import pyarrow as pa
import pyarrow.parquet as pq

from helpers.scale import ScaleError
from helpers.scale.storage import ROWS_PER_PART, Place, RunFolder
from helpers.scale.work import Job, SegmentFrames, load_model

BATCH = 16  # frames in a block; a killed actor loses as many
SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",
}
# A new cluster on this machine alone.
ALONE = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # whatever the name says: listens on the loopback address only
    "RAY_AUTH_MODE": "token",  # as Ray itself would choose, but then it says so in red
}


def segment_with_ray(
    frames: pa.Table,
    job: Job,
    folder: RunFolder,
    *,
    workers: int | None = None,
    gpus: float = 0,
    address: str | None = None,
    batch: int = BATCH,
    rows_per_part: int = ROWS_PER_PART,
    load: Callable = load_model,
    progress: Callable[[int], object] = lambda count: None,
) -> None:
    """Segment frames on a Ray cluster and add the rows to a run's folder.

    Args:
        frames: rows of the manifest that are still to do.
        job: what to do with them.
        folder: where the rows go; all machines have to reach it under this name.
        workers: actors, each with one CPU; by default one for each CPU, or for each share of a GPU.
        gpus: GPUs of an actor; .5 puts two on one.
        address: of a cluster ("auto" for the one that runs on this machine); a new one on this machine by default.
        batch: frames that an actor gets at a time.
        rows_per_part: rows in a file, at least.
        load: loads the model.
        progress: is told how many frames are newly written; for a progress bar.

    Raises:
        ScaleError: no cluster answers, it is too small, or the run failed; what is written stays.
    """
    if not len(frames):
        return
    with cluster(address, cpus=workers) as ray:
        workers = _checked_workers(ray.cluster_resources(), workers, gpus)
        blocks = [frames[start : start + batch].combine_chunks() for start in range(0, len(frames), batch)]
        rows = ray.data.from_arrow(blocks).map_batches(
            SegmentFrames,
            fn_constructor_kwargs={"job": job, "load": load},
            batch_size=batch,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(size=min(workers, len(blocks))),
            num_cpus=1,
            num_gpus=gpus or None,
        )
        try:
            with _told(folder.masks, progress):
                rows.write_parquet(
                    folder.masks.path,
                    filesystem=folder.masks.filesystem,
                    min_rows_per_file=rows_per_part,
                    ray_remote_args={"num_cpus": 0},
                )
        except ray.exceptions.RayError as error:
            raise ScaleError(f"Ray gave up: {_cause(error)}; what is written is kept") from error


@contextmanager
def cluster(address: str | None = None, *, cpus: int | None = None) -> Iterator[ModuleType]:
    """Connect to a Ray cluster for as long as the block runs; gives the module ray, quiet and silent to its makers.

    Args:
        address: of a cluster, "auto" for the one that runs on this machine; a new one here by default.
        cpus: of a new one; all of this machine by default. It may be more than there are: Ray only counts.

    Raises:
        ScaleError: no cluster answers.
    """
    os.environ.update(SETTINGS)
    if address:
        _refuse_silence(address)
    else:
        for name, value in ALONE.items():
            os.environ.setdefault(name, value)
    logging.getLogger("ray.widgets.util").setLevel(logging.ERROR)  # else it advises to install widgets, at import
    import ray

    quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
    try:
        if address:
            ray.init(address=address, **quiet)
        else:
            # Without an address Ray would look for a cluster that somebody has left running.
            ray.init(address="local", num_cpus=cpus, include_dashboard=False, **quiet)
    except Exception as error:  # of many kinds, a plain Exception among them
        where = f"no Ray cluster at {address}" if address else "Ray can't start on this machine"
        raise ScaleError(f"{where}: {_first_line(error)}") from error
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield ray
    finally:
        ray.shutdown()


def _refuse_silence(address: str) -> None:
    """Whoever doesn't listen is no cluster; Ray itself would try for minutes, without a word."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if port.isdigit():
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
        except OSError as error:
            raise ScaleError(f"no Ray cluster at {address}: {_first_line(error)}") from error


def _checked_workers(resources: dict[str, float], workers: int | None, gpus: float) -> int:
    """The number of actors; more than fit would wait for ever."""
    fitting = int(resources.get("CPU", 0))
    if gpus:
        fitting = min(fitting, int(resources.get("GPU", 0) / gpus))
    if not fitting or (workers or 1) > fitting:
        there = f"{resources.get('CPU', 0):g} CPUs and {resources.get('GPU', 0):g} GPUs"
        raise ScaleError(f"{workers or 'any'} workers don't fit on a cluster of {there}; at most {fitting} do")
    return workers or fitting


@contextmanager
def _told(masks: Place, progress: Callable[[int], object]) -> Iterator[None]:
    """Tells how many rows have been written; counted in the files, since the driver never sees the rows."""
    known = {part.path for part in masks.children(".parquet")}
    ended = threading.Event()

    def look() -> None:
        for part in masks.children(".parquet"):
            if part.path in known:
                continue
            try:
                with part.filesystem.open_input_file(part.path) as file:
                    count = pq.read_metadata(file).num_rows
            except (pa.ArrowInvalid, OSError):  # still being written
                continue
            known.add(part.path)
            progress(count)

    def watch() -> None:
        while not ended.wait(1.0 if masks.is_local else 10.0):
            look()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        look()


def _cause(error: Exception) -> str:
    """The error that a worker met, in one line: Ray wraps it in those of the tasks between."""
    while getattr(error, "cause", None):
        error = error.cause
    return _first_line(error)


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__
