"""Participants' copies: no solution is left in them, and they run up to the first thing to do."""

import ast
import re
from pathlib import Path

import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from browser import needs_browser
from helpers.environment import REPOSITORY
from sample_notebook import NAME, SOLUTION, sample_notebook
from tools.authoring.notebooks import execute, notebook_paths, read_notebook
from tools.authoring.workshop import WORKSHOP, participants_copy, print_cheat_sheet, stub

CHECKER = """from helpers.checker import checker, expect_equal

@checker
def check_plus_one(function):
    'plus one'
    expect_equal(function([1]), [2], "the answer")

"""


def test_stub_keeps_signature_docstring_and_hints() -> None:
    assert stub(SOLUTION) == (
        "def add_one(mask: list[int], *, by: int = 1) -> list[int]:\n"
        '    """Add one to each id."""\n'
        "    # Hint: a list comprehension is enough\n"
        '    raise NotImplementedError("write add_one() here, then run the check below")'
    )


@pytest.mark.parametrize(
    "signature",
    [
        "def f(x):",
        "def f(x,\n      y=':'):  # a: comment",
        'def f(x):\n    """One line."""',
        'def f(x):\n    """Several\n\n    lines: here.\n    """',
        "def f(x):\n    # Hint: not a docstring follows",
    ],
)
def test_stub_of_every_form_of_function(signature: str) -> None:
    source = f"import math\n\n{signature}\n    # secret\n    return 42\n\n\nprint('after')"
    text = stub(source)
    assert "42" not in text and "secret" not in text
    assert text.startswith(f"import math\n\n{signature}") and text.endswith("\n\n\nprint('after')")
    names: dict = {}
    exec(text, names)
    with pytest.raises(NotImplementedError, match=r"write f\(\) here"):
        names["f"](1)


def test_stub_of_two_functions() -> None:
    text = stub("def a():\n    return 1\n\n\ndef b():\n    return 2")
    assert "return" not in text and text.count("NotImplementedError") == 2 and "write b() here" in text


def test_a_solution_without_a_function_is_refused() -> None:
    with pytest.raises(ValueError, match="must define the function"):
        stub("answer = 42")


def test_copy_shows_no_solution_and_no_output() -> None:
    notebook = sample_notebook()
    notebook.cells[
        4
    ].source = '[card](../data/card.md) ![street](../images/a.png) <img src="../images/b.png"> [next](01.ipynb)'
    copy = participants_copy(notebook)
    kept = [cell.id for cell in copy.cells if "skip" not in cell.metadata.get("tags", [])]
    assert kept == [cell.id for cell in notebook.cells]
    assert copy.cells[4].source == (
        '[card](../../data/card.md) ![street](../../images/a.png) <img src="../../images/b.png"> [next](01.ipynb)'
    )
    for cell in copy.cells:
        assert "value + by" not in cell.source and "solution" not in cell.metadata.get("tags", [])
        assert not cell.get("outputs") and not cell.get("execution_count")
    assert notebook.cells[5].outputs, "the notebook itself is left alone"


def test_badges_of_a_copy_open_the_copy() -> None:
    head = participants_copy(sample_notebook()).cells[0].source
    assert f"github/{REPOSITORY}/blob/workshop/{NAME}" in head and "/main/" not in head and "mybinder" not in head


def test_skip_defines_the_answer_and_shows_nothing_of_it() -> None:
    copy = participants_copy(sample_notebook())
    skips = [cell for cell in copy.cells if "skip" in cell.metadata.get("tags", [])]
    assert len(skips) == 2 and "value" not in skips[0].source
    names: dict = {}
    exec(skips[0].source, names)
    assert names["add_one"]([1]) == [2]
    places = [cell.id for cell in copy.cells]
    assert all("check" in copy.cells[places.index(skip.id) - 1].metadata.tags for skip in skips)


def test_copy_stops_at_the_first_exercise_with_a_friendly_message(tmp_path: Path) -> None:
    notebook = new_notebook(
        cells=[
            new_code_cell("x = 1"),
            new_code_cell(SOLUTION, metadata={"tags": ["solution"]}),
            new_code_cell(CHECKER + "check_plus_one(add_one)", metadata={"tags": ["check"]}),
            new_markdown_cell("the end"),
        ]
    )
    solved = execute(notebook, folder=tmp_path)
    assert "✔ plus one: right" in solved.cells[2].outputs[0].text
    with pytest.raises(CellExecutionError) as stop:
        execute(participants_copy(notebook), folder=tmp_path)
    assert stop.value.ename == "StillToDo"
    assert "✎ plus one: still to do. write add_one() here, then run the check below" in str(stop.value)


def exercise_numbers(cells: list) -> list[int]:
    return [i for i, cell in enumerate(cells) if "exercise" in cell.metadata.get("tags", [])]


@pytest.mark.parametrize("path", notebook_paths(), ids=lambda path: path.stem)
def test_each_notebook_has_a_copy_to_work_on(path: Path) -> None:
    notebook, copy = read_notebook(path), participants_copy(read_notebook(path))
    numbers = exercise_numbers(copy.cells)
    assert numbers
    for i in numbers:
        written = re.findall(r"^def (\w+)", copy.cells[i].source, re.MULTILINE)
        assert copy.cells[i].source.count("raise NotImplementedError") == len(written) >= 1
        body = [line for line in notebook.cells[i].source.splitlines() if re.match(r"\s+return\b", line)]
        assert not any(line in copy.cells[i].source for line in body)
    for cell in copy.cells:
        if cell.cell_type == "code":
            compile(re.sub(r"^(\s*)[%!].*$", r"\1pass", cell.source, flags=re.MULTILINE), cell.id, "exec")


@pytest.mark.slow
@needs_browser
def test_the_cheat_sheet_prints_on_one_page(tmp_path: Path) -> None:
    pdf = print_cheat_sheet(tmp_path).read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    width, height = map(float, re.search(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", pdf).groups())
    assert (round(width / 72 * 25.4), round(height / 72 * 25.4)) == (210, 297), "A4"


def test_without_a_browser_the_cheat_sheet_is_not_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert print_cheat_sheet(tmp_path) is None and not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_first_copy_runs_up_to_its_first_exercise() -> None:
    WORKSHOP.mkdir(parents=True, exist_ok=True)
    with pytest.raises(CellExecutionError) as stop:
        execute(participants_copy(read_notebook(notebook_paths()[0])), folder=WORKSHOP)
    assert stop.value.ename == "StillToDo"
    assert re.search(r"write \w+\(\) here", stop.value.evalue)


def imports_for(exercises: list, before: list) -> str:
    """The imports of earlier cells whose names the exercises use, for instance np in a signature."""
    used = {node.id for cell in exercises for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Name)}
    lines = []
    for cell in before:
        for node in ast.parse(re.sub(r"^[%!].*$", "", cell.source, flags=re.MULTILINE)).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                node.names = [alias for alias in node.names if (alias.asname or alias.name) in used]
                lines += [ast.unparse(node)] if node.names else []
    return "\n".join(dict.fromkeys(lines))


@pytest.mark.slow
@pytest.mark.timeout(300)  # loads a framework in some lessons, on a busy machine
@pytest.mark.parametrize("path", notebook_paths()[1:], ids=lambda path: path.stem)
def test_each_check_says_what_is_still_to_do(path: Path) -> None:
    """Set-up, parameters and exercises alone: an earlier cell that the reader skipped never hides the message."""
    code = [cell for cell in participants_copy(read_notebook(path)).cells if cell.cell_type == "code"]
    tagged = {
        tag: [cell for cell in code if tag in cell.metadata.get("tags", [])]
        for tag in ("setup", "parameters", "exercise", "check")
    }
    for cell in tagged["check"]:
        cell.metadata.tags.append("raises-exception")  # the kernel goes on
    first = code.index(tagged["exercise"][0])
    imports = new_code_cell(imports_for(tagged["exercise"], code[:first]))
    exercises = [cell for cell in code[first:] if cell in tagged["exercise"] + tagged["check"]]
    WORKSHOP.mkdir(parents=True, exist_ok=True)
    cells = [*tagged["setup"], *tagged["parameters"], imports, *exercises]
    done = execute(new_notebook(cells=cells), folder=WORKSHOP)
    checks = [cell for cell in done.cells if "check" in cell.metadata.get("tags", [])]
    assert len(checks) == len(tagged["exercise"])
    for stub_cell, cell in zip(tagged["exercise"], checks, strict=True):
        error = cell.outputs[-1]
        assert (error.output_type, error.ename) == ("error", "StillToDo"), error
        written = re.findall(r"^def (\w+)", stub_cell.source, re.MULTILINE)
        assert any(f"still to do. write {name}() here" in error.evalue for name in written)
