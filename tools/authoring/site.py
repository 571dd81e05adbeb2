"""Lay out what `make site` makes a book of: the committed notebooks, the guide for teachers, and an index.

    python -m tools.authoring.site

Sphinx reads `build/site_sources`. There a figure has its alt text where myst-nb looks for it, code that a notebook
collapses is collapsed, and links that leave `notebooks/` lead to the repository's page.
"""

import os
import re
import shutil
from pathlib import Path

import nbformat
import typer
from nbformat import NotebookNode

from helpers.environment import REPOSITORY
from helpers.paths import REPO_ROOT
from tools.authoring.notebooks import NOTEBOOKS, notebook_paths, read_notebook, write_notebook

SOURCES = REPO_ROOT / "build" / "site_sources"
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
PICTURES = {".jpg", ".png", ".svg", ".gif"}
# Pages of the guide in the order of its own list.
GUIDE = ["README", "schedules", "lessons", "glossary", "troubleshooting", "datasets", "own_data"]


def page_source(text: str, *, page: Path, out: Path) -> str:
    """Markdown of a page with links that hold in the book; pictures from outside `notebooks/` are copied to it.

    Args:
        page: where the text lies in the repository.
        out: folder of the book's sources.
    """
    here = out / page.relative_to(NOTEBOOKS).parent

    def lead(target: str) -> str:
        path, mark, anchor = target.partition("#")
        found = (page.parent / path).resolve()
        if re.match(r"[a-z]+:", target) or not path or found.is_relative_to(NOTEBOOKS):
            return target
        place = found.relative_to(REPO_ROOT)
        if found.suffix in PICTURES:
            (out / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(found, out / place)
            return Path(os.path.relpath(out / place, here)).as_posix()
        kind = "tree" if found.is_dir() else "blob"
        return f"https://github.com/{REPOSITORY}/{kind}/main/{place.as_posix()}{mark}{anchor}"

    # A picture that lies on another machine becomes its words: the book fetches nothing.
    text = re.sub(r"!\[([^\]]*)\]\(https?:[^)]*\)", r"\1", text)
    return re.sub(r'(\]\(|src=")([^)"\s]+)', lambda match: match[1] + lead(match[2]), text)


def book_copy(notebook: NotebookNode, *, page: Path, out: Path) -> NotebookNode:
    """The notebook as myst-nb reads it."""
    copy = nbformat.from_dict(notebook)
    for cell in copy.cells:
        if cell.cell_type == "markdown":
            cell.source = page_source(cell.source, page=page, out=out)
            continue
        if cell.metadata.get("jupyter", {}).get("source_hidden"):
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-input"]
        if alt := cell.metadata.get("alt"):
            cell.metadata["mystnb"] = {"image": {"alt": alt}}
    return copy


def index() -> str:
    """The first page: what the README says first, and all lessons in order."""
    readme = (REPO_ROOT / "README.md").read_text(encoding="utf-8")
    title, first = re.match(r"# (.+?)\n\n(.+?)\n\n", readme, re.DOTALL).groups()
    rows = re.findall(r"^\| (\[\d\d .+?\])\(notebooks/(.+?)\) \| (.+?) \|", readme, re.MULTILINE)
    table = "\n".join(f"| {name}({path}) | {what} |" for name, path, what in rows)
    lessons = "\n".join(path.stem for path in notebook_paths())
    guide = "\n".join(f"guide/{name}" for name in GUIDE)
    return f"""# {title}

{first}

![the same street, each pixel tinted by its predicted class](../images/street_sun_overlay.png)

| lesson | what you do |
|---|---|
{table}

Each page shows what its notebook computed; to run it yourself, see the
[repository](https://github.com/{REPOSITORY}#start). Teaching a class? There is a [guide](guide/README.md).

```{{toctree}}
:caption: Lessons
:hidden:

{lessons}
```

```{{toctree}}
:caption: For teachers
:hidden:

{guide}
```
"""


@app.command()
def main(out: Path = typer.Option(SOURCES, help="folder for the book's sources")) -> None:
    """Write everything that Sphinx reads."""
    shutil.rmtree(out, ignore_errors=True)
    for path in notebook_paths():
        write_notebook(out / path.name, book_copy(read_notebook(path), page=path, out=out))
    (out / "guide").mkdir()
    for path in (NOTEBOOKS / "guide" / f"{name}.md" for name in GUIDE):
        text = page_source(path.read_text(encoding="utf-8"), page=path, out=out)
        (out / "guide" / path.name).write_text(text, encoding="utf-8")
    (out / "index.md").write_text(page_source(index(), page=NOTEBOOKS / "index.md", out=out), encoding="utf-8")
    typer.echo(out)


if __name__ == "__main__":
    app()
