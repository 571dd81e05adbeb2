"""The lesson's models, by name or file: torchvision's pretrained ones, and the bundled `fcn_street`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models import get_model, get_model_weights
from torchvision.transforms import v2

from helpers import assets, paths
from helpers.labels import LABEL_SETS, PASCAL_VOC, LabelSet, generic
from helpers.networks.fcn import standardise, street_fcn
from helpers.networks.weights import ModelError, fill, read_weights
from helpers.training.devices import WAYS, Predictor, best_device

BUNDLED = "fcn_street"
# Longest side in pixels. Its training frames have 480, but 352 scored better on a real drive left out: see its card.
BUNDLED_SIZE = 352
# torchvision brings the shorter side to 520 pixels: a strip of 10×3000 would become 520×156000.
NARROWEST = 16  # times as long as wide
HEAD = "classifier.4.weight"  # of most networks here: its first dimension is the number of classes
LRASPP_HEAD = "classifier.low_classifier.weight"


@dataclass(frozen=True)
class Published:
    """What torchvision says of one of its models, measured on COCO val2017 with Pascal VOC's classes.

    Attributes:
        miou: mean IoU in %.
        pixel_accuracy: in %.
        parameters: weights in millions.
        gflops: billions of multiply-adds for one picture, at torchvision's size.
        megabytes: size of the download.
    """

    miou: float
    pixel_accuracy: float
    parameters: float
    gflops: float
    megabytes: float


WEIGHTS = {
    name: get_model_weights(name).COCO_WITH_VOC_LABELS_V1
    for name in (
        "fcn_resnet50",
        "fcn_resnet101",
        "deeplabv3_resnet50",
        "deeplabv3_resnet101",
        "deeplabv3_mobilenet_v3_large",
        "lraspp_mobilenet_v3_large",
    )
}


def _published(meta: dict) -> Published:
    scores = meta["_metrics"]["COCO-val2017-VOC-labels"]
    return Published(scores["miou"], scores["pixel_acc"], meta["num_params"] / 1e6, meta["_ops"], meta["_file_size"])


# Name → what is published; nothing is for the bundled one, which the suite measures itself.
MODELS: dict[str, Published | None] = {BUNDLED: None} | {name: _published(w.meta) for name, w in WEIGHTS.items()}


@dataclass(frozen=True)
class SegmentationModel:
    """A network with all that has to go with it.

    Attributes:
        name: for messages and figure titles.
        network: in evaluation mode; from (B, 3, h, w) float to {"out": logits (B, num_classes, h, w)}.
        transforms: from pictures (B, 3, H, W) uint8 RGB to what the network takes: resized and normalised.
        labels: what the ids mean.
        bfloat16: whether it may calculate in bfloat16, where that is faster.
    """

    name: str
    network: nn.Module
    transforms: Callable[[Tensor], Tensor]
    labels: LabelSet
    bfloat16: bool = False

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    @cached_property
    def predictor(self) -> Predictor:
        """Runs the network in the way that is fastest here."""
        return Predictor(self.network, [name for name in WAYS if self.bfloat16 or "bfloat16" not in name])


def load_model(
    name: str | Path = BUNDLED,
    device: torch.device | str | None = None,
    *,
    size: int | None = None,
    labels: LabelSet | str | None = None,
    bfloat16: bool | None = None,
    bias: dict[str, float] | None = None,
) -> SegmentationModel:
    """Load a model that tells Pascal VOC's classes apart.

    Args:
        name: a key of `MODELS` ("fcn_street" is bundled, the others are downloaded once and checked), or a file with a
            state dict of `street_fcn`.
        device: where it shall run; by default a GPU where there is one.
        size: longest side in pixels to which pictures are brought for the network. By default what suits it: for
            `fcn_street` 352, for torchvision's 520 for the *shorter* side.
        labels: what the ids of a file's model mean, as a LabelSet or its key; Pascal VOC where it has 21.
        bfloat16: may calculate with 8 bits of precision instead of 24, where that is faster. By default only a
            `street_fcn` may, whose labels hardly change then.
        bias: an operating point: what is added to the logits of classes, by name. {"car": 1.0} finds more of the cars,
            and sees more where there are none. For networks with a classifier of one piece, as FCN and DeepLab have.

    Returns:
        The model, ready to be used with `get_segment_labels`.

    Raises:
        ModelError: no such model, damaged, holds code instead of weights, or doesn't fit.
        AssetError: it can't be downloaded.
    """
    if size is not None and size < NARROWEST:
        raise ModelError(f"size is {size}; it is at least {NARROWEST} pixels")
    if name in WEIGHTS:
        weights = read_weights(assets.fetch(name))
        network = get_model(name, weights=None, weights_backbone=None)  # without this None, a backbone is downloaded
        num_classes, preset = PASCAL_VOC.num_classes, WEIGHTS[name].transforms
        transforms = v2.Compose([v2.Resize(None, max_size=size), preset(resize_size=None)]) if size else preset()
    else:
        path = paths.DATA / "models" / f"{BUNDLED}.pt" if name == BUNDLED else Path(name)
        if not path.is_file():
            raise ModelError(f"no model at {path}; name a file, or one of: {', '.join(MODELS)}")
        name, weights = path.stem, read_weights(path)
        head = LRASPP_HEAD if LRASPP_HEAD in weights else HEAD
        if head not in weights or weights[head].ndim != 4:
            raise ModelError(f"{path} is not a state dict of street_fcn: it has no {HEAD} of 4 dimensions")
        num_classes = len(weights[head])
        if num_classes > 256:
            raise ModelError(f"{path} tells {num_classes} classes apart; a mask has room for 256")
        if kind := _torchvision_name(weights):
            network = get_model(kind, weights=None, weights_backbone=None, num_classes=num_classes, **_no_aux(kind))
            preset = WEIGHTS[kind].transforms
            transforms = v2.Compose([v2.Resize(None, max_size=size), preset(resize_size=None)]) if size else preset()
        else:
            network = street_fcn(num_classes)
            transforms = v2.Compose([v2.Resize(None, max_size=size or BUNDLED_SIZE), v2.Lambda(standardise)])
            bfloat16 = bfloat16 is not False
    labels = _label_set(labels, name, num_classes)
    fill(network, weights, name)
    _set_operating_point(network, bias or {}, labels, name)
    network.eval().requires_grad_(False).to(device or best_device())
    return SegmentationModel(name, network, transforms, labels, bool(bfloat16))


def _no_aux(name: str) -> dict[str, bool]:
    return {} if "lraspp" in name else {"aux_loss": False}  # which has no such classifier, and no such argument


def _torchvision_name(weights: dict[str, Tensor]) -> str | None:
    """Which of torchvision's networks has weights of these names."""
    names = {key for key in weights if not key.startswith("aux_classifier.")}
    for name in WEIGHTS:
        with torch.device("meta"):  # names only, no memory
            if names == set(get_model(name, weights=None, weights_backbone=None, **_no_aux(name)).state_dict()):
                return name
    return None


def _label_set(labels: LabelSet | str | None, name: str, num_classes: int) -> LabelSet:
    if isinstance(labels, str):
        if labels not in LABEL_SETS:
            raise ModelError(f"unknown label set {labels!r}; choose one of {', '.join(LABEL_SETS)}")
        labels = LABEL_SETS[labels]
    labels = labels or (PASCAL_VOC if num_classes == PASCAL_VOC.num_classes else generic(num_classes))
    if labels.num_classes != num_classes:
        raise ModelError(f"{name} tells {num_classes} classes apart, but {labels.name} has {labels.num_classes}")
    return labels


def _set_operating_point(network: nn.Module, bias: dict[str, float], labels: LabelSet, name: str) -> None:
    if unknown := [class_name for class_name in bias if class_name not in labels.class_names]:
        raise ModelError(f"{name} tells no {unknown[0]!r} apart; its classes are {', '.join(labels.class_names)}")
    if bias and not isinstance(network.classifier, nn.Sequential):
        raise ModelError(f"{name} has no single last layer, so its logits can't be given a bias")
    with torch.no_grad():
        for class_name, value in bias.items():
            network.classifier[-1].bias[labels.index(class_name)] += value
