"""fastai callbacks for long trainings: end on time, averaged weights, checkpoints that resume, a line of progress."""

import time
from collections.abc import Callable
from pathlib import Path

from fastai.callback.core import Callback, CancelFitException
from torch import nn
from tqdm import tqdm

from helpers.training.checkpoints import AveragedWeights, load_checkpoint, save_checkpoint, warmup_cosine


class Averaged(Callback):
    """Keeps the average of the weights over the last steps, which predicts better than any one step's."""

    def before_fit(self) -> None:
        self.average = AveragedWeights(self.model)

    def after_step(self) -> None:
        self.average.update(self.model)


class Minutes(Callback):
    """Trains for a time instead of a number of epochs: learning rate, kind of views and end follow the clock.

    A busy machine does fewer steps, but finishes. The training loader finds the share of the time that is over in its
    attribute `progress`.

    Args:
        minutes: for all of the run, also what earlier starts of it took.
        peak_rate: highest learning rate.
    """

    order = 2

    def __init__(self, minutes: float, *, peak_rate: float):
        self.minutes, self.peak_rate, self.seconds = minutes, peak_rate, 0.0

    def before_fit(self) -> None:
        self.began = time.monotonic() - self.seconds

    def before_train(self) -> None:
        self.seconds = time.monotonic() - self.began
        progress = self.seconds / (60 * self.minutes)
        if progress >= 1:
            raise CancelFitException
        self.dls.train.progress = progress
        self.opt.set_hyper("lr", self.peak_rate * warmup_cosine(progress))

    after_batch = before_train


class Checkpoints(Callback):
    """Writes a checkpoint every so often and at the end; goes on from the one that it finds.

    Works together with `Averaged` and `Minutes`.

    Args:
        path: of the checkpoint.
        settings: plain values that have to be the same for a run to be continued.
        every: seconds between two.
        measure: figures of the averaged network; asked for a few times on the way.
        measurements: how many times.

    Raises:
        ValueError: the checkpoint that is there has other settings.
    """

    order = 1  # after the average exists, before the clock starts

    def __init__(
        self,
        path: Path,
        settings: dict,
        *,
        every: float = 60,
        measure: Callable[[nn.Module], dict] | None = None,
        measurements: int = 5,
    ):
        self.path, self.settings, self.every, self.measure = path, settings, every, measure
        self.measurements = measurements
        self.found = load_checkpoint(path) if path.exists() else None
        if self.found and (other := self.found.get("settings")) != settings:
            raise ValueError(
                f"{path} is of a run with other settings: {other}, not {settings}; "
                "give the same ones to continue it, or another folder"
            )
        self.record = self.found["record"] if self.found else {"seconds": 0.0, "steps": 0, "views": 0, "history": []}

    def before_fit(self) -> None:
        if self.found:
            try:
                self.model.load_state_dict(self.found["network"])
            except RuntimeError as error:
                raise ValueError(f"{self.path} is of another network; remove it, or name another folder") from error
            self.averaged.average.network.load_state_dict(self.found["average"])
            self.opt.load_state_dict(self.found["optimizer"])
            self.averaged.average.steps = self.record["steps"]
            self.minutes.seconds = self.record["seconds"]
            self.found = None
            tqdm.write(f"continued after {self.minutes.seconds / 60:.1f} minutes, {self.record['steps']} steps")
        self.saved = self.record["seconds"]

    def after_batch(self) -> None:
        self.record["seconds"] = self.minutes.seconds
        self.record["steps"] += 1
        self.record["views"] += len(self.xb[0])
        if self.minutes.seconds - self.saved > self.every:
            self.save()
        due = (len(self.record["history"]) + 1) / (self.measurements + 1)
        if self.measure and self.dls.train.progress > due:
            figures = self.measure(self.averaged.average.network)
            self.record["history"].append({"minutes": round(self.minutes.seconds / 60, 2), **figures})

    def after_fit(self) -> None:
        self.record["seconds"] = self.minutes.seconds
        self.save()

    def save(self) -> None:
        """Write the checkpoint; a kill meanwhile leaves the one before."""
        state = {
            "settings": self.settings,
            "network": self.model.state_dict(),
            "average": self.averaged.average.network.state_dict(),
            "optimizer": self.opt.state_dict(),
            "record": self.record,
        }
        save_checkpoint(self.path, state)
        self.saved = self.minutes.seconds


class ProgressLine(Callback):
    """A bar over the minutes on a terminal, and now and then a line that stays: minutes, size, loss, speed.

    Args:
        every: seconds between two lines.
    """

    order = 3

    def __init__(self, *, every: float = 60):
        self.every = every

    def before_fit(self) -> None:
        total = round(self.minutes.minutes * 60)
        self.bar = tqdm(total=total, initial=round(self.minutes.seconds), unit="s", leave=False, disable=None)
        self.start = self.minutes.seconds
        self.losses, self.views = [], 0

    def after_batch(self) -> None:
        seconds = self.minutes.seconds
        self.losses.append(self.loss.detach())
        self.views += len(self.xb[0])
        self.bar.update(int(seconds) - self.bar.n)
        if seconds - self.start > self.every:
            height, width = self.xb[0].shape[2:]
            loss = sum(self.losses).item() / len(self.losses)
            speed = self.views / (seconds - self.start)
            tqdm.write(f"{seconds / 60:6.1f} min  views {height}×{width}  loss {loss:.3f}  {speed:.1f} views/s")
            self.start, self.losses, self.views = seconds, [], 0

    def after_fit(self) -> None:
        self.bar.close()
