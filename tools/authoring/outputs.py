"""Outputs of notebooks as they are committed.

Two runs of a notebook differ in timings, in the last bit of a picture and in identifiers. `normalise` removes what
nobody reads; `keep_or_replace` keeps the committed outputs as a whole where the new ones say the same, so that a change
in git is a change in content, and the figures of a page always come from one run.
"""

import base64
import datetime
import hashlib
import io
import json
import re
from collections.abc import Sequence
from html import escape

import nbformat
import numpy as np
from nbformat import NotebookNode
from PIL import Image

# Text that changes from run to run without telling anything: durations, rates, memory addresses.
VOLATILE = re.compile(
    r"\s*(0x[0-9a-f]{6,}|\d+(\.\d+)?\s?(ms|µs|us|s|seconds|min|minutes|fps|images/s|it/s|MB/s|×)(?!\w))"
)


def normalise(notebook: NotebookNode) -> NotebookNode:
    """The notebook as it is committed: no widget states, timestamps or machine's names; small pictures; alt texts.

    Returns:
        A new notebook. Normalising it again changes nothing.
    """
    run = notebook.metadata.get("run")
    notebook = nbformat.from_dict(notebook)
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            **({"run": run} if run else {}),
        }
    )
    for cell in notebook.cells:
        cell.metadata = _tidy_cell_metadata(cell.metadata)
        if cell.cell_type == "code":
            cell.outputs = _tidy_outputs(cell.outputs, cell.metadata.get("alt"))
    return nbformat.from_dict(notebook)


def keep_or_replace(fresh: NotebookNode, committed: NotebookNode) -> NotebookNode:
    """All outputs of the new run, or all of the committed one where a reader could not tell them apart.

    Args:
        fresh: the notebook, just run.
        committed: the same notebook as it was, with or without outputs.

    Returns:
        The notebook to commit; `metadata.run` says when it ran, and holds the digest of its outputs.
    """
    fresh, committed = normalise(fresh), normalise(committed)
    old = {cell.id: cell for cell in committed.cells if cell.cell_type == "code"}
    new = {cell.id: cell for cell in fresh.cells if cell.cell_type == "code"}
    if (
        committed.metadata.get("run", {}).get("id") == run_id(committed)
        and old.keys() == new.keys()
        and all(same_outputs(old[i].outputs, new[i].outputs) for i in new)
    ):
        for i, cell in new.items():
            cell.outputs, cell.execution_count = old[i].outputs, old[i].execution_count
        fresh.metadata.run = committed.metadata.run
    else:
        fresh.metadata.run = {"date": datetime.date.today().isoformat(), "id": run_id(fresh)}
    return nbformat.from_dict(fresh)


def run_id(notebook: NotebookNode) -> str:
    """A digest of all outputs: if the id in the metadata is another, some outputs come from another run."""
    said = [
        [cell.id, [output.get("text") or output.get("data") for output in cell.outputs]]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:12]


def same_outputs(old: Sequence[dict], new: Sequence[dict]) -> bool:
    """Whether two lists of outputs tell the reader the same: equal up to timings and pictures that look alike."""
    return len(old) == len(new) and all(_same_output(a, b) for a, b in zip(old, new, strict=True))


def _same_output(old: dict, new: dict) -> bool:
    if old["output_type"] != new["output_type"] or old.get("name") != new.get("name"):
        return False
    if old["output_type"] == "stream":
        return _without_timings(old["text"]) == _without_timings(new["text"])
    if old["output_type"] == "error" or old["data"].keys() != new["data"].keys() or old["metadata"] != new["metadata"]:
        return False
    return all(_same_data(kind, old["data"][kind], new["data"][kind]) for kind in new["data"])


def _same_data(kind: str, old, new) -> bool:
    if kind in ("image/png", "image/jpeg"):
        return _look_alike(old, new)
    return old == new or (isinstance(new, str) and _without_timings(old) == _without_timings(new))


def _without_timings(text: str) -> str:
    return VOLATILE.sub("#", text)


def _look_alike(old: str, new: str) -> bool:
    """Two base64 pictures of one size that differ by less than a drawn character: 32 grey levels in a 4×4 block."""
    a, b = (open_png(png).convert("RGB") for png in (old, new))
    if a.size != b.size:
        return False
    # Blocks, since reducing the colours moves single pixels to a neighbouring colour for the smallest change.
    difference = np.abs(np.asarray(a.reduce(4), np.int16) - np.asarray(b.reduce(4), np.int16))
    return bool(difference.max() < 32 and difference.mean() < 2)


def open_png(png: str) -> Image.Image:
    """A base64 picture."""
    return Image.open(io.BytesIO(base64.b64decode(png)))


def _tidy_cell_metadata(metadata: dict) -> NotebookNode:
    kept = {}
    if metadata.get("tags"):
        kept["tags"] = list(metadata["tags"])
    if metadata.get("jupyter", {}).get("source_hidden"):
        kept["jupyter"] = {"source_hidden": True}
    for name in ("alt", "cellView", "slideshow"):
        if metadata.get(name):
            kept[name] = metadata[name]
    return nbformat.from_dict(kept)


def _tidy_outputs(outputs: Sequence[NotebookNode], alt: str | None) -> list[NotebookNode]:
    """Join the pieces of a stream, drop widget states and finished progress bars, make pictures small and described."""
    tidy: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream":
            if tidy and tidy[-1].output_type == "stream" and tidy[-1].name == output.name:
                tidy[-1].text += output.text
            else:
                tidy.append(output)
        elif "data" in output:
            if any("widget" in kind for kind in output.data):
                continue
            _describe(output, alt)
            if "image/png" in output.data:
                _shrink(output)
            tidy.append(output)
        else:
            tidy.append(output)
    for output in tidy:
        if output.output_type == "stream":
            # A progress bar redraws its line with \r; what a terminal would show in the end is what stays.
            lines = [line.rstrip("\r").rsplit("\r", 1)[-1] for line in output.text.split("\n")]
            lines = [line for line in lines if not re.search(r"\d+%\|", line)]
            output.text = "\n".join(lines)
    return [output for output in tidy if output.output_type != "stream" or output.text.strip()]


def _describe(output: NotebookNode, alt: str | None) -> None:
    """Write the alt text of the cell's metadata into its picture and its widget; drop all else but legend colours."""
    kind = next((kind for kind in output.data if kind.startswith("image/")), None)
    said = output.metadata.get(kind, {})
    kept = {"alt": alt or said.get("alt"), "legend": said.get("legend")}
    kept = {name: value for name, value in kept.items() if value}
    output.metadata = nbformat.from_dict({kind: kept} if kind and kept else {})
    if alt and "text/html" in output.data:
        places = r'(<div data-widget="\w+"><img alt="|<video [^>]*aria-label=")[^"]*'
        output.data["text/html"] = re.sub(places, lambda found: found[1] + escape(alt), output.data["text/html"])
        output.data["text/plain"] = alt


def _shrink(output: NotebookNode) -> None:
    """Photographs as JPEG, where that is a quarter smaller; flat colours and legends, whose colours count, as PNG."""
    png, said = output.data["image/png"], output.metadata.get("image/png", {})
    output.data["image/png"] = small = small_png(png, keep=said.get("legend", ()))
    image = open_png(png)
    if said.get("legend") or image.mode != "RGBA" or getattr(image, "is_animated", False):
        return  # matplotlib's figures have mode RGBA; what has colours of a palette was made small with care
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image, mask=image.getchannel("A"))
    buffer = io.BytesIO()
    flat.save(buffer, "JPEG", quality=82, subsampling=0, optimize=True)
    jpeg = base64.b64encode(buffer.getvalue()).decode()
    if len(jpeg) < 0.75 * len(small):
        del output.data["image/png"]
        output.data["image/jpeg"] = jpeg
        output.metadata = nbformat.from_dict({"image/jpeg": said} if said else {})


def small_png(png: str, *, keep: Sequence[str] = ()) -> str:
    """Shrink a base64 PNG to 256 colours; never larger than before.

    The colours of flat areas, such as those of masks and lines, stay exact; the other pixels share what is left of the
    palette.

    Args:
        png: the picture, in base64.
        keep: more colours that stay exact, "#rrggbb", such as those of a legend.
    """
    image = open_png(png)
    if image.mode == "P":
        return png.strip()
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image, mask=image.getchannel("A") if image.mode in ("RGBA", "LA") else None)
    codes = np.asarray(flat).astype(np.int32) @ [65536, 256, 1]  # one number for each colour
    exact = np.union1d(_flat_colors(codes), np.array([int(color[1:], 16) for color in keep], np.int64))
    place = np.clip(np.searchsorted(exact, codes), 0, max(len(exact) - 1, 0))
    rest = ~np.isin(codes, exact)
    palette = np.stack([exact >> 16, exact >> 8 & 255, exact & 255], axis=1).astype(np.uint8)
    indices = place.astype(np.uint8)
    if rest.any():
        others = Image.fromarray(np.asarray(flat)[rest][None])
        # Of Pillow's ways this one shows the least banding.
        others = others.quantize(256 - len(exact), method=Image.Quantize.MEDIANCUT, kmeans=3)
        indices[rest] = np.asarray(others)[0] + len(exact)
        palette = np.concatenate([palette, np.array(others.getpalette(), np.uint8).reshape(-1, 3)])
    reduced = Image.fromarray(indices, "P")
    reduced.putpalette(palette[:256].tobytes())
    buffer = io.BytesIO()
    reduced.save(buffer, "PNG", optimize=True)
    smaller = base64.b64encode(buffer.getvalue()).decode()
    return smaller if len(smaller) < len(png.strip()) else png.strip()


def _flat_colors(codes: np.ndarray, *, most: int = 64) -> np.ndarray:
    """The colours, sorted, that fill blocks of 3 × 3 pixels, the most frequent ones if there are many; all if few."""
    if len(found := np.unique(codes)) <= 256:
        return found
    height, width = codes.shape
    same = np.ones((height - 2, width - 2), bool)
    for row, column in np.ndindex(3, 3):
        same &= codes[row : row + height - 2, column : column + width - 2] == codes[1:-1, 1:-1]
    found, counts = np.unique(codes[1:-1, 1:-1][same], return_counts=True)
    return np.sort(found[np.argsort(-counts, kind="stable")[:most]])
