"""The worker: loads the model once, then takes one picture after another from the queue."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO

import numpy as np
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection
from django.utils.module_loading import import_string
from PIL import Image

from helpers.server import jobs, uploads
from helpers.server.models import Job, Picture

IDLE_SECONDS = 0.05  # between two looks at an empty queue
PURGE_SECONDS = 30
log = logging.getLogger("helpers.server")

# (image, background or None, *, mode, edge, color) -> (H, W, 3 or 4) uint8
Segmenter = Callable[..., np.ndarray]


def load_segmenter() -> Segmenter:
    """The lesson's model and compositing, as the one function that a worker needs."""
    from helpers import backgrounds

    model = backgrounds.load_model()

    def segment(image: np.ndarray, background: np.ndarray | None, *, mode: str, edge: str, color: str) -> np.ndarray:
        alpha = backgrounds.soften(image, model.coarse(image), edge=edge)
        if mode == Job.Mode.BLUR:
            return backgrounds.blur_background(image, alpha)
        if mode == Job.Mode.CUTOUT:
            person = backgrounds.estimate_foreground(image, alpha)
            return np.dstack([person, np.rint(255 * alpha).astype(np.uint8)])
        return backgrounds.replace_background(image, alpha, background=color if background is None else background)

    return segment


def load() -> Segmenter:
    """The segmenter that the settings name, once a process."""
    return import_string(settings.SEGMENTER)()


def work(stop: threading.Event, segmenter: Segmenter) -> None:
    """Process jobs until `stop` is set."""
    log.info("worker ready")
    next_purge = 0.0
    while not stop.is_set():
        try:
            if time.monotonic() >= next_purge:
                next_purge = time.monotonic() + PURGE_SECONDS
                jobs.purge()
            if not work_once(segmenter):
                stop.wait(IDLE_SECONDS)
        except DatabaseError as error:
            log.error("the database does not answer (%s), trying again", type(error).__name__)
            stop.wait(1)
            close_old_connections()


def work_once(segmenter: Segmenter) -> bool:
    """Claim and process one job; False where there was none."""
    job = jobs.claim()
    if job is None:
        return False
    start = time.perf_counter()
    try:
        with _kept_alive(job):
            result = process(job, segmenter)
    except Picture.DoesNotExist:  # deleted by its owner since it was claimed
        return True
    except DatabaseError:
        raise  # no fault of the picture: when the lease has run out, it is tried again
    except Exception:  # one picture must not stop the others
        log.exception("a picture could not be processed")
        done = jobs.fail(job, "the picture could not be processed; try another one")
    else:
        done = jobs.finish(job, result)
    log.info("%s after %.2f s", job.mode if done else "deleted or taken over", time.perf_counter() - start)
    return True


def process(job: Job, segmenter: Segmenter) -> bytes:
    """The finished PNG of a claimed job; nothing of the upload goes into it but pixels."""
    image = uploads.decode(bytes(job.pictures.get(role=Picture.Role.SOURCE).data))
    behind = job.pictures.filter(role=Picture.Role.BACKGROUND).first()
    background = uploads.decode(bytes(behind.data)) if behind else None
    result = segmenter(image, background, mode=job.mode, edge=job.edge, color=job.color)
    file = BytesIO()
    Image.fromarray(result).save(file, "PNG", compress_level=1)  # a tenth larger, five times faster
    return file.getvalue()


@contextmanager
def _kept_alive(job: Job) -> Iterator[None]:
    """Extend the job's lease from a thread while the block runs; end this process if it takes forever."""
    done = threading.Event()

    def beat() -> None:
        end = time.monotonic() + settings.JOB_SECONDS
        while not done.wait(settings.LEASE_SECONDS / 3):
            if time.monotonic() > end:
                log.error("a picture takes longer than %d s; this worker gives up", settings.JOB_SECONDS)
                os._exit(70)
            try:
                jobs.keep(job)
            except DatabaseError:
                continue  # the next beat may come through; if none does, the lease runs out
        connection.close()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
