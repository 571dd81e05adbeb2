"""The manifest, and reading what it lists."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from helpers.images import read_image
from helpers.paths import DATA
from helpers.scale import ScaleError
from helpers.scale.frames import FRAMES, FrameReader, collect_frames
from helpers.video.reader import read_frames

CLIP = DATA / "street_clip" / "clip.mp4"


def test_a_folder_gives_its_pictures_by_name_with_labels(drive: Path) -> None:
    frames = collect_frames(str(drive), labels=str(drive / "labels"))
    assert frames.schema == FRAMES
    assert frames["id"].to_pylist() == [f"frame_{i:03d}.png" for i in range(40)]
    assert frames["label"].to_pylist()[7] == str(drive / "labels" / "frame_007_P.png")
    assert set(frames["frame"].to_pylist()) == {None}


def test_an_address_finds_the_same_as_a_path(drive: Path) -> None:
    by_address = collect_frames(drive.as_uri(), labels=(drive / "labels").as_uri())
    assert by_address.equals(collect_frames(str(drive), labels=str(drive / "labels")))


def test_a_list_is_relative_to_itself_and_keeps_its_order(drive: Path, tmp_path: Path) -> None:
    listed = drive / "some.txt"
    listed.write_text(f"frame_005.png\n\n{drive / 'frame_001.png'}\n", encoding="utf-8")
    frames = collect_frames(str(listed))
    listed.unlink()
    assert [Path(path).name for path in frames["path"].to_pylist()] == ["frame_005.png", "frame_001.png"]


def test_a_video_gives_all_its_frames_and_any_of_them_can_be_read() -> None:
    frames = collect_frames(str(CLIP)).to_pylist()
    images = list(read_frames(CLIP))
    assert [frame["id"] for frame in frames] == [f"clip.mp4#{i:06d}" for i in range(len(images))]
    reader = FrameReader()
    for i in (3, 4, 5, 70, 6, 7, 0, 79, 79, 31):  # onwards, back, and the same once more
        assert np.array_equal(reader.image(frames[i]["path"], frames[i]["time"]), images[i])
    reader.close()


def test_a_reader_changes_between_videos_and_pictures(drive: Path) -> None:
    frames = collect_frames(str(CLIP)).to_pylist()
    reader = FrameReader()
    first = reader.image(frames[1]["path"], frames[1]["time"])
    assert np.array_equal(reader.image(str(drive / "frame_000.png")), read_image(drive / "frame_000.png"))
    assert not np.array_equal(reader.image(frames[2]["path"], frames[2]["time"]), first)
    reader.close()


def test_labels_of_a_video_carry_the_number_of_the_frame(tmp_path: Path) -> None:
    (tmp_path / "clip_000007.png").touch()
    labels = collect_frames(str(CLIP), labels=str(tmp_path))["label"].to_pylist()
    assert [i for i, label in enumerate(labels) if label] == [7]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "no pictures and no videos"),
        ({"list.txt": "absent.png"}, "lists absent.png, but there is no such file"),
        ({"list.txt": "a.png\na.png", "a.png": ""}, "more than once"),
        ({"a.mp4": "no video"}, "can't be read as a video"),
        ({"a.png": "", "labels/b.png": ""}, "none of the 1 frames has a label"),
    ],
)
def test_a_source_without_sense_is_refused(tmp_path: Path, content: dict[str, str], message: str) -> None:
    for name, text in content.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    source = tmp_path / "list.txt" if "list.txt" in content else tmp_path
    labels = str(tmp_path / "labels") if (tmp_path / "labels").exists() else None
    with pytest.raises(ScaleError, match=message):
        collect_frames(str(source), labels=labels)


def test_nothing_at_the_source_is_said() -> None:
    with pytest.raises(ScaleError, match="there is nothing at no/such/folder"):
        collect_frames("no/such/folder")
    with pytest.raises(ScaleError, match="no address that pyarrow can open"):
        collect_frames("nosuch://bucket/frames")


def test_a_missing_frame_of_a_video_is_an_error() -> None:
    reader = FrameReader()
    with pytest.raises(ValueError, match="can't be decoded"):
        reader.image(str(CLIP), 1)
    assert isinstance(collect_frames(str(CLIP)), pa.Table)
