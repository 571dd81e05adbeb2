"""The usual guide's way from picture to overlay, and ours: what benchmark and test compare."""

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from helpers import fcn
from helpers.fcn.models import SegmentationModel
from helpers.labels import PASCAL_VOC


def guide_way(image: np.ndarray, network: nn.Module, transforms) -> tuple[np.ndarray, np.ndarray]:
    """A plain forward pass, colours by a loop over the classes for each channel, a blend in OpenCV's channel order."""
    with torch.no_grad():
        batch = transforms(torch.from_numpy(image).permute(2, 0, 1).contiguous().unsqueeze(0))
        outputs = network(batch.contiguous())["out"]
        outputs = F.interpolate(outputs, size=image.shape[:2], mode="bilinear", align_corners=False)
    labels = torch.argmax(outputs.squeeze(), dim=0).numpy()
    channels = [np.zeros_like(labels).astype(np.uint8) for _ in range(3)]
    for class_id, color in enumerate(PASCAL_VOC.colors):
        chosen = labels == class_id
        for channel, value in zip(channels, color, strict=True):
            channel[chosen] = value
    segmented = cv2.cvtColor(np.stack(channels, axis=2), cv2.COLOR_RGB2BGR)
    blended = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    cv2.addWeighted(segmented, 0.6, blended, 0.4, 0, blended)
    return labels, blended


def our_way(image: np.ndarray, model: SegmentationModel) -> tuple[np.ndarray, np.ndarray]:
    labels = fcn.get_segment_labels(image, model)
    return labels, fcn.image_overlay(image, fcn.draw_segmentation_map(labels))
