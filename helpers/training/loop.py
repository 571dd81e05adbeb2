"""One plain training loop for all lessons (torch); after minGPT's trainer, which knows nothing of what is trained.

AdamW with a warm-up and a cosine, an exponential moving average (EMA) of the weights, batches that are drawn ahead in
a thread (prefetch), checkpoints that a killed run goes on from:

    def draw(rng, progress):                  # a NumPy generator, and the share of the training that is over
        return images, targets                # (B, 3, H, W) and (B, H, W), on the CPU

    def loss(network, images, targets):       # logits may be bfloat16, where that is faster
        return F.cross_entropy(network(images).float(), targets)

    run = train(network, draw, loss, minutes=5, folder=Path("run"), data=paths, settings={"size": 480})
    run.network                               # the averaged one, in evaluation mode
"""

import hashlib
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from helpers.training.checkpoints import load_checkpoint, save_checkpoint
from helpers.training.devices import WAYS, best_device, way_to_train

Draw = Callable[[np.random.Generator, float], tuple[Tensor, Tensor]]
Loss = Callable[[nn.Module, Tensor, Tensor], Tensor]
CHECKPOINT = "checkpoint.pt"


class RunError(ValueError):
    """A run can't go on; the message says why and what to do."""


class World:
    """The processes that train together: this one alone. `helpers.training.distributed` knows of more.

    All of them have the same generators of random numbers; which part of a batch is whose is for `draw` to say.

    Attributes:
        place: number of this process; 0 writes files and shows progress.
        size: number of all.
    """

    place, size = 0, 1

    def wrap(self, network: nn.Module) -> nn.Module:
        """The network whose gradients are those of all places."""
        return network

    def agree(self, value: float) -> float:
        """What place 0 says: the clocks of several places differ."""
        return value


@dataclass
class Run:
    """A training on its way, as callbacks see it, and what is left of it in the end.

    Attributes:
        network: the averaged weights, in evaluation mode.
        current: the network that is trained.
        step: steps done.
        progress: share of steps or time that is over, 0 … 1.
        rate: learning rate of the last step.
        losses: of all steps so far, also those of earlier starts.
        record: seconds, steps, images, and what callbacks add; plain values.
    """

    network: nn.Module
    current: nn.Module
    step: int = 0
    progress: float = 0.0
    rate: float = 0.0
    losses: list[float] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=lambda: {"seconds": 0.0, "steps": 0, "images": 0})


def train(
    network: nn.Module,
    draw: Draw,
    loss: Loss,
    *,
    steps: int | None = None,
    minutes: float | None = None,
    folder: Path | None = None,
    data: Iterable[str | Path] = (),
    settings: dict[str, Any] | None = None,
    rate: float = 2e-3,
    weight_decay: float = 0.03,
    warmup: float = 0.03,
    decay: float = 0.998,
    seed: int = 0,
    callbacks: Sequence[Callable[[Run], None]] = (),
    save_every: float = 60,
    groups: list[dict] | None = None,
    clip: float | None = None,
    compute: str | None = None,
    world: World | None = None,
) -> Run:
    """Train a network for a number of steps, or for some minutes: then a busy machine does fewer steps, but finishes.

    Args:
        network: to begin with; its own weights are trained.
        draw: gives a batch, see above. Each step has a generator of its own, so a run that goes on draws what it
            would have drawn. It may use torch's random numbers if the network uses none.
        loss: of the network, images and targets.
        steps: of the optimizer for all of the run.
        minutes: time for all of the run, also what earlier starts of it took. Either this or `steps`.
        folder: of the run; its checkpoint is kept up to date and, where there is one, continued.
        data: files, or names, that are learnt from: a run goes on only with the same ones.
        settings: plain values that have to be the same for a run to go on.
        rate: highest learning rate of AdamW.
        weight_decay: of weights; normalisations and biases have none.
        warmup: share of the training in which the rate rises.
        decay: of the average; smaller in the first steps.
        seed: of the batches.
        callbacks: called after each step; what they put into `run.record` is kept in checkpoints.
        save_every: seconds between checkpoints.
        groups: of the network's parameters, instead of `parameter_groups`; a group's "scale" multiplies its rate.
        clip: largest norm of the gradients; those that are longer are shortened.
        compute: one of `devices.WAYS`; by default the fastest, which is measured.
        world: the processes that train together.

    Returns:
        The run; its `network` is the average.

    Raises:
        RunError: the folder holds another run or one that is going on, or the training diverged.
    """
    if (steps is None) == (minutes is None):
        raise ValueError("name either steps or minutes")
    world = world or World()
    device = best_device()
    network.to(device)
    identity = {
        "data": hash_data(data),
        "first weights": hash_weights(network),
        "settings": {"rate": rate, "weight_decay": weight_decay, "seed": seed, **(settings or {})},
    }
    average = AveragedModel(network, multi_avg_fn=ema(decay), use_buffers=True).eval().requires_grad_(False)
    optimizer = torch.optim.AdamW(groups or parameter_groups(network, weight_decay), lr=rate)
    run = Run(average.module, network)
    with claim(folder) if folder and world.place == 0 else nullcontext():
        if folder and (folder / CHECKPOINT).exists():
            _restore(folder / CHECKPOINT, identity, run, average, optimizer)
            if world.place == 0:
                tqdm.write(f"continued after {run.record['seconds'] / 60:.1f} minutes, {run.step} steps")
        trained = world.wrap(network.train())
        began = time.monotonic() - run.record["seconds"]
        saved = run.record["seconds"]

        def save() -> None:
            if folder and world.place == 0:
                _save(folder / CHECKPOINT, identity, run, average, optimizer)

        def progress(step: int) -> float:
            return step / steps if steps else run.record["seconds"] / (60 * minutes)

        run.progress = world.agree(progress(run.step))
        way = None
        with _prefetch(draw, seed, progress) as batches, _bar(run, steps, minutes, world) as advance:
            while run.progress < 1:
                images, targets = batches(run.step)
                images, targets = images.to(device, non_blocking=True), targets.to(device, non_blocking=True)
                if way is None:  # the measurement needs a batch
                    way = WAYS[compute or way_to_train(network, loss, images, targets)]
                    way.place(network), way.place(average)
                run.rate = rate * warmup_cosine(run.progress + (1 / steps if steps else 0), warmup=warmup)
                for group in optimizer.param_groups:
                    group["lr"] = run.rate * group.get("scale", 1.0)
                with way.autocast(device):
                    value = loss(trained, way.order(images), targets)
                optimizer.zero_grad(set_to_none=True)
                value.backward()
                run.losses.append(value.item())
                if not math.isfinite(run.losses[-1]):
                    raise _diverged(run, folder, f"the loss is {run.losses[-1]}")
                if clip:
                    nn.utils.clip_grad_norm_(network.parameters(), clip)
                optimizer.step()
                average.update_parameters(network)
                run.step += 1
                run.record["steps"] = run.step
                run.record["images"] += len(images) * world.size
                run.record["seconds"] = time.monotonic() - began
                run.progress = world.agree(progress(run.step))
                for callback in callbacks:
                    callback(run)
                advance()
                if run.record["seconds"] - saved > save_every and run.progress < 1:
                    save()
                    saved = run.record["seconds"]
        if not _finite(average.module):
            raise _diverged(run, folder, "weights are no longer finite")
        run.progress = 1.0
        save()
    return run


def parameter_groups(network: nn.Module, weight_decay: float) -> list[dict]:
    """Parameters for an optimizer: weights, which decay, and those of normalisations and biases, which don't."""
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


def warmup_cosine(progress: float, *, warmup: float = 0.03) -> float:
    """Factor of the learning rate: up in a straight line, then down along a cosine to 0.

    Args:
        progress: share of the training that is over, 0 … 1; measured in time, it finishes on time on any machine.
        warmup: share that the rise takes.

    >>> warmup_cosine(0.03), warmup_cosine(1.0)
    (1.0, 0.0)
    """
    progress = min(max(progress, 0.0), 1.0)
    if progress < warmup:
        return progress / warmup
    return (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup))) / 2


def ema(decay: float) -> Callable:
    """Exponential moving average for torch's `AveragedModel` that follows faster during the first steps."""

    def update(averages: list[Tensor], values: list[Tensor], steps: Tensor) -> None:
        get_ema_multi_avg_fn(min(decay, (1 + int(steps)) / (11 + int(steps))))(averages, values, steps)

    return update


def measuring(measure: Callable[[nn.Module], dict], *, times: int = 5) -> Callable[[Run], None]:
    """Make a callback that measures the averaged network a few times on the way, into `run.record["history"]`."""

    def callback(run: Run) -> None:
        history = run.record.setdefault("history", [])
        if (len(history) + 1) / (times + 1) < run.progress < 1:
            history.append({"minutes": round(run.record["seconds"] / 60, 2), "steps": run.step, **measure(run.network)})

    return callback


@contextmanager
def claim(folder: Path) -> Iterator[None]:
    """Keep a run's folder for this process; may be claimed again inside.

    Raises:
        RunError: another process writes to it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / ".lock", timeout=0, is_singleton=True)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise RunError(f"another training writes to {folder}; wait for it, or choose another folder") from None
    try:
        yield
    finally:
        lock.release()


def stopped(folder: Path) -> str:
    """Say what a run that somebody stopped leaves behind."""
    if (folder / CHECKPOINT).exists():
        return f"stopped; the same command goes on from {folder / CHECKPOINT}"
    return "stopped before the first checkpoint; the same command starts again"


def averaged_weights(checkpoint: dict) -> dict[str, Tensor]:
    """The averaged network's state dict in a checkpoint that was read by `load_checkpoint`."""
    prefix = "module."
    found = {key.removeprefix(prefix): v for key, v in checkpoint["average"].items() if key.startswith(prefix)}
    if not found:
        raise KeyError("the checkpoint holds no average of `train`")
    return found


def hash_data(items: Iterable[str | Path]) -> str:
    """Digest of a list of files (name and size) or names, in any order."""
    lines = sorted(f"{i.name} {i.stat().st_size}" if isinstance(i, Path) else i for i in items)
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def hash_weights(network: nn.Module) -> str:
    """Digest of a network's weights and buffers."""
    digest = hashlib.sha256()
    for name, value in network.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _save(path: Path, identity: dict, run: Run, average: AveragedModel, optimizer: torch.optim.Optimizer) -> None:
    if not (_finite(run.current) and _finite(run.network)):
        raise _diverged(run, path.parent, "weights are no longer finite")
    state = {
        "identity": identity,
        "network": run.current.state_dict(),
        "average": average.state_dict(),
        "optimizer": optimizer.state_dict(),
        "random": torch.get_rng_state(),
        "losses": run.losses,
        "record": run.record,
    }
    save_checkpoint(path, state)


def _restore(path: Path, identity: dict, run: Run, average: AveragedModel, optimizer: torch.optim.Optimizer) -> None:
    """Put a checkpoint's state in place of that of a fresh run."""
    advice = "give the same to continue it, or choose another folder"
    try:
        state = load_checkpoint(path)
        found = state["identity"]
        for what, mine in identity.items():
            if what == "settings" and found[what] != mine:
                keys = [key for key in found[what] | mine if found[what].get(key) != mine.get(key)]
                theirs, ours = ({key: values.get(key) for key in keys} for values in (found[what], mine))
                raise RunError(f"{path} is of a run with other settings: {theirs}, not {ours}; {advice}")
            if found[what] != mine:
                raise RunError(f"{path} is of a run with other {what}; {advice}")
        run.current.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
        run.losses, run.record = state["losses"], state["record"]
        run.step = run.record["steps"]
    except RunError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise RunError(f"{path} is not a checkpoint of this training; remove it, or choose another folder") from error
    if not (_finite(run.current) and _finite(run.network)):
        raise RunError(f"{path} is of a run that diverged; remove it, or choose another folder")


def _finite(network: nn.Module) -> bool:
    return all(bool(value.isfinite().all()) for value in network.state_dict().values() if value.is_floating_point())


def _diverged(run: Run, folder: Path | None, what: str) -> RunError:
    kept = ""
    if folder:
        kept = "; the checkpoint before it stays" if (folder / CHECKPOINT).exists() else "; nothing was saved"
    return RunError(
        f"the training diverged: after {run.step} steps {what}{kept}. Lower the learning rate (it was {run.rate:.2g}), "
        "or look for wrong values in the data"
    )


@contextmanager
def _prefetch(draw: Draw, seed: int, progress: Callable[[int], float]) -> Iterator[Callable]:
    """Draw each batch while the network learns from the one before: gives a function from step to batch."""
    executor = ThreadPoolExecutor(1)
    waiting = {}

    def start(step: int) -> None:
        waiting[step] = executor.submit(draw, np.random.default_rng([seed, step]), progress(step))

    def batch(step: int) -> tuple[Tensor, Tensor]:
        if step not in waiting:
            start(step)
        result = waiting.pop(step).result()
        start(step + 1)
        return result

    try:
        yield batch
    finally:
        executor.shutdown(cancel_futures=True)


@contextmanager
def _bar(run: Run, steps: int | None, minutes: float | None, world: World) -> Iterator[Callable[[], None]]:
    """A progress bar over steps or seconds; it shows loss and speed, and only on a terminal."""
    total, unit = (steps, "step") if steps else (round(60 * minutes), "s")
    first = run.step if steps else int(run.record["seconds"])
    hidden = True if world.place else None  # None: only on a terminal
    with tqdm(total=total, initial=first, unit=unit, leave=False, disable=hidden) as bar:

        def advance() -> None:
            bar.set_postfix_str(f"loss {np.mean(run.losses[-50:]):.3f}", refresh=False)
            bar.update((run.step if steps else int(run.record["seconds"])) - bar.n)

        yield advance
