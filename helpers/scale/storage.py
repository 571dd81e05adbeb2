"""Where a run lives: a local folder, or a bucket that pyarrow's filesystems reach (s3://…, gs://…, file://…).

    DIR/run.json              what was run: source, model, the hash of its weights, label sets
    DIR/frames.parquet        the manifest, see `frames`
    DIR/masks/*.parquet       the results, one row a frame, about 256 rows a file

Masks are rows, not files: a million small files take longer to list than to read, on a disk as in a bucket.
"""

import json
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import fs

from helpers.paths import replacing
from helpers.scale import ScaleError

ROWS_PER_PART = 256


@dataclass(frozen=True)
class Place:
    """A file or folder on any file system; it can be pickled and sent to another machine.

    Attributes:
        filesystem: pyarrow's.
        path: on it, without the scheme.
        name: as the user wrote it.
        options: what follows "?" in an address, such as the server of an S3-like store:
            s3://bucket/folder?endpoint_override=localhost:9000&scheme=http
    """

    filesystem: fs.FileSystem
    path: str
    name: str
    options: str = ""

    @classmethod
    def of(cls, name: str | Path) -> "Place":
        """The place that a path or an address such as s3://bucket/folder names.

        Raises:
            ScaleError: no file system is known for the address, or none answers.
        """
        if "://" not in str(name):
            return cls(fs.LocalFileSystem(), Path(name).expanduser().absolute().as_posix(), str(name))
        try:
            filesystem, path = fs.FileSystem.from_uri(str(name))
        except (pa.ArrowInvalid, OSError) as error:
            raise ScaleError(f"{name} is no address that pyarrow can open: {error}") from error
        return cls(filesystem, path, *str(name).split("?", 1))

    @property
    def address(self) -> str:
        """What another process, perhaps on another machine, opens: an absolute path, or scheme://path."""
        if self.is_local:
            return self.path
        return f"{self.filesystem.type_name}://{self.path}" + (f"?{self.options}" if self.options else "")

    @property
    def is_local(self) -> bool:
        return isinstance(self.filesystem, fs.LocalFileSystem)

    def __truediv__(self, name: str) -> "Place":
        return replace(self, path=f"{self.path.rstrip('/')}/{name}", name=f"{self.name.rstrip('/')}/{name}")

    @property
    def kind(self) -> fs.FileType:
        """Whether it is a file, a folder, or NotFound."""
        return self.filesystem.get_file_info(self.path).type

    def children(self, *suffixes: str) -> list["Place"]:
        """The files in this folder (not below), sorted by name, with one of the suffixes; hidden ones are left out."""
        found = self.filesystem.get_file_info(fs.FileSelector(self.path, allow_not_found=True))
        names = sorted(info.base_name for info in found if info.type == fs.FileType.File)
        fitting = (name for name in names if PurePosixPath(name).suffix.lower() in suffixes)
        return [self / name for name in fitting if not name.startswith(".")]

    def read(self) -> bytes:
        with self.filesystem.open_input_stream(self.path) as stream:
            return stream.read()

    def write(self, data: bytes | pa.Buffer) -> None:
        """Write a file that appears whole or not at all, as objects in a bucket do by themselves."""
        self.filesystem.create_dir(self.path.rsplit("/", 1)[0], recursive=True)
        if self.is_local:
            with replacing(self.path) as temporary:
                temporary.write_bytes(data)
        else:
            with self.filesystem.open_output_stream(self.path) as stream:
                stream.write(data)

    @contextmanager
    def on_disk(self) -> Iterator[Path]:
        """A local file with this content: itself, or a copy that is gone afterwards."""
        if self.is_local:
            yield Path(self.path)
            return
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / PurePosixPath(self.path).name
            copy.write_bytes(self.read())
            yield copy


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run, on any file system.

    Attributes:
        place: of the folder.
    """

    place: Place

    @classmethod
    def of(cls, name: str | Path) -> "RunFolder":
        return cls(Place.of(name))

    @property
    def masks(self) -> Place:
        return self.place / "masks"

    def begin(self, settings: dict, frames: pa.Table) -> None:
        """Claim the folder for a run, or go on with the run that is in it.

        Args:
            settings: what all its results have in common, as JSON holds it.
            frames: the manifest.

        Raises:
            ScaleError: results of other settings lie there, for instance of another model.
        """
        if self.is_run():
            found = self.settings()
            other = [key for key in found | settings if found.get(key) != settings.get(key)]
            if other:
                listed = ", ".join(f"{key} {found.get(key)!r} there, {settings.get(key)!r} now" for key in other)
                raise ScaleError(f"{self.place.name} holds another run: {listed}; name another folder with --out")
        else:
            (self.place / "run.json").write(json.dumps(settings, indent=2, ensure_ascii=False).encode())
        (self.place / "frames.parquet").write(parquet_bytes(frames))

    def is_run(self) -> bool:
        return (self.place / "run.json").kind == fs.FileType.File

    def settings(self) -> dict:
        """What `begin` was given.

        Raises:
            ScaleError: there is no run in the folder.
        """
        if not self.is_run():
            raise ScaleError(f"{self.place.name} holds no run: run.json is missing; is it the folder given as --out?")
        return json.loads((self.place / "run.json").read())

    def frames(self) -> pa.Table:
        return _read(self.place / "frames.parquet")

    def write_part(self, rows: pa.Table) -> None:
        """Add rows as a file of their own."""
        (self.masks / f"part-{secrets.token_hex(8)}.parquet").write(parquet_bytes(rows))

    def parts(self, columns: Iterable[str] | None = None) -> Iterator[pa.Table]:
        """The results, file by file. A file that a killed writer left unfinished has no footer and is passed over."""
        for part in self.masks.children(".parquet"):
            try:
                yield _read(part, columns)
            except pa.ArrowInvalid:
                continue

    def read_masks(self, ids: Iterable[str]) -> dict[str, np.ndarray]:
        """Some masks: id → (H, W) uint8 class ids. Frames that failed, or are not done, are left out."""
        wanted = pa.array(set(ids))
        chosen = (part.filter(pc.is_in(part["id"], wanted)) for part in self.parts(["id", "mask"]))
        rows = (row for part in chosen for row in part.to_pylist() if row["mask"])
        return {r["id"]: cv2.imdecode(np.frombuffer(r["mask"], np.uint8), cv2.IMREAD_UNCHANGED) for r in rows}

    def remaining(self, frames: pa.Table) -> pa.Table:
        """The frames that have no row yet, in their order.

        The results themselves are the record of what is done, so no second record can contradict them, and whichever
        engine began, the other can go on.
        """
        done = {key for part in self.parts(["id"]) for key in part["id"].to_pylist()}
        return frames.filter(pa.array([key not in done for key in frames["id"].to_pylist()], pa.bool_()))

    def sweep(self) -> int:
        """Remove files that a killed writer left unfinished; returns how many. Nobody may be writing meanwhile."""
        broken = [part for part in self.masks.children(".parquet") if not _is_whole(part)]
        for part in broken:
            part.filesystem.delete_file(part.path)
        return len(broken)


def parquet_bytes(table: pa.Table) -> pa.Buffer:
    """A table as the content of a Parquet file."""
    stream = pa.BufferOutputStream()
    pq.write_table(table, stream, compression="zstd")
    return stream.getvalue()


def _read(place: Place, columns: Iterable[str] | None = None) -> pa.Table:
    with place.filesystem.open_input_file(place.path) as file:
        return pq.read_table(file, columns=columns and list(columns))


def _is_whole(place: Place) -> bool:
    try:
        with place.filesystem.open_input_file(place.path) as file:
            pq.read_metadata(file)
    except pa.ArrowInvalid:
        return False
    return True
