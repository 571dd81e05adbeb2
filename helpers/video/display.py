"""A video in a notebook: a player, and a small animated picture for pages that show no video."""

import base64
import html
import io
from pathlib import Path

import numpy as np
from PIL import Image

from helpers.images import fit_within, resize_image
from helpers.video.reader import VideoReader


def show_video(path: str | Path, alt: str = "", *, width: int = 480) -> None:
    """Display a video inside the notebook: the file itself becomes part of the page, so keep it small.

    It plays at once, silently and in a loop; below it stays room for the controls, which would hide the legend.

    Args:
        path: an .mp4 that browsers play, as `write_video` and `segment_video` make them.
        alt: what the video shows, for those who cannot see it; as for `helpers.plots.show`.
        width: in pixels on the page.
    """
    from IPython.display import HTML, display

    info = VideoReader(path).info
    height = round(width * info.height / info.width) + 48
    data = base64.b64encode(Path(path).read_bytes()).decode()
    display(
        HTML(
            f'<video controls autoplay loop muted playsinline width="{width}" height="{height}" '
            f'style="object-fit: contain; object-position: top; max-width: 100%" '
            f'aria-label="{html.escape(alt, quote=True)}" src="data:video/mp4;base64,{data}"></video>'
        )
    )


def show_preview(path: str | Path, alt: str = "", **options) -> None:
    """Display `preview_png` of a video; `alt` as for `show_video`."""
    from IPython.display import display

    data = base64.b64encode(preview_png(path, **options)).decode()
    display({"image/png": data}, metadata={"image/png": {"alt": alt or "Figure: frames of a video"}}, raw=True)


def preview_png(path: str | Path, *, frames: int = 12, width: int = 320, colors: int = 64, fps: float = 3.0) -> bytes:
    """A few frames of a video as one animated PNG, which every page that shows PNG plays.

    Args:
        path: the video.
        frames: how many, evenly spread over it.
        width: in pixels.
        colors: 2 … 256, shared by all frames; fewer make it smaller.
        fps: frames per second of the preview.

    Returns:
        The bytes of the PNG.
    """
    reader = VideoReader(path)
    reader.every = max(1, (len(reader) or frames) // frames)
    size = fit_within((reader.info.height, reader.info.width), width)
    pictures = [resize_image(image, size) for _, image in reader][:frames]
    shared = Image.fromarray(np.vstack(pictures)).quantize(colors, dither=Image.Dither.NONE)
    reduced = [Image.fromarray(picture).quantize(palette=shared, dither=Image.Dither.NONE) for picture in pictures]
    buffer = io.BytesIO()
    reduced[0].save(
        buffer, "PNG", save_all=True, append_images=reduced[1:], duration=round(1000 / fps), loop=0, optimize=True
    )
    return buffer.getvalue()
