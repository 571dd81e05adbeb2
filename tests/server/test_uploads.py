"""Good pictures come through as pixels alone; twenty kinds of bad ones are refused, each with its reason."""

import io
import struct
import zipfile
import zlib
from io import BytesIO

import numpy as np
import pytest
from django.conf import settings
from PIL import Image

from helpers.server import uploads
from helpers.server.models import Job

URL = "/api/v1/backgrounds/"
RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (40, 60, 3)).astype(np.uint8)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, pixels: bytes, *more: bytes) -> bytes:
    """A grey PNG that claims a size, with whatever pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def saved(kind: str, image: np.ndarray = NOISE, **options) -> bytes:
    file = BytesIO()
    Image.fromarray(image).save(file, kind, **options)
    return file.getvalue()


def archive() -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        out.writestr("picture.png", saved("PNG"))
    return file.getvalue()


BLACK = zlib.compress(bytes(41 * 41))
BAD = {
    "nothing": (b"", "empty"),
    "a text": (b"this is a text", "no PNG, JPEG or WebP"),
    "a page": (b"<html><script>alert(1)</script></html>", "no PNG, JPEG or WebP"),
    "a drawing with a script": (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "no PNG, JPEG or WebP"),
    "a document": (b"%PDF-1.7\n1 0 obj", "no PNG, JPEG or WebP"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n", "no PNG, JPEG or WebP"),
    "an archive": (archive(), "no PNG, JPEG or WebP"),
    "a program": (b"\x7fELF\x02\x01\x01" + bytes(57), "no PNG, JPEG or WebP"),
    "a GIF": (saved("GIF"), "no PNG, JPEG or WebP"),
    "a TIFF": (saved("TIFF"), "no PNG, JPEG or WebP"),
    "a sound in WebP's container": (b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(20), "no PNG, JPEG or WebP"),
    "WebP's name alone": (b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(20), "damaged"),
    "PNG's signature alone": (b"\x89PNG\r\n\x1a\n", "damaged"),
    "JPEG's signature on a page": (b"\xff\xd8\xff<html><script>alert(1)</script>", "damaged"),
    "a PNG cut short": (saved("PNG")[:-3000], "damaged"),
    "a JPEG cut short": (saved("JPEG")[:-400], "damaged"),
    "a WebP cut short": (saved("WEBP")[:-400], "damaged"),
    "a changed byte in a PNG": (png(41, 40, BLACK).replace(b"IHDR", b"IHDS"), "damaged"),
    "pixels that are no stream": (png(40, 40, b"not deflated at all"), "damaged"),
    "no pixels at all": (png(0, 0, BLACK), "damaged"),
    "one pixel": (saved("PNG", NOISE[:1, :1]), "1×1 pixels; each side must have 16 to"),
    "a thread": (png(10_001, 16, BLACK), "10001×16 pixels; each side must have"),
    "a bomb": (png(9_999, 9_999, zlib.compress(bytes(10**6))), "too many pixels; send at most 25 megapixels"),
    "a bomb that Pillow knows": (png(20_000, 20_000, BLACK), "too many pixels"),
    "a bomb in a comment": (
        png(40, 40, BLACK, chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000_000)))),
        "damaged",
    ),
    "too many bytes": (saved("PNG") + bytes(settings.UPLOAD_BYTES), "MB; send at most 12 MB"),
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("field", ["picture", "background"])
def test_bad_upload_is_refused_with_its_reason(ada, picture, kind, field):
    data, reason = BAD[kind]
    form = {"picture": BytesIO(picture()), field: BytesIO(data)}
    answer = ada.post(URL, form)
    assert answer.status_code == 400, kind
    assert list(answer.json()) == [field]
    assert reason in answer.json()[field][0]
    assert not Job.objects.exists()


def test_a_name_or_a_claimed_type_changes_nothing(ada):
    file = BytesIO(b"<script>alert(1)</script>")
    file.name = "../../portrait.png"
    file.content_type = "image/png"
    assert ada.post(URL, {"picture": file}).status_code == 400


# --- Good ones ---


def test_lossless_kinds_come_through_exactly():
    for data in (saved("PNG"), saved("WEBP", lossless=True), saved("PNG", optimize=True)):
        assert (uploads.decode(data) == NOISE).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_kind_of_png_becomes_rgb(mode):
    grey = np.tile(np.linspace(0, 255, 64), (32, 1)).astype(np.uint8)
    image = Image.fromarray(grey.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(grey).convert(mode)
    file = io.BytesIO()
    image.save(file, "PNG")
    decoded = uploads.decode(file.getvalue())
    assert decoded.shape == (32, 64, 3) and decoded.dtype == np.uint8
    assert np.abs(decoded[:, :, 0].mean() - 127.5) < 2


def test_cmyk_and_transparency():
    red = Image.new("CMYK", (32, 32), (0, 255, 255, 0))
    file = BytesIO()
    red.save(file, "JPEG", quality=100)
    assert np.abs(uploads.decode(file.getvalue()).astype(int) - [255, 0, 0]).max() < 6
    file = BytesIO()
    Image.new("RGBA", (32, 32), (0, 0, 0, 0)).save(file, "PNG")
    assert (uploads.decode(file.getvalue()) == 255).all(), "where nothing is, the paper is white"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_of_a_phone_stand_upright(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = np.zeros((32, 48, 3), np.uint8)
    upright[:16, :24] = 255
    as_stored = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }[orientation](upright)
    data = saved("JPEG", np.ascontiguousarray(as_stored), exif=exif, quality=95)
    assert np.abs(uploads.decode(data).astype(int) - upright).max() < 60


def test_a_phone_that_stores_two_pictures_in_one_file():
    file = BytesIO()
    first, second = Image.new("RGB", (60, 40), (200, 100, 50)), Image.new("RGB", (60, 40))
    first.save(file, "MPO", save_all=True, append_images=[second])
    assert np.abs(uploads.decode(file.getvalue()).astype(int) - [200, 100, 50]).max() < 4


def test_of_an_animation_the_first_frame():
    file = BytesIO()
    Image.fromarray(NOISE).save(file, "WEBP", save_all=True, append_images=[Image.new("RGB", (60, 40))], lossless=True)
    assert (uploads.decode(file.getvalue()) == NOISE).all()


def test_nothing_but_pixels_comes_out(ada, process_all):
    """Position, camera, comments, a page and an archive behind the pixels: what is two things goes out as one."""
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0)})
    exif[0x010F] = "SECRET camera"
    jpeg = saved("JPEG", exif=exif, comment=b"SECRET comment") + b"<script>SECRET</script>" + archive()
    plain = saved("PNG")
    text = chunk(b"tEXt", b"Comment\0SECRET <script>")
    for data in (jpeg, plain[:33] + text + plain[33:] + archive() + b"SECRET"):
        accepted = ada.post(URL, {"picture": BytesIO(data)}).json()
        process_all()
        result = ada.get(accepted["result"]).content
        assert b"SECRET" not in result and b"PK\x03\x04" not in result and b"script" not in result
        with Image.open(BytesIO(result)) as image:
            assert not image.getexif() and not image.info
            image.load()
        kinds = []
        at = 8
        while at < len(result):
            length, kind = struct.unpack(">I4s", result[at : at + 8])
            kinds.append(kind)
            at += length + 12
        assert set(kinds) == {b"IHDR", b"IDAT", b"IEND"} and at == len(result)
