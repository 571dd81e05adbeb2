"""Running, writing and publishing notebooks."""

import json
from importlib import metadata
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from typer.testing import CliRunner

from helpers.environment import REPOSITORY, ROOT
from sample_notebook import sample_notebook
from tools.authoring import notebooks
from tools.authoring.notebooks import app, read_notebook, rename_repository, write_notebook


@pytest.fixture
def simple(tmp_path: Path) -> Path:
    """A notebook on disk whose second cell depends on the first."""
    path = tmp_path / "simple.ipynb"
    cells = [new_code_cell("x = 20", id="first"), new_code_cell("print(x + 1)\nx", id="second")]
    write_notebook(path, new_notebook(cells=cells))
    return path


def test_run_fills_in_the_outputs(simple: Path) -> None:
    result = CliRunner().invoke(app, ["run", str(simple)])
    assert result.exit_code == 0 and "simple.ipynb: refreshed" in result.output
    cells = read_notebook(simple).cells
    assert cells[1].outputs[0].text == "21\n" and cells[1].outputs[1].data["text/plain"] == "20"
    assert [cell.execution_count for cell in cells] == [1, 2]
    stamp = simple.stat().st_mtime_ns
    result = CliRunner().invoke(app, ["run", str(simple)])
    assert "simple.ipynb: unchanged" in result.output and simple.stat().st_mtime_ns == stamp


def test_run_leaves_a_failing_notebook_as_it_was(simple: Path) -> None:
    notebook = read_notebook(simple)
    notebook.cells[1].source = "print(y)"
    write_notebook(simple, notebook)
    before = simple.read_bytes()
    result = CliRunner().invoke(app, ["run", str(simple)])
    assert result.exit_code == 1 and "NameError" in result.output
    assert simple.read_bytes() == before and [p.name for p in simple.parent.iterdir()] == ["simple.ipynb"]


def test_written_notebooks_read_back_equal(tmp_path: Path) -> None:
    path = tmp_path / "new" / "sample.ipynb"
    assert write_notebook(path, sample_notebook())
    assert read_notebook(path) == sample_notebook()
    assert not write_notebook(path, sample_notebook())


def test_pages_keep_alt_texts_and_lead_to_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = sample_notebook()
    notebook.cells[4].source = "[next](01_deeplab_street.ipynb#start) and [card](../data/README.md)"
    write_notebook(tmp_path / "00_sample.ipynb", notebook)
    monkeypatch.setattr("tools.authoring.notebooks.NOTEBOOKS", tmp_path)
    assert CliRunner().invoke(app, ["pages", "--out", str(tmp_path / "pages")]).exit_code == 0
    page = (tmp_path / "pages" / "00_sample.html").read_text(encoding="utf-8")
    assert 'alt="a wide black stripe, four pixels high"' in page and "No description" not in page
    assert 'href="01_deeplab_street.html#start"' in page and 'href="../data/README.md"' in page


def test_publish_renames_badges_and_links_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "helpers").mkdir()
    write_notebook(tmp_path / "notebooks" / "00.ipynb", sample_notebook())
    for name in ("setup_cell.py", "environment.py"):
        (tmp_path / "helpers" / name).write_text(
            (ROOT / "helpers" / name).read_text(encoding="utf-8"), encoding="utf-8"
        )
    readme = tmp_path / "README.md"
    readme.write_text(f"https://github.com/{REPOSITORY}.git and {REPOSITORY}-other, x/{REPOSITORY.split('/')[1]}")

    changed = rename_repository(tmp_path, REPOSITORY, "ada/streets", tag="v1.0")
    assert set(map(str, changed)) == {
        "README.md",
        "helpers/environment.py",
        "helpers/setup_cell.py",
        "notebooks/00.ipynb",
    }
    assert readme.read_text() == (
        f"https://github.com/ada/streets.git and {REPOSITORY}-other, x/{REPOSITORY.split('/')[1]}"
    )
    text = (tmp_path / "notebooks" / "00.ipynb").read_text(encoding="utf-8")
    assert REPOSITORY not in text and text.count("ada/streets") == 4
    assert len(json.loads(text)["cells"]) == len(sample_notebook().cells)
    cell = (tmp_path / "helpers" / "setup_cell.py").read_text(encoding="utf-8")
    assert 'REPOSITORY, TAG = "ada/streets", "v1.0"' in cell
    (in_notebook,) = [c.source for c in read_notebook(tmp_path / "notebooks" / "00.ipynb").cells if "TAG" in c.source]
    assert in_notebook == cell.rstrip("\n"), "the notebook still holds the cell word for word"
    assert 'REPOSITORY = "ada/streets"' in (tmp_path / "helpers" / "environment.py").read_text(encoding="utf-8")
    back = rename_repository(tmp_path, "ada/streets", REPOSITORY)
    assert set(back) == set(changed) and read_notebook(tmp_path / "notebooks" / "00.ipynb") == sample_notebook()


def test_publish_names_a_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "helpers").mkdir()
    for name in ("helpers/setup_cell.py", "pyproject.toml"):
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(notebooks, "REPO_ROOT", tmp_path)
    said = CliRunner().invoke(app, ["publish", "ada/streets"]).output
    version = metadata.version("segmentation-notebooks")
    assert f"git push origin main v{version}" in said
    assert f'REPOSITORY, TAG = "ada/streets", "v{version}"\n' in (tmp_path / "helpers" / "setup_cell.py").read_text()
    result = CliRunner().invoke(app, ["publish", "ada/streets", "--tag=--upload-pack=x"])
    assert result.exit_code == 2 and "TAG must be the name of a release" in result.output


@pytest.mark.parametrize("name", ["", "ada", "ada/streets/more", "https://github.com/ada/streets", "ada/a b"])
def test_publish_refuses_what_is_no_repository(name: str) -> None:
    result = CliRunner().invoke(app, ["publish", name])
    assert result.exit_code == 2 and "owner/name" in result.output
