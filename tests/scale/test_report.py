"""Adding up a run."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import scale_stub
from helpers.scale.frames import collect_frames
from helpers.scale.report import Machine, Report, busy_seconds, cost_table, read_report
from helpers.scale.storage import RunFolder
from helpers.scale.work import RESULTS, SegmentFrames, failed_rows


@pytest.fixture
def folder(drive: Path, tmp_path: Path) -> RunFolder:
    """A run of 40 frames in two parts, of which the second has five frames of the first once more."""
    frames = collect_frames(str(drive), labels=str(drive / "labels"))
    folder = RunFolder.of(tmp_path)
    folder.begin({"truth": "camvid11", "scored_as": "camvid11"}, frames)
    rows = SegmentFrames(scale_stub.SCORED, load=scale_stub.load)(frames)
    folder.write_part(rows[:20])
    folder.write_part(rows[15:])
    return folder


def test_a_frame_written_twice_counts_once(folder: RunFolder) -> None:
    report = read_report(folder)
    assert (report.frames, report.rows, report.done) == (40, 45, 40)
    rows = pa.concat_tables(folder.parts()).to_pylist()
    once = {row["id"]: row["confusion"] for row in rows}
    assert np.array_equal(report.matrix.counts.ravel(), np.sum(list(once.values()), 0))
    assert "40 of 40 frames done, 0 failed, 0 missing" in report.text()


def test_the_worst_frames_are_those_with_the_fewest_right_pixels(folder: RunFolder) -> None:
    report = read_report(folder)
    worst = report.worst(40)
    assert [share for _, share in worst] == sorted(report.scores.values())
    mean = np.average(
        list(report.scores.values()),
        weights=[
            np.sum(row["confusion"]) for row in {r["id"]: r for p in folder.parts() for r in p.to_pylist()}.values()
        ],
    )
    assert mean == pytest.approx(report.matrix.pixel_accuracy())


def test_a_record_tells_the_same_as_the_run(folder: RunFolder) -> None:
    report = read_report(folder)
    recorded = Report.of_record(json.loads(json.dumps(report.as_record())))
    assert np.array_equal(recorded.matrix.counts, report.matrix.counts)
    assert recorded.text().splitlines()[-1].startswith("40 of 40 frames done, 0 failed, 0 missing")
    assert recorded.spans == pytest.approx(report.spans - report.spans.min(), abs=1e-3)
    assert len(set(recorded.workers)) == 1


def test_failures_are_named_and_have_no_mask(drive: Path, tmp_path: Path) -> None:
    frames = collect_frames(str(drive))
    folder = RunFolder.of(tmp_path)
    folder.begin({}, frames)
    folder.write_part(failed_rows(frames[:2], scale_stub.JOB, "it broke"))
    folder.write_part(SegmentFrames(scale_stub.JOB, load=scale_stub.load)(frames[2:4]))
    report = read_report(folder)
    assert report.failures == [("frame_000.png", "it broke"), ("frame_001.png", "it broke")]
    assert (report.done, report.matrix) == (4, None)
    assert "failed: frame_000.png: it broke" in report.text() and "36 missing" in report.text()
    masks = folder.read_masks(["frame_000.png", "frame_003.png"])
    assert list(masks) == ["frame_003.png"] and masks["frame_003.png"].shape == (4, 6)


def test_an_empty_run_has_a_report(tmp_path: Path) -> None:
    folder = RunFolder.of(tmp_path)
    folder.begin({}, pa.table({"id": ["a"]}))
    folder.write_part(pa.Table.from_pylist([], RESULTS))
    report = read_report(folder)
    assert (report.done, report.seconds) == (0, 0.0) and np.isnan(report.rate)


def test_time_without_workers_is_no_time_of_the_run() -> None:
    two_at_once = [[0, 10], [0, 10], [10, 20], [10, 20]]
    assert busy_seconds(np.array(two_at_once)) == 20
    assert busy_seconds(np.array([*two_at_once, [500, 510]])) == 30
    assert busy_seconds(np.array([[21, 30], *two_at_once])) == 30  # a second between two batches is part of the work


def test_cost_grows_with_starts_and_not_with_machines() -> None:
    slow, instant = Machine("slow", 2.0, 10, start=360), Machine("instant", 2.0, 10)
    assert instant.hours(36_000) == 1 and instant.hours(36_000, count=4) == 0.25
    assert instant.cost(36_000) == instant.cost(36_000, count=4) == 2.0
    assert slow.hours(36_000, count=4) == pytest.approx(0.35) and slow.cost(36_000, count=4) == pytest.approx(2.8)
    table = cost_table(36_000, [slow, instant], counts=(1, 4)).splitlines()
    assert table[0] == "36,000 frames" and len(table) == 6 and "2.80" in table[3]
