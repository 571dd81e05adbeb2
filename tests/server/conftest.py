"""The service inside the tests' own process: a database of its own, the stub as its model."""

import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import django
import numpy as np
import pytest
from PIL import Image

# Before any module of the service is imported. A database that was named before is used: see test_postgres.py.
STATE = tempfile.TemporaryDirectory(prefix="server-tests-")
sys.path.insert(0, str(Path(__file__).parent))
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "helpers.server.settings",
    "SEGMENTATION_SERVER_SECRET": "only for tests",
    "SEGMENTATION_SERVER_SEGMENTER": "stub.load",
    "SEGMENTATION_SERVER_STATE": STATE.name,
    "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]),
}
django.setup()

from django.core.cache import cache  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

from helpers.server import worker  # noqa: E402
from helpers.server.models import Client, Job  # noqa: E402


@pytest.fixture(scope="session")
def migrated() -> Iterator[None]:
    call_command("migrate", verbosity=0)
    yield
    connection.close()
    STATE.cleanup()


@pytest.fixture(autouse=True)
def empty(migrated: None) -> None:
    """Each test begins without jobs, clients and counted requests."""
    Job.objects.all().delete()
    Client.objects.all().delete()
    cache.clear()


def make_client(**headers: str) -> APIClient:
    return APIClient(enforce_csrf_checks=True, SERVER_NAME="localhost", headers=headers)


@pytest.fixture
def ada(empty: None) -> APIClient:
    """A program with a token."""
    return make_client(Authorization=f"Bearer {Client.issue('ada')}")


@pytest.fixture
def bob(empty: None) -> APIClient:
    return make_client(Authorization=f"Bearer {Client.issue('bob')}")


@pytest.fixture
def stranger(empty: None) -> APIClient:
    """Neither token nor cookie."""
    return make_client()


@pytest.fixture
def process_all() -> Callable[[], int]:
    """A worker that empties the queue; how many jobs it took."""
    segmenter = worker.load()

    def run() -> int:
        taken = 0
        while worker.work_once(segmenter):
            taken += 1
        return taken

    return run


@pytest.fixture
def at_work() -> Iterator[None]:
    """A worker in a thread while the test runs."""
    stop = threading.Event()

    def work() -> None:
        worker.work(stop, worker.load())
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join()


def encode(image: np.ndarray, kind: str = "PNG", **options) -> bytes:
    file = BytesIO()
    Image.fromarray(image).save(file, kind, **options)
    return file.getvalue()


@pytest.fixture(scope="session")
def picture() -> Callable[..., bytes]:
    """Makes an encoded picture of one colour, or of an array."""

    def make(content: tuple[int, int, int] | np.ndarray = (10, 20, 30), kind: str = "PNG", **options) -> bytes:
        image = content if isinstance(content, np.ndarray) else np.full((24, 32, 3), content, np.uint8)
        return encode(image, kind, **options)

    return make
