"""What there is to do: a manifest with one row a frame, from a folder, a list or a video."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import PurePosixPath

import av
import numpy as np
import pyarrow as pa
from pyarrow import fs

from helpers.images import IMAGE_SUFFIXES, read_image
from helpers.masks import read_mask
from helpers.scale import ScaleError
from helpers.scale.storage import Place
from helpers.video.reader import VideoError, decoded, upright

VIDEO_SUFFIXES = (".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ts", ".mts", ".wmv", ".3gp")
FRAMES = pa.schema(
    [
        ("id", pa.string()),  # unique: the file's name, for a video with the number of the frame
        ("path", pa.string()),
        ("frame", pa.int32()),  # number in a video, from 0; null for a picture
        ("time", pa.int64()),  # of that frame, in the video's own unit: what a reader seeks
        ("label", pa.string()),  # path of its ground truth, null where there is none
    ]
)


def collect_frames(source: str, *, labels: str | None = None) -> pa.Table:
    """List the frames of a source, without decoding any.

    Args:
        source: a folder with pictures and videos, a video, a picture, or a .txt with one path a line (relative to it).
        labels: folder with the ground truth, `<stem>.png` or `<stem>_P.png`; of frame 7 of clip.mp4 the stem is
            `clip_000007`. Frames without one are segmented, but not scored.

    Returns:
        A table with the columns of `FRAMES`, sorted as the source is.

    Raises:
        ScaleError: there is nothing to do, a listed file is missing, or no label fits any frame.
    """
    place = Place.of(source)
    kind = place.kind
    if kind == fs.FileType.NotFound:
        raise ScaleError(f"there is nothing at {source}; name a folder, a video, or a .txt that lists files")
    if kind == fs.FileType.Directory:
        files = [(child.path.rsplit("/", 1)[-1], child) for child in place.children(*IMAGE_SUFFIXES, *VIDEO_SUFFIXES)]
    elif place.path.endswith(".txt"):
        files = list(_listed(place))
    else:
        files = [(place.path.rsplit("/", 1)[-1], place)]
    known = _labels_by_stem(labels) if labels else {}
    rows = [row for name, file in files for row in _rows(name, file, known)]
    if not rows:
        raise ScaleError(f"{source} holds no pictures and no videos: nothing to do")
    if labels and not any(row["label"] for row in rows):
        raise ScaleError(f"none of the {len(rows)} frames has a label in {labels}; expected <stem>.png or <stem>_P.png")
    table = pa.Table.from_pylist(rows, FRAMES)
    if len(set(table["id"].to_pylist())) < len(table):
        raise ScaleError(f"{source} names a file more than once; results are kept by name, so each may occur once")
    return table


def _listed(place: Place) -> Iterator[tuple[str, Place]]:
    lines = (line.strip() for line in place.read().decode("utf-8-sig").splitlines())
    for line in filter(None, lines):
        absolute = "://" in line or PurePosixPath(line).is_absolute()
        file = Place.of(line) if absolute else replace(place, path=f"{_parent(place.path)}/{line}", name=line)
        if file.kind != fs.FileType.File:
            raise ScaleError(f"{place.name} lists {line}, but there is no such file")
        yield line, file


def _rows(name: str, file: Place, labels: dict[str, str]) -> Iterator[dict]:
    stem = PurePosixPath(name).stem
    if PurePosixPath(name).suffix.lower() not in VIDEO_SUFFIXES:
        yield {"id": name, "path": file.address, "label": labels.get(stem)}
        return
    for number, time in enumerate(_times(file)):
        label = labels.get(f"{stem}_{number:06d}")
        yield {"id": f"{name}#{number:06d}", "path": file.address, "frame": number, "time": time, "label": label}


def _times(file: Place) -> list[int]:
    """When each frame of a video is shown; read from its packets, which is much quicker than decoding them."""
    with file.on_disk() as path:
        try:
            with av.open(str(path)) as container:
                return sorted(packet.pts for packet in container.demux(video=0) if packet.pts is not None)
        except (av.FFmpegError, IndexError) as error:
            raise ScaleError(f"{file.name} can't be read as a video: {error}") from error


def _labels_by_stem(folder: str) -> dict[str, str]:
    place = Place.of(folder)
    if place.kind != fs.FileType.Directory:
        raise ScaleError(f"there is no folder {folder} with labels")
    return {PurePosixPath(label.path).stem.removesuffix("_P"): label.address for label in place.children(".png")}


def _parent(path: str) -> str:
    return path.rsplit("/", 1)[0]


class FrameReader:
    """Reads pictures, labels, and frames of videos; the video read last stays open, so that a run of frames is decoded
    once and not from its last key frame for each of them."""

    def __init__(self):
        self._path: str | None = None

    def image(self, path: str, time: int | None = None) -> np.ndarray:
        """A frame as (H, W, 3) uint8 RGB.

        Args:
            path: of the picture or video.
            time: of the frame in a video, see `FRAMES`.

        Raises:
            OSError, ValueError: it can't be read.
        """
        if time is None:
            with Place.of(path).on_disk() as file:
                return read_image(file)
        if path != self._path or not self._last < time <= self._last + self._near:
            self._seek(path, time)
        for frame in self._frames:
            if frame is not None and frame.pts is not None and frame.pts >= time:
                self._last = frame.pts
                if frame.pts == time and not frame.is_corrupt:
                    return upright(frame, self._container.streams.video[0].sample_aspect_ratio)
                break
        raise VideoError(f"the frame at {time} of {path} can't be decoded")

    def mask(self, path: str) -> np.ndarray:
        """A label as (H, W) class ids."""
        with Place.of(path).on_disk() as file:
            return read_mask(file)

    def _seek(self, path: str, time: int) -> None:
        """Go to the key frame before a time. The file is opened anew: a decoder at work can't be set up again."""
        if path != self._path:
            self.close()
            self._copy = ExitStack()
            self._file = self._copy.enter_context(Place.of(path).on_disk())
            self._path = path
        else:
            self._container.close()
        self._container = av.open(str(self._file))
        stream = self._container.streams.video[0]
        stream.codec_context.thread_count = 1  # workers share the machine's cores, they don't each use all
        self._container.seek(time, stream=stream, backward=True)
        self._frames = decoded(self._container, stream)
        self._last = time - 1
        self._near = int(10 / stream.time_base)  # further ahead, seeking beats decoding all between

    def close(self) -> None:
        if self._path is not None:
            self._container.close()
            self._copy.close()
            self._path = None
