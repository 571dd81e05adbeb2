"""The queue: jobs in the database, each claimed under a lease: nothing is lost with a process, and nothing ends twice.

A claim writes a random lease id and a time until which it holds; a sign of life extends it. When a worker is gone, its
lease runs out and the next one claims the job. Whoever holds the job's lease at the end, and nobody else, may write
the result.
"""

import time
import uuid
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from helpers.server.models import Job, Picture

UNFINISHED = (Job.State.WAITING, Job.State.RUNNING)
QUEUE_LOCK = 0x5E6  # PostgreSQL's advisory lock of whoever adds to the queue


class QueueFull(Exception):
    """There is no room for another picture just now."""


def check_room() -> None:
    """Raise QueueFull where `QUEUE_SIZE` jobs are unfinished."""
    if Job.objects.filter(state__in=UNFINISHED).count() >= settings.QUEUE_SIZE:
        raise QueueFull


def submit(owner: str, *, picture: bytes, background: bytes | None = None, **options: str) -> Job:
    """Accept a picture. When this returns, the job is in the database and will end, whatever becomes of this process.

    Args:
        owner: who may delete it.
        picture: an encoded picture that was checked.
        background: another one, or None.
        options: mode, edge, color of Job.

    Raises:
        QueueFull: `QUEUE_SIZE` jobs are unfinished.
    """
    with transaction.atomic():  # on SQLite it locks the database, so that two can't take the last place
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [QUEUE_LOCK])
        check_room()
        job = Job.objects.create(owner=owner, **options)
        pictures = {Picture.Role.SOURCE: picture, Picture.Role.BACKGROUND: background}
        Picture.objects.bulk_create(Picture(job=job, role=r, data=data) for r, data in pictures.items() if data)
    return job


def claim() -> Job | None:
    """The oldest job that waits or whose worker went silent, now under a lease of the caller; None if there is none.

    A job that was claimed `MAX_ATTEMPTS` times without an end fails here: it is likely what kills the workers.
    """
    now = timezone.now()
    open_jobs = Job.objects.filter(Q(state=Job.State.WAITING) | Q(state=Job.State.RUNNING, claimed_until__lt=now))
    open_jobs = open_jobs.order_by("created")
    if not open_jobs.exists():  # most calls end here, without a lock
        return None
    with transaction.atomic():
        if connection.features.has_select_for_update_skip_locked:
            open_jobs = open_jobs.select_for_update(skip_locked=True)
        job = open_jobs.first()
        if job is None:
            return None
        if job.attempts >= settings.MAX_ATTEMPTS:
            fail(job, "the picture could not be processed; try another one")
            return None
        lease = {
            "state": Job.State.RUNNING,
            "lease": uuid.uuid4(),
            "claimed_until": now + timedelta(seconds=settings.LEASE_SECONDS),
        }
        # Compare and set: only where the job is still as it was read, whatever the database locks.
        if not _held(job).update(**lease, attempts=F("attempts") + 1):
            return None
    job.lease = lease["lease"]
    return job


def _held(job: Job):
    return Job.objects.filter(pk=job.pk, lease=job.lease, state__in=UNFINISHED)


def keep(job: Job) -> bool:
    """Extend the lease; False where it is lost, or the job deleted."""
    until = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
    return bool(_held(job).update(claimed_until=until))


def finish(job: Job, result: bytes) -> bool:
    """Store the result, unless another worker holds the lease by now or the owner deleted the job: then False."""
    return _end(job, Job.State.DONE, result=result)


def fail(job: Job, error: str) -> bool:
    """End the job with a reason that its owner may read; False as in `finish`."""
    return _end(job, Job.State.FAILED, error=error)


def _end(job: Job, state: str, *, error: str = "", result: bytes | None = None) -> bool:
    expires = timezone.now() + timedelta(seconds=settings.KEEP_SECONDS)
    with transaction.atomic():
        if not _held(job).update(state=state, error=error, expires=expires, claimed_until=None):
            return False
        job.pictures.all().delete()  # what was sent is not kept longer than it is needed
        if result is not None:
            Picture.objects.create(job=job, role=Picture.Role.RESULT, data=result)
    return True


def wait(job: Job, seconds: float) -> Job:
    """The job once it has ended, or as it is after so many seconds.

    Raises:
        Job.DoesNotExist: it was deleted meanwhile.
    """
    pause, end = 0.02, time.monotonic() + seconds
    while True:
        job.refresh_from_db()
        if job.state not in UNFINISHED or time.monotonic() >= end:
            return job
        time.sleep(pause)
        pause = min(1.3 * pause, 0.2)


def ahead(job: Job) -> int:
    """How many pictures wait before this one."""
    if job.state != Job.State.WAITING:
        return 0
    return Job.objects.filter(state=Job.State.WAITING, created__lt=job.created).count()


def purge() -> int:
    """Delete all that has expired; the number of jobs."""
    _, deleted = Job.objects.filter(expires__lt=timezone.now()).delete()
    return deleted.get(Job._meta.label, 0)
