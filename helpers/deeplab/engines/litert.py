"""DeepLab as a `.tflite` file: a fixed input size, pixels as uint8 or as floats in −1 … 1, ids or logits out."""

import os
import threading
from pathlib import Path

import numpy as np

from helpers.deeplab.engines.base import Graph, GraphError, quiet_start
from helpers.images import resize_image
from helpers.masks import resize_mask

PADDING = 128  # mid grey, the middle of what the network takes, as DeepLab pads


class LiteGraph(Graph):
    """A LiteRT model with one picture (1, h, w, 3) in, and ids (1, h, w) or logits (1, h, w, C) out.

    A picture of another shape keeps its proportions: it is scaled to fit, and the rest, at the right and below, is
    filled with grey, as DeepLab itself does.
    """

    def __init__(self, path: Path, **known):
        try:
            with quiet_start():
                from ai_edge_litert.interpreter import Interpreter

                self._interpreter = Interpreter(model_content=path.read_bytes(), num_threads=os.cpu_count())
                self._interpreter.allocate_tensors()
            inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        except ImportError as error:
            raise GraphError("a .tflite model needs the package ai-edge-litert: pip install ai-edge-litert") from error
        except Exception as error:  # a damaged file can make its native code say nearly anything
            raise GraphError(f"{path.name} is damaged or not a model that LiteRT can run") from error
        if not inputs or not outputs:
            raise GraphError(f"{path.name} has no input or no output")
        self._input, self._output = inputs[0], outputs[0]
        shape = tuple(map(int, self._input["shape"]))
        if len(inputs) != 1 or len(shape) != 4 or shape[0] != 1 or shape[3] != 3:
            raise GraphError(f"{path.name} takes {len(inputs)} inputs, the first {shape}; expected (1, h, w, 3)")
        if self._input["dtype"] not in (np.uint8, np.float32):
            raise GraphError(f"{path.name} takes {self._input['dtype'].__name__}, expected uint8 or float32 pixels")
        self._size = shape[1:3]
        self._lock = threading.Lock()
        super().__init__(path.name, self._count_classes(path.name), **known)

    def _predict(self, image: np.ndarray) -> np.ndarray:
        output = self._invoke(image)
        return resize_mask(output.argmax(-1) if output.ndim == 3 else output, image.shape[:2])

    def _logits(self, image: np.ndarray) -> np.ndarray:
        output = self._invoke(image)
        if output.ndim != 3:
            raise GraphError(f"{self.name} gives class ids only: its logits stay inside")
        return output

    def _invoke(self, image: np.ndarray) -> np.ndarray:
        """The output for the part that the picture fills: (h, w) ids or (h, w, C) float32 logits."""
        scale = min(self._size[0] / image.shape[0], self._size[1] / image.shape[1])
        height, width = (max(1, round(side * scale)) for side in image.shape[:2])
        padded = np.full((1, *self._size, 3), PADDING, np.uint8)
        padded[0, :height, :width] = resize_image(image, (height, width))
        if self._input["dtype"] == np.float32:
            padded = padded.astype(np.float32) / 127.5 - 1
        with self._lock:  # an interpreter works for one thread at a time
            self._interpreter.set_tensor(self._input["index"], padded)
            self._interpreter.invoke()
            return self._interpreter.get_tensor(self._output["index"])[0, :height, :width]

    def _count_classes(self, name: str) -> int:
        shape = tuple(map(int, self._output["shape"]))
        if shape[1:3] == self._size and len(shape) == 4:
            return shape[3]
        if shape[1:] != self._size:
            raise GraphError(f"{name} gives {shape}, expected ids or logits for each of {self._size} pixels")
        # Only ids come out: the logits that the argmax chose from are the last tensor before them.
        before = (t["shape"] for t in self._interpreter.get_tensor_details() if t["index"] < self._output["index"])
        maps = [shape for shape in before if len(shape) == 4 and tuple(shape[1:3]) == self._size]
        if not maps:
            raise GraphError(f"{name} gives ids only, and holds no scores that tell how many classes there are")
        return int(maps[-1][3])
