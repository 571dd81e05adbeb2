"""Is this upload a picture, and safe to decode? Size, kind and pixel count are checked before any pixel is read."""

import threading
from io import BytesIO

import numpy as np
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from PIL import Image, ImageOps

from helpers.images import to_rgb

# First bytes of what we take; all other decoders of Pillow stay out of reach.
SIGNATURES = {"PNG": (0, b"\x89PNG\r\n\x1a\n"), "JPEG": (0, b"\xff\xd8\xff"), "WEBP": (8, b"WEBP")}
DECODING = threading.BoundedSemaphore(2)  # a large picture takes 100 MB while it is decoded
TOO_MANY_PIXELS = f"the picture has too many pixels; send at most {settings.UPLOAD_PIXELS // 10**6} megapixels"


class UploadError(ValueError):
    """The upload can't be taken; the message says why and what can."""


def read_upload(upload: UploadedFile) -> bytes:
    """The bytes of an uploaded picture, once they have been decoded in full without an error.

    Raises:
        UploadError: too large, another kind of file, cut short, damaged.
    """
    if upload.size > settings.UPLOAD_BYTES:
        limit = settings.UPLOAD_BYTES // settings.MEGABYTE
        raise UploadError(f"the file has {upload.size / settings.MEGABYTE:.1f} MB; send at most {limit} MB")
    data = upload.read()
    with DECODING:
        decode(data)
    return data


def decode(data: bytes) -> np.ndarray:
    """A PNG, JPEG or WebP as (H, W, 3) uint8 RGB: upright, transparency on white, of many frames the first.

    Raises:
        UploadError: as in `read_upload`.
    """
    kind = next((k for k, (at, sign) in SIGNATURES.items() if data[at : at + len(sign)] == sign), None)
    if kind is None:
        raise UploadError("the file is no PNG, JPEG or WebP picture; convert it to one of these")
    try:
        with Image.open(BytesIO(data), formats=[kind]) as image:
            _check_size(*image.size)
            image.load()
            return np.array(to_rgb(ImageOps.exif_transpose(image)))
    except UploadError:
        raise
    except Image.DecompressionBombError as error:
        raise UploadError(TOO_MANY_PIXELS) from error
    except Exception as error:  # a damaged file makes decoders raise nearly anything
        raise UploadError("the picture is damaged or cut short; open it, save it again and send that") from error


def _check_size(width: int, height: int) -> None:
    low, high = settings.UPLOAD_SIDES
    if not (low <= min(width, height) and max(width, height) <= high):
        raise UploadError(f"the picture has {width}×{height} pixels; each side must have {low} to {high}")
    if width * height > settings.UPLOAD_PIXELS:
        raise UploadError(TOO_MANY_PIXELS)
