"""Settings and fixtures of all tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Before any framework is imported: no windows, no start-up chatter, no downloads; the plain way to compute, unmeasured.
os.environ.update(MPLBACKEND="Agg", TF_CPP_MIN_LOG_LEVEL="3", SEGMENTATION_TIER="sample", SEGMENTATION_COMPUTE="plain")

# A busy machine is no failure, so no deadlines; on CI the same examples each time.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session", autouse=True)
def empty_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests never see, or add to, what the user has downloaded."""
    os.environ["SEGMENTATION_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with real pictures and models; its tests skip, saying so, only where none is named."""
    chosen = os.environ.get("SEGMENTATION_REAL_DATA")
    if not chosen:
        pytest.skip("SEGMENTATION_REAL_DATA is not set: real files are not tried")
    folder = Path(chosen).expanduser()
    assert folder.is_dir(), f"SEGMENTATION_REAL_DATA names {folder}, which is no folder"
    return folder


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """torch on one thread: small networks have nothing to share, and on a busy machine threads wait for each other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
