"""Files appear whole or not at all."""

from pathlib import Path

import pytest

from helpers.paths import replace_file, replacing


def test_text_and_bytes_are_written_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "codes.txt"
    assert replace_file(path, "Bäume\nHäuser\n") == path
    assert path.read_bytes() == "Bäume\nHäuser\n".encode()
    replace_file(str(path), b"\x00\xff\r\n")
    assert path.read_bytes() == b"\x00\xff\r\n"
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_has_the_mode_of_any_other(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    assert replace_file(tmp_path / "replaced", "").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_the_old_file_stays_until_the_new_one_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "archive.tar.gz"
    path.write_text("old")
    with replacing(path) as temporary:
        assert temporary.parent == tmp_path and temporary.suffix == ".gz" and temporary.name.startswith(".")
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "record.json"
    path.write_text("old")
    with pytest.raises(error), replacing(path) as temporary:
        temporary.write_text("half")
        raise error
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_nothing_is_left_where_the_file_cannot_take_its_place(tmp_path: Path) -> None:
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    with pytest.raises(OSError):
        replace_file(tmp_path / "folder", "text")
    with pytest.raises(FileNotFoundError):
        replace_file(tmp_path / "nowhere" / "a.txt", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
