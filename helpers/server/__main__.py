"""`python -m helpers.server`: run the service and look after it."""

import logging
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
import warnings
from typing import Annotated, NoReturn

import django
import typer
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command, execute_from_command_line
from django.db import DatabaseError

app = typer.Typer(
    help="Replace the background of pictures, over HTTP.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
FAILED = 2  # exit code where something is set wrong
LOCAL = ("127.0.0.1", "localhost", "::1")


class NoIds(logging.Formatter):
    """Log lines without the ids of pictures, which are the keys to them."""

    def format(self, record: logging.LogRecord) -> str:
        return re.sub(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", "…", super().format(record), flags=re.IGNORECASE)


def _complain(problem: str) -> None:
    typer.echo(f"error: {problem}", err=True)


def _give_up(problem: str) -> NoReturn:
    _complain(problem)
    raise typer.Exit(FAILED)


def _set_up(*, migrate: bool = False) -> None:
    """Configure logging and Django for this process; one line and exit code 2 where a setting is wrong."""
    handler = logging.StreamHandler()
    handler.setFormatter(NoIds("%(asctime)s %(process)d %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    warnings.simplefilter("ignore")  # Pillow warns of odd pictures
    logging.getLogger("helpers").setLevel(logging.INFO)
    logging.getLogger("django.request").setLevel(logging.ERROR)  # refusals are no news
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpers.server.settings")
    try:
        django.setup()
        if migrate:
            call_command("migrate", verbosity=0)
    except (ImproperlyConfigured, DatabaseError, OSError) as error:
        _give_up(str(error).strip().partition("\n")[0])


def _follow(parent: int) -> None:
    """Tell this process to end once the one that started it is gone, even if that was killed."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="address to listen at; 0.0.0.0 for other machines")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="processes with a model each")] = 1,
    threads: Annotated[int, typer.Option(min=2, max=256, help="requests answered at a time")] = 32,
) -> None:
    """Run page, API and workers until Ctrl+C; what dies is started again."""
    if host in LOCAL and not os.environ.get("SEGMENTATION_SERVER_HOSTS"):
        # For this machine alone, a secret that nobody knows is as good as one that somebody keeps.
        os.environ.setdefault("SEGMENTATION_SERVER_SECRET", secrets.token_urlsafe(50))
    _set_up(migrate=True)
    # The workers share the cores: more threads than cores only wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))
    # One heap for all threads of the web server: else each keeps the largest picture that it has seen.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    me, parent = [sys.executable, "-m", "helpers.server"], f"--parent={os.getpid()}"
    commands = [[*me, "web", host, str(port), f"--threads={threads}", parent]] + [[*me, "work", parent]] * workers
    typer.echo(f"http://{host}:{port}/ · API: /api/v1/docs/ · Ctrl+C ends it")
    _supervise(commands)


def _supervise(commands: list[list[str]]) -> None:
    """Keep a process running for each command until this one is told to end."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    processes: list[subprocess.Popen] = []
    early = [0] * len(commands)  # how often each ended soon after its start
    try:
        for command in commands:
            processes.append(_start(command))
        while not stop.wait(0.1):
            for i, process in enumerate(processes):
                if process.poll() is None:
                    continue
                name, lived = commands[i][3], time.monotonic() - process.started
                early[i] = early[i] + 1 if lived < 10 else 0
                _complain(f"{name} ended with {process.returncode} after {lived:.0f} s")
                # A wrong setting won't get better; a picture that kills workers must not end the service.
                if process.returncode == FAILED or (name == "web" and early[i] == 3):
                    _give_up(f"{name} can't run; see the lines above")
                stop.wait(min(early[i], 5))
                processes[i] = _start(commands[i])
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _start(command: list[str]) -> subprocess.Popen:
    process = subprocess.Popen(command, start_new_session=True)  # Ctrl+C reaches only the one that started it
    process.started = time.monotonic()
    return process


@app.command(hidden=True)
def web(host: str, port: int, threads: int = 32, parent: int | None = None) -> None:
    """Answer requests, without workers."""
    _set_up()
    if parent:
        _follow(parent)
    if os.name == "nt":  # gunicorn needs a POSIX system
        from django.core.servers.basehttp import run

        from helpers.server.wsgi import application

        return run(host, port, application, ipv6=":" in host, threading=True)
    from gunicorn.app import wsgiapp

    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    sys.argv = ["gunicorn", "helpers.server.wsgi", f"--bind={address}", "--worker-class=gthread"]
    sys.argv += [f"--threads={threads}", "--timeout=60", "--no-control-socket"]
    sys.argv += ["--log-level=error"]  # warnings name addresses of users
    wsgiapp.run()


@app.command()
def work(parent: Annotated[int | None, typer.Option(hidden=True)] = None) -> None:
    """Run one more worker, here or on another machine with the same database."""
    _set_up()
    from helpers.server import worker

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if parent:
        _follow(parent)
    try:
        segmenter = worker.load()
    except (ImportError, OSError, ValueError) as error:
        _give_up(f"the model can't be loaded: {error}")
    worker.work(stop, segmenter)


@app.command()
def token(
    name: Annotated[str, typer.Argument(help="of the program that will send pictures")],
    revoke: Annotated[bool, typer.Option("--revoke", help="the token that it has is void")] = False,
) -> None:
    """Print a new token for a program; the one it had is void."""
    _set_up(migrate=True)
    from helpers.server.models import Client

    if revoke:
        if not Client.objects.filter(name=name).delete()[0]:
            _give_up(f"no program of the name {name!r} has a token")
        return
    if not 0 < len(name) <= 80:
        _give_up(f"the name has {len(name)} characters; give 1 to 80")
    typer.echo(Client.issue(name))


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
def manage(context: typer.Context) -> None:
    """Django's own commands: manage check --deploy, manage migrate, …"""
    _set_up()
    execute_from_command_line(["manage", *context.args])


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")
    app(prog_name="python -m helpers.server")
