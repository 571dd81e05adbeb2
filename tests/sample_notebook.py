"""A small notebook that keeps every rule, for testing the machinery around notebooks."""

import base64
import io

import nbformat
import numpy as np
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from helpers.environment import REPOSITORY
from tools.authoring.lint import SETUP_CELL
from tools.authoring.outputs import keep_or_replace

NAME = "00_sample.ipynb"
GITHUB = f"{REPOSITORY}/blob/main/notebooks/{NAME}"
TITLE = f"""# 00 · Sample
[![Colab](https://example.org/badge.svg)](https://colab.research.google.com/github/{GITHUB})
[![Binder](https://example.org/badge.svg)](https://mybinder.org/v2/gh/{REPOSITORY}/HEAD?labpath=notebooks/{NAME})
[![View](https://example.org/badge.svg)](https://nbviewer.org/github/{GITHUB})

beginner · 50 min in class · runs in 5 min on a laptop · no download"""
CHOICES = """

**Predict:** how high?

<details><summary>(a) three pixels</summary>Not quite.</details>

<details><summary>(b) four pixels</summary>Right.</details>"""
TRY = "\n**Try it:** change the colour.\n\n**Try it:** a higher one.\n\n**Try it:** a wider one."
SOLUTION = '''def add_one(mask: list[int], *, by: int = 1) -> list[int]:
    """Add one to each id."""
    # Hint: a list comprehension is enough
    return [value + by for value in mask]'''


def png(image: np.ndarray) -> str:
    """A picture as it stands in a notebook."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def picture(image: np.ndarray | None = None, alt: str = "a wide black stripe, four pixels high") -> NotebookNode:
    """The output of a cell that shows a figure."""
    data = {"image/png": png(np.zeros((4, 900, 3), np.uint8) if image is None else image), "text/plain": "<Figure>"}
    return new_output("display_data", data, metadata={"image/png": {"alt": alt}})


def printed(text: str) -> NotebookNode:
    return new_output("stream", name="stdout", text=text)


def sample_notebook() -> NotebookNode:
    """A fresh copy of the notebook, which the caller may spoil."""

    def code(source: str, *outputs: NotebookNode, tags: tuple[str, ...] = (), **metadata) -> NotebookNode:
        return new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags), **metadata})

    checked = ("nbval-check-output",)
    cells = [
        new_markdown_cell(TITLE),
        new_markdown_cell("**You will**\n\n- run\n- see\n- explain\n\nWhat to know before: lists."),
        code(SETUP_CELL, printed("ready\n"), tags=("setup",), jupyter={"source_hidden": True}, cellView="form"),
        code("from helpers.paths import tier\n\nFULL = tier() == 'full'\nSEED = 1", tags=("parameters",)),
        new_markdown_cell("## Look" + CHOICES),
        code("show(figure)", picture()),
        new_markdown_cell("**What you should see:** a black stripe, four pixels high and as wide as the page.\n" + TRY),
        code("from helpers.widgets import compare\n\nprint(compare)"),
        new_markdown_cell("> **Pitfall: ids are not colours.**"),
        code("print(1 + 1)", printed("2\n"), tags=checked),
        code("mask = [1, 2]\nprint(mask)", printed("[1, 2]\n"), tags=checked),
    ]
    for number in (1, 2):
        cells += [
            new_markdown_cell(f"## Section {number}"),
            new_markdown_cell(
                f"### Exercise {number} · 5 min\n\nAdd one.\n\n<details><summary>Hint</summary>+</details>"
            ),
            code(SOLUTION, tags=("solution",), jupyter={"source_hidden": True}),
            code("assert add_one([1]) == [2]\nprint('right')", printed("right\n"), tags=("check",)),
        ]
    cells[-1].metadata.tags.append("nbval-check-output")
    cells += [new_markdown_cell(f"## {name}") for name in ("Recap", "Glossary", "Where next", "Credits and licences")]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    for number, cell in enumerate((cell for cell in cells if cell.cell_type == "code"), start=1):
        cell.execution_count = number
    notebook = new_notebook(cells=cells)
    notebook = keep_or_replace(notebook, notebook)
    nbformat.validate(notebook)
    return notebook
