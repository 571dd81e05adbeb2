"""The queue: who holds a job, who may end it, and what happens when nobody does any more."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from helpers.server import jobs, worker
from helpers.server.models import Job, Picture

OPTIONS = {"mode": "cutout", "edge": "guided", "color": "#ffffff"}


@pytest.fixture
def submit(picture):
    return lambda **more: jobs.submit("ada", picture=picture(), **OPTIONS, **more)


def let_the_lease_run_out(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(claimed_until=timezone.now() - timedelta(seconds=1))


def in_threads(number: int, call) -> list:
    """The results of calling `call` in so many threads at the same moment."""
    barrier = threading.Barrier(number)

    def run(_):
        barrier.wait()
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


def test_oldest_first_and_each_once(submit):
    accepted = [submit().pk for _ in range(3)]
    assert [jobs.ahead(Job.objects.get(pk=pk)) for pk in accepted] == [0, 1, 2]
    assert [jobs.claim().pk for _ in range(3)] == accepted
    assert jobs.claim() is None


def test_many_workers_never_hold_the_same_job(submit):
    accepted = {submit().pk for _ in range(12)}

    def claim_all():
        held = []
        while Job.objects.filter(state=Job.State.WAITING).exists():
            job = jobs.claim()
            held += [job.pk] if job else []
        return held

    held = sum(in_threads(6, claim_all), [])
    assert len(held) == 12 and set(held) == accepted


def test_the_last_place_is_given_once(submit, monkeypatch):
    monkeypatch.setattr(settings, "QUEUE_SIZE", 3)
    submit()

    def try_to_submit():
        try:
            return submit()
        except jobs.QueueFull:
            return None

    assert sum(job is not None for job in in_threads(8, try_to_submit)) == 2
    assert Job.objects.count() == 3


def test_a_silent_worker_loses_the_job_and_cannot_end_it(submit):
    submit()
    silent = jobs.claim()
    assert jobs.claim() is None
    let_the_lease_run_out(silent)
    heir = jobs.claim()
    assert heir.pk == silent.pk and heir.lease != silent.lease
    assert jobs.finish(heir, b"the heir's")
    assert not jobs.finish(silent, b"too late") and not jobs.fail(silent, "too late") and not jobs.keep(silent)
    job = Job.objects.get()
    assert (job.state, job.attempts) == ("done", 2)
    assert bytes(Picture.objects.get().data) == b"the heir's"


def test_a_late_worker_cannot_end_what_another_works_on(submit):
    submit()
    late = jobs.claim()
    let_the_lease_run_out(late)
    heir = jobs.claim()
    assert not jobs.finish(late, b"too late")
    assert Job.objects.get().state == "running"
    assert jobs.finish(heir, b"in time")


def test_a_sign_of_life_keeps_the_job(submit):
    submit()
    job = jobs.claim()
    let_the_lease_run_out(job)
    assert jobs.keep(job)
    assert jobs.claim() is None


def test_what_kills_workers_is_given_up(submit):
    submit()
    for attempt in range(1, settings.MAX_ATTEMPTS + 1):
        job = jobs.claim()
        assert Job.objects.get().attempts == attempt
        let_the_lease_run_out(job)
    assert jobs.claim() is None
    job = Job.objects.get()
    assert job.state == "failed" and "could not be processed" in job.error
    assert not Picture.objects.exists()


def test_deleted_while_it_is_worked_on(submit):
    submit()

    def segmenter(image, background, **options):
        Job.objects.all().delete()
        return image

    assert worker.work_once(segmenter)
    assert not Job.objects.exists() and not Picture.objects.exists()


def test_the_lease_is_extended_while_the_model_works(submit, monkeypatch):
    monkeypatch.setattr(settings, "LEASE_SECONDS", 0.15)
    submit()
    stolen = []

    def slow(image, background, **options):
        for _ in range(10):
            threading.Event().wait(0.05)
            stolen.append(jobs.claim())
        return image

    assert worker.work_once(slow)
    assert stolen == [None] * 10
    assert Job.objects.get().state == "done"


def test_wait_returns_at_the_end_or_at_the_time(submit):
    job = submit()
    assert jobs.wait(job, 0.05).state == "waiting"
    jobs.finish(jobs.claim(), b"result")
    assert jobs.wait(job, 60).state == "done"


def test_purge_takes_what_has_expired_whatever_its_state(submit):
    submit()
    submit()
    jobs.claim()
    Job.objects.filter(state="running").update(expires=timezone.now() - timedelta(seconds=1))
    assert jobs.purge() == 1
    assert [job.state for job in Job.objects.all()] == ["waiting"]
