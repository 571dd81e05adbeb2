"""Downloads against a server on this machine that misbehaves in every way we could think of."""

import contextlib
import errno
import hashlib
import io
import os
import random
import subprocess
import sys
import tarfile
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pooch
import pytest

from clips import write_clip
from helpers import assets, paths
from helpers.assets import ASSETS, Asset, AssetError, fetch, find
from pictures import png

CONTENT = bytes(range(256)) * 1000


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that has given up is part of these tests."""


class Handler(BaseHTTPRequestHandler):
    """Serves `server.pages`: path -> bytes, or a function that is given the handler."""

    def do_GET(self):
        self.server.requests.append(self.path)
        page = self.server.pages.get(self.path)
        if page is None:
            self.send_error(404)
        elif callable(page):
            page(self)
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with Server(("127.0.0.1", 0), Handler) as server:
        server.pages, server.requests = {}, []
        server.address = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.endswith("_DIR") or "proxy" in name.lower()]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SEGMENTATION_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def make_asset(server, *paths: str, file: str = "model.bin", **fields) -> Asset:
    addresses = tuple(server.address + path for path in paths)
    return Asset(name="sample", source="test", licence="", citation="", file=file, addresses=addresses, **fields)


def get(asset: Asset, timeout: float = 5) -> Path:
    return fetch(asset, progress=False, timeout=timeout)


def left_in(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.glob("**/*") if path.suffix != ".lock")


def tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def member(name: str, **attributes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for key, value in attributes.items():
        setattr(info, key, value)
    return info


# ---- the registry


def test_registry_holds_the_zoo_the_torchvision_weights_and_the_data_sets():
    sources = [asset.source for asset in ASSETS.values()]
    assert sources.count("deeplab_zoo") == 14
    assert sources.count("torchvision") == 6
    assert {"camvid", "camvid_tiny", "camvid_segnet", "driveseg_clip", "driveseg_labels", "severstal"} <= set(ASSETS)


def test_registry_entries_are_complete_and_do_not_collide_in_the_cache():
    for asset in ASSETS.values():
        assert asset.licence and asset.citation, asset.name
        assert bool(asset.addresses and asset.file) != bool(asset.by_hand), asset.name
        assert asset.folder_variable or not asset.by_hand, asset.name
        assert all(address.startswith("https://") and "{" not in address for address in asset.addresses), asset.name
        assert asset.hash.partition(":")[0] in ("", "md5", "sha256"), asset.name
    in_cache = [asset.file or asset.name for asset in ASSETS.values()]
    in_cache += [asset.name for asset in ASSETS.values() if asset.unpack]
    assert len(in_cache) == len(set(in_cache))


def test_every_folder_variable_is_among_the_documented_settings():
    readme = (paths.REPO_ROOT / "README.md").read_text(encoding="utf-8")
    for variable in {asset.folder_variable for asset in ASSETS.values()} - {""}:
        assert f"`{variable}`" in paths.__doc__ and f"`{variable}`" in readme, variable


def test_torchvision_hashes_are_those_in_the_file_names():
    for asset in ASSETS.values():
        if asset.source == "torchvision":
            assert asset.hash == f"sha256:{Path(asset.file).stem.rpartition('-')[2]}"


# ---- a good server


def test_fetch_downloads_once_and_records_the_hash(server, cache):
    server.pages["/model.bin"] = CONTENT
    asset = make_asset(server, "/model.bin")
    assert find(asset) is None
    path = get(asset)
    assert path == find(asset) == cache / "model.bin"
    assert path.read_bytes() == CONTENT
    assert get(asset) == path
    assert server.requests == ["/model.bin"]
    assert (cache / "model.bin.sha256").read_text() == f"{hashlib.sha256(CONTENT).hexdigest()}  model.bin\n"
    assert left_in(cache) == ["model.bin", "model.bin.sha256"]


def test_fetch_shows_progress_only_where_asked(server, cache, capsys):
    server.pages["/model.bin"] = CONTENT
    get(make_asset(server, "/model.bin"))
    assert capsys.readouterr().err == ""
    fetch(make_asset(server, "/model.bin", file="other.bin"))
    assert "other.bin:" in capsys.readouterr().err


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_fetch_accepts_the_published_size_and_hash(server, cache, algorithm):
    server.pages["/model.bin"] = CONTENT
    digest = hashlib.new(algorithm, CONTENT).hexdigest()
    get(make_asset(server, "/model.bin", size=len(CONTENT), hash=f"{algorithm}:{digest}"))
    get(make_asset(server, "/model.bin", file="other.bin", hash=f"{algorithm}:{digest[:8]}"))


def test_fetch_unpacks_an_archive_once(server, cache):
    server.pages["/set.tgz"] = tar((member("set/codes.txt"), b"Sky\n"), (member("set/images/a.txt"), b"a"))
    asset = make_asset(server, "/set.tgz", file="set.tgz", unpack="set")
    folder = get(asset)
    assert folder == cache / "sample" / "set"
    assert (folder / "codes.txt").read_text() == "Sky\n"
    (cache / "set.tgz").unlink()  # the folder is enough
    assert get(asset) == folder
    assert server.requests == ["/set.tgz"]


def test_a_copy_that_the_user_names_is_taken(server, cache, tmp_path, monkeypatch):
    asset = make_asset(server, "/set.tgz", file="set.tgz", unpack="set", folder_variable="SAMPLE_DIR")
    monkeypatch.setenv("SAMPLE_DIR", str(tmp_path))
    assert get(asset) == tmp_path
    monkeypatch.setenv("SAMPLE_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(AssetError, match="SAMPLE_DIR is .*nowhere.*not a folder"):
        get(asset)
    assert server.requests == []


# ---- files placed by hand


def test_a_file_placed_by_hand_is_as_good_as_a_download(server, cache):
    cache.mkdir()
    (cache / "model.bin").write_bytes(CONTENT)
    assert get(make_asset(server, "/model.bin", hash=f"md5:{hashlib.md5(CONTENT).hexdigest()}")).read_bytes() == CONTENT
    assert server.requests == []
    assert (cache / "model.bin.sha256").exists()


def test_a_wrong_file_placed_by_hand_is_named_and_kept(server, cache):
    cache.mkdir()
    (cache / "model.bin").write_bytes(b"other")
    with pytest.raises(AssetError, match=r"cache/model\.bin can't be used: its md5 is .* Move it away"):
        get(make_asset(server, "/model.bin", hash=f"md5:{hashlib.md5(CONTENT).hexdigest()}"))
    assert (cache / "model.bin").read_bytes() == b"other"


def test_a_file_that_changes_in_the_cache_is_noticed(server, cache):
    server.pages["/model.bin"] = CONTENT
    asset = make_asset(server, "/model.bin")
    get(asset).write_bytes(CONTENT[:-1] + b"!")
    with pytest.raises(AssetError, match="another one than when it was first seen"):
        get(asset)


def test_a_filled_cache_may_be_read_only(server, cache, monkeypatch):
    server.pages["/model.bin"] = CONTENT
    asset = make_asset(server, "/model.bin")
    get(asset)
    monkeypatch.setattr("helpers.assets.FileLock", lambda path: pytest.fail("writes a lock"))
    assert get(asset).read_bytes() == CONTENT


def test_what_no_program_may_download_says_how_to_get_it(cache):
    with pytest.raises(AssetError, match=r"Kaggle account .* set SEVERSTAL_DIR .* or move it to .*cache/severstal"):
        fetch("severstal")
    (cache / "severstal").mkdir(parents=True)
    assert fetch("severstal") == cache / "severstal"


def test_an_unknown_name_lists_the_known_ones(cache):
    with pytest.raises(AssetError, match="no asset 'camvit'.*camvid_tiny"):
        fetch("camvit")


# ---- bad servers: nothing is left behind, and the reason is named


def cut_short(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(CONTENT)))
    handler.end_headers()
    handler.wfile.write(CONTENT[:1000])


def cut_short_without_length(handler):
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(handler.server.archive[:-200])


def stalled(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(CONTENT)))
    handler.end_headers()
    handler.wfile.write(CONTENT[:1000])
    handler.wfile.flush()
    time.sleep(1.5)


def broken(handler):
    handler.send_error(503)


@pytest.mark.parametrize(
    ("page", "fields", "reason"),
    [
        (None, {}, "HTTP 404 Not Found"),
        (broken, {}, "HTTP 503"),
        (cut_short, {}, "the connection broke off"),
        (stalled, {}, "no answer for 0.5 s"),
        (CONTENT, {"hash": "sha256:00000000"}, "its sha256 is .* but the published one is 00000000"),
        (CONTENT[:-1], {"size": len(CONTENT)}, "it has 255,999 bytes instead of 256,000"),
        (b"<!DOCTYPE html><title>Guest wifi</title>", {}, "it is a web page"),
        (b"no archive", {"file": "set.tar.gz"}, "it is no archive .* completely .not a gzip file"),
    ],
)
def test_a_bad_answer_is_refused_and_the_mirror_is_tried(server, cache, page, fields, reason):
    server.pages["/model.bin"] = page
    asset = make_asset(server, "/model.bin", megabytes=12, **fields)
    with pytest.raises(AssetError, match=f"could not download sample .12 MB.*127.0.0.1:.*: {reason}") as raised:
        get(asset, timeout=0.5)
    assert f"{server.address}/model.bin" in str(raised.value)
    assert f"save it as {cache / asset.file}" in str(raised.value)
    assert left_in(cache) == []

    good = tar((member("a.txt"), b"a")) if "file" in fields else CONTENT
    server.pages["/mirror"] = good
    mirrored = replace(asset, addresses=(*asset.addresses, server.address + "/mirror"))
    if "hash" in fields:
        mirrored = replace(mirrored, hash=f"sha256:{hashlib.sha256(good).hexdigest()}")
        server.pages["/model.bin"] = b"wrong"
    assert get(mirrored, timeout=0.5).read_bytes() == good
    assert server.requests[-2:] == ["/model.bin", "/mirror"]


def answer(status: int = 200, body: bytes = CONTENT, **headers: str):
    def page(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        if status != 204:
            handler.wfile.write(body)

    return page


def drip(handler):
    handler.send_response(200)
    handler.end_headers()
    with contextlib.suppress(OSError):
        for _ in range(200):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.1)


def drip_headers(handler):
    with contextlib.suppress(OSError):
        handler.wfile.write(b"HTTP/1.0 200 OK\r\n")
        for i in range(200):
            handler.wfile.write(f"X-{i}: 1\r\n".encode())
            handler.wfile.flush()
            time.sleep(0.1)


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (answer(body=b""), "it is empty"),
        (answer(204), "HTTP 204"),
        (answer(206), "HTTP 206 .* instead of the whole file"),
        (answer(300), "HTTP 300"),
        (answer(Content_Type="text/html; charset=utf-8"), "it is a web page .text/html"),
        (answer(Content_Type="application/json"), "application/json"),
        (answer(body=b"\xef\xbb\xbf<!DOCTYPE html>"), "it is a web page"),
        (answer(body=b"<?xml version='1.0'?><Error>AccessDenied</Error>"), "it is a web page"),
        (answer(Content_Length="abc"), "invalid literal|Content-Length"),
        (answer(302, Location="http://[::bad/"), "URL|IPv6"),
        (drip, "less than 64 kB came in 1.9 s"),
        (drip_headers, "less than 64 kB came in 1.9 s"),
    ],
)
def test_an_answer_that_is_not_the_file_is_refused_and_the_mirror_tried(server, cache, page, reason):
    server.pages |= {"/model.bin": page, "/mirror": CONTENT}
    with pytest.raises(AssetError, match=reason):
        get(make_asset(server, "/model.bin"), timeout=0.3)
    assert get(make_asset(server, "/model.bin", "/mirror"), timeout=0.3).read_bytes() == CONTENT


def test_a_redirection_to_an_address_without_encryption_is_refused():
    import requests

    seen = {}

    def downloader(**options):
        seen.update(options)
        return lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(pooch, "HTTPDownloader", downloader)
        assets._get("https://example.org/a", Path("nowhere.part"), "a", progress=False, timeout=1)
    moved = requests.Response()
    moved.status_code, moved.url, moved.headers["Location"] = 302, "https://example.org/a", "http://example.org/a"
    with pytest.raises(Exception, match="without encryption"):
        seen["hooks"]["response"](moved)
    moved.headers["Location"] = "/b"
    assert seen["hooks"]["response"](moved) is None


def test_every_flipped_bit_of_an_archive_is_noticed_at_first_sight(server, cache):
    data = tar((member("set/noise"), os.urandom(3000)))
    rng = random.Random(0)
    for _ in range(40):
        place = rng.randrange(10, len(data) * 8 // 8)
        damaged = bytearray(data)
        damaged[place] ^= 1 << rng.randrange(8)
        server.pages["/set.tgz"] = bytes(damaged)
        with pytest.raises(AssetError, match="no archive that can be unpacked safely and completely"):
            get(make_asset(server, "/set.tgz", file="set.tgz", unpack="set"))
    assert left_in(cache) == []


@pytest.mark.parametrize("record", [b"", b"\xff\xfe\x00", b"abc  model.bin\n"])
def test_a_damaged_record_is_named(server, cache, record):
    server.pages["/model.bin"] = CONTENT
    asset = make_asset(server, "/model.bin")
    get(asset)
    (cache / "model.bin.sha256").write_bytes(record)
    with pytest.raises(AssetError, match=r"record of what it was, .*model\.bin\.sha256, is damaged"):
        get(asset)


def test_a_link_in_the_download_s_place_is_not_followed(server, cache, tmp_path):
    cache.mkdir()
    (tmp_path / "precious").write_text("precious")
    (cache / "model.bin.part").symlink_to(tmp_path / "precious")
    server.pages["/model.bin"] = CONTENT
    assert get(make_asset(server, "/model.bin")).read_bytes() == CONTENT
    assert (tmp_path / "precious").read_text() == "precious"


def test_videos_and_pictures_without_a_hash_are_read_to_their_end(server, cache):
    clip = write_clip(cache.parent / "clip.mp4", seconds=1, sound=None, options={"movflags": "faststart"}).read_bytes()
    picture = png(np.zeros((200, 200), int), 8)
    for name, data in (("a.mp4", clip), ("b.png", picture)):
        server.pages["/file"] = answer(body=data[: len(data) * 2 // 3])
        with pytest.raises(AssetError, match="can't be read to its end"):
            get(make_asset(server, "/file", file=name))
        server.pages["/file"] = data
        assert get(make_asset(server, "/file", file=name)).read_bytes() == data


def test_no_server_at_all(cache):
    asset = Asset(name="s", source="", licence="", citation="", file="f.bin", addresses=("http://127.0.0.1:9/f.bin",))
    with pytest.raises(AssetError, match="127.0.0.1:9: no connection. You can download"):
        get(asset)


def test_an_archive_cut_short_is_noticed_although_no_length_was_announced(server, cache):
    server.archive = tar((member("set/noise"), os.urandom(5000)))
    server.pages["/set.tgz"] = cut_short_without_length
    with pytest.raises(AssetError, match="no archive that can be unpacked safely and completely"):
        get(make_asset(server, "/set.tgz", file="set.tgz", unpack="set"))
    assert left_in(cache) == []


def test_a_later_download_must_be_the_same_as_the_first(server, cache):
    server.pages["/model.bin"] = CONTENT
    asset = make_asset(server, "/model.bin")
    get(asset).unlink()
    server.pages["/model.bin"] = b"renewed"
    with pytest.raises(AssetError, match=r"first seen .* delete .*cache/model\.bin\.sha256"):
        get(asset)
    assert find(asset) is None
    (cache / "model.bin.sha256").unlink()  # as the message says
    assert get(asset).read_bytes() == b"renewed"


@pytest.mark.parametrize(
    "evil",
    [
        member("../escaped.txt"),
        member("set/../../escaped.txt"),
        member("set/link", type=tarfile.SYMTYPE, linkname="../../escaped.txt"),
        member("set/link", type=tarfile.SYMTYPE, linkname="harmless.txt"),
        member("set/link", type=tarfile.LNKTYPE, linkname="set/harmless.txt"),
        member("set/device", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
        member("set/pipe", type=tarfile.FIFOTYPE),
    ],
    ids=lambda info: f"{info.name}-{info.type.decode()}",
)
def test_a_dangerous_archive_is_refused_whole(server, cache, tmp_path, evil):
    server.pages["/set.tgz"] = tar((member("set/harmless.txt"), b"x"), (evil, b""))
    with pytest.raises(AssetError, match="no archive that can be unpacked safely"):
        get(make_asset(server, "/set.tgz", file="set.tgz", unpack="set"))
    assert left_in(cache) == []
    assert not list(tmp_path.glob("**/escaped.txt"))


def test_an_archive_without_the_folder_is_named(server, cache):
    server.pages["/set.tgz"] = tar((member("other/a.txt"), b"a"))
    with pytest.raises(AssetError, match=r"set\.tgz can't be used: it holds no folder set"):
        get(make_asset(server, "/set.tgz", file="set.tgz", unpack="set"))
    assert not (cache / "sample").exists()


# ---- this machine's own troubles


def full_disk(*args, **kwargs):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("where", ["download", "unpack"])
def test_a_full_disk_is_named_and_nothing_is_left(server, cache, monkeypatch, where):
    class FullDisk(pooch.HTTPDownloader):
        def __call__(self, url, output_file, pooch):
            Path(output_file).write_bytes(CONTENT)
            full_disk()

    server.pages["/set.tgz"] = tar((member("set/a.txt"), b"a"))
    if where == "download":
        monkeypatch.setattr(pooch, "HTTPDownloader", FullDisk)
    else:
        monkeypatch.setattr(tarfile.TarFile, "makefile", full_disk)
    with pytest.raises(AssetError, match="disk of .*cache is full.*SEGMENTATION_CACHE"):
        get(make_asset(server, "/set.tgz", "/set.tgz", file="set.tgz", unpack="set"))
    whole = [] if where == "download" else ["set.tgz", "set.tgz.sha256"]
    assert left_in(cache) == whole
    monkeypatch.undo()
    monkeypatch.setenv("SEGMENTATION_CACHE", str(cache))
    assert (get(make_asset(server, "/set.tgz", file="set.tgz", unpack="set")) / "a.txt").exists()


def test_a_cache_that_cannot_be_made_is_named(server, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SEGMENTATION_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(AssetError, match="can't store sample in .*SEGMENTATION_CACHE"):
        get(make_asset(server, "/model.bin"))


def test_an_interrupted_download_leaves_nothing(server, cache, monkeypatch):
    def interrupted(self, url, output_file, pooch):
        Path(output_file).write_bytes(CONTENT[:1000])
        raise KeyboardInterrupt

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        get(make_asset(server, "/model.bin"))
    assert left_in(cache) == []


def test_leftovers_of_a_killed_process_do_no_harm(server, cache):
    (cache / "sample.part").mkdir(parents=True)
    (cache / "sample.part" / "stale.txt").write_text("")
    (cache / "set.tgz.part").write_bytes(b"half")
    server.pages["/set.tgz"] = tar((member("set/a.txt"), b"a"))
    folder = get(make_asset(server, "/set.tgz", file="set.tgz", unpack="."))
    assert [path.name for path in folder.rglob("*.txt")] == ["a.txt"]
    assert left_in(cache) == ["a.txt", "sample", "set", "set.tgz", "set.tgz.sha256"]


def test_two_processes_at_once_download_once(server, cache):
    content = tar((member("set/noise"), os.urandom(50_000)))

    def slow(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[:1000])
        handler.wfile.flush()
        deadline = time.monotonic() + 30  # until both are at the door
        while len(list(cache.glob("ready-*"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
        handler.wfile.write(content[1000:])

    server.pages["/set.tgz"] = slow
    cache.mkdir()
    code = f"""
import os
from pathlib import Path
from helpers.assets import Asset, fetch
Path({str(cache)!r}, f"ready-{{os.getpid()}}").touch()
print(fetch(Asset(name="sample", source="", licence="", citation="", file="set.tgz", unpack="set",
                  addresses=("{server.address}/set.tgz",)), progress=False))
"""
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=60)[0].strip() for process in both]
    assert outputs == [str(cache / "sample" / "set")] * 2
    assert (cache / "sample" / "set" / "noise").stat().st_size == 50_000
    assert server.requests == ["/set.tgz"]
