"""The service for as long as a block of code needs it: for notebooks, tests and measurements."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests


@dataclass
class Service:
    """A running service."""

    url: str  # of the page, without the slash at the end
    token: str
    process: subprocess.Popen  # of `python -m helpers.server serve`

    @property
    def headers(self) -> dict[str, str]:
        """What a request needs to be let in."""
        return {"Authorization": f"Bearer {self.token}"}


@contextmanager
def local_service(
    folder: str | Path, *, workers: int = 1, port: int | None = None, **settings: str
) -> Iterator[Service]:
    """Run the service on this machine, in processes of its own, until the block ends.

    Args:
        folder: for its database and service.log, what it says meanwhile; used again, it continues with the jobs that
            are there.
        workers: processes with a model each.
        port: by default any that is free.
        settings: of settings.py without `SEGMENTATION_SERVER_`, for instance `QUEUE="8"`.

    Raises:
        RuntimeError: it does not start; with its own last words.
    """
    own = {f"SEGMENTATION_SERVER_{name.upper()}": value for name, value in settings.items()}
    environ = os.environ | {"SEGMENTATION_SERVER_SECRET": secrets.token_urlsafe(50)} | own
    environ["SEGMENTATION_SERVER_STATE"] = str(folder)
    me = [sys.executable, "-m", "helpers.server"]
    token = subprocess.run([*me, "token", "local"], env=environ, stdout=subprocess.PIPE, text=True).stdout.strip()
    port = port or _free_port()
    log = Path(folder) / "service.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as said:
        command = [*me, "serve", f"--port={port}", f"--workers={workers}"]
        process = subprocess.Popen(command, env=environ, stdout=said, stderr=subprocess.STDOUT)
    try:
        service = Service(f"http://127.0.0.1:{port}", token, process)
        _await(service, log)
        yield service
    finally:
        process.terminate()
        process.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _await(service: Service, log: Path, *, seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while service.process.poll() is None and time.monotonic() < end:
        try:
            requests.get(service.url, timeout=10).raise_for_status()
            return
        except requests.RequestException:
            time.sleep(0.1)
    last = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])
    raise RuntimeError(f"the service does not answer; its last words: {last}")
