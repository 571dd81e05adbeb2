"""Run the notebooks, keep their committed outputs tidy, and write them as web pages.

    python -m tools.authoring.notebooks run notebooks/01_deeplab_street.ipynb
    python -m tools.authoring.notebooks pages
    python -m tools.authoring.notebooks publish owner/name --tag v1.0

Notebooks are committed with outputs, since readers look before they run; `tools.authoring.outputs` keeps these tidy.
"""

import re
import tomllib
from pathlib import Path
from typing import Annotated

import nbformat
import typer
from nbformat import NotebookNode

from helpers.environment import REPOSITORY
from helpers.paths import REPO_ROOT, replace_file
from tools.authoring.outputs import keep_or_replace

NOTEBOOKS = REPO_ROOT / "notebooks"
PAGES = REPO_ROOT / "build" / "pages"
# Code in Markdown outputs (show_source) gets no fixed-width font from nbconvert.
PAGE_STYLE = "<style>.highlight pre { font-family: var(--jp-code-font-family); font-size: 13px; }</style>"
# The files in which owner and repository name occur.
PUBLISHED = (
    "README.md",
    "CONTRIBUTING.md",
    "CITATION.cff",
    "helpers/environment.py",
    "helpers/setup_cell.py",
    "notebooks/*.ipynb",
)
TAG = re.compile(
    r'(REPOSITORY, TAG = \\?"[\w./-]+\\?", \\?")[\w.-]*'
)  # in the set-up cell; quotes are escaped in a notebook

CELL_TIMEOUT = 900  # seconds
app = typer.Typer(help=__doc__.split("\n\n")[0], add_completion=False, pretty_exceptions_enable=False)


def notebook_paths() -> list[Path]:
    """All notebooks of the suite, in reading order."""
    return sorted(NOTEBOOKS.glob("*.ipynb"))


def read_notebook(path: str | Path) -> NotebookNode:
    """Read a notebook in the current format version (4)."""
    return nbformat.read(path, as_version=4)


def write_notebook(path: str | Path, notebook: NotebookNode) -> bool:
    """Write a notebook unless the file already holds exactly that; returns whether it was written."""
    path = Path(path)
    text = nbformat.writes(notebook).rstrip("\n") + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, text)
    return True


def execute(notebook: NotebookNode, *, folder: str | Path = NOTEBOOKS) -> NotebookNode:
    """Run a copy of a notebook from top to bottom in a fresh kernel.

    Args:
        folder: working folder of the kernel.

    Returns:
        The notebook with its new outputs.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed; the message holds the cell and its traceback.
    """
    from nbclient import NotebookClient

    fresh = nbformat.from_dict(notebook)
    client = NotebookClient(
        fresh,
        timeout=CELL_TIMEOUT,
        startup_timeout=CELL_TIMEOUT,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )
    return client.execute()


@app.command()
def run(paths: list[Path] = typer.Argument(None, help="notebooks; all of them where none is named")) -> None:
    """Run notebooks; all outputs of a page are renewed where any of them says something new."""
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    failed = False
    for path in paths or notebook_paths():
        committed = read_notebook(path)
        try:
            fresh = execute(committed)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            failed = True
            typer.echo(f"{path.name}: left as it was, a cell failed\n{error}", err=True)
            continue
        written = write_notebook(path, keep_or_replace(fresh, committed))
        typer.echo(f"{path.name}: {'refreshed' if written else 'unchanged'}")
    if failed:
        raise typer.Exit(1)


@app.command()
def pages(out: Path = typer.Option(PAGES, help="folder for the pages")) -> None:
    """Write each notebook as a web page with its pictures inside; links between notebooks lead to pages."""
    from nbconvert import HTMLExporter

    # Of nbconvert's templates, classic is the one that passes on the alt text of figures.
    exporter = HTMLExporter(
        template_name="classic", embed_images=True, exclude_input_prompt=True, exclude_output_prompt=True
    )
    out.mkdir(parents=True, exist_ok=True)
    for path in notebook_paths():
        html, _ = exporter.from_filename(str(path))
        html = re.sub(r'href="(\d\d_\w+)\.ipynb', r'href="\1.html', html)
        (out / f"{path.stem}.html").write_text(html, encoding="utf-8")
        typer.echo(out / f"{path.stem}.html")


@app.command()
def publish(
    repository: Annotated[str, typer.Argument(help="owner/name on GitHub")],
    tag: Annotated[str, typer.Option(help="release that the set-up cells clone; v and the package's version")] = "",
) -> None:
    """Point every badge, link and clone address at your repository, and the set-up cells at a release of it."""
    if not re.fullmatch(r"[\w-]+/[\w.-]+", repository):
        typer.echo(f"REPO must be owner/name, found {repository!r}: make publish REPO=owner/name", err=True)
        raise typer.Exit(2)
    tag = tag or f"v{tomllib.loads((REPO_ROOT / 'pyproject.toml').read_text(encoding='utf-8'))['project']['version']}"
    if not re.fullmatch(r"\w[\w.-]*", tag):
        typer.echo(f"TAG must be the name of a release, as v1.0, found {tag!r}", err=True)
        raise typer.Exit(2)
    for path, count in rename_repository(REPO_ROOT, REPOSITORY, repository, tag=tag).items():
        typer.echo(f"{path}: {count} places")
    typer.echo(f"the set-up cells clone the release {tag}: commit, then git tag {tag} and git push origin main {tag}")


def rename_repository(root: Path, old: str, new: str, *, tag: str = "") -> dict[Path, int]:
    """Replace `owner/name` wherever the suite names its repository; returns the number of places for each file.

    The set-up cells then clone the release `tag`; without one they fetch nothing, as before the suite was published.
    """
    name = re.compile(rf"(?<![\w.-]){re.escape(old)}(?![\w-])")
    changed = {}
    for pattern in PUBLISHED:
        for path in sorted(root.glob(pattern)):
            text, count = name.subn(new, path.read_text(encoding="utf-8"))
            if count:
                replace_file(path, TAG.sub(rf"\g<1>{tag}", text))
                changed[path.relative_to(root)] = count
    return changed


if __name__ == "__main__":
    app()
