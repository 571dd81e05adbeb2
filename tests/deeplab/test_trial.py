"""A graph of others is tried in a process of its own before it runs in ours."""

import subprocess
import sys

import numpy as np
import pytest

from graphs import graph_bytes, lite_bytes
from helpers import models
from helpers.deeplab.engines import trial
from helpers.deeplab.engines.base import GraphError

RUN = subprocess.run


@pytest.fixture
def graph(tmp_path, monkeypatch):
    monkeypatch.setenv("SEGMENTATION_CACHE", str(tmp_path / "cache"))
    (tmp_path / "m.pb").write_bytes(b"graph")
    return tmp_path / "m.pb"


def instead(monkeypatch, code: str) -> list:
    """Run a line of Python in place of the graph."""
    calls = []

    def stub(command, **options):
        calls.append(command)
        return RUN([sys.executable, "-S", "-c", code], **options)

    monkeypatch.setattr(trial.subprocess, "run", stub)
    return calls


def test_a_graph_that_never_answers_is_stopped(graph, monkeypatch):
    instead(monkeypatch, "while True: pass")
    monkeypatch.setenv("SEGMENTATION_MODEL_SECONDS", "0.5")
    with pytest.raises(GraphError, match=r"no answer within 0.5 s.*SEGMENTATION_MODEL_SECONDS=2"):
        trial.try_out(graph)


@pytest.mark.parametrize("code", ["import os; os.kill(os.getpid(), 11)", "import sys; sys.exit(3)"])
def test_a_graph_that_crashes_its_process_is_refused(graph, monkeypatch, code):
    instead(monkeypatch, code)
    with pytest.raises(GraphError, match="makes the program that runs it crash"):
        trial.try_out(graph)


def test_what_passed_is_not_tried_again_and_another_file_is(graph, monkeypatch):
    calls = instead(monkeypatch, "pass")
    trial.try_out(graph)
    trial.try_out(graph)
    assert len(calls) == 1
    graph.write_bytes(b"another")
    trial.try_out(graph)
    assert len(calls) == 2


def test_a_refused_graph_is_left_to_whoever_says_why(graph, monkeypatch):
    calls = instead(monkeypatch, "import sys; sys.exit(2)")
    trial.try_out(graph)
    trial.try_out(graph)
    assert len(calls) == 2


def test_real_graphs_pass_in_a_process_of_their_own(graph):
    for suffix, data in ((".pb", graph_bytes(3)), (".tflite", lite_bytes(graph_bytes(3), (40, 60)))):
        path = graph.with_suffix(suffix)
        path.write_bytes(data)
        assert trial.main(str(path)) == 0
        path.write_bytes(data[: len(data) // 2])
        assert trial.main(str(path)) == 2


@pytest.mark.parametrize("suffix", [".pb", ".tflite"])
def test_a_model_that_finds_persons_is_tried_first_too(graph, monkeypatch, suffix):
    """As `segment --background` loads it."""
    instead(monkeypatch, "import os; os.kill(os.getpid(), 11)")
    path = graph.with_suffix(suffix)
    path.write_bytes(graph_bytes(2) if suffix == ".pb" else lite_bytes(graph_bytes(2), (40, 60)))
    with pytest.raises(GraphError, match=f"m{suffix} makes the program that runs it crash"):
        models.load_person(path)
    instead(monkeypatch, "pass")
    alpha = models.load_person(path).alpha(np.zeros((40, 60, 3), np.uint8))
    assert alpha.shape == (40, 60) and np.isfinite(alpha).all()
