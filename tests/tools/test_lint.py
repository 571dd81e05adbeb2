"""Every notebook keeps the rules; every rule notices when it is broken."""

import ast
import copy
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output

from helpers.environment import ROOT
from sample_notebook import NAME, picture, printed, sample_notebook
from tools.authoring import lint as notebook_rules
from tools.authoring.lint import Page, old_names, problems
from tools.authoring.notebooks import notebook_paths, read_notebook

SOURCES = sorted(path for folder in ("helpers", "tests") for path in (ROOT / folder).rglob("*.py"))
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "data").rglob("*.md"))]


@pytest.mark.parametrize("path", notebook_paths(), ids=lambda path: path.stem)
def test_notebook_keeps_the_rules(path: Path) -> None:
    notebook = read_notebook(path)
    nbformat.validate(notebook)
    found = problems(Page(path, notebook))
    assert not found, "\n" + "\n".join(found)


def test_source_files_use_no_removed_calls() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in SOURCES
        for name in old_names(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert not found


def test_the_sample_notebook_keeps_the_rules(tmp_path: Path) -> None:
    assert problems(Page(tmp_path / NAME, sample_notebook())) == []


def find(notebook: NotebookNode, start: str) -> NotebookNode:
    return next(cell for cell in notebook.cells if cell.source.startswith(start))


def edit(start: str, old: str, new: str) -> Callable[[NotebookNode], None]:
    """Replace text in the cell that starts so."""

    def spoil(notebook: NotebookNode) -> None:
        cell = find(notebook, start)
        assert old in cell.source
        cell.source = cell.source.replace(old, new)

    return spoil


def output(start: str, *outputs: NotebookNode) -> Callable[[NotebookNode], None]:
    def spoil(notebook: NotebookNode) -> None:
        find(notebook, start).outputs = list(outputs)

    return spoil


def tags(start: str, *names: str) -> Callable[[NotebookNode], None]:
    def spoil(notebook: NotebookNode) -> None:
        find(notebook, start).metadata.tags = list(names)

    return spoil


def move(start: str, place: int) -> Callable[[NotebookNode], None]:
    def spoil(notebook: NotebookNode) -> None:
        cell = find(notebook, start)
        notebook.cells.remove(cell)
        notebook.cells.insert(place, cell)

    return spoil


def error() -> NotebookNode:
    return new_output("error", ename="ValueError", evalue="no", traceback=["ValueError: no"])


def unseeded(notebook: NotebookNode) -> None:
    edit("from helpers.paths", "SEED = 1", "")(notebook)
    edit("show", "figure", "model.fit(x, y)")(notebook)


def late(notebook: NotebookNode) -> None:
    notebook.cells[4:4] = [new_markdown_cell(f"Read on: {page}", id=f"page-{page}") for page in range(5)]


WIDGET = new_output("display_data", {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "0%"})

# what is done to the sample notebook → the rule that must notice (others may notice as well)
SPOILED = [
    ("title", edit("# 00", "# 00", "00")),
    ("title", edit("# 00", "mybinder", "elsewhere")),
    ("title", edit("# 00", "colab.research.google.com/github/", "colab.research.google.com/github/someone/")),
    ("title", edit("# 00", "min in class", "min")),
    ("you_will", edit("**You will**", "- explain\n", "")),
    ("you_will", edit("**You will**", "know before", "bring")),
    ("setup_first", edit("# @title", "root is None", "not root")),
    ("setup_first", tags("# @title")),
    ("setup_first", tags("print(1", "setup")),
    ("setup_first", lambda nb: find(nb, "# @title").metadata.pop("jupyter")),
    ("parameters_second", tags("from helpers.paths")),
    ("parameters_second", edit("from helpers.paths", "SEED", "seed")),
    ("parameters_second", edit("from helpers.paths", "FULL", "TIER")),
    ("seed_visible", unseeded),
    ("early_picture", output("show", printed("no picture"))),
    ("early_picture", output("show", picture(np.zeros((4, 899, 3), np.uint8)))),
    ("what_you_should_see", edit("**What", "What you should see", "Below")),
    ("what_you_should_see", output("print(1", picture())),
    ("what_you_should_see", edit("**What", "a black stripe, four pixels high and as wide as the page", "the street")),
    ("pitfall", edit("> **Pitfall", "Pitfall", "Note")),
    ("pitfall", move("> **Pitfall", 6)),
    ("exercises", edit("### Exercise 1", "### Exercise 1", "### Task")),
    ("exercises", edit("### Exercise 1", "5 min", "short")),
    ("exercises", edit("### Exercise 2", "Hint", "")),
    ("exercises", late),
    ("exercises", edit("## Section 2", "## Section 2", "Section 2")),
    ("exercises", tags("assert add_one")),
    ("exercises", tags("def add_one")),
    ("exercises", lambda nb: find(nb, "def add_one").metadata.pop("jupyter")),
    ("exercises", lambda nb: find(nb, "def add_one").update(source="add_one = len")),
    ("alive", edit("from helpers.widgets", "from helpers.widgets import compare", "compare = 1")),
    ("alive", edit("**What", "**Try it:** a wider one", "Or a wider one")),
    ("choices", edit("## Look", "(a) three", "three")),
    ("choices", edit("## Look", "Right", "Not quite")),
    ("choices", edit("## Look", "Not quite", "Right")),
    ("words", edit("## Section 1", "Section 1", "words " * 2500)),
    ("last_sections", move("## Recap", -1)),
    ("last_sections", edit("## Glossary", "Glossary", "Words")),
    ("short_cells", edit("print(1", "print(1 + 1)", "print(1)\n" * 26)),
    ("short_cells", edit("print(1", "print(1 + 1)", f"print('{81 * '-'}')")),
    ("formulas", edit("## Section 1", "Section 1", r"$$\\frac{1}{2}$$")),
    ("no_shell", edit("print(1", "print(1 + 1)", "!ls")),
    ("no_shell", edit("print(1", "print(1 + 1)", "%pip install numpy")),
    ("no_star_import", edit("print(1", "print(1 + 1)", "from numpy import *")),
    ("checked_output", tags("print(1")),
    ("checked_output", output("print(1")),
    ("links", edit("## Look", "## Look", "see [this](no_such_file.md)")),
    ("links", edit("## Look", "## Look", "![](00_sample.ipynb)")),
    ("links", edit("## Look", "## Look", '<img src="../images/none.png" alt="a street">')),
    ("links", edit("## Look", "## Look", '<img src="https://example.org/a.png">')),
    ("run_in_order", lambda nb: find(nb, "print(1").update(execution_count=None)),
    ("run_in_order", lambda nb: find(nb, "print(1").update(execution_count=9)),
    ("no_errors", output("print(1", error())),
    ("tidy", lambda nb: nb.metadata.update(widgets={"state": {}})),
    ("tidy", lambda nb: nb.metadata.language_info.update(version="3.11.7")),
    ("tidy", output("print(1", WIDGET)),
    ("tidy", output("print(1", printed("1"), printed("2"))),
    ("one_run", output("print(1", printed("3\n"))),
    ("one_run", lambda nb: nb.metadata.pop("run")),
    ("alt_text", output("show", picture(alt=""))),
    ("alt_text", output("show", picture(alt="Figure: titles alone are not enough"))),
    ("legends", lambda nb: find(nb, "show").outputs[0].metadata["image/png"].update(legend=["#e69f00"])),
    ("no_absolute_path", output("print(1", printed("saved to /home/ada/notebooks/mask.png"))),
    ("no_absolute_path", edit("print(1", "1 + 1", r"r'C:\Users\ada\mask.png'")),
    ("no_old_names", edit("print(1", "1 + 1", "Image.ANTIALIAS")),
    ("no_old_names", edit("print(1", "1 + 1", "tf.gfile.GFile(1)")),
    ("no_old_names", edit("print(1", "1 + 1", "fcn(pretrained=True)")),
]


@pytest.mark.parametrize(("name", "spoil"), SPOILED, ids=[f"{n}-{name}" for n, (name, _) in enumerate(SPOILED)])
def test_rule_notices(name: str, spoil: Callable[[NotebookNode], None], tmp_path: Path) -> None:
    notebook = sample_notebook()
    spoil(notebook)
    (tmp_path / NAME).touch()
    found = [problem.split(":")[0] for problem in problems(Page(tmp_path / NAME, notebook))]
    assert name in found


def test_size_is_limited(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(b" " * (notebook_rules.MAX_BYTES + 1))
    assert [p for p in problems(Page(path, sample_notebook())) if p.startswith("size")]


def test_the_last_section_leads_to_the_next_notebook(tmp_path: Path) -> None:
    path, notebook = tmp_path / NAME, sample_notebook()
    for name in (NAME, "01_next.ipynb", "02_after.ipynb"):
        (tmp_path / name).touch()
    find(notebook, "## Where next").source += "\n\n[02](02_after.ipynb)"
    assert problems(Page(path, notebook)) == [
        "order: 'Where next' leads to 02_after.ipynb; the next one is 01_next.ipynb"
    ]
    edit("## Where next", "02](02_after", "01](01_next")(notebook)
    assert problems(Page(path, notebook)) == []


def test_every_rule_is_tried() -> None:
    tried = {name for name, _ in SPOILED} | {"order", "size"}
    assert {rule.__name__ for rule in notebook_rules.RULES} == tried


def test_allowed_things_are_allowed(tmp_path: Path) -> None:
    """Today's names beside the old ones, web addresses and shares of paths, fastai's star import once."""
    notebook = sample_notebook()
    find(notebook, "print(1").source = (
        "from fastai.vision.all import *\n"
        "tf.compat.v1.Session, unet_learner(dls, pretrained=False)\n"
        "print(2)  # https://example.org/home/page and ../data/tmp/x"
    )
    assert problems(Page(tmp_path / NAME, notebook)) == []


def test_rules_leave_the_notebook_alone(tmp_path: Path) -> None:
    notebook = sample_notebook()
    before = copy.deepcopy(notebook)
    problems(Page(tmp_path / NAME, notebook))
    assert notebook == before


def test_readme_lists_every_notebook_with_its_badge() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(\d\d) [^]]+\]\(notebooks/(\w+)\.ipynb\) .*/notebooks/(\w+)\.ipynb\) \|$", readme, re.M)
    assert [stem for _, stem, _ in rows] == [path.stem for path in notebook_paths()]
    assert all(stem == badge and stem.startswith(number) for number, stem, badge in rows)


@pytest.mark.parametrize("page", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_texts_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^    .*$|`[^`]*`", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    targets = re.findall(r"\]\(([^)\s]+)[^)]*\)|<img[^>]*src=\"([^\"]+)\"", text)
    local = [link or image for link, image in targets if not re.match(r"[a-z]+:|#", link or image)]
    assert [target for target in local if not (page.parent / target.split("#")[0]).exists()] == []


def test_no_file_names_a_folder_of_one_machine() -> None:
    kinds = (".py", ".md", ".json", ".toml", ".csv")
    everywhere = [
        *ROOT.glob("*"),
        *(path for name in ("helpers", "tests", "data") for path in (ROOT / name).rglob("*")),
    ]
    texts = [path for path in everywhere if path.suffix in kinds]
    found = {str(p.relative_to(ROOT)) for p in texts if re.search(r"/(?:work|root)/", p.read_text(encoding="utf-8"))}
    assert len(texts) > 50 and not found
