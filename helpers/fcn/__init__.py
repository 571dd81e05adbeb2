"""FCN: torchvision's pretrained segmentation models, and readable overlays of what they see (torch)."""

from helpers.fcn.models import BUNDLED, MODELS, ModelError, Published, SegmentationModel, load_model
from helpers.fcn.predict import (
    draw_segmentation_map,
    get_probabilities,
    get_segment_labels,
    image_overlay,
    segment_batch,
)

__all__ = [
    "BUNDLED",
    "MODELS",
    "ModelError",
    "Published",
    "SegmentationModel",
    "draw_segmentation_map",
    "get_probabilities",
    "get_segment_labels",
    "image_overlay",
    "load_model",
    "segment_batch",
]
