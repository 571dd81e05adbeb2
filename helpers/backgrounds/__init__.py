"""Persons before another background: a model's alpha, softer edges, compositing, video (torch)."""

from helpers.backgrounds.compose import (
    as_background,
    blur_background,
    composite,
    estimate_foreground,
    parse_colour,
    replace_background,
)
from helpers.backgrounds.edges import EDGES, soften
from helpers.backgrounds.model import PERSON, ModelError, PersonModel, from_logits, load_model

__all__ = [
    "EDGES",
    "PERSON",
    "ModelError",
    "PersonModel",
    "as_background",
    "blur_background",
    "composite",
    "estimate_foreground",
    "from_logits",
    "load_model",
    "parse_colour",
    "replace_background",
    "soften",
]
