"""The API: what is accepted, what comes back, and to whom."""

import re
import uuid
from datetime import timedelta
from io import BytesIO

import numpy as np
import pytest
from django.conf import settings
from django.utils import timezone
from PIL import Image

from helpers.server import jobs
from helpers.server.models import Client, Job, Picture
from helpers.server.views import preferred_wait

URL = "/api/v1/backgrounds/"


def send(client, data: bytes, **fields):
    return client.post(URL, {"picture": BytesIO(data), **fields})


def pixels(answer) -> np.ndarray:
    assert answer["Content-Type"] == "image/png"
    return np.asarray(Image.open(BytesIO(answer.content)))


def test_picture_goes_in_and_comes_out(ada, picture, process_all):
    accepted = send(ada, picture((10, 20, 30)), mode="blur")
    assert accepted.status_code == 202
    job = accepted.json()
    assert accepted["Location"] == job["url"] == f"{URL}{job['id']}/"
    assert (job["state"], job["mode"], job["edge"], job["ahead"]) == ("waiting", "blur", "guided", 0)
    assert ada.get(job["result"]).status_code == 409
    assert process_all() == 1
    assert ada.get(job["url"]).json()["state"] == "done"
    image = pixels(ada.get(job["result"]))
    assert image.shape == (24, 32, 3) and (image == (245, 235, 225)).all()


def test_prefer_wait_gives_the_picture_at_once(ada, picture, at_work):
    answer = ada.post(URL, {"picture": BytesIO(picture((1, 2, 3)))}, headers={"Prefer": "wait"})
    assert answer.status_code == 200 and answer["Preference-Applied"] == "wait"
    assert (pixels(answer) == (254, 253, 252)).all()


def test_prefer_wait_without_a_worker_gives_a_link(ada, picture):
    answer = ada.post(URL, {"picture": BytesIO(picture())}, headers={"Prefer": "respond-async, wait=0"})
    assert answer.status_code == 202 and answer["Location"]


def test_a_picture_that_the_model_cannot_take_fails_alone(ada, picture, at_work):
    first = ada.post(URL, {"picture": BytesIO(picture((0, 255, 255)))}, headers={"Prefer": "wait"})
    assert first.status_code == 422 and "could not be processed" in first.json()["detail"]
    failed = Job.objects.get()
    assert ada.get(f"{URL}{failed.pk}/result/").status_code == 409
    second = ada.post(URL, {"picture": BytesIO(picture())}, headers={"Prefer": "wait"})
    assert second.status_code == 200


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", 0),
        ("wait", 30),
        ("wait=4", 4),
        ("return=minimal, wait=4", 4),
        ("wait=999", 30),
        ("wait=x", 0),
        ("waiter", 0),
        ('WAIT="5"', 5),
        ("wait=" + "9" * 5000, 0),
        ("wait=4; foo", 4),
    ],
)
def test_preferred_wait(header, seconds):
    assert preferred_wait(header) == seconds


def test_background_picture_reaches_the_model_and_the_options_too(ada, picture, monkeypatch):
    from helpers.server import worker

    send(ada, picture(), background=BytesIO(picture((9, 8, 7))), mode="blur", edge="argmax")
    send(ada, picture(), mode="color", color="#00b140")
    seen = []

    def segmenter(image, background, **options):
        seen.append((None if background is None else tuple(background[0, 0]), *options.values()))
        return image

    while worker.work_once(segmenter):
        pass
    assert seen == [((9, 8, 7), "picture", "argmax", "#ffffff"), (None, "color", "guided", "#00b140")]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"mode": "oil painting"}, "mode"),
        ({"edge": "grabcut"}, "edge"),
        ({"color": "red"}, "color"),
        ({"color": "#00b140\n#"}, "color"),
        ({"background": "a text"}, "background"),
        ({"colour": "#00b140"}, "colour"),
    ],
)
def test_wrong_options_are_named(ada, picture, fields, wrong):
    answer = send(ada, picture(), **fields)
    assert answer.status_code == 400 and list(answer.json()) == [wrong]
    assert not Job.objects.exists()


def test_only_forms_are_taken(ada):
    assert ada.post(URL, {"picture": "x"}, format="json").status_code == 415
    assert ada.post(URL, b"\x89PNG", content_type="image/png").status_code == 415
    assert ada.post(URL, {}).json() == {"picture": ["No file was submitted."]}


def test_deleted_while_somebody_waits_for_it(ada, picture, monkeypatch):
    sleep = jobs.time.sleep
    monkeypatch.setattr(jobs.time, "sleep", lambda seconds: (Job.objects.all().delete(), sleep(seconds)))
    answer = ada.post(URL, {"picture": BytesIO(picture())}, headers={"Prefer": "wait"})
    assert answer.status_code == 404


# --- Whose is it ---


def test_nobody_sends_without_token_or_page(stranger, picture):
    answer = send(stranger, picture())
    assert answer.status_code == 401 and answer["WWW-Authenticate"] == "Bearer"
    stranger.credentials(HTTP_AUTHORIZATION="Bearer guessed")
    assert send(stranger, picture()).status_code == 401


def test_token_is_not_in_the_database_and_a_new_one_replaces_it(ada, picture):
    before = ada._credentials if ada._credentials else ada.defaults["HTTP_AUTHORIZATION"]
    assert before.split()[-1] not in str(list(Client.objects.values()))
    Client.issue("ada")
    assert send(ada, picture()).status_code == 401


def test_only_the_owner_deletes(ada, bob, stranger, picture, process_all):
    job = send(ada, picture()).json()
    assert bob.delete(job["url"]).status_code == 403
    assert stranger.delete(job["url"]).status_code == 401
    process_all()
    assert bob.delete(job["url"]).status_code == 403
    assert ada.get(job["result"]).status_code == 200
    assert ada.delete(job["url"]).status_code == 204
    assert ada.get(job["url"]).status_code == ada.get(job["result"]).status_code == 404
    assert not Picture.objects.exists()


def test_ids_are_random_and_nothing_is_listed(ada, picture):
    ids = [uuid.UUID(send(ada, picture()).json()["id"]) for _ in range(3)]
    assert len(set(ids)) == 3 and all(i.version == 4 for i in ids)
    assert ada.get(URL).status_code == 405
    assert ada.get(f"{URL}{uuid.uuid4()}/").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        f"{URL}1/",
        f"{URL}1/result/",
        f"{URL}../../settings.py",
        "/static/../settings.py",
        "/static/%2e%2e/settings.py",
        "/static/..%2f..%2fserver/settings.py",
        "/static//etc/passwd",
        "/static/",
        "/static/server/",
        "/jobs.sqlite3",
        "/media/",
        f"{URL}%00/",
    ],
)
def test_nothing_is_read_by_path(stranger, path):
    assert stranger.get(path).status_code in (400, 404)


def test_results_expire(ada, picture, process_all):
    job = send(ada, picture()).json()
    process_all()
    Job.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert ada.get(job["url"]).status_code == ada.get(job["result"]).status_code == 404
    assert jobs.purge() == 1
    assert not Picture.objects.exists()


def test_what_was_sent_is_deleted_once_it_is_done(ada, picture, process_all):
    send(ada, picture(), background=BytesIO(picture()))
    assert Picture.objects.count() == 2
    process_all()
    assert [p.role for p in Picture.objects.all()] == ["result"]


# --- From the page ---


@pytest.fixture
def browser(stranger):
    """Has opened the page; its CSRF token is on it."""
    page = stranger.get("/").content.decode()
    stranger.csrf = re.search(r'data-csrf="(\w+)"', page)[1]
    return stranger


def test_the_page_sends_with_its_csrf_token_only(browser, picture):
    assert send(browser, picture()).status_code == 403
    answer = browser.post(URL, {"picture": BytesIO(picture())}, headers={"X-CSRFToken": browser.csrf})
    assert answer.status_code == 202
    url = answer.json()["url"]
    assert browser.delete(url).status_code == 403
    assert browser.delete(url, headers={"X-CSRFToken": browser.csrf}).status_code == 204


def test_two_browsers_are_two_owners(browser, ada, picture):
    answer = browser.post(URL, {"picture": BytesIO(picture())}, headers={"X-CSRFToken": browser.csrf})
    browser.cookies.clear()
    page = browser.get("/").content.decode()
    other = re.search(r'data-csrf="(\w+)"', page)[1]
    assert browser.delete(answer.json()["url"], headers={"X-CSRFToken": other}).status_code == 403
    assert ada.delete(answer.json()["url"]).status_code == 403


def test_a_forged_cookie_is_nobody(browser, picture):
    browser.cookies["sessionid"] = "eyJvd25lciI6ImFkYSJ9:1abcde:forged"
    answer = browser.post(URL, {"picture": BytesIO(picture())}, headers={"X-CSRFToken": browser.csrf})
    assert answer.status_code == 401


# --- How much, how often ---


def test_full_queue_says_when_to_come_back(ada, picture, process_all, monkeypatch):
    monkeypatch.setattr(settings, "QUEUE_SIZE", 2)
    assert [send(ada, picture()).status_code for _ in range(3)] == [202, 202, 429]
    answer = send(ada, b"not even looked at")
    assert answer.status_code == 429 and int(answer["Retry-After"]) >= 1 and "full" in answer.json()["detail"]
    process_all()
    assert send(ada, picture()).status_code == 202


def test_tokens_and_addresses_are_throttled(ada, bob, browser, picture, monkeypatch):
    monkeypatch.setattr(settings, "RATES", {"token": "2/min", "page": "1/min", "read": "3/min"})
    assert [send(ada, picture()).status_code for _ in range(3)] == [202, 202, 429]
    assert send(bob, picture()).status_code == 202, "each token has its own share"
    codes = []
    for _ in range(2):  # a new cookie is no new address
        token = re.search(r'data-csrf="(\w+)"', browser.get("/").content.decode())[1]
        codes += [browser.post(URL, {"picture": BytesIO(picture())}, headers={"X-CSRFToken": token}).status_code]
        browser.cookies.clear()
    assert codes == [202, 429]
    url = f"{URL}{Job.objects.first().pk}/"
    headers = [{"X-Forwarded-For": f"10.0.0.{i}"} for i in range(4)]  # without a proxy, anybody may claim anything
    assert [browser.get(url, headers=h).status_code for h in headers] == [200, 200, 200, 429]
    assert int(browser.get(url)["Retry-After"]) >= 1


def test_a_request_that_is_too_large_is_not_read(ada, monkeypatch):
    monkeypatch.setattr(settings, "REQUEST_BYTES", 1000)
    answer = send(ada, b"x" * 2000)
    assert answer.status_code == 413 and "too large" in answer.json()["detail"]


def test_too_many_files_or_fields(ada, picture):
    files = {f"file{i}": BytesIO(b"x") for i in range(5)}
    assert send(ada, picture(), **files).status_code == 400
    assert send(ada, picture(), **{f"field{i}": "x" for i in range(50)}).status_code == 400


def test_security_headers(stranger):
    answer = stranger.get("/")
    assert (
        "default-src 'none'" in answer["Content-Security-Policy"] and "unsafe" not in answer["Content-Security-Policy"]
    )
    assert answer["X-Content-Type-Options"] == "nosniff" and answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin" and answer["Cross-Origin-Opener-Policy"] == "same-origin"
    cookies = answer.cookies
    assert cookies["sessionid"]["httponly"] and cookies["sessionid"]["samesite"] == "Strict"
    assert cookies["csrftoken"]["httponly"]
    assert stranger.get("/", SERVER_NAME="evil.example").status_code == 400
