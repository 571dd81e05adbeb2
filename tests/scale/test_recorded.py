"""Where a run can't be made, its recording is shown and said to be one."""

import numpy as np
import pytest

from helpers.scale import ScaleError, recorded
from helpers.scale.report import Report

RUN = Report({}, 2, rows=2, done=2, spans=np.array([[5.0, 6.0], [5.0, 7.0]]), workers=np.array(["vm:1", "vm:2"]))


@pytest.fixture
def record(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"date": "2026-12-01", "device": "2 CPU cores", "runs": {"two_processes": RUN.as_record()}}
    monkeypatch.setattr(recorded.records, "read", lambda name: found)


def test_a_run_is_live_where_it_can_be(capsys: pytest.CaptureFixture[str]) -> None:
    assert recorded.live("whatever", lambda: RUN, needs="json") is RUN
    assert capsys.readouterr().out.startswith("live, on this machine: 2 of 2 frames done")


@pytest.mark.usefixtures("record")
def test_without_the_package_the_recording_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    report = recorded.live("two_processes", lambda: pytest.fail("it can't run"), needs="no_such_package")
    assert (report.done, report.rate) == (2, 1.0)
    out = capsys.readouterr().out
    assert "no_such_package is not installed" in out and "recorded on 2026-12-01, 2 CPU cores: 2 of 2" in out
    recorded.live("two_processes", lambda: None, needs="no_such_package")
    assert "not installed" not in capsys.readouterr().out  # once is enough


@pytest.mark.usefixtures("record")
def test_a_run_that_cannot_start_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    def fails() -> Report:
        raise ScaleError("Ray can't start on this machine")

    assert recorded.live("two_processes", fails, needs="json").done == 2
    assert capsys.readouterr().out.startswith("Ray can't start on this machine\nrecorded on")
    with pytest.raises(ScaleError, match="nothing is recorded of two_actors"):
        recorded.live("two_actors", fails, needs="json")
