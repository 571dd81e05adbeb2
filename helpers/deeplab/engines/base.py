"""What every DeepLab graph can do, whatever runs it: pixels in, class ids or logits out."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from helpers import labels as label_sets
from helpers.deeplab.zoo import Checkpoint
from helpers.labels import ADE20K, LabelSet


class GraphError(ValueError):
    """A model cannot be loaded or run; the message names it and says why."""


class Graph(ABC):
    """A loaded model: call it with a picture, get a mask of the same size.

    Attributes:
        name: file or checkpoint name, for messages and figure titles.
        labels: what the ids mean; "class 0" … in evenly spaced colours where nobody knows.
        num_classes: number of classes that the masks can hold.
        input_limit: largest (height, width) that it takes; None where any size works.
        default_size: longest side that `segment` runs at unless told otherwise.
    """

    def __init__(
        self,
        name: str,
        outputs: int,
        *,
        labels: LabelSet | None,
        checkpoint: Checkpoint | None,
        input_limit: tuple[int, int] | None = None,
    ):
        self.name = name
        # A folder's name says what a graph was, its outputs what it is: own classes trained from a zoo checkpoint.
        if checkpoint and not labels and outputs not in _outputs(checkpoint.labels):
            checkpoint = None
        known = checkpoint.labels if checkpoint else None
        if outputs > 256:
            raise GraphError(f"{name} tells {outputs} classes apart; a mask has room for 256")
        self.labels = labels or known or label_sets.generic(outputs)
        # ADE20K graphs have one output more than classes: 0 is "ignored" and the classes count from 1.
        self._id_offset = int(self.labels is ADE20K and outputs == ADE20K.num_classes + 1)
        self.num_classes = outputs - self._id_offset
        if self.num_classes != self.labels.num_classes:
            raise GraphError(
                f"{name} tells {outputs} classes apart, but {self.labels.name} has {self.labels.num_classes}; "
                "name the label set that it was trained on, or none"
            )
        self.input_limit = (checkpoint and checkpoint.input_limit) or input_limit
        self.default_size = checkpoint.default_size if checkpoint else None

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Segment a picture at its own size.

        Args:
            image: (H, W, 3) uint8 RGB, within `input_limit`.

        Returns:
            (H, W) uint8 ids of `labels`; 255 where the model says "ignored".

        Raises:
            GraphError: wrong shape, type or size, or the model fails on it.
        """
        mask = self._predict(self._checked(image))
        if mask.shape != image.shape[:2]:
            raise GraphError(f"{self.name} gave a mask of {mask.shape} for a picture of {image.shape[:2]}")
        # In uint8, 0 − 1 = 255: "ignored" of the ADE20K graphs becomes the ignore id.
        return mask.astype(np.uint8) - np.uint8(self._id_offset)

    def logits(self, image: np.ndarray) -> np.ndarray:
        """The scores that the argmax chooses from.

        Args:
            image: as for a call.

        Returns:
            (h, w, num_classes) float32, channel i for class id i; h and w are the picture's, or smaller where the
            network takes the argmax before it enlarges.

        Raises:
            GraphError: as for a call, or the model has no logits to give.
        """
        return self._logits(self._checked(image))[..., self._id_offset :]

    @abstractmethod
    def _predict(self, image: np.ndarray) -> np.ndarray: ...

    @abstractmethod
    def _logits(self, image: np.ndarray) -> np.ndarray: ...

    def _checked(self, image: np.ndarray) -> np.ndarray:
        image = np.asarray(image)
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise GraphError(f"a picture is (H, W, 3) uint8 RGB, this one is {image.shape} {image.dtype}")
        if 0 in image.shape:
            raise GraphError(f"the picture is empty: {image.shape}")
        if self.input_limit and (image.shape[0] > self.input_limit[0] or image.shape[1] > self.input_limit[1]):
            raise GraphError(
                f"the picture is {image.shape[0]}×{image.shape[1]}, {self.name} takes at most "
                f"{self.input_limit[0]}×{self.input_limit[1]} (height × width); segment() resizes it"
            )
        return image


def _outputs(labels: LabelSet) -> tuple[int, ...]:
    return (labels.num_classes, labels.num_classes + 1) if labels is ADE20K else (labels.num_classes,)


@contextmanager
def quiet_start() -> Iterator[None]:
    """Hide what a framework's native code prints to the terminal while it starts; its exceptions still come through."""
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)
