"""The schema keeps its word: schemathesis makes requests from it, right ones and wrong ones, and checks each answer."""

from io import BytesIO

import numpy as np
import pytest
import schemathesis
from django.conf import settings as service_settings
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from PIL import Image

from helpers.server.models import Client
from helpers.server.wsgi import application


def _png(size: tuple[int, int], seed: int) -> bytes:
    file = BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


sides = st.integers(16, 40)
schemathesis.openapi.media_type("image/png", st.builds(_png, st.tuples(sides, sides), st.integers(0, 9)))
schema = schemathesis.openapi.from_wsgi("/api/v1/schema/", application)


@pytest.fixture(autouse=True)
def token(empty, monkeypatch) -> str:
    """A client that may ask as often as it likes."""
    monkeypatch.setattr(service_settings, "RATES", dict.fromkeys(service_settings.RATES, "1000000/s"))
    monkeypatch.setattr(service_settings, "QUEUE_SIZE", 1_000_000)
    return Client.issue("schemathesis")


@schema.parametrize()
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_answers_are_as_the_schema_says(case, token):
    case.call_and_validate(headers={"Authorization": f"Bearer {token}"})
