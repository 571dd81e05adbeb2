"""The fastest way is measured, kept, explained, and can be overridden."""

import json

import pytest

from helpers import compute


class Clock:
    """Time that only candidates spend."""

    now = 0.0

    def perf_counter(self) -> float:
        return self.now

    def takes(self, seconds: float):
        def run() -> None:
            self.now += seconds
            self.calls = getattr(self, "calls", 0) + 1

        return run


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, tmp_path) -> Clock:
    made = Clock()
    monkeypatch.setattr(compute, "time", made)
    monkeypatch.setattr(compute, "_answers", {})
    monkeypatch.setenv("SEGMENTATION_CACHE", str(tmp_path))
    monkeypatch.delenv("SEGMENTATION_COMPUTE", raising=False)
    return made


def test_clearly_faster_wins_and_the_plain_way_stays_otherwise(clock: Clock) -> None:
    assert compute.fastest("a", {"plain": clock.takes(0.2), "fast": clock.takes(0.1)}) == "fast"
    assert compute.fastest("b", {"plain": clock.takes(0.1), "slow": clock.takes(0.2)}) == "plain"
    assert compute.fastest("c", {"plain": clock.takes(0.2), "hardly": clock.takes(0.19)}) == "plain"


def test_time_is_bounded_and_the_hopeless_are_left_out(clock: Clock) -> None:
    slow, quick = clock.takes(10.0), clock.takes(0.1)
    assert compute.measure({"plain": quick, "slow": slow}) == pytest.approx({"plain": 0.1, "slow": 10.0})
    assert clock.now < 25  # each once to warm up, each once timed


def test_the_answer_is_kept_for_this_machine_and_work(clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    candidates = {"plain": clock.takes(0.2), "fast": clock.takes(0.1)}
    assert compute.fastest("net on 8×8", candidates) == "fast"
    spent = clock.now
    compute._answers.clear()  # as another process finds it
    assert compute.fastest("net on 8×8", candidates) == "fast" and clock.now == spent
    assert compute.report() == "net on 8×8: fast (fast 100 ms, plain 200 ms)"
    compute.fastest("net on 9×9", candidates)
    assert clock.now > spent
    spent = clock.now
    monkeypatch.setattr(compute, "processor", lambda: "another one")
    assert compute.report() == "nothing was measured yet; the plain ways are used until then"
    compute.fastest("net on 8×8", candidates)
    assert clock.now > spent


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"seconds": {}}', '{"seconds": {"plain": "x", "fast": 1}}'])
def test_a_damaged_answer_is_measured_again(clock: Clock, content: str, tmp_path) -> None:
    candidates = {"plain": clock.takes(0.2), "fast": clock.takes(0.1)}
    compute.fastest("a", candidates)
    (path,) = (tmp_path / "compute").iterdir()
    path.write_text(content)
    compute._answers.clear()
    assert compute.fastest("a", candidates) == "fast"
    assert json.loads(path.read_text())["seconds"]["fast"] == pytest.approx(0.1)


def test_one_that_fails_is_left_out_but_not_the_plain_one(clock: Clock) -> None:
    def broken() -> None:
        raise RuntimeError("no such instruction")

    assert compute.fastest("a", {"plain": clock.takes(0.2), "broken": broken}) == "plain"
    with pytest.raises(RuntimeError, match="no such instruction"):
        compute.fastest("b", {"plain": broken, "other": clock.takes(0.1)})


@pytest.mark.parametrize(("setting", "chosen"), [("plain", "tf"), ("slow", "slow"), ("x, slow", "slow"), ("x", "fast")])
def test_a_setting_names_the_way(clock: Clock, monkeypatch: pytest.MonkeyPatch, setting: str, chosen: str) -> None:
    monkeypatch.setenv("SEGMENTATION_COMPUTE", setting)
    candidates = {"tf": clock.takes(0.2), "slow": clock.takes(0.4), "fast": clock.takes(0.1)}
    assert compute.fastest("a", candidates) == chosen


def test_a_cache_that_cannot_be_written_to(clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SEGMENTATION_CACHE", str(tmp_path / "file"))
    assert compute.fastest("a", {"plain": clock.takes(0.2), "fast": clock.takes(0.1)}) == "fast"
