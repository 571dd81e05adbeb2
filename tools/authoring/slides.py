"""Slides of each lesson, made from its notebook by rules: one file that needs no network and no other program.

    python -m tools.authoring.slides

The rules: a heading begins a slide; a figure, a widget or a video is a slide, with what one should see below it; a
question to predict stands large on a slide of its own; code is shown where it is short and prints something short.
Set-up, solutions, checks, glossary and credits are left out. Slides go on by arrow keys, the space bar or scrolling,
and print one a page. (No installed package carries reveal.js, so nbconvert's slides would need a network.)
"""

import re
from html import escape
from pathlib import Path

import typer
from docutils.utils.math.latex2mathml import tex2mathml
from nbformat import NotebookNode

from helpers.paths import REPO_ROOT, replace_file
from tools.authoring.notebooks import notebook_paths, read_notebook

SLIDES = REPO_ROOT / "build" / "slides"
LOOKS = Path(__file__).with_name("slides.html")
MAX_WORDS = 60  # of a cell's text on a slide; of a longer one its first paragraph stays
MAX_CODE, MAX_TEXT = 8, 12  # lines of code, and of what it prints
NO_SLIDES = {"setup", "parameters", "solution", "check", "script"}
LEFT_OUT = ("Glossary", "Credits", "Where next")
# Paragraphs that stay however long the text is: questions, lists, pitfalls, tables, formulas.
KEPT = re.compile(r"\*\*Predict:|\*\*You will|- |> \*\*Pitfall|\||\$\$")


def slides(notebook: NotebookNode) -> list[str]:
    """The slides of a notebook, each as the HTML that stands on it."""
    pages: list[str] = []
    heading, skipping = "", False
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for part in re.split(r"(?m)^(?=#{1,3} )", cell.source):
                if found := re.match(r"#+ (.+)", part):
                    heading, skipping = found[1], found[1].startswith(LEFT_OUT)
                if not skipping:
                    _add_text(pages, part, heading)
        elif not skipping and not NO_SLIDES & set(cell.metadata.get("tags", [])):
            pages += _of_code(cell, heading)
    return pages


def _add_text(pages: list[str], text: str, heading: str) -> None:
    """Put text on a new slide, or below the figure that it explains."""
    text = re.sub(r"(?m)^\[!\[.*\n?", "", text)  # badges
    # Choices stay, for a show of hands; answers and hints are for the page.
    text = re.sub(r"\n*<details><summary>(\([a-z]\) .*?)</summary>.*?</details>", r"<br>\1", text, flags=re.DOTALL)
    text = re.sub(r"<details.*?</details>", "", text, flags=re.DOTALL)
    paragraphs = [part.strip("\n") for part in re.split(r"\n\s*\n", text) if part.strip()]
    says = [part for part in paragraphs if "What you should see" in part]
    if says and pages and "<figure" in pages[-1]:
        pages[-1] = pages[-1].replace("</figure>", f"<figcaption>{to_html(says[0])}</figcaption></figure>")
        paragraphs.remove(says[0])
    if not re.match(r"#+ ", text):
        if len(text.split()) > MAX_WORDS:
            paragraphs = [part for i, part in enumerate(paragraphs) if i == 0 and not says or KEPT.match(part)]
        if paragraphs:
            pages.append(_small(heading) + to_html("\n\n".join(paragraphs)))
        return
    head, body = paragraphs[0].partition("\n")[0], paragraphs[0].partition("\n")[2].strip()
    paragraphs = [part for part in (body, *paragraphs[1:]) if part]
    questions = [part for part in paragraphs if part.startswith("**Predict:")]
    rest = [part for part in paragraphs if part not in questions]
    if len(" ".join(rest).split()) > MAX_WORDS:
        rest = [part for i, part in enumerate(rest) if i == 0 or KEPT.match(part)]
    pages.append(to_html("\n\n".join([head, *rest])))
    pages += [_small(heading) + f'<div class="question">{to_html(question)}</div>' for question in questions]


def _of_code(cell: NotebookNode, heading: str) -> list[str]:
    """A slide for each figure; or one for short code and the short text that it prints."""
    figures, printed = [], ""
    for output in cell.outputs:
        data = output.get("data", {})
        page = "".join(data.get("text/html", ""))
        pictures = [kind for kind in ("image/png", "image/jpeg") if kind in data]
        if "data-widget" in page or "<video" in page:
            figures.append(page)
        elif pictures:
            alt = escape(output.metadata.get(pictures[0], {}).get("alt") or cell.metadata.get("alt", ""))
            figures.append(f'<img alt="{alt}" src="data:{pictures[0]};base64,{data[pictures[0]].strip()}">')
        elif "text/markdown" not in data:
            printed += output.get("text") or data.get("text/plain", "")
    if figures:
        return [f"{_small(heading)}<figure>{figure}</figure>" for figure in figures]
    short = len(cell.source.splitlines()) <= MAX_CODE and len(printed.splitlines()) <= MAX_TEXT
    if not printed.strip() or not short:
        return []
    return [f"{_small(heading)}<pre>{escape(cell.source)}</pre><pre class=output>{escape(printed.rstrip())}</pre>"]


def _small(heading: str) -> str:
    return f"<p class=where>{escape(heading)}</p>"


def to_html(markdown: str) -> str:
    """Markdown as HTML; formulas become MathML, which browsers show without a script.

    >>> to_html("half is $a/2$")[:23]
    '<p>half is <span><math '
    """
    from nbconvert.filters import markdown2html

    def formula(found: re.Match) -> str:
        mathml = re.sub(r"\n\s*", "", tex2mathml(found[1].strip(), as_block=found[0].startswith("$$")))
        return f"<span>{mathml}</span>"

    markdown = re.sub(r"\$\$(.+?)\$\$", formula, markdown, flags=re.DOTALL)
    markdown = re.sub(r"(?<![\w`$])\$(?=\S)([^$`\n]+?)(?<=\S)\$(?!\w)", formula, markdown)
    # Links lead nowhere from a slide; the page has them.
    markdown = re.sub(r"(?<!!)\[([^\]]+)\]\([^)]*\)", r"\1", markdown)
    html = markdown2html(markdown).strip()
    return re.sub(r'<a class="anchor-link".*?</a>', "", html)


def presentation(notebook: NotebookNode) -> str:
    """The slides of a notebook as one HTML page."""
    pages = slides(notebook)
    title = re.search(r"(?m)^# (.+)$", notebook.cells[0].source)
    sections = "\n".join(f"<section>{page}</section>" for page in pages)
    looks = LOOKS.read_text(encoding="utf-8")
    return looks.replace("TITLE", escape(title[1] if title else "Slides")).replace("SLIDES", sections)


def main(out: Path = typer.Option(SLIDES, help="folder for the slides")) -> None:
    """Write the slides of all lessons."""
    out.mkdir(parents=True, exist_ok=True)
    for path in notebook_paths():
        replace_file(out / f"{path.stem}.html", presentation(read_notebook(path)))
        typer.echo(out / f"{path.stem}.html")


if __name__ == "__main__":
    typer.run(main)
