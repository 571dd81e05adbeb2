"""The command: what it refuses, in one line each, and one real run with the bundled model."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from helpers.cli import app
from helpers.paths import DATA


def invoke(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["segment-many", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name what to segment and --out DIR"),
        (["nothing_here", "--out", "OUT"], "there is nothing at nothing_here"),
        (["OUT", "--out", "OUT/run"], "no pictures and no videos"),
        (["DRIVE", "--out", "OUT", "--model", "nobody"], "there is no model 'nobody'"),
        (["DRIVE", "--out", "OUT", "--labels", "DRIVE", "--truth", "nothing"], "unknown label set 'nothing'"),
        (["--report", "OUT"], "holds no run"),
    ],
)
def test_bad_input_is_one_line(drive: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    code, _, errors = invoke(*(a.replace("DRIVE", str(drive)).replace("OUT", str(tmp_path)) for a in arguments))
    assert code == 2 and message in errors and len(errors.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_practice_frames_are_segmented_scored_and_not_done_twice(tmp_path: Path) -> None:
    practice = DATA / "camvid_practice"
    listed = tmp_path / "list.txt"
    names = sorted((practice / "images").iterdir())[:3]
    listed.write_text("\n".join([*map(str, names), str(tmp_path / "broken.jpg")]), encoding="utf-8")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8")
    arguments = (listed, "--out", tmp_path / "run", "--labels", practice / "labels", "--workers", 1)
    code, output, _ = invoke(*arguments)
    assert code == 2  # a frame failed
    assert "4 of 4 frames done, 1 failed, 0 missing" in output and "failed:" in output and "pixel accuracy" in output
    code, output, _ = invoke(*arguments)
    assert "4 of 4 frames are done already" in output
    code, output, errors = invoke(*arguments, "--size", 160)
    assert code == 2 and "another run: size None there, 160 now" in errors
    code, output, _ = invoke("--report", tmp_path / "run")
    assert code == 0 and "4 of 4 frames done" in output
