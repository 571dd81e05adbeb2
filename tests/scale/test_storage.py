"""The folder of a run."""

from pathlib import Path

import pyarrow as pa
import pytest

from helpers.scale import ScaleError
from helpers.scale.storage import Place, RunFolder

FRAMES = pa.table({"id": ["a", "b", "c", "d"]})


@pytest.fixture(params=["path", "address"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> RunFolder:
    """An empty run folder, named in either way; the second goes through pyarrow's handling of addresses."""
    return RunFolder.of(tmp_path / "run" if request.param == "path" else (tmp_path / "run").as_uri())


def test_what_is_done_does_not_remain_whoever_wrote_it(folder: RunFolder) -> None:
    folder.begin({"model": "m"}, FRAMES)
    assert folder.remaining(FRAMES).equals(FRAMES)
    folder.write_part(pa.table({"id": ["c"]}))
    folder.write_part(pa.table({"id": ["a"]}))
    assert folder.remaining(FRAMES)["id"].to_pylist() == ["b", "d"]
    assert folder.frames().equals(FRAMES)


def test_a_half_written_part_counts_for_nothing_and_is_swept(folder: RunFolder) -> None:
    folder.begin({}, FRAMES)
    folder.write_part(pa.table({"id": ["a", "b"]}))
    whole = folder.masks.children(".parquet")[0]
    half = Path(whole.path).with_name("half.parquet")
    half.write_bytes(whole.read()[:-9])
    assert folder.remaining(FRAMES)["id"].to_pylist() == ["c", "d"]
    assert folder.sweep() == 1
    assert not half.exists() and Path(whole.path).exists()


def test_another_model_in_the_same_folder_is_refused(folder: RunFolder) -> None:
    folder.begin({"model": "m", "size": None}, FRAMES)
    folder.begin({"model": "m", "size": None}, FRAMES)
    with pytest.raises(ScaleError, match="another run: model 'm' there, 'n' now"):
        folder.begin({"model": "n", "size": None}, FRAMES)


def test_a_folder_without_a_run_is_said(folder: RunFolder) -> None:
    with pytest.raises(ScaleError, match="holds no run"):
        folder.settings()
    assert list(folder.parts()) == []


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        (Place.of(tmp_path) / "masks" / "part.parquet").write(b"rows")
    assert list((tmp_path / "masks").iterdir()) == []


def test_the_options_of_an_address_stay_with_what_is_below_it() -> None:
    address = "s3://bucket/run?endpoint_override=localhost:9000&scheme=http&region=eu-central-1"
    part = Place.of(address) / "masks" / "part.parquet"
    assert part.address == address.replace("run?", "run/masks/part.parquet?")
    assert Place.of(part.address) == part and not part.is_local
