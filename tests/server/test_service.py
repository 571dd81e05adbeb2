"""The whole service in processes of its own: many clients at once, and kill -9 in the middle of it."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import psycopg
import pytest
import requests
from PIL import Image
from postgres import needs_postgres, postgres

from helpers.server.local import Service, local_service

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads processes from /proc, which only Linux has"),
]
CLIENTS, REQUESTS, WARM_UP = 16, 200, 100


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=needs_postgres)])
def start(request, tmp_path, monkeypatch) -> Iterator[Callable]:
    """Starts the service, again and again on the same database; `start.rows()` looks into it."""
    monkeypatch.delenv("SEGMENTATION_SERVER_DB", raising=False)
    if request.param == "sqlite":
        yield Starter(tmp_path, {}, lambda: sqlite3.connect(tmp_path / "jobs.sqlite3"))
    else:
        with postgres() as address:
            yield Starter(tmp_path, {"db": address}, lambda: psycopg.connect(address))


class Starter:
    def __init__(self, folder: Path, settings: dict, connect: Callable):
        self.folder, self.settings, self.connect = folder, settings, connect

    def __call__(self, **more):
        return local_service(self.folder, read_rate="100000/min", token_rate="100000/min", **self.settings, **more)

    def rows(self) -> list[tuple[str, int, int]]:
        """State, attempts and number of results of each job."""
        results = "SELECT count(*) FROM server_picture p WHERE p.job_id = j.id AND p.role = 'result'"
        connection = self.connect()
        try:
            return connection.execute(f"SELECT state, attempts, ({results}) FROM server_job j").fetchall()
        finally:
            connection.close()


def noise(number: int) -> np.ndarray:
    """A picture like no other."""
    return np.random.default_rng(number).integers(0, 256, (240, 320, 3)).astype(np.uint8)


def send(service: Service, image: np.ndarray, **headers: str) -> requests.Response:
    """Post a picture until there is room for it."""
    file = BytesIO()
    Image.fromarray(image).save(file, "PNG", compress_level=0)
    while True:
        answer = requests.post(
            f"{service.url}/api/v1/backgrounds/",
            headers={**service.headers, **headers},
            files={"picture": file.getvalue()},
            timeout=120,
        )
        if answer.status_code != 429:
            return answer
        time.sleep(float(answer.headers["Retry-After"]) / 5)


def result(service: Service, url: str, *, seconds: float = 250) -> bytes:
    """The PNG of a job, once it is done."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            job = requests.get(service.url + url, timeout=60).json()
            assert job["state"] != "failed", job["error"]
            if job["state"] == "done":
                return requests.get(service.url + job["result"], timeout=60).content
        except requests.RequestException:
            pass  # it is being started again
        time.sleep(0.1)
    raise AssertionError(f"not done within {seconds} s")


def is_inverse(png: bytes, image: np.ndarray) -> bool:
    with Image.open(BytesIO(png)) as shown:
        return np.array_equal(np.asarray(shown), 255 - image)


def children(pid: int) -> dict[int, str]:
    """Process ids → command lines of what a process started."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found[int(stat.parent.name)] = (stat.parent / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue  # ended meanwhile
    return found


def part(service: Service, name: str) -> int:
    """The process id of the service's web server or worker."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for pid, command in children(service.process.pid).items():
            if f"helpers.server {name} " in command:
                return pid
        time.sleep(0.05)
    raise AssertionError(f"no {name} runs")


def megabytes(pid: int) -> dict[int, float]:
    """Memory of a process and all below it."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    own = next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))
    return {pid: own} | {p: m for child in children(pid) for p, m in megabytes(child).items()}


def test_many_clients_nothing_wrong_nothing_lost_memory_flat(start):
    def one(service: Service, number: int) -> bool:
        image = noise(number)
        answer = send(service, image, Prefer="wait")
        assert answer.status_code in (200, 202), answer.text
        return is_inverse(answer.content if answer.status_code == 200 else result(service, answer.json()["url"]), image)

    with start(workers=2, queue="12") as service, ThreadPoolExecutor(CLIENTS) as pool:
        assert all(pool.map(lambda n: one(service, n), range(WARM_UP)))
        before = megabytes(service.process.pid)
        assert sum(pool.map(lambda n: one(service, WARM_UP + n), range(REQUESTS))) == REQUESTS
        after = megabytes(service.process.pid)
        rows = start.rows()
    assert rows.count(("done", 1, 1)) == len(rows) == WARM_UP + REQUESTS
    assert before.keys() == after.keys(), "no process ended"
    # One copy of each picture kept somewhere would be 46 MB.
    assert sum(after.values()) - sum(before.values()) < 25, (before, after)


def test_kill_9_of_worker_server_and_all(start, monkeypatch):
    monkeypatch.setenv("STUB_SECONDS", "0.4")
    images = [noise(n) for n in range(10)]
    with start(lease="2") as service:
        urls = [send(service, image).json()["url"] for image in images]
        while not any(state == "running" for state, _, _ in start.rows()):
            time.sleep(0.02)
        os.kill(part(service, "work"), signal.SIGKILL)
        assert is_inverse(result(service, urls[0]), images[0]), "another worker takes over"
        os.kill(part(service, "web"), signal.SIGKILL)
        assert is_inverse(result(service, urls[1]), images[1]), "the web server is back"
        survivors = children(service.process.pid)
        service.process.kill()
        service.process.wait()
    end = time.monotonic() + 60
    while any(Path(f"/proc/{pid}").exists() for pid in survivors):
        assert time.monotonic() < end, "what the killed one left behind ends by itself"
        time.sleep(0.1)
    with start(lease="2") as service:
        for url, image in zip(urls, images, strict=True):
            assert is_inverse(result(service, url), image)
    rows = start.rows()
    assert all((state, results) == ("done", 1) for state, _, results in rows) and len(rows) == 10
    assert max(attempts for _, attempts, _ in rows) >= 2, "a kill hit a job that was being worked on"


def test_a_picture_that_kills_its_worker_is_given_up_alone(start):
    bomb, good = np.full((24, 32, 3), (255, 0, 255), np.uint8), noise(1)
    with start(lease="1") as service:
        first = send(service, bomb).json()["url"]
        second = send(service, good).json()["url"]
        assert is_inverse(result(service, second), good)
        end = time.monotonic() + 250
        while ("failed", 3, 0) not in start.rows():
            assert time.monotonic() < end
            time.sleep(0.2)
        answer = requests.get(f"{service.url}{first}result/", timeout=60)
    assert answer.status_code == 409 and "could not be processed" in answer.json()["detail"]


def test_ctrl_c_ends_all_of_it(tmp_path):
    with local_service(tmp_path) as service:
        parts = children(service.process.pid)
        assert len(parts) == 2
        service.process.send_signal(signal.SIGINT)
        assert service.process.wait(30) == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in parts)


@needs_postgres
def test_queue_and_api_on_postgresql():
    """The tests of queue and API once more, on a real server: there, claims skip locked rows."""
    files = [Path(__file__).with_name(name) for name in ("test_jobs.py", "test_views.py")]
    with postgres() as address:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files],
            env=os.environ | {"SEGMENTATION_SERVER_DB": address},
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stdout[-3000:]
