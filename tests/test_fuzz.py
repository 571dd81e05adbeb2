"""Damaged files of every kind: a reader gives the right type or one of its own errors, never anything else.

`SEGMENTATION_FUZZ=20 make slow TEST_ARGS=tests/test_fuzz.py` tries twenty times as many files.
"""

import io
import os
import tarfile
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest
import torch
import torchvision  # noqa: F401  before TensorFlow: Triton, which comes along, aborts the process if it is loaded after it
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from clips import write_clip
from graphs import graph_bytes, lite_bytes, tarball
from helpers import archives, deeplab, images, masks, model_files, models, rle, severstal
from helpers.datasets.severstal import at_most, missing_parts, scan_rows
from helpers.labels import CITYSCAPES
from helpers.paths import read_lines
from helpers.video import VideoError, VideoReader

resource = pytest.importorskip("resource")  # not on Windows
pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

TIMES = float(os.environ.get("SEGMENTATION_FUZZ", "1"))
ROOM = 1_000_000  # kilobytes by which the process may grow; a file of 3 kB may ask for much more
LIMITS = {
    "SEGMENTATION_MAX_MEGAPIXELS": "4",
    "SEGMENTATION_MAX_MODEL_MB": "20",
    "SEGMENTATION_MAX_ARCHIVE_GB": "0.01",
}


@pytest.fixture(scope="module", autouse=True)
def bounded():
    """Low limits, and what they are for: memory stays bounded, whatever a file asks for."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.MonkeyPatch.context() as patch:
        for name, value in LIMITS.items():
            patch.setenv(name, value)
        yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < ROOM


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def fuzz(examples: int):
    """So many damaged files of a test, more by `SEGMENTATION_FUZZ`."""
    return settings(max_examples=max(1, round(examples * TIMES)))


NUMBERS = [0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF]


@st.composite
def damaged(draw, seeds):
    """A name and bytes of one of `seeds()`, with one to six injuries, half of them to the first 64 bytes."""
    files = seeds()
    name = draw(st.sampled_from(sorted(files)))
    data = bytearray(files[name])
    for _ in range(draw(st.integers(1, 6))):
        last = max(0, len(data) - 1)
        at = draw(st.integers(0, min(63, last)) | st.integers(0, last))
        kind = draw(st.sampled_from(["flip", "set", "number", "insert", "drop", "repeat", "cut"]))
        if kind == "flip" and data:
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "set":
            data[at : at + 4] = draw(st.binary(min_size=1, max_size=4))
        elif kind == "number":
            size, order = draw(st.sampled_from([1, 2, 4, 8])), draw(st.sampled_from(["little", "big"]))
            number = draw(st.sampled_from(NUMBERS)) & (1 << 8 * size) - 1
            data[at : at + size] = number.to_bytes(size, order)
        elif kind == "insert":
            data[at:at] = draw(st.binary(min_size=1, max_size=16))
        elif kind == "drop":
            del data[at : at + draw(st.integers(1, 64))]
        elif kind == "repeat":
            data[at:at] = data[at : at + draw(st.integers(1, 256))]
        elif draw(st.booleans()):  # cut, which leaves little to look at, half as often
            del data[at:]
    return name, bytes(data)


# --- Pictures and masks


@cache
def picture_files() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    color = Image.fromarray(rng.integers(0, 256, (13, 17, 3), np.uint8))
    deep = Image.fromarray(rng.integers(0, 2**16, (13, 17), np.uint16))
    exif = Image.Exif()
    exif[274], exif[271], exif[282] = 6, "maker", 72.0
    found = {}
    for suffix, kind in [
        ("png", "PNG"),
        ("jpg", "JPEG"),
        ("webp", "WEBP"),
        ("tif", "TIFF"),
        ("bmp", "BMP"),
        ("gif", "GIF"),
        ("ppm", "PPM"),
        ("tga", "TGA"),
        ("pcx", "PCX"),
        ("jp2", "JPEG2000"),
        ("avif", "AVIF"),
        ("qoi", "QOI"),
    ]:
        buffer = io.BytesIO()
        options = {"exif": exif} if kind in ("PNG", "JPEG", "WEBP", "TIFF", "AVIF") else {}
        color.save(buffer, kind, **options)
        found[f"color.{suffix}"] = buffer.getvalue()
    for name, picture, options in [
        ("deep.png", deep, {}),
        ("deep.tif", deep, {"compression": "tiff_lzw"}),
        ("packed.tif", color, {"compression": "packbits"}),
        ("zipped.tif", color, {"compression": "tiff_adobe_deflate"}),
        ("alpha.png", color.convert("RGBA"), {}),
        ("moving.gif", color.convert("P"), {"save_all": True, "append_images": [color.convert("P").rotate(90)]}),
        ("moving.png", color, {"save_all": True, "append_images": [color.rotate(90)]}),
        ("cmyk.jpg", color.convert("CMYK"), {}),
        ("steps.jpg", color, {"progressive": True}),
        ("one.png", color.convert("1"), {}),
    ]:
        buffer = io.BytesIO()
        picture.save(buffer, Image.registered_extensions()[Path(name).suffix], **options)
        found[name] = buffer.getvalue()
    mask = Image.fromarray(rng.integers(0, 19, (13, 17), np.uint8))
    for name, palette in [("grey.png", False), ("palette.png", True), ("grey.tif", False), ("grey.bmp", False)]:
        buffer, chosen = io.BytesIO(), mask.copy()
        if palette:
            chosen.putpalette(CITYSCAPES.palette().tobytes())
        chosen.save(buffer, Image.registered_extensions()[Path(name).suffix])
        found[f"mask {name}"] = buffer.getvalue()
    return found


@fuzz(800)
@given(file=damaged(picture_files))
def test_pictures(folder, file):
    path = folder / file[0]
    path.write_bytes(file[1])
    try:
        image = images.read_image(path)
    except images.ImageError as error:
        assert str(path) in str(error) and "\n" not in str(error).strip()
    else:
        assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 and image.size <= 12e6


@fuzz(500)
@given(file=damaged(picture_files))
def test_masks(folder, file):
    path = folder / file[0]
    path.write_bytes(file[1])
    try:
        mask = masks.read_mask(path)
    except masks.MaskError as error:
        assert str(path) in str(error)
    else:
        assert mask.dtype in (np.uint8, np.uint16) and mask.ndim == 2


# --- Tables and lists


@cache
def tables() -> dict[str, bytes]:
    joined = "ImageId_ClassId,EncodedPixels\n" + "".join(
        f"{name}.jpg_{c},{'1 3 10 5' if c == 3 else ''}\n" for name in "ab" for c in (1, 2, 3, 4)
    )
    separate = "ImageId,ClassId,EncodedPixels\na.jpg,3,1 3 10 5\nb.jpg,4,409600 1\n"
    return {
        "joined.csv": joined.encode(),
        "separate.csv": separate.encode(),
        "mark.csv": joined.encode("utf-8-sig").replace(b"\n", b"\r\n"),
        "wide.csv": joined.encode("utf-16"),
        "quoted.csv": b'ImageId,ClassId,EncodedPixels\n"a.jpg","3","1 3 10 5"\n',
        "long.csv": (separate + "c.jpg,1," + " ".join(f"{i} 1" for i in range(1, 38000, 2)) + "\n").encode(),
    }


@fuzz(300)
@given(file=damaged(tables), sample=st.sampled_from(sorted(tables())))
def test_tables(folder, file, sample):
    path, sample_path = folder / f"damaged {file[0]}", folder / f"sample {sample}"
    path.write_bytes(file[1])
    sample_path.write_bytes(tables()[sample])
    rows, problems = scan_rows(path)
    for row in rows:
        assert (
            row.class_id in (1, 2, 3, 4) and rle.decode(row.runs).shape == (256, 1600) if len(row.runs) < 99 else True
        )
    assert all(str(problem).startswith(str(path)) for problem in problems)
    list(at_most(missing_parts(folder, rows), path))
    assert all(str(problem) for problem in severstal.validate_submission(path, sample_path=sample_path))
    try:
        masks_found = severstal.read_masks(path)
    except severstal.TableError:
        assert problems
    else:
        assert not problems and sum(map(len, masks_found.values())) == sum(bool(row.runs) for row in rows)
    try:
        read_lines(path)
    except ValueError as error:
        assert str(path) in str(error)


# --- Archives


@cache
def packed() -> dict[str, bytes]:
    found = {}
    for suffix in ("", ".gz", ".bz2", ".xz"):
        for kind in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
            buffer = io.BytesIO()
            with tarfile.open(fileobj=buffer, mode=f"w:{suffix[1:]}", format=kind) as archive:
                for name in ("a/b.txt", f"{'long' * 40}/c.bin", "é/d.txt"):
                    member = tarfile.TarInfo(name)
                    member.size = 700
                    archive.addfile(member, io.BytesIO(bytes(range(100)) * 7))
            data = buffer.getvalue()
            found[f"{kind}.tar{suffix}"] = data[: 512 * 20] if not suffix else data
    return found


@fuzz(250)
@given(file=damaged(packed))
def test_archives(folder, file):
    inside, path = folder / "box" / "inside", folder / "box" / file[0]
    inside.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file[1])
    try:
        archives.unpack(path, inside)
    except (archives.ArchiveError, OSError):  # what `walk` promises; an OSError for names that no disk takes
        pass
    finally:
        path.unlink()
    assert os.listdir(folder / "box") == ["inside"], "nothing outside"


# --- Videos


@cache
def videos() -> dict[str, bytes]:
    import tempfile

    found = {}
    with tempfile.TemporaryDirectory() as place:
        for name, options in {
            "a.mp4": {},
            "a.mkv": {},
            "a.avi": {"codec": "mjpeg", "sound": None},
            "a.ts": {},
            "silent.mov": {"codec": "mpeg4", "sound": None},
            "wide.mp4": {"pixel_shape": (64, 45), "sound": None},
        }.items():
            found[name] = write_clip(Path(place) / name, seconds=0.4, key_every=5, **options).read_bytes()
    return found


@fuzz(150)
@given(file=damaged(videos))
def test_videos(folder, file):
    path = folder / file[0]
    path.write_bytes(file[1])
    av.logging.set_level(None)
    try:
        reader = VideoReader(path)
        str(reader.info), len(reader)
        for count, (seconds, frame) in enumerate(reader):
            assert frame.dtype == np.uint8 and frame.ndim == 3 and frame.size <= 4 * 12e6 and np.isfinite(seconds)
            if count > 60:
                break
        next(iter(VideoReader(path, start=0.2)), None)
    except VideoError as error:
        assert file[0] in str(error)


# --- Models


@cache
def model_file_bytes() -> dict[str, bytes]:
    torch.manual_seed(0)

    def saved(value, **options) -> bytes:
        buffer = io.BytesIO()
        torch.save(value, buffer, **options)
        return buffer.getvalue()

    weights = {"classifier.4.weight": torch.zeros(3, 4, 1, 1), "classifier.4.bias": torch.zeros(3)}
    graph = graph_bytes(3)
    return {
        "weights.pt": saved(weights),
        "old.pth": saved(weights, _use_new_zipfile_serialization=False),
        "camvid.pt": saved({"lesson": "camvid", "network": weights, "labels": "camvid", "arch": "small", "size": 64}),
        "steel.pt": saved(
            {"lesson": "severstal", "network": {"head.bias": torch.zeros(4)}, "scale": 0.5, "blocks": (1,)}
        ),
        "graph.pb": graph,
        "graph.tar.gz": tarball(graph),
    }


@fuzz(60)
@given(file=damaged(model_file_bytes))
def test_models(folder, file):
    """Loaded only: how a foreign graph runs is tried in a process of its own, see `helpers.deeplab.engines.trial`."""
    path = folder / file[0]
    path.write_bytes(file[1])
    assert model_files.kind_of(path) is None or isinstance(model_files.kind_of(path), str)
    try:
        if path.suffix in (".pt", ".pth"):
            models.load(str(path))
        else:
            deeplab.load_graph(path, engine="tensorflow")
    except (ValueError, OSError) as error:
        assert path.stem in str(error) and "\n" not in str(error).strip()


@cache
def lite_files() -> dict[str, bytes]:
    return {"street.tflite": lite_bytes(graph_bytes(3), (24, 32))}


@fuzz(25)
@given(file=damaged(lite_files))
def test_lite_models(folder, file):
    """LiteRT is native code and may crash: then its own process does, and the model is refused."""
    path = folder / file[0]
    path.write_bytes(file[1])
    try:
        model = models.load(str(path), engine="litert")
    except (ValueError, OSError) as error:
        assert path.stem in str(error) and "\n" not in str(error).strip()
    else:
        assert model.predict(np.zeros((24, 32, 3), np.uint8)).shape == (24, 32)
