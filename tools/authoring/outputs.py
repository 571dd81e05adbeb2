"""Outputs of notebooks as they are committed.

Two runs of a notebook differ in timings, in the last bit of a picture and in identifiers. `normalise` removes what
nobody reads and keeps the committed output of a cell wherever the new one says the same, so that a change in git is a
change in content.
"""

import base64
import io
import re
from collections.abc import Sequence

import nbformat
import numpy as np
from nbformat import NotebookNode
from PIL import Image

# Text that changes from run to run without telling anything: durations, rates, memory addresses.
VOLATILE = re.compile(
    r"\s*(0x[0-9a-f]{6,}|\d+(\.\d+)?\s?(ms|µs|us|s|seconds|min|minutes|fps|images/s|it/s|MB/s|×)(?!\w))"
)


def normalise(fresh: NotebookNode, committed: NotebookNode | None = None) -> NotebookNode:
    """The notebook as it is committed: no widgets, timestamps or machine's names; small pictures; stable outputs.

    Args:
        fresh: a notebook that has just been run.
        committed: its former state; a cell (by id) whose new outputs say the same keeps its former ones.

    Returns:
        A new notebook. Normalising it again changes nothing.
    """
    former = {cell.id: cell for cell in committed.cells} if committed else {}
    notebook = nbformat.from_dict(fresh)
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        cell.metadata = _tidy_cell_metadata(cell.metadata)
        if cell.cell_type != "code":
            continue
        cell.outputs = _tidy_outputs(cell.outputs)
        old = former.get(cell.id)
        if old is not None and old.cell_type == "code" and same_outputs(old.outputs, cell.outputs):
            cell.outputs = [
                {**output, "execution_count": cell.execution_count} if "execution_count" in output else output
                for output in old.outputs
            ]
    return nbformat.from_dict(notebook)


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
    if kind == "image/png":
        return _look_alike(old, new)
    return old == new or (isinstance(new, str) and _without_timings(old) == _without_timings(new))


def _without_timings(text: str) -> str:
    return VOLATILE.sub("#", text)


def _look_alike(old: str, new: str) -> bool:
    """Two base64 PNGs of one size that differ by less than a drawn character: 32 grey levels in a 4×4 block."""
    a, b = (_open_png(png).convert("RGB") for png in (old, new))
    if a.size != b.size:
        return False
    # Blocks, since reducing the colours moves single pixels to a neighbouring colour for the smallest change.
    difference = np.abs(np.asarray(a.reduce(4), np.int16) - np.asarray(b.reduce(4), np.int16))
    return bool(difference.max() < 32 and difference.mean() < 2)


def _open_png(png: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(png)))


def _tidy_cell_metadata(metadata: dict) -> NotebookNode:
    kept = {}
    if metadata.get("tags"):
        kept["tags"] = list(metadata["tags"])
    if metadata.get("jupyter", {}).get("source_hidden"):
        kept["jupyter"] = {"source_hidden": True}
    return nbformat.from_dict(kept)


def _tidy_outputs(outputs: Sequence[NotebookNode]) -> list[NotebookNode]:
    """Join the pieces of a stream, drop widgets and finished progress bars, make pictures small."""
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
            alt = output.metadata.get("image/png", {}).get("alt")
            output.metadata = {"image/png": {"alt": alt}} if alt else {}
            if "image/png" in output.data:
                output.data["image/png"] = small_png(output.data["image/png"])
            tidy.append(output)
        else:
            tidy.append(output)
    for output in tidy:
        if output.output_type == "stream":
            # A progress bar redraws its line with \r; what a terminal would show in the end is what stays.
            lines = [line.rstrip("\r").rsplit("\r", 1)[-1] for line in output.text.split("\n")]
            if output.name == "stderr":
                lines = [line for line in lines if not re.search(r"\d+%\|", line)]
            output.text = "\n".join(lines)
    return [output for output in tidy if output.output_type != "stream" or output.text.strip()]


def small_png(png: str) -> str:
    """Shrink a base64 PNG: exact where it has at most 256 colours, else its best 256; never larger than before."""
    image = _open_png(png)
    if image.mode == "P":
        return png.strip()
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image, mask=image.getchannel("A") if image.mode in ("RGBA", "LA") else None)
    # Of Pillow's ways this one keeps flat colours, such as those of masks and legends, and shows the least banding.
    reduced = flat.quantize(256, method=Image.Quantize.MEDIANCUT, kmeans=3)
    buffer = io.BytesIO()
    reduced.save(buffer, "PNG", optimize=True)
    smaller = base64.b64encode(buffer.getvalue()).decode()
    return smaller if len(smaller) < len(png.strip()) else png.strip()
