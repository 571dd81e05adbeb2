"""A PostgreSQL server of the tests' own, from Debian's package, reached through a socket in its folder."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

BINARIES = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
needs_postgres = pytest.mark.skipif(BINARIES is None, reason="no PostgreSQL server here (Debian: postgresql)")


@contextmanager
def postgres() -> Iterator[str]:
    """The address of an empty database, as `SEGMENTATION_SERVER_DB` takes it."""
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        root = os.geteuid() == 0  # PostgreSQL refuses to run as root
        if root:
            shutil.chown(folder, "postgres", "postgres")

        def run(program: str, *arguments: str) -> None:
            command = [str(BINARIES / program), "-D", f"{folder}/data", *arguments]
            command = ["runuser", "-u", "postgres", "--", *command] if root else command
            subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)

        run("initdb", "--username=server", "--auth=trust", "--no-sync")
        run("pg_ctl", "-w", "-l", f"{folder}/log", "-o", f"-k {folder} -c listen_addresses='' -c fsync=off", "start")
        try:
            yield f"postgresql://server@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
