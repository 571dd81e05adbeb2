"""Participants' copies of the notebooks: the same pages with the solutions taken out.

    python -m tools.authoring.workshop

The solved notebooks are the source. In a cell tagged `solution` each function keeps its signature, its docstring and
its `# Hint:` comments, and its body becomes a friendly NotImplementedError; everything else in the cell stays.
"""

import ast
import base64
import re
import shutil
import subprocess
import textwrap
import zipfile
from pathlib import Path

import nbformat
import typer
from nbformat import NotebookNode

from helpers.paths import REPO_ROOT
from tools.authoring.notebooks import notebook_paths, read_notebook, write_notebook

WORKSHOP = REPO_ROOT / "build" / "workshop"
CHEAT_SHEET = Path(__file__).with_name("cheat_sheet.html")


def stub(source: str) -> str:
    """The cell a participant starts from.

    Args:
        source: a solution cell; its answers are the bodies of its top-level functions.

    Returns:
        The cell with a NotImplementedError in place of each body.

    Raises:
        ValueError: the cell defines no function, so there is nothing to leave out.

    >>> print(stub('def twice(x):\\n    "Two times x."\\n    # Hint: + is enough\\n    return x + x'))
    def twice(x):
        "Two times x."
        # Hint: + is enough
        raise NotImplementedError("write twice() here, then run the check below")
    """
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    if not functions:
        raise ValueError("a solution cell must define the function that the reader writes")
    lines = source.splitlines()
    for function in reversed(functions):  # from the bottom, so that line numbers above stay right
        has_docstring = ast.get_docstring(function) is not None
        start = function.body[0].end_lineno if has_docstring else _signature_end(function, lines)
        hints = [line.strip() for line in lines[start : function.end_lineno] if line.strip().startswith("# Hint:")]
        todo = f'raise NotImplementedError("write {function.name}() here, then run the check below")'
        lines[start : function.end_lineno] = textwrap.indent("\n".join([*hints, todo]), "    ").splitlines()
    return "\n".join(lines)


def _signature_end(function: ast.FunctionDef, lines: list[str]) -> int:
    """Number of the line with the colon that ends the signature."""
    first = function.body[0].lineno - 1
    while not lines[first - 1].split("#")[0].rstrip().endswith(":"):  # skip comments above the first statement
        first -= 1
    return first


def participants_copy(notebook: NotebookNode) -> NotebookNode:
    """The notebook without solutions and outputs, as it works from `build/workshop/`.

    After each check stands a cell that lets the reader go on without an answer of their own. It holds the solution in a
    form that nobody reads by chance. "Run all" never gets there: an empty exercise stops at its check.
    """
    copy = nbformat.from_dict(notebook)
    cells, solution = [], ""
    for cell in copy.cells:
        cells.append(cell)
        if cell.cell_type == "markdown":
            cell.source = _own_badges(cell.source)
            # Two folders deeper than notebooks/, links to the repository's files lengthen; notebooks stay neighbours.
            cell.source = re.sub(r'(\]\(|src=")\.\./', r"\1../../", cell.source)
            cell.source = cell.source.replace("](guide/", "](../../notebooks/guide/")
            continue
        cell.outputs, cell.execution_count = [], None
        tags = cell.metadata.get("tags", [])
        if "solution" in tags:
            solution = cell.source
            cell.source = stub(cell.source)
            cell.metadata = nbformat.from_dict({"tags": ["exercise"]})
        elif "check" in tags and solution:
            cells.append(_skip(solution, f"skip-{cell.id}"))
            solution = ""
    copy.cells = cells
    return copy


def _own_badges(source: str) -> str:
    """A copy's badges open the copy, on the branch `workshop`; Binder's, which builds main, goes."""
    source = re.sub(r"^\[!\[[^\]]*\]\([^)]*\)\]\(https://mybinder\.org/[^)]*\)\n?", "", source, flags=re.MULTILINE)
    return source.replace("/blob/main/notebooks/", "/blob/workshop/")


def _skip(solution: str, name: str) -> NotebookNode:
    """The cell that defines the answer when it is run; its code looks like nothing."""
    code = base64.b64encode(solution.encode()).decode()
    source = f'# @title Skip: go on without your own answer\nimport base64\n\nexec(base64.b64decode("{code}"))'
    metadata = {"tags": ["skip"], "jupyter": {"source_hidden": True}, "cellView": "form"}
    return nbformat.v4.new_code_cell(source, id=name, metadata=metadata)


def print_cheat_sheet(out: Path) -> Path | None:
    """Print the cheat sheet as an A4 PDF by a Chromium, where there is one."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        return None
    pdf = out / "cheat_sheet.pdf"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", f"--print-to-pdf={pdf}"]
    subprocess.run([browser, *flags, CHEAT_SHEET.as_uri()], check=True, capture_output=True)
    return pdf


def main(out: Path = typer.Option(WORKSHOP, help="folder for the copies")) -> None:
    """Write the participants' copies of all notebooks, the cheat sheet, and a zip of them."""
    written = []
    for path in notebook_paths():
        try:
            write_notebook(out / path.name, participants_copy(read_notebook(path)))
        except (ValueError, SyntaxError) as error:
            typer.echo(f"{path.name}: {error}", err=True)
            raise typer.Exit(1) from None
        written.append(out / path.name)
        typer.echo(out / path.name)
    if pdf := print_cheat_sheet(out):
        written.append(pdf)
    else:
        typer.echo("no Chromium on this machine: the cheat sheet was not printed", err=True)
    with zipfile.ZipFile(out / "workshop.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in written:
            archive.write(path, path.name)
    typer.echo(out / "workshop.zip")


if __name__ == "__main__":
    typer.run(main)
