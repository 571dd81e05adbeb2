"""The work itself: one class that turns rows of the manifest into rows of results, wherever it runs."""

import hashlib
import os
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa

from helpers import models, paths
from helpers.evaluation import Evaluation
from helpers.labels import LABEL_SETS
from helpers.scale import ScaleError
from helpers.scale.frames import FrameReader

RESULTS = pa.schema(
    [
        ("id", pa.string()),
        ("mask", pa.binary()),  # PNG of class ids, null where the frame failed
        ("pixels", pa.list_(pa.int64())),  # of each class
        ("confusion", pa.list_(pa.int64())),  # counts (true, predicted), row by row; null without a label
        ("model", pa.string()),  # hash of its weights
        ("seconds", pa.float64()),  # from reading the frame to its mask as PNG
        ("finished", pa.float64()),  # seconds since 1970
        ("worker", pa.string()),  # machine and process
        ("error", pa.string()),  # "" where all went well
    ]
)


@dataclass(frozen=True)
class Job:
    """What every worker has to know; the results of a run have all of it in common.

    Attributes:
        model: name or file, as `helpers.models.load` takes it.
        digest: hash of its weights: a worker with another file under this name must not take part.
        size: longest side in pixels that the network sees; None for the model's own.
        truth: key of the label set of the ground truth; None without labels.
        scored_as: key of the label set that prediction and truth are folded to; None without labels.
    """

    model: str
    digest: str
    size: int | None = None
    truth: str | None = None
    scored_as: str | None = None

    @classmethod
    def of(cls, model: str, *, size: int | None = None, truth: str | None = None) -> "Job":
        """The job for a model, which is loaded once to see that it can be.

        Raises:
            ValueError, OSError: it can't, or it can't be scored with this ground truth.
        """
        job = cls(model, weights_digest(model), size, truth)
        labels = load_model(job).labels
        return replace(job, scored_as=Evaluation(labels, LABEL_SETS[truth]).labels.key) if truth else job


def weights_digest(model: str) -> str:
    """The first 16 hex digits of the SHA-256 of a model's file.

    Raises:
        ScaleError: there is no such file on this machine.
    """
    found = [path for path in (Path(model), *paths.DATA.glob(f"models/{model}.*")) if path.is_file()]
    weights = [path for path in found if path.suffix not in (".json", ".md")]
    if not weights:
        raise ScaleError(f"there is no model {model!r} on {socket.gethostname()}; name a bundled one or a file")
    with weights[0].open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def load_model(job: Job) -> models.Model:
    """The model of a job, checked to be the one that the job was made with."""
    if (found := weights_digest(job.model)) != job.digest:
        where = socket.gethostname()
        raise ScaleError(f"{job.model} on {where} has the hash {found}, the run {job.digest}: another version")
    return models.load(job.model, size=job.size)


class SegmentFrames:
    """Segments and scores frames; a callable, so that Ray can keep it, with its model, in an actor.

    Args:
        job: what to do.
        threads: of this worker; None leaves them as they are. Workers that each use all cores get in each other's way.
        load: loads the model.
    """

    def __init__(self, job: Job, *, threads: int | None = 1, load: Callable[[Job], models.Model] = load_model):
        self.job = job
        self.model = load(job)
        if threads:
            cv2.setNumThreads(threads)
            if torch := sys.modules.get("torch"):  # only where the model has brought it along
                torch.set_num_threads(threads)
        self._reader = FrameReader()
        self._worker = f"{socket.gethostname()}:{os.getpid()}"

    def __call__(self, frames: pa.Table) -> pa.Table:
        """Segment a batch of frames.

        A frame that can't be read or segmented gets a row with its error: it must not take its batch with it, for Ray
        would try the batch again and give the whole run up in the end.

        Args:
            frames: some rows of the manifest.

        Returns:
            As many rows with the columns of `RESULTS`, in the same order.
        """
        return pa.Table.from_pylist([self._row(frame) for frame in frames.to_pylist()], RESULTS)

    def _row(self, frame: dict) -> dict:
        start = time.perf_counter()
        num_classes = self.model.labels.num_classes
        row = {"id": frame["id"], "model": self.job.digest, "worker": self._worker, "error": ""}
        try:
            image = self._reader.image(frame["path"], frame["time"])
            pred = self.model.predict(image)
            row["pixels"] = np.bincount(pred.ravel(), minlength=num_classes)[:num_classes]
            row["mask"] = cv2.imencode(".png", pred)[1].tobytes()
            if frame["label"]:
                row["confusion"] = self._confusion(pred, self._reader.mask(frame["label"]))
        except Exception as error:  # anything at all; what stops a worker for good is the engines' concern
            row |= {"mask": None, "pixels": None, "error": f"{type(error).__name__}: {error}"}
        return row | {"seconds": time.perf_counter() - start, "finished": time.time()}

    def _confusion(self, pred: np.ndarray, mask: np.ndarray) -> np.ndarray:
        evaluation = Evaluation(self.model.labels, LABEL_SETS[self.job.truth], folded_to=LABEL_SETS[self.job.scored_as])
        evaluation.add(pred, mask)
        return evaluation.matrix.counts.ravel()


def failed_rows(frames: pa.Table, job: Job, error: str) -> pa.Table:
    """Rows for frames that no worker survived."""
    row = {"model": job.digest, "seconds": 0.0, "finished": time.time(), "worker": "", "error": error}
    return pa.Table.from_pylist([row | {"id": key} for key in frames["id"].to_pylist()], RESULTS)
