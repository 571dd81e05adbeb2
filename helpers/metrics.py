"""Scores for segmentation, all computed from one confusion matrix that is summed over every picture."""

import numpy as np


class ConfusionMatrix:
    """Counts of (true class, predicted class) over all pixels seen so far.

    IoU and Dice are computed from the summed counts, not averaged over pictures: a class that fills ten pixels of
    one picture and a million of another is judged on all of them together.

    A class that is absent from both truth and prediction has no score: it is NaN in `iou()` and `dice()` and left out
    of `mean_iou()` and `mean_dice()`. A class that was predicted somewhere but never true (or the other way round)
    scores 0 and counts.

    Args:
        num_classes: C, ids are 0 … C − 1.
        ignore_index: pixels whose *true* id is this are not counted, whatever was predicted. A *prediction* of this id
            elsewhere is a miss: it counts against the true class and for no other.

    >>> target, pred = np.array([[0, 0, 1, 255]]), np.array([[0, 1, 1, 0]])
    >>> scores = ConfusionMatrix(3, ignore_index=255).update(target, pred)
    >>> scores.matrix.tolist()
    [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
    >>> scores.iou().tolist(), scores.mean_iou()
    ([0.5, 0.5, nan], 0.5)
    """

    def __init__(self, num_classes: int, *, ignore_index: int | None = None):
        if num_classes < 1:
            raise ValueError(f"num_classes is {num_classes}; it is at least 1")
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        self._counts = np.zeros((num_classes, num_classes + 1), np.int64)  # last column: predicted "ignore"

    @property
    def matrix(self) -> np.ndarray:
        """(C, C) int64: rows are true classes, columns predicted ones."""
        return self._counts[:, :-1]

    @property
    def counts(self) -> np.ndarray:
        """(C, C + 1) int64: `matrix` and a last column for pixels that were predicted as "ignore"."""
        return self._counts

    def merge(self, counts: np.ndarray) -> "ConfusionMatrix":
        """Add the `counts` of another matrix, for instance of another worker. Returns itself.

        Raises:
            ValueError: they are of another number of classes.
        """
        counts = np.asarray(counts)
        if counts.shape != self._counts.shape:
            raise ValueError(f"counts have shape {counts.shape}, expected {self._counts.shape}: other classes?")
        self._counts += counts
        return self

    def update(self, target: np.ndarray, pred: np.ndarray) -> "ConfusionMatrix":
        """Add one picture (or a batch): two integer arrays of equal shape, truth first. Returns itself.

        Raises:
            ValueError: shapes differ, values are not integers or no class; nothing is counted then.
        """
        target, pred = np.asarray(target), np.asarray(pred)
        if target.shape != pred.shape:
            raise ValueError(f"target has shape {target.shape}, pred {pred.shape}; resize the prediction to the truth")
        for name, array in (("target", target), ("pred", pred)):
            if not (np.issubdtype(array.dtype, np.integer) or array.dtype == bool):
                raise ValueError(f"{name} holds {array.dtype}, not class ids; take the argmax over classes first")
        n = self.num_classes
        missed = None
        if self.ignore_index is not None:
            counted = target != self.ignore_index
            target, pred = target[counted], pred[counted]
            missed = pred == self.ignore_index
            pred = np.where(missed, pred.dtype.type(0), pred)
        for name, array in (("target", target), ("pred", pred)):
            if array.size and not 0 <= array.min() <= array.max() < n:
                raise ValueError(
                    f"{name} has ids {array.min()}–{array.max()}, but there are {n} classes (0–{n - 1})"
                    f" and ignore_index is {self.ignore_index}"
                )
        kind = np.uint16 if n < 256 else np.int64  # all pairs fit into 16 bits: less memory to walk through
        pred = pred.astype(kind)
        if missed is not None:
            pred[missed] = n
        pairs = target.astype(kind).ravel() * kind(n + 1) + pred.ravel()
        self._counts += np.bincount(pairs, minlength=n * (n + 1)).reshape(n, n + 1)
        return self

    def pixel_accuracy(self) -> float:
        """Share of counted pixels whose class is right; NaN when nothing was counted."""
        return _ratio(np.trace(self.matrix), self._counts.sum())

    def iou(self) -> np.ndarray:
        """(C,) float64: intersection over union of each class, TP / (TP + FP + FN); NaN where absent in both."""
        hit = np.diag(self.matrix)
        return _ratio(hit, self.matrix.sum(0) + self._counts.sum(1) - hit)

    def dice(self) -> np.ndarray:
        """(C,) float64: 2 TP / (2 TP + FP + FN) of each class (the F1 score); NaN where absent in both."""
        return _ratio(2 * np.diag(self.matrix), self.matrix.sum(0) + self._counts.sum(1))

    def recall(self) -> np.ndarray:
        """(C,) float64: share of each class's true pixels that were found; NaN where the class is never true."""
        return _ratio(np.diag(self.matrix), self._counts.sum(1))

    def precision(self) -> np.ndarray:
        """(C,) float64: share of each class's predicted pixels that are right; NaN where it is never predicted."""
        return _ratio(np.diag(self.matrix), self.matrix.sum(0))

    def mean_iou(self) -> float:
        """Mean of `iou()` over the classes that occur in truth or prediction; NaN when none does."""
        return _mean(self.iou())

    def mean_dice(self) -> float:
        """Mean of `dice()` over the classes that occur in truth or prediction; NaN when none does."""
        return _mean(self.dice())

    def figures(self, class_names: list[str] | tuple[str, ...]) -> dict:
        """Pixel accuracy, mean IoU and IoU of each class, as JSON holds them: shares of 1, None where NaN."""
        iou = zip(class_names, map(_number, self.iou()), strict=True)
        return {
            "pixel_accuracy": _number(self.pixel_accuracy()),
            "mean_iou": _number(self.mean_iou()),
            "iou": dict(iou),
        }

    def table(self, class_names: list[str] | tuple[str, ...]) -> str:
        """Per-class scores as text: share of true pixels, IoU, Dice, recall and precision, in %, and the means."""
        if len(class_names) != self.num_classes:
            raise ValueError(f"{len(class_names)} names for {self.num_classes} classes")
        share = _ratio(self._counts.sum(1), self._counts.sum())
        columns = np.stack([share, self.iou(), self.dice(), self.recall(), self.precision()], 1) * 100
        width = max(14, *map(len, class_names))
        lines = [f"{'class':<{width}}  share    IoU   Dice recall  prec."]
        for name, row in zip(class_names, columns, strict=True):
            lines.append(f"{name:<{width}} " + " ".join("     –" if np.isnan(v) else f"{v:6.1f}" for v in row))
        lines.append(
            f"pixel accuracy {100 * self.pixel_accuracy():.2f} %, mean IoU {100 * self.mean_iou():.2f} %, "
            f"mean Dice {100 * self.mean_dice():.2f} % over {np.isfinite(self.iou()).sum()} classes"
        )
        return "\n".join(lines)


def _ratio(part, whole):
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.float64(part) / whole if np.ndim(part) == 0 else part / np.asarray(whole, np.float64)


def _mean(values: np.ndarray) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 5)
