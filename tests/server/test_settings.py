"""Settings: what is refused at the start, what a public service is, and that importing changes nothing else."""

import logging
import os
import runpy
import subprocess
import sys

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, override_settings
from typer.testing import CliRunner

from helpers.paths import REPO_ROOT
from helpers.server import __main__ as commands
from helpers.server import models, settings

SECRET = "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Reads settings.py anew, with the given environment variables alone."""

    def run(**given: str) -> dict:
        for name in [name for name in os.environ if name.startswith("SEGMENTATION_SERVER_")]:
            monkeypatch.delenv(name)
        for name, value in {"STATE": str(tmp_path / "state"), **given}.items():
            monkeypatch.setenv(f"SEGMENTATION_SERVER_{name}", value)
        return {n: v for n, v in runpy.run_path(settings.__file__).items() if n.isupper()}

    return run


@pytest.fixture
def public(read):
    """A service with a public name, behind a proxy."""
    given = read(SECRET=SECRET, HOSTS="pictures.example.org", PROXIES="1")
    given.pop("DATABASES")  # the tests' own stays
    with override_settings(**given):
        yield


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "SEGMENTATION_SERVER_SECRET is not set; set it to a long random text"),
        ({"SECRET": " "}, "SEGMENTATION_SERVER_SECRET is not set"),
        ({"SECRET": "x", "QUEUE": "many"}, "SEGMENTATION_SERVER_QUEUE is 'many'; give a whole number, such as 64"),
        ({"SECRET": "x", "LEASE": "-1"}, "SEGMENTATION_SERVER_LEASE is '-1'"),
        ({"SECRET": "x", "DB": "mysql://localhost/x"}, "begins with 'mysql'; give postgresql://"),
    ],
)
def test_wrong_settings_are_named(read, given, words):
    with pytest.raises(ImproperlyConfigured) as problem:
        read(**given)
    assert words in str(problem.value)


def test_without_a_secret_no_public_service_starts(tmp_path):
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SEGMENTATION_SERVER_")}
    environ["SEGMENTATION_SERVER_HOSTS"] = "pictures.example.org"
    done = subprocess.run(
        [sys.executable, "-m", "helpers.server", "serve"], env=environ, cwd=REPO_ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("error: SEGMENTATION_SERVER_SECRET is not set") and done.stderr.count("\n") == 1


def test_debug_is_off_unless_asked_for(read):
    assert read(SECRET=SECRET)["DEBUG"] is False
    assert read(DEBUG="0", SECRET=SECRET)["DEBUG"] is False
    debug = read(DEBUG="1")
    assert debug["DEBUG"] is True and len(debug["SECRET_KEY"]) > 50


def test_a_database_address_is_taken_apart(read):
    database = read(SECRET=SECRET, DB="postgresql://ada:p%40ss@db.example:5433/jobs")["DATABASES"]["default"]
    wanted = {"NAME": "jobs", "USER": "ada", "PASSWORD": "p@ss", "HOST": "db.example", "PORT": 5433}
    assert wanted.items() <= database.items()


def test_the_state_folder_is_the_users_own(read, tmp_path):
    read(SECRET=SECRET)
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_check_deploy_is_clean_for_a_public_service(public):
    assert run_checks(include_deployment_checks=True) == []


def test_a_public_service_speaks_https_alone(public):
    plain = Client(SERVER_NAME="pictures.example.org")
    assert plain.get("/").headers["Location"] == "https://pictures.example.org/"
    page = Client(SERVER_NAME="pictures.example.org", headers={"X-Forwarded-Proto": "https"}).get("/")
    assert page.status_code == 200
    assert page["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert all(page.cookies[name]["secure"] for name in ("sessionid", "csrftoken"))


def test_importing_the_service_leaves_logging_alone():
    code = """
import logging, os
from logging import Logger
root = logging.getLogger()
before = root.level, list(root.handlers), logging.getLogger("helpers").level
import django; django.setup()
import helpers.server.views, helpers.server.worker, helpers.server.__main__
assert (root.level, list(root.handlers), logging.getLogger("helpers").level) == before
assert not [n for n, l in root.manager.loggerDict.items() if isinstance(l, Logger) and l.handlers and "django" in n]
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=REPO_ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_log_lines_hold_no_ids():
    key = "0f8fad5b-d9cb-469f-a165-70867728950e"
    record = logging.LogRecord("x", logging.ERROR, "", 0, "Internal Server Error: /api/v1/%s/ %s", (key, "a"), None)
    assert commands.NoIds("%(message)s").format(record) == "Internal Server Error: /api/v1/…/ a"


def test_tokens_are_made_replaced_and_revoked(monkeypatch):
    monkeypatch.setattr(commands, "_set_up", lambda **_: None)
    call = CliRunner().invoke
    first, second = (call(commands.app, ["token", "ada"]).stdout.strip() for _ in range(2))
    assert len(first) > 40 and first != second
    assert [c.digest for c in models.Client.objects.all()] == [models.Client.digest_of(second)]
    assert call(commands.app, ["token", "ada", "--revoke"]).exit_code == 0
    assert not models.Client.objects.exists()
    again = call(commands.app, ["token", "ada", "--revoke"])
    assert again.exit_code == 2 and again.stderr == "error: no program of the name 'ada' has a token\n"
