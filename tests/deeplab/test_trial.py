"""A graph of others is tried in a process of its own before it runs in ours."""

import subprocess
import sys

import pytest

from helpers.deeplab.engines import trial
from helpers.deeplab.engines.base import GraphError


@pytest.fixture
def graph(tmp_path, monkeypatch):
    monkeypatch.setenv("SEGMENTATION_CACHE", str(tmp_path / "cache"))
    (tmp_path / "m.pb").write_bytes(b"graph")
    return tmp_path / "m.pb"


def instead(monkeypatch, code: str) -> list:
    """Run a line of Python in place of the graph."""
    run, calls = subprocess.run, []

    def stub(command, **options):
        calls.append(command)
        return run([sys.executable, "-S", "-c", code], **options)

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
