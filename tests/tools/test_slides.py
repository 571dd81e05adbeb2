"""Slides: what stands on them, that nothing is fetched, and that keys turn them."""

import re
from html import unescape
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from browser import chromium, needs_browser
from helpers.environment import ROOT
from tools.authoring.notebooks import notebook_paths, read_notebook
from tools.authoring.slides import presentation, slides

LONG = " ".join(["word"] * 80)
PRINTED = [new_output("stream", name="stdout", text="<42>\n")]
FIGURE = [new_output("display_data", data={"image/png": "AAAA\n"}, metadata={"image/png": {"alt": 'a "red" bus'}})]


def code(source: str, outputs: list, *tags: str) -> dict:
    return new_code_cell(source, outputs=outputs, metadata={"tags": list(tags)})


def of(*cells) -> list[str]:
    return slides(new_notebook(cells=[cell if isinstance(cell, dict) else new_markdown_cell(cell) for cell in cells]))


def heading(page: str) -> str:
    return unescape(re.search(r"<h\d[^>]*>(.*?)</h\d>", page)[1])


def test_a_heading_begins_a_slide_and_long_text_stays_on_the_page() -> None:
    pages = of(f"## 1 · Roads\n\nFirst.\n\n{LONG}\n\n- a list\n- of two\n\n### Exercise 1 · Go\n\nDo it.")
    assert len(pages) == 2
    assert heading(pages[0]) == "1 · Roads" and heading(pages[1]) == "Exercise 1 · Go"
    assert "First." in pages[0] and "<li>of two</li>" in pages[0] and "word" not in pages[0] and "Do it." in pages[1]


def test_a_question_stands_alone_and_without_its_answer() -> None:
    pages = of("## 2 · Masks\n\nText.\n\n**Predict:** how many?\n\n<details><summary>Answer</summary>(c)</details>")
    assert len(pages) == 2 and "how many?" not in pages[0]
    assert 'class="question"' in pages[1] and "how many?" in pages[1] and "2 · Masks" in pages[1]
    assert "(c)" not in "".join(pages)


def test_choices_stay_with_their_question_and_their_answers_on_the_page() -> None:
    choices = "\n\n".join(f"<details><summary>({x}) {x * 3}</summary>Answer.</details>" for x in "ab")
    question = of(f"## 2 · Masks\n\nText.\n\n**Predict:** which?\n\n{choices}\n\nMore.")[1]
    assert 'class="question"' in question and question.index("which?") < question.index("(a) aaa")
    assert "(b) bbb" in question and "Answer" not in question and "More" not in question


def test_a_figure_is_a_slide_with_what_one_should_see() -> None:
    pages = of("## 3 · A bus", code("show(bus)", FIGURE), "**What you should see:** a bus.\n\nMore.")
    assert len(pages) == 3
    assert '<img alt="a &quot;red&quot; bus" src="data:image/png;base64,AAAA">' in pages[1]
    assert re.search(r"<figcaption>.*a bus.*</figcaption></figure>", pages[1], re.DOTALL)
    assert "More." in pages[2] and "What you should see" not in pages[2]


def test_short_code_is_shown_with_what_it_prints_and_nothing_else_is() -> None:
    shown = of("## 4 · Code", code("print(6 * 7)", PRINTED))
    assert len(shown) == 2 and "print(6 * 7)" in shown[1] and "&lt;42&gt;" in shown[1]
    for cell in (code("x = 1", []), code("\n".join(["x = 1"] * 9), PRINTED), code("print(1)", PRINTED * 13)):
        assert len(of("## 4 · Code", cell)) == 1
    for tag in ("setup", "parameters", "solution", "check"):
        assert len(of("## 4 · Code", code("print(6 * 7)", PRINTED, tag))) == 1


def test_glossary_and_credits_are_left_out_and_links_are_plain() -> None:
    pages = of("## Recap\n\n- see [01](01_deeplab.ipynb)\n\n## Glossary\n\n| a | b |\n\n## Credits and licences\n\nMe.")
    assert len(pages) == 1 and "see 01" in pages[0] and "href" not in pages[0]


def test_formulas_need_no_script() -> None:
    (page,) = of("## 5 · Dice\n\n$$\\frac{2\\,|A \\cap B|}{|A| + |B|}$$\n\nFor `$5` and $\\alpha$.")
    assert page.count("<math ") == 2 and "<mfrac>" in page and "∩" in page and "<code>$5</code>" in page


@pytest.mark.parametrize("path", notebook_paths(), ids=lambda path: path.stem)
def test_each_lesson_has_slides_that_fetch_nothing(path: Path) -> None:
    notebook = read_notebook(path)
    page = presentation(notebook)
    assert not re.search(r"""(src|href)=["']?(?!data:)\w|@import|url\((?!data:)""", re.sub(r"base64,[^\"']+", "", page))
    assert page.count("<section>") == len(slides(notebook)) >= 15
    assert notebook.cells[0].source.split("\n")[0].removeprefix("# ") in page
    for cell in notebook.cells:
        if "solution" in cell.metadata.get("tags", []):
            assert cell.source not in page


@pytest.mark.slow
@needs_browser
def test_keys_turn_the_slides_and_each_fits_its_page(tmp_path: Path) -> None:
    path = tmp_path / "slides.html"
    path.write_text(presentation(read_notebook(notebook_paths()[0])), encoding="utf-8")
    with chromium(width=1280, height=720) as browser:
        browser.open(path)
        assert browser.js("here()") == 0
        browser.press("ArrowRight")
        browser.press(" ")
        assert browser.js("here()") == 2
        browser.press("ArrowLeft")
        assert browser.js("here()") == 1
        browser.js("document.querySelector('[data-widget] [tabindex], [data-widget] input').focus()")
        before = browser.js("here()")
        browser.press("ArrowRight")
        assert browser.js("here()") == before, "in a widget the keys are the widget's"
        too_large = browser.js("slides.filter(s => s.scrollHeight > s.clientHeight + 8).map(s => s.innerText)")
        assert too_large == []
        browser.screenshot(ROOT / "build" / "slides_figure.png")
        assert browser.console == []
