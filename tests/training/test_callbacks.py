"""Callbacks of long trainings: the clock, the average, checkpoints after a kill, the line of progress."""

from pathlib import Path

import pytest
import torch
from fastai.callback.core import Callback

from helpers.training import callbacks
from helpers.training.callbacks import Averaged, Checkpoints, Minutes, ProgressLine
from learners import tiny_learner, tiny_network, weights

torch.set_num_threads(1)


class Clock:
    """Time that only a `Spy` moves."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callbacks, "time", Clock())


class Spy(Callback):
    """A step takes a second; notes what each one was told."""

    order = 50

    def __init__(self, stop_at: int | None = None):
        self.rates, self.progress, self.stop_at = [], [], stop_at

    def before_batch(self):
        callbacks.time.now += 1.0
        self.rates.append(self.opt.hypers[0]["lr"])
        self.progress.append(self.dls.train.progress)

    def after_batch(self):
        if len(self.rates) == self.stop_at:
            raise KeyboardInterrupt


def run(path: Path, *, minutes: float = 1.0, stop_at: int | None = None, settings: dict | None = None, **options):
    spy = Spy(stop_at)
    checkpoints = Checkpoints(path, settings or {"seed": 0}, **options)
    learner = tiny_learner(Averaged(), checkpoints, Minutes(minutes, peak_rate=0.1), ProgressLine(), spy)
    return learner, checkpoints, spy


def test_time_decides_on_rate_and_end(tmp_path: Path) -> None:
    learner, checkpoints, spy = run(tmp_path / "c.pt")
    learner.fit(10**9)
    assert len(spy.rates) == 60  # a second each
    assert spy.progress == sorted(spy.progress) and spy.progress[-1] > 0.95
    peak = spy.rates.index(max(spy.rates))
    assert 0.095 < max(spy.rates) <= 0.1 and peak < 5
    assert spy.rates[peak:] == sorted(spy.rates[peak:], reverse=True) and spy.rates[-1] < 0.001
    assert checkpoints.record["steps"] == checkpoints.record["views"] / 4 == len(spy.rates)


def test_the_average_follows_the_network(tmp_path: Path) -> None:
    learner, _, _ = run(tmp_path / "c.pt")
    learner.fit(10**9)
    start, end, average = (weights(n) for n in (tiny_network(), learner.model, learner.averaged.average.network))
    assert 0 < (average - end).norm() < (average - start).norm()


def test_a_killed_run_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "c.pt"
    learner, _, killed = run(path, stop_at=30, every=0)
    with pytest.raises(KeyboardInterrupt):
        learner.fit(10**9)
    again, checkpoints, spy = run(path)
    assert checkpoints.record["steps"] == 30
    again.fit(10**9)
    assert "continued after 0.5 minutes, 30 steps" in capsys.readouterr().out
    assert spy.progress[0] == pytest.approx(killed.progress[-1], abs=0.04)
    assert spy.rates[0] == pytest.approx(killed.rates[-1], abs=0.006)
    assert checkpoints.record["steps"] == 61 and checkpoints.record["seconds"] == 60  # a step's time was lost
    # Network, average and momentum came back: the two parts end where one run without a break does.
    whole, _, _ = run(tmp_path / "whole.pt")
    whole.fit(10**9)
    assert torch.allclose(weights(again.model), weights(whole.model), atol=0.05)
    assert (weights(whole.model) - weights(tiny_network())).norm() > 1


def test_a_finished_run_learns_nothing_more(tmp_path: Path) -> None:
    path = tmp_path / "c.pt"
    learner, _, _ = run(path)
    learner.fit(10**9)
    again, checkpoints, spy = run(path)
    again.fit(10**9)
    assert spy.rates == [] and torch.equal(weights(again.model), weights(learner.model))
    assert torch.equal(weights(again.averaged.average.network), weights(learner.averaged.average.network))


def test_other_settings_are_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "c.pt"
    learner, _, _ = run(path, minutes=0.1)
    learner.fit(10**9)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"other settings: \{'seed': 0\}, not \{'seed': 1\}"):
        run(path, settings={"seed": 1})
    assert path.read_bytes() == before


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.pt"
    learner, _, _ = run(path, minutes=0.1)
    learner.fit(10**9)
    again, _, _ = run(path)
    again.model[2] = torch.nn.Conv2d(8, 5, 1)
    with pytest.raises(ValueError, match="c.pt is of another network; remove it"):
        again.fit(10**9)


def test_figures_on_the_way(tmp_path: Path) -> None:
    learner, checkpoints, _ = run(tmp_path / "c.pt", measure=lambda network: {"size": len(weights(network))})
    learner.fit(10**9)
    history = checkpoints.record["history"]
    assert [entry["minutes"] for entry in history] == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6], abs=0.03)
    assert {entry["size"] for entry in history} == {len(weights(tiny_network()))}


def test_a_line_says_how_far_it_is(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    learner = tiny_learner(Minutes(1.0, peak_rate=0.1), ProgressLine(every=20), Spy())
    learner.fit(10**9)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("   0.3 min  views 8×8  loss 0.") and lines[0].endswith("4.0 views/s")
