"""The models that commands and lessons can use, by name or file: one registry, one protocol."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers.assets import ASSETS
from helpers.labels import LabelSet
from helpers.model_files import is_tflite, is_torch, objection

DEFAULT_MODEL = "deeplab_street"

# Which lesson a name belongs to; known here, because asking the lessons would load their frameworks.
DEEPLAB_NAMES = (DEFAULT_MODEL, *(name for name, asset in ASSETS.items() if asset.source == "deeplab_zoo"))
FCN_NAMES = ("fcn_street", *(name for name, asset in ASSETS.items() if asset.source == "torchvision"))
PERSON_MODEL = "person_small"
PERSON_NAMES = (PERSON_MODEL, "selfie_segmentation")


@dataclass(frozen=True)
class Model:
    """A loaded model, whatever it runs on.

    Attributes:
        name: as it was asked for.
        predict: from a picture (H, W, 3) uint8 RGB to its mask (H, W) of class ids.
        labels: what the mask's ids mean.
    """

    name: str
    predict: Callable[[np.ndarray], np.ndarray]
    labels: LabelSet


def load(
    name: str, labels: str | None = None, *, size: int | None = None, engine: str = "auto", streams: int = 1
) -> Model:
    """Load a model.

    Args:
        name: of a checkpoint, or a path.
        labels: key of the label set that it was trained on, where nobody knows.
        size: longest side in pixels that the network sees; by default what suits the model.
        engine, streams: what runs it, see `deeplab.load_graph`.

    Raises:
        ValueError, AssetError: it can't be had, or is no model.
    """
    if name in PERSON_NAMES:
        person = load_person(name, size=size)
        return Model(name, person.predict, person.labels)
    if name not in DEEPLAB_NAMES + FCN_NAMES and not Path(name).exists():
        names = ", ".join(DEEPLAB_NAMES + FCN_NAMES + PERSON_NAMES)
        raise ValueError(f"no model at {name}; name a file or folder, or one of: {names}")
    if name not in DEEPLAB_NAMES + FCN_NAMES and (fault := objection(name)):
        raise ValueError(fault)
    if name in FCN_NAMES or is_torch(name):
        if engine != "auto":
            raise ValueError(f"{name} runs on torch; --engine is for DeepLab graphs")
        return _load_torch(name, labels, size=size)
    from helpers import deeplab

    if name not in DEEPLAB_NAMES:
        from helpers.deeplab.engines.trial import try_out

        try_out(Path(name))
    graph = deeplab.load_graph(name, labels=labels, engine=engine, streams=streams)
    return Model(name, lambda image: deeplab.segment(graph, image, max_size=size), graph.labels)


def load_person(name: str | Path = PERSON_MODEL, *, size: int | None = None, person: int | None = None):
    """Load a model that finds persons.

    Args:
        name: a name that `helpers.backgrounds.load_model` knows, a file of its kinds, or a frozen graph that
            `helpers.deeplab.load_graph` reads.
        size: longest side in pixels that the network sees.
        person: id of the class "person", where neither 15 of 21 classes nor 1 of 2.

    Returns:
        A `helpers.backgrounds.PersonModel`: `alpha(image)`, `predict(image)`, `labels`.

    Raises:
        ValueError, AssetError: it can't be had, or is no model.
    """
    from helpers import backgrounds

    foreign = name not in (*DEEPLAB_NAMES, *PERSON_NAMES) and Path(name).exists()
    if foreign and (fault := objection(name)):
        raise ValueError(fault)
    if foreign and not is_torch(name):
        from helpers.deeplab.engines.trial import try_out

        try_out(Path(name))
    if name not in DEEPLAB_NAMES and (not foreign or is_torch(name) or is_tflite(name)):
        return backgrounds.load_model(name, size=size, person=person)
    from helpers import deeplab

    graph = deeplab.load_graph(name)
    return backgrounds.from_logits(graph.name, graph.logits, person=person, size=size or graph.default_size or 513)


def _load_torch(name: str, labels: str | None, *, size: int | None) -> Model:
    lesson = None if name in FCN_NAMES else lesson_of(name)
    if lesson == "camvid":
        from helpers.camvid.model import load_model

        return Model(name, *load_model(name, size=size))
    if lesson == "severstal":
        from helpers.severstal.train import load as load_steel

        steel = load_steel(name)
        return Model(name, steel.predict, steel.labels)
    if lesson == "road_surface":
        from helpers.road_surface.model import load as load_road

        road = load_road(name)
        return Model(name, road.predict, road.labels)
    from helpers import fcn

    model = fcn.load_model(name, size=size, labels=labels)
    return Model(name, lambda image: fcn.get_segment_labels(image, model), model.labels)


def lesson_of(name: str) -> str | None:
    """The lesson that a file of weights says it is of; None where it says nothing."""
    from helpers.training.checkpoints import load_checkpoint

    try:
        saved = load_checkpoint(name)
    except (ValueError, OSError):  # whoever loads it says what is wrong
        return None
    return saved.get("lesson") if isinstance(saved, dict) else None
