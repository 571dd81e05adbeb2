"""Small picture files, byte by byte, as other programs than Pillow write them."""

import struct
import zlib

import numpy as np


def packed(ids: np.ndarray, bits: int) -> list[bytes]:
    """The rows of (H, W) ids with so many bits a pixel, high bits first; 16 bits with the high byte first."""
    if bits == 16:
        return [row.astype(">u2").tobytes() for row in ids]
    spread = (ids[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    return [np.packbits(row.ravel().astype(np.uint8)).tobytes() for row in spread]


def png(ids: np.ndarray, bits: int, *, palette: bytes | None = None, exif: bytes = b"") -> bytes:
    """A grey PNG, or one with a palette of RGB bytes."""
    height, width = ids.shape
    header = struct.pack(">IIBBBBB", width, height, bits, 3 if palette else 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in packed(ids, bits)))
    parts = [(b"IHDR", header), (b"PLTE", palette), (b"eXIf", exif), (b"IDAT", pixels), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
        if data or kind == b"IEND"
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def tiff(ids: np.ndarray, bits: int, *, white_is_zero: bool = False) -> bytes:
    """A grey TIFF, big-endian, uncompressed, in one strip."""
    height, width = ids.shape
    pixels = b"".join(packed(ids, bits))
    short, long = 3, 4
    tags = [
        (256, short, width),
        (257, short, height),
        (258, short, bits),
        (259, short, 1),
        (262, short, not white_is_zero),
        (273, long, 8),
        (277, short, 1),
        (278, short, height),
        (279, long, len(pixels)),
    ]
    entries = [
        struct.pack(">HHI", tag, kind, 1) + struct.pack(">HH" if kind == short else ">I", value, *[0] * (kind == short))
        for tag, kind, value in tags
    ]
    directory = struct.pack(">H", len(tags)) + b"".join(entries) + b"\0\0\0\0"
    return b"MM\0*" + struct.pack(">I", 8 + len(pixels)) + pixels + directory


def exif(orientation: int, *, extra: bytes = b"") -> bytes:
    """EXIF with an orientation and 12 bytes of another entry, which may be wrong."""
    entries = (
        [struct.pack(">HHIHH", 274, 3, 1, orientation, 0), extra]
        if extra
        else [struct.pack(">HHIHH", 274, 3, 1, orientation, 0)]
    )
    return b"MM\0*" + struct.pack(">IH", 8, len(entries)) + b"".join(entries) + b"\0\0\0\0"


def upright(array: np.ndarray, orientation: int) -> np.ndarray:
    """What is stored, as it is to be shown: EXIF 2.3, section 4.6.4, tag 274 (row 0 and column 0 by orientation)."""
    shown = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.T,
        6: lambda a: a[::-1].T,
        7: lambda a: a[::-1, ::-1].T,
        8: lambda a: a[:, ::-1].T,
    }
    return shown[orientation](array)
