"""The pool of processes: same result as one process, whatever is killed on the way."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import scale_stub
from helpers.scale import ScaleError
from helpers.scale.frames import collect_frames
from helpers.scale.local_engine import segment_locally
from helpers.scale.report import read_report
from helpers.scale.storage import RunFolder
from helpers.scale.work import SegmentFrames


def run(drive: Path, out: Path, load: Callable = scale_stub.load, *, workers: int = 1, **options) -> RunFolder:
    frames = collect_frames(str(drive), labels=str(drive / "labels"))
    folder = RunFolder.of(out)
    folder.begin({"truth": "camvid11", "scored_as": "camvid11"}, frames)
    segment_locally(folder.remaining(frames), scale_stub.SCORED, folder, workers=workers, load=load, **options)
    return folder


PROGRAM = """
import time
import scale_stub
from helpers.scale import local_engine
from helpers.scale.frames import collect_frames
from helpers.scale.storage import RunFolder

if __name__ == "__main__":
    frames = collect_frames({drive!r}, labels={labels!r})
    folder = RunFolder.of({out!r})
    folder.begin({{"truth": "camvid11", "scored_as": "camvid11"}}, frames)
    local_engine.segment_locally(
        frames, scale_stub.SCORED, folder, workers=1, batch=2, rows_per_part=4, load=scale_stub.load,
        progress=lambda _: time.sleep(0.2)
    )
"""


def plain_matrix(drive: Path) -> np.ndarray:
    frames = collect_frames(str(drive), labels=str(drive / "labels"))
    rows = SegmentFrames(scale_stub.SCORED, load=scale_stub.load)(frames)
    return np.sum(rows["confusion"].to_pylist(), 0).reshape(11, 12)


def test_two_processes_find_what_one_finds(drive: Path, tmp_path: Path) -> None:
    told = []
    report = read_report(run(drive, tmp_path, workers=2, batch=4, rows_per_part=12, progress=told.append))
    assert (report.rows, report.done, sum(told)) == (40, 40, 40)
    assert np.array_equal(report.matrix.counts, plain_matrix(drive))
    assert len(set(report.workers)) == 2
    assert len(list((tmp_path / "masks").iterdir())) == 4


def test_a_killed_worker_is_replaced_and_nothing_is_lost_or_counted_twice(drive: Path, tmp_path: Path) -> None:
    load = scale_stub.KillsOnce(tmp_path / "marker")
    report = read_report(run(drive, tmp_path / "run", load, workers=2, batch=4))
    assert (tmp_path / "marker").exists()
    assert (report.rows, report.done, report.failures) == (40, 40, [])
    assert np.array_equal(report.matrix.counts, plain_matrix(drive))


@pytest.mark.slow
def test_a_frame_that_kills_every_worker_fails_alone(drive: Path, tmp_path: Path) -> None:
    report = read_report(run(drive, tmp_path, scale_stub.load_killer, batch=2))
    assert report.failures == [("frame_007.png", "2 workers died over this frame")]
    assert (report.rows, report.done) == (40, 40)


@pytest.mark.parametrize(
    ("load", "message"),
    [(scale_stub.load_fails, "can't start: there is no model here"), (scale_stub.load_dies, "died while it loaded")],
)
def test_workers_that_cannot_start_end_the_run(drive: Path, tmp_path: Path, load: Callable, message: str) -> None:
    with pytest.raises(ScaleError, match=message):
        run(drive, tmp_path, load)


def test_a_full_disk_ends_the_run_and_keeps_what_is_done(
    drive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, written = RunFolder.write_part, []

    def fills_up(self: RunFolder, rows: pa.Table) -> None:
        if written:
            raise OSError(28, "No space left on device")
        written.append(len(rows))
        write(self, rows)

    monkeypatch.setattr(RunFolder, "write_part", fills_up)
    with pytest.raises(OSError, match="No space"):
        run(drive, tmp_path, batch=4, rows_per_part=8)
    monkeypatch.undo()
    assert read_report(RunFolder.of(tmp_path)).done == written[0]
    assert read_report(run(drive, tmp_path)).rows == 40


@pytest.mark.slow
def test_a_killed_program_goes_on_when_started_again(drive: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(drive=str(drive), labels=str(drive / "labels"), out=str(tmp_path)))
    paths = os.pathsep.join(filter(None, sys.path))  # as pytest has set it
    process = subprocess.Popen(
        [sys.executable, str(program)], start_new_session=True, env=os.environ | {"PYTHONPATH": paths}
    )
    while not len(list((tmp_path / "masks").glob("part-*"))) >= 2:
        assert process.poll() is None, "it ended too early to be killed"
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = read_report(RunFolder.of(tmp_path))
    assert 8 <= before.done < 40
    _wait_until_gone(process.pid)
    report = read_report(run(drive, tmp_path))
    assert (report.rows, report.done) == (40, 40)
    assert np.array_equal(report.matrix.counts, plain_matrix(drive))


def _wait_until_gone(session: int) -> None:
    """The workers of a killed program end by themselves, since their pipes close."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            os.killpg(session, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError("workers outlive the program that started them")
