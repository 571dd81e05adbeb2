"""Archives by which others have harmed programs: refused in one line, nothing outside, no endless loop."""

import gzip
import io
import tarfile

import pytest

from helpers.archives import ArchiveError, unpack, walk


def header(name: str = "set/a", *, size: int = 0, **fields) -> bytes:
    info = tarfile.TarInfo(name)
    for key, value in fields.items():
        setattr(info, key, value)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def pax(**headers: str) -> bytes:
    """A file whose extended header says something else of it."""
    return tarfile.TarInfo._create_pax_generic_header(headers, tarfile.XHDTYPE, "utf-8") + header()


EVIL = {
    "a negative size": header(size=-512),
    "a large negative size": header(size=-(2**40)),
    "a negative size in a link": header(size=-1024, type=tarfile.SYMTYPE),
    "pax: a negative size": pax(size="-5"),
    "pax: NUL in a name": pax(path="set/a\0b"),
    "pax: a sparse map": pax(**{"GNU.sparse.map": "0,1,x"}, **{"GNU.sparse.size": "10"}),
    "more than the limit": header(size=10**12),
    "outside": header("../a"),
    "absolute": header("/a", type=tarfile.SYMTYPE, linkname="/etc"),
}


@pytest.mark.parametrize("evil", EVIL.values(), ids=EVIL)
@pytest.mark.parametrize("packed", [False, True])
def test_an_evil_archive_is_refused(tmp_path, evil, packed):
    data = header("set/good") + evil + bytes(1024)
    path = tmp_path / ("a.tgz" if packed else "a.tar")
    path.write_bytes(gzip.compress(data) if packed else data)
    with pytest.raises(ArchiveError):
        walk(path)
    with pytest.raises(ArchiveError):
        unpack(path, tmp_path / "out")
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and p.name not in (path.name, "good")]


@pytest.mark.parametrize("mtime", ["nan", "1e400", "-1e300"])
def test_a_moment_that_is_none_is_refused_or_left_out(tmp_path, mtime):
    (tmp_path / "a.tar").write_bytes(pax(mtime=mtime) + bytes(1024))
    try:
        unpack(tmp_path / "a.tar", tmp_path / "out")
    except ArchiveError:
        return
    assert (tmp_path / "out" / "set" / "a").is_file()


def test_the_limit_names_its_setting_and_can_be_raised(tmp_path, monkeypatch):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        info = tarfile.TarInfo("set/a")
        info.size = 3000
        archive.addfile(info, io.BytesIO(bytes(3000)))
    (tmp_path / "a.tgz").write_bytes(data.getvalue())
    monkeypatch.setenv("SEGMENTATION_MAX_ARCHIVE_GB", "0.000001")
    with pytest.raises(ArchiveError, match="set SEGMENTATION_MAX_ARCHIVE_GB=1"):
        walk(tmp_path / "a.tgz")
    monkeypatch.setenv("SEGMENTATION_MAX_ARCHIVE_GB", "1")
    unpack(tmp_path / "a.tgz", tmp_path / "out")
    assert (tmp_path / "out" / "set" / "a").stat().st_size == 3000


def test_the_checksum_at_the_end_counts(tmp_path):
    data = bytearray(gzip.compress(header("set/good") + bytes(1024)))
    data[-5] ^= 1
    (tmp_path / "a.tgz").write_bytes(data)
    with pytest.raises(ArchiveError, match="CRC|Incorrect length"):
        walk(tmp_path / "a.tgz")
