"""Driving video: smoothing over time, flicker, where the time goes, and the tutorials' loop to compare with."""

import time
from collections import deque
from collections.abc import Iterable
from contextlib import ExitStack
from functools import reduce
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from helpers.deeplab import Graph, input_size
from helpers.images import resize_image
from helpers.masks import resize_mask
from helpers.video import FrameView, VideoReader, VideoWriter

CITYSCAPES_SIZE = (1025, 2049)  # (height, width) that the driving-scene tutorial brings every frame to


class TemporalSmoothing:
    """A model for the frames of one video: each mask comes from the mean of the last frames' logits.

    Labels then change less often where the network wavers. The price: a moving edge drags the past behind it, unless
    `follow_motion` first moves the past to where things are now, by optical flow (DIS; Kroeger et al., ECCV 2016).

    Args:
        graph: from `load_graph`.
        frames: how many frames are averaged, the present one included; 1 smooths nothing.
        follow_motion: whether to shift the former logits along the motion between frames.
        max_size: longest side in pixels that the network sees, as for `segment`.
    """

    def __init__(self, graph: Graph, *, frames: int = 2, follow_motion: bool = False, max_size: int | None = None):
        if frames < 1:
            raise ValueError(f"frames is {frames}; 1 smooths nothing, 2 averages with the frame before")
        self.graph, self.max_size, self.follow_motion = graph, max_size, follow_motion
        self._logits: deque[np.ndarray] = deque(maxlen=frames)
        self._gray: np.ndarray | None = None
        self._flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def run(self, image: np.ndarray) -> np.ndarray:
        """Segment the next frame.

        Args:
            image: (H, W, 3) uint8 RGB; frames of another size than before start anew.

        Returns:
            (H, W) uint8 ids of the graph's labels.
        """
        size = input_size(self.graph, image.shape[:2], max_size=self.max_size)
        return self.average(self.graph.logits(image if size == image.shape[:2] else resize_image(image, size)), image)

    def average(self, logits: np.ndarray, image: np.ndarray) -> np.ndarray:
        """The same for a frame whose logits (h, w, C) float32 are known, so that several ways can share them."""
        if self._logits and self._logits[0].shape != logits.shape:
            self._logits.clear()
        if self.follow_motion and self._logits.maxlen > 1:
            gray = cv2.cvtColor(resize_image(image, logits.shape[:2]), cv2.COLOR_RGB2GRAY)
            if self._logits:
                flow = self._flow.calc(gray, self._gray, None)  # from each pixel to where it was
                self._logits = deque((warp(former, flow) for former in self._logits), self._logits.maxlen)
            self._gray = gray
        self._logits.append(logits)
        total = reduce(np.add, self._logits)  # the sum has the same argmax as the mean
        return resize_mask(total.argmax(-1).astype(np.uint8), image.shape[:2])


def warp(values: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Fetch each pixel's values from where the flow points, bilinearly; what comes from outside repeats the border.

    Args:
        values: (H, W, C) float32.
        flow: (H, W, 2) float32, how far to the right and down each pixel's source lies.

    Returns:
        (H, W, C) float32.
    """
    height, width = flow.shape[:2]
    source = flow + np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float32)
    channels = [
        cv2.remap(
            np.ascontiguousarray(values[..., i : i + 4]),
            source,
            None,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ).reshape(height, width, -1)
        for i in range(0, values.shape[2], 4)  # OpenCV moves at most four channels at once
    ]
    return np.concatenate(channels, axis=2)


def flicker(preds: Iterable[np.ndarray], truths: Iterable[np.ndarray], *, ignore_index: int | None = None) -> float:
    """Share of pixels that change their predicted class from one frame to the next though the true class stays.

    Look at it together with the mean IoU: a mask that never changes doesn't flicker, and is wrong.

    Args:
        preds: masks (H, W) of successive frames.
        truths: the true masks of the same frames.
        ignore_index: pixels whose true id is this are not counted.

    Returns:
        0 … 1; NaN where no pixel could be compared.
    """
    changed = compared = 0
    former = None
    for pred, truth in zip(preds, truths, strict=True):
        if former is not None:
            stays = truth == former[1]
            if ignore_index is not None:
                stays &= truth != ignore_index
            changed += np.count_nonzero(stays & (pred != former[0]))
            compared += np.count_nonzero(stays)
        former = pred, truth
    return changed / compared if compared else float("nan")


def stage_times(
    graph: Graph, path: str | Path, out: str | Path, *, max_size: int | None = None, frames: int = 20
) -> dict[str, float]:
    """Where the milliseconds of a frame go when one step follows the other.

    Args:
        graph: from `load_graph`.
        path: a video.
        out: where the result is written (.mp4).
        max_size: longest side in pixels that the network sees.
        frames: how many to measure, after one that warms up.

    Returns:
        Median milliseconds for a frame: "decode", "resize" (there and back), "network", "colour", "encode".
    """
    stages: dict[str, list[float]] = {name: [] for name in ("decode", "resize", "network", "colour", "encode")}

    def timed(name: str, function, *args):
        began = time.perf_counter()
        result = function(*args)
        stages[name].append(time.perf_counter() - began)
        return result

    reader = VideoReader(path)
    draw = FrameView(graph.labels)
    source = iter(reader)
    with VideoWriter(out, reader.fps) as writer:
        for _ in range(min(frames + 1, len(reader))):
            _, image = timed("decode", next, source)
            size = input_size(graph, image.shape[:2], max_size=max_size)
            small = timed("resize", resize_image, image, size)
            mask = timed("network", graph, small)
            full = timed("resize", resize_mask, mask, image.shape[:2])
            drawn = timed("colour", draw, image, full)
            timed("encode", writer.write, drawn)
    both = np.array(stages.pop("resize")).reshape(-1, 2).sum(axis=1)
    stages = {"decode": stages.pop("decode"), "resize": both, **stages}
    return {name: 1000 * float(np.median(values[1:])) for name, values in stages.items()}


def tutorial_loop(
    graph: Graph,
    path: str | Path,
    out: str | Path,
    *,
    size: tuple[int, int] = CITYSCAPES_SIZE,
    frames: int | None = None,
) -> list[np.ndarray]:
    """The loop of the driving-scene tutorials, step by step as they do it: the reference for our speed.

    Each frame is read by OpenCV, brought to 2049 × 1025 by Pillow, segmented in one call, coloured by `palette[mask]`
    and written in MPEG-4 part 2 ("mp4v"), which most browsers refuse. One thing happens at a time.

    Args:
        graph: from `load_graph`.
        path: a video.
        out: where to write.
        size: (height, width) of the network's input.
        frames: how many at most.

    Returns:
        The masks, (height, width) uint8 each.
    """
    palette = graph.labels.palette()
    masks = []
    with ExitStack() as stack:
        capture = cv2.VideoCapture(str(path))
        stack.callback(capture.release)
        code = cv2.VideoWriter_fourcc(*"mp4v")
        writer = cv2.VideoWriter(str(out), code, capture.get(cv2.CAP_PROP_FPS), (size[1], size[0]))
        stack.callback(writer.release)
        while frames is None or len(masks) < frames:
            found, frame = capture.read()
            if not found:
                break
            picture = Image.fromarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
            resized = picture.resize((size[1], size[0]), Image.Resampling.LANCZOS)
            mask = graph(np.asarray(resized))
            writer.write(cv2.cvtColor(palette[mask], cv2.COLOR_RGB2BGR))
            masks.append(mask)
    return masks
