"""The records of measurements that notebooks and cards quote."""

import json
from datetime import date
from pathlib import Path

import pytest

from helpers.paths import DATA

MEASURED = DATA / "measured"
RECORDS = sorted(MEASURED.glob("*.json"))


def test_the_card_has_a_line_for_each_record() -> None:
    lines = (MEASURED / "README.md").read_text(encoding="utf-8").splitlines()
    rows = [line.split("|")[1:-1] for line in lines if line.startswith("| `")]
    assert [row[0].strip(" `") for row in rows] == [path.name for path in RECORDS]
    for path, (_, what, command) in zip(RECORDS, rows, strict=True):
        assert what.strip()
        assert command.strip(" `") == json.loads(path.read_text(encoding="utf-8"))["command"]


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_record_says_how_where_and_when(path: Path) -> None:
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["command"].startswith("python ") and record["device"]
    assert date.fromisoformat(record["date"]) <= date.today()
