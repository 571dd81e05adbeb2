"""Where is the person? The lesson's models, by name or file, all with one question: `alpha(image)`."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from torchvision.models import get_model

from helpers import assets, paths
from helpers.backgrounds.edges import enlarged
from helpers.backgrounds.network import PersonNet
from helpers.images import fit_within, read_image, resize_image
from helpers.labels import PASCAL_VOC, LabelSet
from helpers.model_files import is_tflite, is_torch, objection
from helpers.networks.street_encoder import standardise
from helpers.networks.weights import ModelError, fill, read_weights
from helpers.training.devices import best_device

BUNDLED = "person_small"
BUNDLED_SIZE = 320  # longest side in pixels that the network sees
LITE = "selfie_segmentation"  # a vendor's model for phones, of the full tier
TORCHVISION = tuple(name for name, asset in assets.ASSETS.items() if asset.source == "torchvision")
MODELS = (BUNDLED, LITE, *TORCHVISION)
TORCHVISION_SIZE = 520
MEAN, STD = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])  # what torchvision trained with

PERSON = LabelSet("person", "Person", ("background", "person"), np.array([[0, 0, 0], [192, 128, 128]], np.uint8))
SURE = 8.0  # log-odds of a model that says only yes or no


class PersonModel:
    """A loaded model: one picture in, the person's alpha out. Threads may share it.

    Args:
        name: for messages and figure titles.
        log_odds: gives (h, w) float32 for a picture (h', w', 3) uint8 RGB: over 0 where a person is likelier than not.
        size: longest side in pixels of the picture that it gets; None for the picture's own.
    """

    labels = PERSON

    def __init__(self, name: str, log_odds: Callable[[np.ndarray], np.ndarray], *, size: int | None = None):
        self.name, self.size = name, size
        self._log_odds = log_odds

    def coarse(self, image: np.ndarray | str | Path) -> np.ndarray:
        """Alpha as small as it leaves the network; `edges.guided` makes the large one of it.

        Args:
            image: (H, W, 3) uint8 RGB, or the path of a picture.

        Returns:
            (h, w) float32 in 0..1.

        Raises:
            ModelError: this is no picture.
        """
        return _sigmoid(self._scores(_checked(image)))

    def alpha(self, image: np.ndarray | str | Path) -> np.ndarray:
        """How much of each pixel is person: the softmax (of two classes: the sigmoid) at the picture's own size.

        The scores are enlarged, not the ids and not the alpha: so the outline comes out smooth and no wider.

        Args:
            image: (H, W, 3) uint8 RGB, or the path of a picture.

        Returns:
            (H, W) float32 in 0..1.

        Raises:
            ModelError: this is no picture.
        """
        image = _checked(image)
        return _sigmoid(enlarged(self._scores(image), image.shape[:2]))

    def predict(self, image: np.ndarray | str | Path) -> np.ndarray:
        """The mask (H, W) uint8 with the ids of `labels`: 1 where alpha is over a half."""
        return (self.alpha(image) > 0.5).astype(np.uint8)

    def _scores(self, image: np.ndarray) -> np.ndarray:
        small = fit_within(image.shape[:2], self.size) if self.size else image.shape[:2]
        seen = image if small == image.shape[:2] else resize_image(image, small)
        return np.asarray(self._log_odds(seen), np.float32)


def load_model(
    name: str | Path = BUNDLED,
    *,
    size: int | None = None,
    person: int | None = None,
    device: torch.device | str | None = None,
) -> PersonModel:
    """Load a model that finds persons.

    Args:
        name: a key of `MODELS` ("person_small" is bundled, the others are downloaded once and checked), or a file: a
            state dict of `PersonNet` (.pt) or a `.tflite` model; `helpers.models.load_person` takes frozen graphs too.
        size: longest side in pixels of the picture that the network sees; by default what suits the model.
        person: id of the class "person" in a `.tflite` file; by default 15 of Pascal VOC's 21 classes, 1 of 2.
        device: where torch shall run; by default a GPU where there is one.

    Returns:
        The model; its weights are read once, so load it once and use it often.

    Raises:
        ModelError: no such model, damaged, holds code instead of weights, or doesn't tell persons.
        AssetError: it can't be downloaded.
    """
    if size is not None and size < 32:
        raise ModelError(f"size is {size}; it is at least 32 pixels")
    device = torch.device(device) if device else best_device()
    if name in TORCHVISION:
        return _torchvision(str(name), assets.fetch(name), size or TORCHVISION_SIZE, device)
    path = paths.DATA / "models" / f"{BUNDLED}.pt" if name == BUNDLED else Path(name)
    if name == LITE:
        path = assets.fetch(LITE)
    if not path.exists():
        raise ModelError(f"no model at {path}; name a file, or one of: {', '.join(MODELS)}")
    if fault := objection(path):
        raise ModelError(fault)
    if is_tflite(path):
        return PersonModel(path.stem, LiteModel(path, person=person))
    if is_torch(path):
        return _person_net(path, size or BUNDLED_SIZE, device)
    raise ModelError(f"{path.name} is none of .pt, .pth, .tflite; frozen graphs are for helpers.models.load_person")


def _person_net(path: Path, size: int, device: torch.device) -> PersonModel:
    network = PersonNet()
    fill(network, read_weights(path), path.stem)
    return PersonModel(path.stem, _in_torch(network, standardise, lambda out: out[:, 0], device), size=size)


def _torchvision(name: str, path: Path, size: int, device: torch.device) -> PersonModel:
    network = get_model(name, weights=None, weights_backbone=None)  # without this None, a backbone is downloaded
    fill(network, read_weights(path), name)
    mean, std = (255 * torch.from_numpy(values)[:, None, None].to(device) for values in (MEAN, STD))
    person = PASCAL_VOC.index("person")
    return PersonModel(
        name,
        _in_torch(network, lambda x: (x - mean) / std, lambda out: _against_rest(out["out"], person), device),
        size=size,
    )


def _in_torch(network: torch.nn.Module, prepare: Callable, person: Callable, device: torch.device) -> Callable:
    network.eval().requires_grad_(False).to(device, memory_format=torch.channels_last)

    @torch.inference_mode()
    def log_odds(image: np.ndarray) -> np.ndarray:
        # Seen as channels first, it lies in memory as channels last, which is what convolutions like best.
        batch = torch.from_numpy(image[None]).permute(0, 3, 1, 2).to(device).float()
        return person(network(prepare(batch)))[0].float().cpu().numpy()

    return log_odds


def _against_rest(logits: torch.Tensor, person: int) -> torch.Tensor:
    """Log-odds (B, h, w) of one class against all others, from logits (B, C, h, w): what the softmax amounts to."""
    others = [i for i in range(logits.shape[1]) if i != person]
    return logits[:, person] - logits[:, others].logsumexp(1)


class LiteModel:
    """A `.tflite` model in LiteRT as a function from a picture (h, w, 3) uint8 RGB to log-odds (h', w').

    It has one picture (1, h, w, 3) in: uint8, or float32. Out comes one of three: (1, h, w, 1), a sigmoid, as
    MediaPipe's models have (which take floats in 0..1); (1, h, w, C) logits, or ids, as DeepLab has (−1..1).
    """

    def __init__(self, path: Path, *, person: int | None = None):
        try:
            from ai_edge_litert.interpreter import Interpreter

            self._interpreter = Interpreter(model_content=path.read_bytes(), num_threads=os.cpu_count())
            self._interpreter.allocate_tensors()
        except ImportError as error:
            raise ModelError("a .tflite model needs the package ai-edge-litert: pip install ai-edge-litert") from error
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{path.name} is damaged or not a model that LiteRT can run") from error
        self._input, self._output = self._interpreter.get_input_details()[0], self._interpreter.get_output_details()[0]
        shape, out = tuple(map(int, self._input["shape"])), tuple(map(int, self._output["shape"]))
        if len(shape) != 4 or shape[0] != 1 or shape[3] != 3 or len(out) < 3 or out[0] != 1:
            raise ModelError(f"{path.name} takes {shape} and gives {out}; expected (1, h, w, 3) and (1, h, w, …)")
        self._size = shape[1:3]
        self._classes = out[3] if len(out) == 4 else 0  # 0: ids
        self._person = _person_of(self._classes, path.name, person)
        self._lock = threading.Lock()  # an interpreter works for one thread at a time

    def __call__(self, image: np.ndarray) -> np.ndarray:
        pixels = resize_image(image, self._size)[None]
        if self._input["dtype"] == np.float32:
            pixels = pixels.astype(np.float32) / (255 if self._classes == 1 else 127.5) - (self._classes != 1)
        with self._lock:
            self._interpreter.set_tensor(self._input["index"], pixels.astype(self._input["dtype"]))
            self._interpreter.invoke()
            output = self._interpreter.get_tensor(self._output["index"])[0]
        if self._classes == 0:
            return np.where(output == self._person, np.float32(SURE), np.float32(-SURE))
        if self._classes == 1:
            sigmoid = np.clip(output[..., 0], 1e-4, 1 - 1e-4)
            return np.log(sigmoid / (1 - sigmoid))
        return _against_rest(torch.from_numpy(output).permute(2, 0, 1)[None], self._person)[0].numpy()


def from_logits(
    name: str, logits: Callable[[np.ndarray], np.ndarray], *, person: int | None = None, size: int | None = None
) -> PersonModel:
    """Make a model of anything that gives logits, such as a frozen graph of lesson 01.

    Args:
        name: for messages.
        logits: gives (h, w, C) float32 for a picture (H, W, 3) uint8 RGB.
        person: channel of the class "person"; by default 15 of Pascal VOC's 21 classes, 1 of 2.
        size: longest side in pixels of the picture that it gets; None for the picture's own.
    """

    def log_odds(image: np.ndarray) -> np.ndarray:
        scores = torch.from_numpy(np.ascontiguousarray(logits(image).transpose(2, 0, 1)))[None]
        return _against_rest(scores, _person_of(scores.shape[1], name, person))[0].numpy()

    return PersonModel(name, log_odds, size=size)


def _person_of(classes: int, name: str, person: int | None) -> int:
    """Which of so many classes is the person."""
    voc = PASCAL_VOC.index("person")
    person = {0: voc, 1: 0, 2: 1, PASCAL_VOC.num_classes: voc}.get(classes) if person is None else person
    if person is None or not 0 <= person < (classes or 256):
        raise ModelError(f"{name} tells {classes} classes apart; say with person= which of them is a person")
    return person


def _sigmoid(scores: np.ndarray) -> np.ndarray:
    result = cv2.exp(-np.clip(scores, -30, 30))
    result += 1
    return np.divide(1, result, out=result)


def _checked(image: np.ndarray | str | Path) -> np.ndarray:
    if isinstance(image, str | Path):
        image = read_image(image)
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise ModelError(f"a picture is (H, W, 3) uint8 RGB, this one is {image.shape} {image.dtype}")
    return image
