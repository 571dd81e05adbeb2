"""The engine for one machine: a pool of processes, each with the model in it and one thread.

The standard library's pools end (`ProcessPoolExecutor`) or hang (`Pool`) when a worker is killed; this one replaces the
worker and hands its batch out again.
"""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

import pyarrow as pa

from helpers.scale import ScaleError
from helpers.scale.storage import ROWS_PER_PART, RunFolder
from helpers.scale.work import Job, SegmentFrames, failed_rows, load_model

BATCH = 16  # frames handed to a worker at a time; a killed worker loses as many
PATIENCE = 2  # workers that may die over one frame before it is given up


@dataclass
class _Task:
    frames: pa.Table
    deaths: int = 0


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    task: _Task | None = None
    loaded: bool = False


def segment_locally(
    frames: pa.Table,
    job: Job,
    folder: RunFolder,
    *,
    workers: int | None = None,
    batch: int = BATCH,
    rows_per_part: int = ROWS_PER_PART,
    load: Callable = load_model,
    progress: Callable[[int], object] = lambda count: None,
) -> None:
    """Segment frames on the cores of this machine and add the rows to a run's folder.

    Args:
        frames: rows of the manifest that are still to do.
        job: what to do with them.
        folder: where the rows go.
        workers: processes, by default one for each core.
        batch: frames handed to a worker at a time.
        rows_per_part: rows in a file, at least; if this program is killed, as many are done again.
        load: loads the model.
        progress: is told how many frames are newly done; for a progress bar.

    Raises:
        ScaleError: the workers can't start, for instance without the model.
        OSError: a file of results can't be written; those written before stay.
    """
    rows: list[pa.Table] = []
    try:
        for done in _results(frames, job, workers or os.cpu_count() or 1, batch, load):
            rows.append(done)
            progress(len(done))
            if sum(map(len, rows)) >= rows_per_part:
                folder.write_part(pa.concat_tables(rows))
                rows = []
    finally:  # also after Ctrl-C: what is done is done
        if rows:
            folder.write_part(pa.concat_tables(rows))


def _results(frames: pa.Table, job: Job, workers: int, batch: int, load: Callable) -> Iterator[pa.Table]:
    """The rows of all frames, batch by batch, in the order in which workers finish them."""
    tasks = deque(_Task(frames[start : start + batch]) for start in range(0, len(frames), batch))
    pool = [_start(job, load) for _ in range(min(workers, len(tasks)))]
    try:
        while pool:
            ready = wait([worker.pipe for worker in pool])
            for worker in [worker for worker in pool if worker.pipe in ready]:
                try:
                    message = worker.pipe.recv()
                except (EOFError, OSError):  # killed: by the system for its memory, by a crash in C, by hand
                    pool.remove(worker)
                    worker.process.join()
                    if not worker.loaded:
                        raise ScaleError(
                            f"a worker died while it loaded {job.model}; is there enough memory?"
                        ) from None
                    if worker.task:
                        yield from _after_death(worker.task, tasks, job)
                    if tasks:
                        pool.append(_start(job, load))
                    continue
                if isinstance(message, ScaleError):
                    raise ScaleError(f"a worker can't start: {message}")
                if worker.task:
                    yield message
                worker.loaded, worker.task = True, None
                if not tasks:
                    pool.remove(worker)
                    _end(worker)
                    continue
                worker.task = tasks.popleft()
                with suppress(OSError):  # if it has just died, the next round finds out
                    worker.pipe.send(worker.task.frames)
    finally:
        for worker in pool:
            _end(worker)


def _after_death(task: _Task, tasks: deque[_Task], job: Job) -> Iterator[pa.Table]:
    """Hand a dead worker's frames out again: together at first, then one by one, until the one that kills is alone."""
    task.deaths += 1
    if task.deaths < PATIENCE:
        tasks.appendleft(task)
    elif len(task.frames) > 1:
        tasks.extendleft(_Task(task.frames[i : i + 1]) for i in reversed(range(len(task.frames))))
    else:
        yield failed_rows(task.frames, job, f"{task.deaths} workers died over this frame")


def _start(job: Job, load: Callable) -> _Worker:
    context = multiprocessing.get_context(
        "spawn"
    )  # a fork would copy the locks of torch's threads, but not the threads
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, job, load), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _end(worker: _Worker) -> None:
    worker.pipe.close()
    worker.process.kill()
    worker.process.join()


def _work(pipe: Connection, job: Job, load: Callable) -> None:
    """A worker's life: say "ready", then rows for frames, until the pipe closes, as it does when the parent dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    try:
        segment = SegmentFrames(job, load=load)
    except Exception as error:
        pipe.send(ScaleError(str(error)))
        return
    pipe.send("ready")
    with suppress(EOFError, BrokenPipeError):
        while True:
            pipe.send(segment(pipe.recv()))
