"""The models that commands can use, by name or file. A lesson that brings models of its own joins in here."""

from collections.abc import Callable

import numpy as np

from helpers.labels import LabelSet

DEFAULT_MODEL = "deeplab_street"

Predict = Callable[[np.ndarray], np.ndarray]


def load(
    name: str, labels: str | None = None, *, size: int | None = None, engine: str | None = None, streams: int = 1
) -> tuple[Predict, LabelSet]:
    """Load a model.

    Args:
        name: of a checkpoint, or a path.
        labels: key of the label set that it was trained on, where nobody knows.
        size: longest side in pixels that the network sees; by default what suits the model.
        engine, streams: what runs it, see `deeplab.load_graph`.

    Returns:
        A function from a picture (H, W, 3) uint8 RGB to its mask (H, W) uint8, and what the mask's ids mean.

    Raises:
        GraphError, AssetError: it can't be had, or is no model.
    """
    from helpers import deeplab

    graph = deeplab.load_graph(name, labels=labels, engine=engine, streams=streams)
    return lambda image: deeplab.segment(graph, image, max_size=size), graph.labels
