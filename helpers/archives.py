"""Tar archives that nobody vouches for: read in one stream, to their very end, and only files and folders of them."""

import bz2
import gzip
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path

from helpers.paths import limit, unreadable

MOST_MEMBERS = 10**6
_OPENERS = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}


class ArchiveError(ValueError):
    """An archive is damaged, cut short, or holds what no archive of data needs."""


def walk(path: Path, visit: Callable[[tarfile.TarFile, tarfile.TarInfo], None] | None = None) -> None:
    """Read an archive member by member, checking each before it is used, and the checksum at the end.

    Refused are links, devices, pipes and sparse files, names that lead outside, sizes that are no sizes, and contents
    larger in all than `SEGMENTATION_MAX_ARCHIVE_GB`. A stream never goes back, so no header can make it go in circles.

    Args:
        path: of a .tar, .tar.gz, .tar.bz2 or .tar.xz.
        visit: what to do with each member, which `TarFile.extract` and `extractfile` take.

    Raises:
        ArchiveError: as above; some members may have been visited then.
        OSError: the disk is full, or the file can't be read.
    """
    if reason := unreadable(path):
        raise OSError(f"cannot read {path}: {reason}")
    most = limit("SEGMENTATION_MAX_ARCHIVE_GB")
    total = 0
    try:
        with open(path, "rb") as file:
            start = file.read(6)
        opener = next((opener for mark, opener in _OPENERS.items() if start.startswith(mark)), open)
        if opener is open and not tarfile.is_tarfile(path):
            raise ArchiveError("not a gzip file, nor a tar archive")
        with opener(path, "rb") as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            for count, member in enumerate(archive):
                only_files_and_folders(member, str(path.parent))
                total += member.size
                if total > most * 1e9 or count >= MOST_MEMBERS:
                    raise ArchiveError(
                        f"its contents are more than {most:g} GB or {MOST_MEMBERS} files; if you trust it and have the "
                        f"room, set SEGMENTATION_MAX_ARCHIVE_GB={int(total / 1e9) + 1}"
                    )
                if visit:
                    visit(archive, member)
            while stream.read(2**20):  # up to the checksum, which stands behind tar's own end
                pass
    except (ArchiveError, gzip.BadGzipFile, tarfile.TarError, EOFError) as error:
        raise ArchiveError(str(error)) from error
    except OSError:
        raise
    except Exception as error:  # a header can hold any bytes, and tarfile trusts some of them
        raise ArchiveError(f"{type(error).__name__}: {error}") from error


def only_files_and_folders(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo:
    """Python's "data" filter (nothing outside the folder), and no links, devices and holes at all."""
    if not (member.isfile() or member.isdir()) or member.issparse():
        raise tarfile.SpecialFileError(member)
    if member.size < 0 or "\0" in member.name:
        raise ArchiveError(f"{member.name!r} has a size of {member.size} bytes")
    return tarfile.data_filter(member, folder)


def unpack(path: Path, folder: Path) -> None:
    """Unpack an archive; what `walk` refuses is refused, and `folder` may then hold a part."""
    folder.mkdir(parents=True, exist_ok=True)
    walk(path, lambda archive, member: archive.extract(member, folder, filter=only_files_and_folders))
