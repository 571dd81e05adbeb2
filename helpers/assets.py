"""Remote files of the full tier: one registry (`assets.toml`), and `fetch` to have one of them on this machine.

A file is in the cache complete and checked, or not at all. The cache holds, for each asset, the file itself, its
`<file>.sha256` (written when it was first seen, in the form that `sha256sum -c` reads), and for an archive that has to
be unpacked a folder of the asset's name. A file that a person puts there is as good as a download.
"""

import errno
import os
import re
import shutil
import threading
import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pooch
from filelock import FileLock
from tqdm import tqdm

from helpers import archives
from helpers.images import IMAGE_SUFFIXES, read_image
from helpers.paths import cache_dir, limit, replace_file

CHUNK = 2**16  # bytes


class AssetError(Exception):
    """A remote file can't be had; the message says why, and what a person can do."""


class _Unfit(Exception):
    """A file is there but is not the one that is wanted."""


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One remote file or data set; the fields are explained at the top of `assets.toml`."""

    name: str
    source: str  # the table of assets.toml that it stands in, e.g. "deeplab_zoo"
    licence: str
    citation: str
    file: str = ""
    addresses: tuple[str, ...] = ()
    size: int | None = None
    megabytes: float | None = None
    hash: str = ""
    unpack: str = ""
    folder_variable: str = ""
    by_hand: str = ""


def _load_registry() -> dict[str, Asset]:
    registry = {}
    for source, table in tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")).items():
        for name, own in table.pop("assets").items():
            fields = {**table, **own}
            file = fields.get("file", "")
            fields["addresses"] = tuple(address.format(file=file) for address in fields.get("addresses", ()))
            registry[name] = Asset(name=name, source=source, **fields)
    return registry


ASSETS = _load_registry()


def find(asset: str | Asset) -> Path | None:
    """Where an asset is on this machine, without any connection; None where it is not.

    Raises:
        AssetError: the asset is not in the registry, or its folder variable names no folder.
    """
    asset = _look_up(asset)
    if own := os.environ.get(asset.folder_variable) if asset.folder_variable else None:
        if not Path(own).expanduser().is_dir():
            raise AssetError(f"{asset.folder_variable} is {own!r}, which is not a folder; correct or unset it")
        return Path(own).expanduser()
    unpacked = cache_dir() / asset.name / asset.unpack
    if asset.unpack or asset.by_hand:
        return unpacked if unpacked.is_dir() else None
    file = cache_dir() / asset.file
    return file if file.is_file() else None


def fetch(asset: str | Asset, *, progress: bool = True, timeout: float = 30) -> Path:
    """Have an asset on this machine: from the cache, or downloaded, checked and (a data set) unpacked.

    Every use checks the file against its published hash, where there is one, and against the sha256 that was recorded
    when the file was first seen. Two processes that want the same asset wait for each other.

    Args:
        asset: name in `ASSETS`, or an `Asset` of your own.
        progress: show a progress bar.
        timeout: seconds without any answer after which an address is given up.

    Returns:
        The file, or the folder of an asset that is unpacked.

    Raises:
        AssetError: no address works, the content is not the expected one, or the disk is full. The message names the
            file to place by hand, and where. Nothing incomplete is left behind.
    """
    asset = _look_up(asset)
    found = find(asset)
    if found and found.is_dir():
        return found
    if asset.by_hand:
        raise AssetError(
            f"{asset.name} can't be downloaded by a program: {asset.by_hand}. "
            f"Then set {asset.folder_variable} to the folder, or move it to {cache_dir() / asset.name}"
        )
    file = cache_dir() / asset.file
    try:
        if found and _record(file).exists():  # no lock, so that a cache which others filled may be read-only
            _check(asset, file)
            return file
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{file}.lock"):
            if file.exists():
                _remember(file, _check(asset, file))
            else:
                _download(asset, file, progress=progress, timeout=timeout)
            if asset.unpack and not find(asset):  # another process may have unpacked it while this one waited
                _unpack(asset, file)
    except _Unfit as problem:
        raise AssetError(f"{file} can't be used: {problem}. Move it away and run this again") from None
    except OSError as error:
        raise AssetError(_storage_problem(error, asset)) from error
    return find(asset)


def _look_up(asset: str | Asset) -> Asset:
    if isinstance(asset, Asset):
        return asset
    if asset not in ASSETS:
        raise AssetError(f"there is no asset {asset!r}; the registry has: {', '.join(ASSETS)}")
    return ASSETS[asset]


def _download(asset: Asset, file: Path, *, progress: bool, timeout: float) -> None:
    """Try the addresses in turn. The file gets its name only when it is complete and checked."""
    import requests  # here, because it is slow to import and most calls find their file in the cache

    part = file.with_name(f"{file.name}.part")
    failures = []
    for address in asset.addresses:
        try:
            part.unlink(missing_ok=True)  # of a killed process, or a link to somebody's file
            _get(address, part, asset.file, progress=progress, timeout=timeout)
            sha256 = _check(asset, part, record=_record(file))
            with open(part, "rb+") as opened:
                os.fsync(opened.fileno())
            os.replace(part, file)
            _remember(file, sha256)
            return
        except (requests.RequestException, _Unfit, ValueError) as error:  # ValueError: headers that make no sense
            failures.append(f"{urlsplit(address).netloc}: {_reason(error, timeout)}")
        finally:
            part.unlink(missing_ok=True)
    size = f" ({asset.megabytes:g} MB)" if asset.megabytes else ""
    raise AssetError(
        f"could not download {asset.name}{size}. {'; '.join(failures)}. "
        f"You can download {asset.addresses[0]} by other means, save it as {file} and run this again"
    )


def _get(address: str, part: Path, name: str, *, progress: bool, timeout: float) -> None:
    """Download in a thread of its own, which is given up when too little comes: a server may drip for ever.

    Raises:
        _Unfit: it isn't what was asked for, or comes too slowly, or never ends.
    """

    def accept(response, *_, **__) -> None:  # called for each answer, redirections too
        goal = urljoin(response.url, response.headers.get("Location", "")) if response.is_redirect else response.url
        if address.startswith("https:") and not goal.startswith("https:"):
            raise _Unfit("it leads to an address without encryption")
        if response.status_code != 200 and not response.is_redirect and response.status_code < 400:
            raise _Unfit(f"HTTP {response.status_code} {response.reason} instead of the whole file")
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if response.status_code == 200 and kind in ("text/html", "text/xml", "application/xml", "application/json"):
            raise _Unfit(f"it is a web page ({kind}), maybe the log-in page of the network")

    def run() -> None:
        try:
            # The total comes with the answer; until then not 0, since pooch takes a bar without work for no bar.
            with tqdm(total=1, desc=name, unit="B", unit_scale=True, leave=False, disable=not progress) as bar:
                get = pooch.HTTPDownloader(
                    progressbar=bar,
                    chunk_size=CHUNK,
                    timeout=timeout,
                    headers={"Accept-Encoding": "identity"},  # an archive has to stay as it was hashed
                    hooks={"response": accept},
                )
                get(address, str(part), None)
        except BaseException as error:  # raised again below, in the thread that waits
            failure.append(error)

    failure: list[BaseException] = []
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    window, size, most = 3 * timeout + 1, 0, limit("SEGMENTATION_MAX_ARCHIVE_GB") * 1e9
    while thread.is_alive():
        thread.join(window)
        came = part.stat().st_size - size if part.exists() else 0
        size += came
        if thread.is_alive() and (came < CHUNK or size > most):
            raise _Unfit(f"less than {CHUNK // 1024} kB came in {window:g} s" if size <= most else "it never ends")
    if failure:
        raise failure[0]


def _reason(error: Exception, timeout: float) -> str:
    import requests

    if isinstance(error, requests.HTTPError):
        return f"HTTP {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return f"no answer for {timeout:g} s"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return str(error)


def _record(file: Path) -> Path:
    return file.with_name(f"{file.name}.sha256")


def _remember(file: Path, sha256: str) -> None:
    """Trust on first use: note what the file is, unless an earlier one was noted."""
    record = _record(file)
    if not record.exists():
        replace_file(record, f"{sha256}  {file.name}\n", durable=True)


def _check(asset: Asset, file: Path, *, record: Path | None = None) -> str:
    """Refuse a file that is not the asset; returns its sha256.

    Raises:
        _Unfit: wrong size, hash or content, or another content than the one recorded.
    """
    record = record or _record(file)
    with open(file, "rb") as opened:
        start = opened.read(512).removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<?xml")):
        raise _Unfit("it is a web page, maybe the log-in page of the network")
    size = file.stat().st_size
    if not size:
        raise _Unfit("it is empty")
    if asset.size not in (None, size):
        raise _Unfit(f"it has {size:,} bytes instead of {asset.size:,}")
    if asset.hash:
        algorithm, _, published = asset.hash.partition(":")
        found = pooch.file_hash(str(file), alg=algorithm)
        if not found.startswith(published):
            raise _Unfit(f"its {algorithm} is {found[:12]}… but the published one is {published[:12]}")
    sha256 = pooch.file_hash(str(file), alg="sha256")
    if not record.exists():
        _check_to_its_end(file, asset.file)
        return sha256
    recorded = record.read_bytes().split()[:1]
    recorded = recorded[0].decode("ascii", "replace") if recorded else ""
    if not re.fullmatch("[0-9a-f]{64}", recorded):
        raise _Unfit(f"the record of what it was, {record}, is damaged; delete that too if you trust the file")
    if sha256 != recorded:
        raise _Unfit(
            f"its sha256 is {sha256[:12]}…, another one than when it was first seen ({recorded[:12]}…); "
            f"if the publisher has renewed the file, delete {record}"
        )
    return sha256


def _check_to_its_end(file: Path, name: str) -> None:
    """Read a file without a published hash as whoever uses it will, so that one cut short is never taken for good."""
    try:
        if name.endswith((".tar.gz", ".tgz")):
            archives.walk(file)
        elif name.endswith(IMAGE_SUFFIXES):
            read_image(file)
        elif name.endswith(".mp4"):
            _check_video(file)
    except archives.ArchiveError as error:
        raise _Unfit(f"it is no archive that can be unpacked safely and completely ({error})") from error
    except ValueError as error:
        raise _Unfit(f"it can't be read to its end ({error})") from error


def _check_video(file: Path) -> None:
    """The packets that an MP4's index lists have to be there, each with all its bytes."""
    import av

    try:
        with av.open(str(file.absolute())) as video:
            listed = {stream.index: stream.frames for stream in video.streams.video}
            for packet in video.demux(video=0):
                if packet.is_corrupt:
                    raise ValueError("a frame is cut short")
                listed[packet.stream.index] -= packet.size > 0
        if not listed or max(listed.values()) > 0:
            raise ValueError(f"{max(listed.values(), default='all')} frames are missing")
    except av.FFmpegError as error:
        raise ValueError(str(error)) from error


def _unpack(asset: Asset, file: Path) -> None:
    """Unpack beside the archive; the folder gets its name only when it is complete."""
    folder = file.parent / asset.name
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)  # of a process that was killed
    try:
        archives.unpack(file, part)
        if not (part / asset.unpack).is_dir():
            raise _Unfit(f"it holds no folder {asset.unpack}")
        os.replace(part, folder)
    except archives.ArchiveError as error:
        raise _Unfit(f"it is no archive that can be unpacked safely and completely ({error})") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _storage_problem(error: OSError, asset: Asset) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk of {cache_dir()} is full: no room for {asset.name}. Free some, or set SEGMENTATION_CACHE"
    return f"can't store {asset.name} in {cache_dir()}: {error}. Set SEGMENTATION_CACHE to a folder you can write to"
