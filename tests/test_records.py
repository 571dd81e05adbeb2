"""Records: what a run was, rounded and whole."""

import json
from datetime import date

import pytest

from helpers import records


def test_a_run_says_command_date_and_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["anything", "train", "camvid"])
    record = records.run_record(mean_iou=0.123456, iou=[float("nan"), 1])
    assert record["command"] == "python -m helpers train camvid"
    assert record["date"] == date.today().isoformat()
    assert record["device"] and record["processor"]
    assert (record["mean_iou"], record["iou"]) == (0.1235, [None, 1])


def test_a_record_appears_whole_or_not_at_all(tmp_path) -> None:
    path = tmp_path / "record.json"
    records.save(path, {"mean_iou": 0.5})
    with pytest.raises(TypeError):
        records.save(path, {"mean_iou": object()})
    assert json.loads(path.read_text()) == {"mean_iou": 0.5}
    assert list(tmp_path.iterdir()) == [path]


def test_records_are_read_by_name(tmp_path) -> None:
    records.save(tmp_path / "a.json", {"steps": 3})
    assert records.read("a", folder=tmp_path) == {"steps": 3}
