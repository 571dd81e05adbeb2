"""The book of `make site`: every lesson is a page with its pictures, widgets and links, and the search finds it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote

import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from typer.testing import CliRunner

from browser import chromium, needs_browser
from helpers.environment import REPOSITORY, ROOT
from tools.authoring import site
from tools.authoring.notebooks import NOTEBOOKS, notebook_paths, read_notebook

LESSONS = notebook_paths()


def test_links_hold_in_the_book(tmp_path: Path) -> None:
    text = (
        "[next](01_deeplab_street.ipynb#start) [terms](guide/glossary.md) [web](https://example.org/a) [up](#here)\n"
        "[card](../data/camvid_practice/README.md#terms) [folder](../tools/deploy) "
        "![badge](../images/badges/colab.svg)\n[![Open](https://example.org/a.svg)](https://example.org)"
    )
    assert site.page_source(text, page=NOTEBOOKS / "00.ipynb", out=tmp_path) == (
        "[next](01_deeplab_street.ipynb#start) [terms](guide/glossary.md) [web](https://example.org/a) [up](#here)\n"
        f"[card](https://github.com/{REPOSITORY}/blob/main/data/camvid_practice/README.md#terms) "
        f"[folder](https://github.com/{REPOSITORY}/tree/main/tools/deploy) ![badge](images/badges/colab.svg)\n"
        "[Open](https://example.org)"
    )
    assert (tmp_path / "images" / "badges" / "colab.svg").exists()
    deeper = site.page_source("![b](../../images/badges/colab.svg)", page=NOTEBOOKS / "guide" / "x.md", out=tmp_path)
    assert deeper == "![b](../images/badges/colab.svg)"


def test_figures_keep_their_alt_text_and_collapsed_code_stays_so(tmp_path: Path) -> None:
    cell = new_code_cell("x", metadata={"alt": "a street", "tags": ["solution"], "jupyter": {"source_hidden": True}})
    notebook = new_notebook(cells=[new_markdown_cell("# A"), cell])
    copy = site.book_copy(notebook, page=NOTEBOOKS / "00.ipynb", out=tmp_path)
    assert copy.cells[1].metadata["mystnb"] == {"image": {"alt": "a street"}}
    assert copy.cells[1].metadata["tags"] == ["solution", "hide-input"]
    assert "mystnb" not in notebook.cells[1].metadata


def test_every_page_of_the_guide_is_in_the_book() -> None:
    assert sorted(site.GUIDE) == sorted(path.stem for path in (NOTEBOOKS / "guide").glob("*.md"))


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda path: path.name)
def test_workflows_name_actions_by_their_commit(path: Path) -> None:
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    used = [step["uses"] for job in jobs.values() for step in job["steps"] if "uses" in step]
    assert used and [name for name in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name)] == []


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A folder as web pages on this machine, as GitHub Pages would show it."""
    handler = partial(SimpleHTTPRequestHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book, built as `make site` builds it, where no other machine answers."""
    folder = tmp_path_factory.mktemp("site")
    assert CliRunner().invoke(site.app, ["--out", str(folder / "sources")]).exit_code == 0
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-c", ROOT / "tools" / "site"]
    environ = {"PYTHONPATH": f"{ROOT / 'tests' / 'no_network'}:{ROOT}", "PATH": "", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [*command, folder / "sources", folder / "book"], env=environ, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder / "book"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_each_lesson_is_a_page_with_all_that_its_notebook_shows(book: Path) -> None:
    for path in LESSONS:
        html = (book / f"{path.stem}.html").read_text(encoding="utf-8")
        notebook = read_notebook(path)
        title = re.search(r"^# (.+)$", notebook.cells[0].source, re.MULTILINE)[1]
        assert title in unescape(re.sub(r"<[^>]+>", "", html)), path.name
        data = [o.get("data", {}) for cell in notebook.cells if cell.cell_type == "code" for o in cell.outputs]
        pages = [d["text/html"] for d in data if "text/html" in d]
        for sign in ("data-widget=", "<video"):
            assert html.count(sign) == sum(page.count(sign) for page in pages), (path.name, sign)
        figures = sum("image/png" in d and "text/html" not in d for d in data)
        assert len(re.findall(r'<img alt="[^"]{15,}" src="_images/[0-9a-f]+\.png"', html)) == figures, path.name
        text = "".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        assert html.count('<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">') == text.count("$$") // 2


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_link_of_the_book_leads_nowhere_and_nothing_is_fetched(book: Path) -> None:
    pages = {path: path.read_text(encoding="utf-8") for path in book.rglob("*.html")}
    ids = {path: set(re.findall(r'\bid="([^"]+)"', html)) for path, html in pages.items()}
    for path, html in pages.items():
        assert not re.findall(r'<(?:script|img|video|link)[^>]*(?:src|href)="https?:[^"]*"', html), path.name
        for target in re.findall(r'<(?:a|img|script|link)\b[^>]*?\b(?:href|src)="([^"]+)"', html):
            address, _, anchor = unescape(target).partition("#")
            if re.match(r"[a-z]+:", address):
                assert "ipynb" not in address or REPOSITORY in address or "colab" in address, address
                continue
            found = (path.parent / unquote(address.partition("?")[0])).resolve() if address else path
            assert found.exists(), f"{path.name}: {target}"
            assert not anchor or found not in ids or unquote(anchor) in ids[found], f"{path.name}: {target}"
    links = pages[book / "index.html"]
    for one, other in zip(LESSONS, LESSONS[1:], strict=False):
        assert links.index(f'href="{one.stem}.html"') < links.index(f'href="{other.stem}.html"')
        assert f'href="{other.stem}.html"' in pages[book / f"{one.stem}.html"]
    assert links.index(f'href="{LESSONS[-1].stem}.html"') < links.index('href="guide/README.html"')


@pytest.mark.slow
@pytest.mark.timeout(900)
@needs_browser
def test_the_search_finds_and_widgets_move(book: Path, tmp_path: Path) -> None:
    with served(book) as address, chromium() as browser:
        browser.open(f"{address}/search.html?q=flicker")
        for page in ("02_driving_video.html", "guide/lessons.html"):
            browser.wait(f"document.querySelector('#search-results a[href*=\"{page}\"]')", seconds=60)
        browser.open(f"{address}/00_start_here.html")
        browser.wait("document.querySelector('[data-widget][data-ready]')")
        browser.hover("[data-widget][data-ready] > div")
        assert "row" in browser.js("document.querySelector('[data-widget] [aria-live]').textContent")
        browser.screenshot(ROOT / "build" / "site_page.png")
        assert [line for line in browser.console if "favicon.ico" not in line] == []
