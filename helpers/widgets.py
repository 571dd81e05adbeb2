"""Pictures that answer to the mouse and the arrow keys: swipe, slide, hover, play.

Each function displays one widget: HTML with `widgets.js` and its pictures inside. It needs no kernel and no network, so
it lives in JupyterLab, Colab, nbviewer and on the suite's site. Beside it stands a still picture for places that run no
scripts, GitHub for instance.
"""

import base64
import hashlib
import io
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from helpers.labels import LabelSet
from helpers.masks import overlay

_SCRIPT = (Path(__file__).parent / "widgets.js").read_text(encoding="utf-8")


def compare(
    before: np.ndarray,
    after: np.ndarray,
    *,
    titles: tuple[str, str] = ("before", "after"),
    alt: str = "",
    width: int = 960,
) -> None:
    """Swipe between two pictures of one size.

    Args:
        before: (H, W, 3) uint8 RGB, seen left of the edge.
        after: (H, W, 3) uint8 RGB, seen right of it.
        titles: names of the two, in their corners.
        alt: what the two show, in one sentence.
        width: the pictures are stored, and shown at most, this many pixels wide.
    """
    if before.shape != after.shape:
        raise ValueError(f"the pictures have shapes {before.shape} and {after.shape}; resize one to the other's size")
    left, right = _fit(before, width), _fit(after, width)
    half = left.shape[1] // 2
    still = np.concatenate([left[:, :half], right[:, half:]], axis=1)
    data = {"after": _source(right), "titles": list(titles)}
    _display("compare", left, data, still=still, alt=alt or f"Two pictures to swipe between: {titles[0]}, {titles[1]}")


def overlay_strength(
    image: np.ndarray,
    mask: np.ndarray,
    label_set: LabelSet,
    *,
    palette: str = "official",
    value: float = 0.5,
    alt: str = "",
    width: int = 960,
) -> None:
    """Lay a mask over its picture, as strongly as the slider says.

    Args:
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) class ids; pixels without a label stay unpainted.
        label_set: gives the colours.
        palette: "official" or "colorblind".
        value: strength at the start, 0 … 1.
        alt, width: as in `compare`.
    """
    image, mask = _fit(image, width), _fit(mask.astype(np.uint8), width)
    still = overlay(image, mask, label_set.palette(palette), alpha=value, ignore_index=label_set.ignore_index)
    data = {"colors": _source(mask, label_set.palette(palette), label_set.ignore_index), "value": round(100 * value)}
    _display("strength", image, data, still=still, alt=alt or "A picture with its coloured mask over it")


def threshold(
    image: np.ndarray,
    probability: np.ndarray,
    *,
    value: float = 0.5,
    name: str = "threshold",
    color: tuple[int, int, int] = (230, 0, 120),
    alt: str = "",
    width: int = 960,
) -> None:
    """Paint the pixels whose probability is at least what the slider says.

    Args:
        image: (H, W, 3) uint8 RGB.
        probability: (H, W) floats, 0 … 1; kept in steps of 1/255.
        value: threshold at the start.
        name: of the slider.
        color: RGB of the painted pixels.
        alt, width: as in `compare`.
    """
    if probability.min() < 0 or probability.max() > 1:
        found = f"{probability.min():.3g} … {probability.max():.3g}"
        raise ValueError(f"probabilities are between 0 and 1, found {found}; a softmax or sigmoid comes first")
    image, steps = _fit(image, width), _fit(np.round(255 * probability).astype(np.uint8), width)
    least = max(1, round(255 * value))
    still = image.copy()
    still[steps >= least] = 0.4 * image[steps >= least] + 0.6 * np.array(color)
    data = {"probability": _source(steps), "value": least, "color": [*color, 153], "name": name}
    _display("threshold", image, data, still=still.astype(np.uint8), alt=alt or "Pixels above a threshold are painted")


def hover_classes(
    image: np.ndarray,
    mask: np.ndarray,
    label_set: LabelSet,
    *,
    palette: str = "official",
    alt: str = "",
    width: int = 960,
) -> None:
    """Name the class under the pointer and light up all its pixels; arrow keys move the point.

    Args:
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) class ids.
        label_set: gives names and colours.
        palette: "official" or "colorblind".
        alt, width: as in `compare`.
    """
    image, mask = _fit(image, width), _fit(mask.astype(np.uint8), width)
    ids = [int(i) for i in np.unique(mask) if i < label_set.num_classes and i != label_set.ignore_index]
    data = {
        "ids": _source(mask),
        "names": {i: label_set.class_names[i] for i in ids},
        "colors": {i: [*map(int, label_set.palette(palette)[i]), 190] for i in ids},
    }
    still = overlay(image, mask, label_set.palette(palette), alpha=0.5, ignore_index=label_set.ignore_index)
    _display("hover", image, data, still=still, alt=alt or "A picture whose classes are named under the pointer")


def scrubber(
    frames: Sequence[np.ndarray],
    captions: Sequence[str],
    *,
    name: str = "step",
    rate: float = 0,
    alt: str = "",
    width: int = 640,
) -> None:
    """Step through pictures of one size, such as a network's answers after each epoch.

    Args:
        frames: pictures (H, W, 3) uint8 RGB; the last one is shown at first.
        captions: one for each picture, to the right of the slider.
        name: of the slider.
        rate: pictures a second for a play button; 0 for none.
        alt, width: as in `compare`.
    """
    _frames(frames, captions, titles=(), name=name, rate=rate, alt=alt, width=width)


def _frames(
    frames: Sequence[np.ndarray],
    captions: Sequence[str],
    *,
    titles: tuple[str, ...],
    name: str,
    rate: float,
    alt: str,
    width: int,
) -> None:
    """Display frames with a slider; `titles` stand in the upper corners, left and right."""
    if not len(frames) or len(frames) != len(captions):
        raise ValueError(f"{len(frames)} pictures and {len(captions)} captions; give at least one, and one each")
    if len({frame.shape for frame in frames}) > 1:
        raise ValueError(f"pictures of different sizes: {sorted({frame.shape for frame in frames})}")
    small = [_fit(frame, width) for frame in frames]
    data = {
        "frames": [_source(frame) for frame in small],
        "captions": list(captions),
        "name": name,
        "rate": rate,
        "value": len(small) - 1,
        "titles": list(titles),
    }
    _display("frames", small[-1], data, still=small[-1], alt=alt or f"{len(small)} pictures, one for each {name}")


def flicker(
    before: Sequence[np.ndarray],
    after: Sequence[np.ndarray],
    *,
    titles: tuple[str, str] = ("before", "after"),
    rate: float = 8,
    alt: str = "",
    width: int = 960,
) -> None:
    """Play two videos side by side, in step.

    Args:
        before, after: equally many frames (H, W, 3) uint8 RGB of one size.
        titles: names of the two.
        rate: frames a second.
        alt: as in `compare`.
        width: of both together.
    """
    if len(before) != len(after):
        raise ValueError(f"{len(before)} frames before, {len(after)} after; compare the same frames")
    gap = np.full((before[0].shape[0], 8, 3), 255, np.uint8)
    both = [np.concatenate([left, gap, right], axis=1) for left, right in zip(before, after, strict=True)]
    captions = [f"{i + 1} of {len(both)}" for i in range(len(both))]
    _frames(both, captions, titles=titles, name="frame", rate=rate, alt=alt, width=width)


def _fit(picture: np.ndarray, width: int) -> np.ndarray:
    """Shrink to this width at most: pictures by averaging; ids and steps (H, W) by nearest neighbour."""
    if picture.shape[1] <= width:
        return picture
    size = (width, round(picture.shape[0] * width / picture.shape[1]))
    way = Image.Resampling.BOX if picture.ndim == 3 else Image.Resampling.NEAREST
    return np.asarray(Image.fromarray(picture).resize(size, way))


def _source(picture: np.ndarray, palette: np.ndarray | None = None, clear: int | None = None) -> str:
    """A picture as an address: RGB as JPEG; values (H, W) as PNG, which is exact, with a palette if there is one."""
    kind, pil, options = "png", Image.fromarray(np.ascontiguousarray(picture)), {"optimize": True}
    if palette is not None:
        pil.putpalette(palette.tobytes())
        if clear is not None:
            options["transparency"] = clear
    elif picture.ndim == 3:
        kind, options = "jpeg", {"quality": 75}
    buffer = io.BytesIO()
    pil.save(buffer, kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _display(kind: str, base: np.ndarray, data: dict, *, still: np.ndarray, alt: str) -> None:
    """Show a widget: the base picture, made alive by the script, and the still picture for places without scripts."""
    from IPython.display import display

    call = f"{json.dumps(kind)}, {json.dumps(data, ensure_ascii=False)}".replace("</", "<\\/")
    source = _source(base)
    name = "w" + hashlib.sha256((call + source).encode()).hexdigest()[:12]  # the same in each run
    html = (
        f'<div data-widget="{name}"><img alt="{escape(alt)}" src="{source}" style="max-width: {base.shape[1]}px">'
        f"</div>\n"
        f"<script>{_SCRIPT.rstrip()}({json.dumps(name)}, {call});</script>"
    )
    jpeg = _source(_fit(still, 640)).split(",")[1]
    display({"text/html": html, "image/jpeg": jpeg, "text/plain": alt}, metadata={"image/jpeg": {"alt": alt}}, raw=True)
