"""The training loop: clock, average, checkpoints after a kill, divergence, one run a folder."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from helpers.training import loop
from helpers.training.checkpoints import load_checkpoint
from helpers.training.loop import RunError, train, warmup_cosine

pytestmark = pytest.mark.usefixtures("one_thread")
CLASSES = 3


def tiny_network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, CLASSES, 1))


def draw(rng: np.random.Generator, progress: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures whose class is in which channel they are bright."""
    targets = rng.integers(0, CLASSES, (4, 8, 8))
    images = np.eye(CLASSES, dtype=np.float32)[targets] * 2 + rng.random((4, 8, 8, CLASSES), np.float32)
    return torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(targets)


def loss(network: nn.Module, images: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(network(images).float(), targets)


def weights(network: nn.Module) -> torch.Tensor:
    return torch.cat([value.detach().flatten().float() for value in network.state_dict().values()])


def run(folder: Path | None = None, *, network: nn.Module | None = None, steps: int | None = 30, **options) -> loop.Run:
    options = {"draw": draw, "loss": loss, "rate": 0.05, "save_every": 0, "compute": "plain"} | options
    return train(
        network or tiny_network(), options.pop("draw"), options.pop("loss"), folder=folder, steps=steps, **options
    )


class Clock:
    """Time in which each step takes a second."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def tick(self, run: loop.Run) -> None:
        self.now += 1.0


def stop_at(step: int):
    def callback(run: loop.Run) -> None:
        if run.step == step:
            raise KeyboardInterrupt

    return callback


# --- Steps, time, rate, average


def test_it_learns_and_the_average_follows() -> None:
    result = run(steps=60)
    assert np.mean(result.losses[-5:]) < 0.2 * np.mean(result.losses[:5])
    start, end, average = (weights(n) for n in (tiny_network(), result.current, result.network))
    assert 0 < (average - end).norm() < (average - start).norm()
    assert not result.network.training and result.record["steps"] == 60 and result.record["images"] == 240


def test_time_decides_on_rate_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, rates, shares = Clock(), [], []
    monkeypatch.setattr(loop, "time", clock)
    notes = [clock.tick, lambda r: rates.append(r.rate), lambda r: shares.append(r.progress)]
    result = run(steps=None, minutes=1.0, callbacks=notes)
    assert 60 <= result.step <= 61 and result.record["seconds"] == pytest.approx(60, abs=1)
    assert shares == sorted(shares)
    peak = rates.index(max(rates))
    assert 0.045 < max(rates) <= 0.05 and peak < 5
    assert rates[peak:] == sorted(rates[peak:], reverse=True) and rates[-1] < 0.001


def test_rate_rises_and_ends_at_zero() -> None:
    values = [warmup_cosine(i / 100, warmup=0.1) for i in range(101)]
    assert values[0] == 0 and values[10] == 1 and values[100] == pytest.approx(0, abs=1e-12)
    assert values[:11] == sorted(values[:11]) and values[10:] == sorted(values[10:], reverse=True)
    assert values[55] == pytest.approx(0.5)
    assert warmup_cosine(1.7) == pytest.approx(0, abs=1e-12)  # later than planned, never a negative rate


def test_average_is_that_of_its_formula_statistics_included() -> None:
    network = nn.BatchNorm1d(1)
    average = loop.AveragedModel(network, multi_avg_fn=loop.ema(0.9), use_buffers=True)
    average.update_parameters(network)  # the first copies
    average.n_averaged.fill_(10_000)  # past the first steps, in which it follows faster
    nn.init.constant_(network.weight, 2.0), network.running_mean.fill_(1.0)
    for expected in (0.1, 0.19, 0.271):
        average.update_parameters(network)
        assert average.module.running_mean.item() == pytest.approx(expected, rel=1e-5)
        assert average.module.weight.item() == pytest.approx(1 + expected, rel=1e-5)
    average.n_averaged.fill_(1)
    average.update_parameters(network)
    assert average.module.running_mean.item() > 0.8  # of the first steps


def test_biases_and_normalisations_do_not_decay() -> None:
    decayed, kept = loop.parameter_groups(tiny_network(), 0.1)
    assert decayed["weight_decay"] == 0.1 and kept["weight_decay"] == 0
    assert all(p.ndim == 4 for p in decayed["params"]) and len(decayed["params"]) == 2 and len(kept["params"]) == 4


def test_groups_have_rates_of_their_own_and_gradients_are_clipped() -> None:
    network = tiny_network()
    before = [value.clone() for value in network.parameters()]
    groups = [{"params": network[0].parameters(), "scale": 0.0}, {"params": network[3].parameters()}]
    norms = []

    def note(run: loop.Run) -> None:
        norms.append(torch.stack([p.grad.norm() for p in run.current.parameters() if p.grad is not None]).norm())

    run(network=network, groups=groups, clip=0.01, steps=3, callbacks=[note])
    moved = [not torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True)]
    assert moved == [False, False, False, False, True, True] and max(norms) < 0.0101


def test_figures_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(callbacks=[loop.measuring(lambda network: {"evaluating": not network.training})])
    assert [entry["steps"] for entry in result.record["history"]] == [6, 11, 16, 21, 26]
    assert all(entry["evaluating"] for entry in result.record["history"])


def test_steps_or_minutes() -> None:
    with pytest.raises(ValueError, match="either steps or minutes"):
        run(steps=3, minutes=1.0)


# --- Killed and continued


def test_a_killed_run_ends_where_one_without_a_break_does(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, callbacks=[stop_at(14)])
    assert "goes on from" in loop.stopped(tmp_path)
    again = run(tmp_path)
    assert re.search(r"continued after \S+ minutes, 13 steps", capsys.readouterr().out)
    whole = run()
    assert again.losses == whole.losses and again.record["images"] == whole.record["images"]
    assert torch.equal(weights(again.network), weights(whole.network))


def test_a_finished_run_learns_nothing_more(tmp_path: Path) -> None:
    first, again = run(tmp_path), run(tmp_path)
    assert again.step == 30 and torch.equal(weights(again.network), weights(first.network))


def test_stopped_before_the_first_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, callbacks=[stop_at(2)], save_every=60)
    assert "before the first checkpoint" in loop.stopped(tmp_path) and not (tmp_path / loop.CHECKPOINT).exists()


OTHERS = {
    "settings": ({"settings": {"size": 128}}, r"other settings: \{'size': 96\}, not \{'size': 128\}; give the same"),
    "rate": ({"rate": 0.1}, r"other settings: \{'rate': 0.05\}, not \{'rate': 0.1\}"),
    "data": ({"data": ["a.png", "c.png"]}, "other data"),
    "weights": ({"network": tiny_network(seed=1)}, "other first weights"),
    "network": ({"network": nn.Conv2d(3, CLASSES, 1)}, "other first weights"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_another_run_is_refused_and_leaves_the_first(case: str, tmp_path: Path) -> None:
    same = {"settings": {"size": 96}, "data": ["a.png", "b.png"], "steps": 3}
    run(tmp_path, **same)
    before = (tmp_path / loop.CHECKPOINT).read_bytes()
    change, message = OTHERS[case]
    with pytest.raises(RunError, match=message):
        run(tmp_path, **same | change)
    assert (tmp_path / loop.CHECKPOINT).read_bytes() == before


def test_data_is_known_by_name_and_size_in_any_order(tmp_path: Path) -> None:
    a, b = tmp_path / "a.png", tmp_path / "b.png"
    a.write_bytes(b"1"), b.write_bytes(b"2")
    known = loop.hash_data([a, b])
    assert loop.hash_data([b, a]) == known != loop.hash_data([a])
    b.write_bytes(b"22")
    assert loop.hash_data([a, b]) != known


@pytest.mark.parametrize("content", [b"", b"no checkpoint", "other"])
def test_something_else_at_its_place(content: bytes | str, tmp_path: Path) -> None:
    path = tmp_path / loop.CHECKPOINT
    path.write_bytes(content) if isinstance(content, bytes) else torch.save({"weights": torch.ones(1)}, path)
    with pytest.raises(RunError, match="is not a checkpoint of this training; remove it"):
        run(tmp_path)


def test_a_second_run_in_the_folder_is_refused(tmp_path: Path) -> None:
    hold = "import filelock, sys\nwith filelock.FileLock(sys.argv[1]): print('mine', flush=True), sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(tmp_path / ".lock")]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "mine\n"
        with pytest.raises(RunError, match="another training writes to"):
            run(tmp_path)
        assert not (tmp_path / loop.CHECKPOINT).exists()
    finally:
        other.kill()
        other.wait()
    assert run(tmp_path, steps=2).step == 2  # a killed run leaves no lock


# --- Divergence


def test_a_loss_that_is_not_finite_stops_and_saves_nothing(tmp_path: Path) -> None:
    def late_nan(network: nn.Module, images: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        late_nan.calls += 1
        return loss(network, images, targets) * (float("nan") if late_nan.calls == 6 else 1.0)

    late_nan.calls = 0
    with pytest.raises(RunError, match="the training diverged: after 5 steps the loss is nan; nothing was saved"):
        run(tmp_path, loss=late_nan, save_every=60)
    late_nan.calls = 0
    with pytest.raises(RunError, match="the checkpoint before it stays"):
        run(tmp_path, loss=late_nan)
    assert load_checkpoint(tmp_path / loop.CHECKPOINT)["record"]["steps"] == 5


def test_weights_that_are_not_finite_are_never_saved(tmp_path: Path) -> None:
    def break_weights(run: loop.Run) -> None:
        with torch.no_grad():
            run.current[3].bias.fill_(float("inf")), run.network[3].bias.fill_(float("inf"))

    with pytest.raises(RunError, match="weights are no longer finite; nothing was saved"):
        run(tmp_path, steps=1, callbacks=[break_weights])
    assert not (tmp_path / loop.CHECKPOINT).exists()


def test_a_checkpoint_of_a_diverged_run_is_not_continued(tmp_path: Path) -> None:
    run(tmp_path, steps=2)
    state = load_checkpoint(tmp_path / loop.CHECKPOINT)
    state["network"]["3.bias"].fill_(float("nan"))
    torch.save(state, tmp_path / loop.CHECKPOINT)
    with pytest.raises(RunError, match="of a run that diverged"):
        run(tmp_path)


def test_an_error_while_drawing_comes_through() -> None:
    def broken(rng: np.random.Generator, progress: float):
        raise OSError("a.png can't be read")

    with pytest.raises(OSError, match="a.png can't be read"):
        run(draw=broken)


def test_batches_are_drawn_ahead(tmp_path: Path) -> None:
    order = []

    def noting_draw(rng, progress):
        order.append("draw")
        return draw(rng, progress)

    def noting_loss(network, images, targets):
        while order.count("draw") < min(order.count("learn") + 2, 4):  # waits for the next batch
            pass
        order.append("learn")
        return loss(network, images, targets)

    run(steps=3, draw=noting_draw, loss=noting_loss)
    assert order[:4] == ["draw", "draw", "learn", "draw"]


# --- Several processes


def test_places_have_the_same_random_numbers_and_only_the_first_writes(tmp_path: Path) -> None:
    class Second(loop.World):
        place, size = 1, 2

    drawn = {0: [], 1: []}
    for place, world in enumerate((loop.World(), Second())):
        note = lambda rng, progress, place=place: drawn[place].append(draw(rng, progress)) or drawn[place][-1]  # noqa: E731
        result = run(tmp_path / str(place), draw=note, world=world, steps=3)
        assert result.record["images"] == 3 * 4 * world.size
    assert torch.equal(drawn[0][0][0], drawn[1][0][0])
    assert (tmp_path / "0" / loop.CHECKPOINT).exists() and not (tmp_path / "1").exists()
