"""What came of a run: one confusion matrix, the worst frames, the failures, the rate; what a larger run would cost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from helpers.labels import LABEL_SETS, LabelSet
from helpers.metrics import ConfusionMatrix

if TYPE_CHECKING:  # reports of recorded runs are shown without pyarrow, too
    from helpers.scale.storage import RunFolder

PAUSE = 10.0  # seconds without any worker busy after which a run counts as interrupted


@dataclass
class Report:
    """The sum of all parts of a run.

    Attributes:
        settings: of the run, see `RunFolder.settings`.
        frames: in the manifest.
        rows: in the results; more than `done` if a frame was written twice.
        done: frames with a row.
        failures: (id, error) of frames that have no mask.
        matrix: confusion matrix over all labelled frames, None without labels.
        labels: what its rows and columns are.
        scores: id → share of right pixels, of labelled frames.
        spans: (n, 2) float64: when each frame was begun and finished, in seconds since 1970.
        workers: (n,) names of the workers that did them.
    """

    settings: dict
    frames: int
    rows: int = 0
    done: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)
    matrix: ConfusionMatrix | None = None
    labels: LabelSet | None = None
    scores: dict[str, float] = field(default_factory=dict)
    spans: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))
    workers: np.ndarray = field(default_factory=lambda: np.empty(0, object))

    @property
    def seconds(self) -> float:
        """Time in which at least one worker was busy: without the start of the engine, and without interruptions."""
        return busy_seconds(self.spans)

    @property
    def rate(self) -> float:
        """Frames per second while workers were busy."""
        return len(self.spans) / self.seconds if self.seconds else float("nan")

    def as_record(self) -> dict:
        """The report as JSON holds it; times from the first frame on, workers by number."""
        numbers = {name: number for number, name in enumerate(dict.fromkeys(self.workers), 1)}
        return {
            "settings": self.settings,
            "frames": self.frames,
            "rows": self.rows,
            "done": self.done,
            "failures": self.failures,
            "counts": self.matrix and self.matrix.counts.tolist(),
            "spans": (self.spans - self.spans.min(initial=np.inf)).round(3).tolist(),
            "workers": [numbers[name] for name in self.workers],
        }

    @classmethod
    def of_record(cls, record: dict) -> "Report":
        """What `as_record` gave, but for the frames' own scores."""
        report = cls(*(record[key] for key in ("settings", "frames", "rows", "done", "failures")))
        if record["counts"]:
            report._make_matrix()
            report.matrix.merge(record["counts"])
        report.spans = np.array(record["spans"]).reshape(-1, 2)
        report.workers = np.array([f"worker {number}" for number in record["workers"]])
        return report

    def _make_matrix(self) -> None:
        self.labels = LABEL_SETS[self.settings["scored_as"]]
        self.matrix = ConfusionMatrix(self.labels.num_classes, ignore_index=self.labels.ignore_index)

    def worst(self, count: int = 5) -> list[tuple[str, float]]:
        """The frames with the smallest share of right pixels."""
        return sorted(self.scores.items(), key=lambda item: item[1])[:count]

    def text(self) -> str:
        """The report for a terminal."""
        lines = []
        if self.matrix:
            lines.append(self.matrix.table(self.labels.class_names))
            lines += [f"worst: {name}, {100 * share:.1f} % of its pixels right" for name, share in self.worst()]
        lines += [f"failed: {name}: {error}" for name, error in self.failures[:10]]
        if len(self.failures) > 10:
            lines.append(f"failed: and {len(self.failures) - 10} more")
        missing = self.frames - self.done
        lines.append(
            f"{self.done} of {self.frames} frames done, {len(self.failures)} failed, {missing} missing; "
            f"{self.rate:.1f} frames/s with {len(set(self.workers))} workers"
        )
        return "\n".join(lines)


def read_report(folder: "RunFolder") -> Report:
    """Add up the results in a run's folder.

    A frame counts once, even if two rows of it were written: that can happen when a worker outlives the program that
    started it, and both rows then say the same.

    Raises:
        ScaleError: there is no run in the folder.
    """
    settings = folder.settings()
    report = Report(settings, len(folder.frames()))
    if settings.get("truth"):
        report._make_matrix()
    seen: set[str] = set()
    spans, workers = [], []
    for part in folder.parts(["id", "confusion", "seconds", "finished", "worker", "error"]):
        report.rows += len(part)
        for row in part.to_pylist():
            if row["id"] in seen:
                continue
            seen.add(row["id"])
            if row["error"]:
                report.failures.append((row["id"], row["error"]))
                continue
            spans.append((row["finished"] - row["seconds"], row["finished"]))
            workers.append(row["worker"])
            if row["confusion"]:
                counts = np.array(row["confusion"]).reshape(report.matrix.counts.shape)
                report.matrix.merge(counts)
                report.scores[row["id"]] = float(np.trace(counts) / max(counts.sum(), 1))
    report.done = len(seen)
    report.failures.sort()
    if spans:
        report.spans, report.workers = np.array(spans), np.array(workers)
    return report


def busy_seconds(spans: np.ndarray) -> float:
    """Length of the time that some of the spans cover; gaps below `PAUSE` seconds are part of it.

    Args:
        spans: (n, 2) begin and end in seconds.

    >>> busy_seconds(np.array([[0, 4], [3, 6], [100, 101]]))
    7.0
    """
    if not len(spans):
        return 0.0
    spans = spans[np.argsort(spans[:, 0])]
    ends = np.maximum.accumulate(spans[:, 1])
    gaps = np.maximum(spans[1:, 0] - ends[:-1], 0)
    return float(ends[-1] - spans[0, 0] - gaps[gaps > PAUSE].sum())


@dataclass(frozen=True)
class Machine:
    """A machine that one can rent.

    Attributes:
        name: for the table.
        price: for an hour, in any currency.
        rate: frames per second that it does, measured with the model at hand.
        start: seconds from renting it until its first frame.
    """

    name: str
    price: float
    rate: float
    start: float = 0.0

    def hours(self, frames: int, *, count: int = 1) -> float:
        """How long so many machines of this kind take; each starts once, and they share the frames evenly."""
        return (self.start + frames / (count * self.rate)) / 3600

    def cost(self, frames: int, *, count: int = 1) -> float:
        """What that costs: every machine is paid for as long as the last one works."""
        return count * self.hours(frames, count=count) * self.price


def cost_table(frames: int, machines: Iterable[Machine], *, counts: Sequence[int] = (1, 4, 16)) -> str:
    """Hours and cost of a number of frames, a line for each kind and number of machines."""
    lines = [f"{frames:,} frames", f"{'machine':<22} count   frames/s     hours      cost"]
    for machine in machines:
        for count in counts:
            hours, cost = machine.hours(frames, count=count), machine.cost(frames, count=count)
            lines.append(f"{machine.name:<22} {count:5d} {count * machine.rate:10.1f} {hours:9.2f} {cost:9.2f}")
    return "\n".join(lines)
