"""JupyterLab as `make lab` opens it: lessons run in it from top to bottom, and nothing is in the way."""

import itertools
import json
import os
import shlex
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from browser import Browser, chromium, needs_browser
from helpers.environment import ROOT
from tools.authoring.notebooks import NOTEBOOKS, read_notebook

pytestmark = [
    pytest.mark.slow,
    needs_browser,
    pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed"),
    pytest.mark.skipif(not (ROOT / ".venv" / "bin" / "jupyter").exists(), reason="make lab was never run here"),
]
TOKEN = "only-here"
NOTEBOOK = "[...jupyterapp.shell.widgets('main')][0]"
# What stands in the way: dialogs, and messages in the corner.
POPUPS = "[...document.querySelectorAll('.jp-Dialog, .Toastify__toast')].map(e => e.innerText)"


@contextmanager
def lab(folder: Path) -> Iterator[str]:
    """JupyterLab started by the Makefile's own line, with nobody's settings; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = f"--no-browser --allow-root --port={port} --IdentityProvider.token={TOKEN}"
    # The page's commands are to be had from its console, so that a test can call them.
    arguments += " --LabApp.expose_app_in_browser=True"
    recipe = ["make", "--no-print-directory", "--dry-run", "--assume-old=.venv/ready", "lab", f"LAB_ARGS={arguments}"]
    command = subprocess.run(recipe, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()[-1]
    assert command.startswith(".venv/bin/jupyter lab "), command
    settings = folder / "settings" / "@jupyterlab" / "docmanager-extension"
    settings.mkdir(parents=True)
    (settings / "plugin.jupyterlab-settings").write_text('{"autosave": false}')  # the lesson stays as it is
    environ = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    environ |= {"JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(folder / "space")}
    environ |= {"JUPYTER_CONFIG_DIR": str(folder / "config"), "JUPYTER_DATA_DIR": str(folder / "data")}
    environ |= {"JUPYTER_RUNTIME_DIR": str(folder / "runtime")}
    with (folder / "lab.log").open("wb") as log:
        process = subprocess.Popen(shlex.split(command), cwd=ROOT, env=environ, stdout=log, stderr=log)
        try:
            end, address = time.monotonic() + 60, f"http://127.0.0.1:{port}"
            while True:
                try:
                    urllib.request.urlopen(f"{address}/api?token={TOKEN}", timeout=10).close()
                    break
                except OSError:
                    assert process.poll() is None and time.monotonic() < end, (folder / "lab.log").read_text()
                    time.sleep(0.3)
            yield address
        finally:
            process.terminate()  # ends its kernels too
            process.wait(timeout=30)


def code_cells(browser: Browser) -> list[dict]:
    """Code cells of the notebook that is open: how far each is, and what it shows."""
    cells = f"{NOTEBOOK}.content.model.sharedModel.cells.map(cell => cell.toJSON())"
    return [cell for cell in json.loads(browser.js(f"JSON.stringify({cells})")) if cell["cell_type"] == "code"]


@contextmanager
def opened(name: str, folder: Path) -> Iterator[Browser]:
    """A lesson in JupyterLab, none of its cells run yet; in the end its file is as it was."""
    path = NOTEBOOKS / name
    before = path.read_bytes()
    with lab(folder) as address, chromium(width=1400, height=1000) as browser:
        browser.open(f"{address}/lab/tree/notebooks/{name}?token={TOKEN}")
        browser.wait(f"window.jupyterapp && {NOTEBOOK}?.context?.isReady")
        browser.call("Emulation.setFocusEmulationEnabled", enabled=True)  # commands are for the notebook in focus
        browser.js(f"{NOTEBOOK}.sessionContext.ready")
        browser.click(".jp-Notebook h1")
        browser.wait(f"jupyterapp.shell.currentWidget === {NOTEBOOK}")
        browser.js("jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
        assert not any(cell["outputs"] for cell in code_cells(browser))
        yield browser
    assert path.read_bytes() == before


def run_all(browser: Browser, name: str, *, seconds: float) -> None:
    """Run > Run All Cells; then all is as on the committed page, and nothing is red."""
    browser.js("jupyterapp.commands.execute('notebook:run-all-cells').then(() => window.ran = true); 0")
    browser.wait("window.ran", seconds=seconds)
    browser.screenshot(ROOT / "build" / "jupyterlab" / f"{name[:2]}_end.png")
    cells = code_cells(browser)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert not [output["text"] for output in outputs if output.get("name") == "stderr"], "JupyterLab paints it red"
    red = "document.querySelectorAll('[data-mime-type=\"application/vnd.jupyter.stderr\"]').length"
    assert browser.js(red) == 0
    assert browser.js(POPUPS) == []
    # The same figures, widgets and texts as on the committed page.
    committed = [cell for cell in read_notebook(NOTEBOOKS / name).cells if cell.cell_type == "code"]
    for cell, wanted in zip(cells, committed, strict=True):
        assert kinds(cell) == kinds(wanted), "".join(cell["source"])
        if "nbval-check-output" in wanted.metadata.get("tags", []):
            assert "".join(cell["outputs"][0]["text"]) == wanted.outputs[0].text


def kinds(cell: dict) -> list[list[str]]:
    """What kinds of data a cell shows, in their order. Printed text may come in one piece or in several."""
    found = [
        # a page keeps photographs as JPEG
        sorted(kind.replace("jpeg", "png") for kind in output.get("data", {"stream": 0}))
        for output in cell["outputs"]
    ]
    return [kind for kind, _ in itertools.groupby(found)]


@pytest.mark.timeout(600)  # a busy machine; 80 s on one core that others use too
def test_the_first_lesson_runs_in_jupyterlab_and_its_picture_answers(tmp_path: Path) -> None:
    name = "00_start_here.ipynb"
    with opened(name, tmp_path) as browser:
        run_all(browser, name, seconds=300)
        # The first picture answers to the pointer, and nothing lies over it.
        browser.js(f"{NOTEBOOK}.content.scrollToItem(4, 'start')")
        browser.wait("document.querySelector('[data-widget][data-ready]')")
        browser.hover("[data-widget][data-ready] > div")
        browser.screenshot(ROOT / "build" / "jupyterlab" / "first_picture.png")
        said = browser.js("document.querySelector('[data-widget] [aria-live]').textContent")
        assert said.strip(), "the class under the pointer"


@pytest.mark.timeout(1500)
def test_driving_video_runs_in_jupyterlab_and_plays(tmp_path: Path) -> None:
    name = "02_driving_video.ipynb"
    with opened(name, tmp_path) as browser:
        run_all(browser, name, seconds=1200)
        browser.js(f"{NOTEBOOK}.content.scrollToItem({first_video(name)}, 'start')")
        browser.wait("document.querySelector('.jp-Notebook video')?.readyState >= 2", seconds=60)
        browser.js("document.querySelector('.jp-Notebook video').play()")
        browser.wait("document.querySelector('.jp-Notebook video').currentTime > 0.3", seconds=60)
        browser.screenshot(ROOT / "build" / "jupyterlab" / "video.png")


def first_video(name: str) -> int:
    """Number of the first cell that shows a video."""
    cells = read_notebook(NOTEBOOKS / name).cells
    return next(i for i, cell in enumerate(cells) if "<video" in str(cell.get("outputs")))
