"""Participants' copies of the notebooks: the same pages with the solutions taken out.

    python -m tools.authoring.workshop

The solved notebooks are the source. In a cell tagged `solution` each function keeps its signature, its docstring and
its `# Hint:` comments, and its body becomes a friendly NotImplementedError; everything else in the cell stays.
"""

import ast
import textwrap
from pathlib import Path

import nbformat
import typer
from nbformat import NotebookNode

from helpers.paths import REPO_ROOT
from tools.authoring.notebooks import notebook_paths, read_notebook, write_notebook

WORKSHOP = REPO_ROOT / "build" / "workshop"


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
    """The notebook without solutions and outputs, as it works from `build/workshop/`."""
    copy = nbformat.from_dict(notebook)
    for cell in copy.cells:
        if cell.cell_type == "markdown":
            # Two folders deeper than notebooks/, links to the repository's files lengthen; notebooks stay neighbours.
            cell.source = cell.source.replace("](../", "](../../").replace('src="../', 'src="../../')
            continue
        cell.outputs, cell.execution_count = [], None
        if "solution" in cell.metadata.get("tags", []):
            cell.source = stub(cell.source)
            cell.metadata = nbformat.from_dict({"tags": ["exercise"]})
    return copy


def main(out: Path = typer.Option(WORKSHOP, help="folder for the copies")) -> None:
    """Write the participants' copies of all notebooks."""
    for path in notebook_paths():
        try:
            write_notebook(out / path.name, participants_copy(read_notebook(path)))
        except (ValueError, SyntaxError) as error:
            typer.echo(f"{path.name}: {error}", err=True)
            raise typer.Exit(1) from None
        typer.echo(out / path.name)


if __name__ == "__main__":
    typer.run(main)
