"""The worker: what it makes of a picture with the lesson's model, and how it bears a database that is away."""

import threading

import numpy as np
import pytest
from django.db import OperationalError

from helpers import backgrounds
from helpers.server import jobs, worker

ROWS, COLUMNS = np.mgrid[:60, :80]
PERSON = np.hypot(ROWS - 30, COLUMNS - 40) < 18
IMAGE = np.where(PERSON[..., None], (220, 170, 140), (20, 90, 160)).astype(np.uint8)
IMAGE[(ROWS + COLUMNS) % 2 == 0] //= 2  # something to blur


@pytest.fixture
def segment(monkeypatch):
    """The service's own segmenter around a model that knows where the person is; how often it was loaded."""
    loaded = []

    def load_model():
        loaded.append(1)
        return backgrounds.PersonModel("known", lambda image: np.where(PERSON, 9.0, -9.0).astype(np.float32))

    monkeypatch.setattr(backgrounds, "load_model", load_model)
    segment = worker.load_segmenter()
    yield lambda background=None, mode="cutout", edge="guided": segment(
        IMAGE, background, mode=mode, edge=edge, color="#00b140"
    )
    assert len(loaded) == 1


@pytest.mark.parametrize("edge", ["guided", "soft", "argmax"])
def test_cutout_is_transparent_behind_the_person(segment, edge):
    result = segment(edge=edge)
    assert result.shape == (60, 80, 4) and result.dtype == np.uint8
    assert (result[5:10, 5:10, 3] < 10).all() and (result[25:35, 35:45, 3] > 245).all()
    assert np.abs(result[25:35, 35:45, :3].astype(int) - IMAGE[25:35, 35:45]).max() <= 2


def test_a_colour_or_a_picture_lies_behind(segment):
    assert np.abs(segment(mode="color")[5, 5].astype(int) - (0, 0xB1, 0x40)).max() <= 2
    behind = np.full((30, 30, 3), (200, 10, 60), np.uint8)
    result = segment(behind, mode="picture")
    assert np.abs(result[5, 5].astype(int) - behind[0, 0]).max() <= 2
    assert np.abs(result[25:35, 35:45].astype(int) - IMAGE[25:35, 35:45]).max() <= 6


def test_blur_leaves_the_person_alone(segment):
    result = segment(mode="blur").astype(int)
    assert np.abs(result[25:35, 35:45] - IMAGE[25:35, 35:45]).max() <= 8
    assert result[3:12, 3:12, 2].std() < IMAGE[3:12, 3:12, 2].std() / 2


def test_a_database_that_is_away_for_a_while_ends_nothing(monkeypatch):
    stop, calls = threading.Event(), []

    def claim():
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("the server closed the connection")
        stop.set()

    monkeypatch.setattr(jobs, "claim", claim)
    worker.work(stop, worker.load())
    assert len(calls) == 2
