"""What is known of the published DeepLab checkpoints and of the bundled one: label set, input limit.

Facts from the DeepLab model zoo (tensorflow/models, research/deeplab/g3doc/model_zoo.md). A frozen graph holds none
of them: it maps pixels to integers and doesn't say what the integers mean.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from helpers.labels import ADE20K, CITYSCAPES, PASCAL_VOC, LabelSet


@dataclass(frozen=True)
class Checkpoint:
    """A DeepLab checkpoint that can be loaded by its name.

    Attributes:
        name: the checkpoint's name in the zoo.
        archive: its tarball, without `.tar.gz`.
        labels: what its ids mean (those of the ADE20K graphs once their "ignored" is off, see `engines.base.Graph`).
        input_limit: largest (height, width) that the graph takes; None where any size works.
        default_size: longest side that `segment` runs at unless told otherwise; None: as large as the limit lets.
        miou: published mean IoU in %, on the test set for checkpoints trained on "trainval", else on the validation
            set; None where nothing is published.
    """

    name: str
    archive: str
    labels: LabelSet
    input_limit: tuple[int, int] | None
    default_size: int | None = None
    miou: float | None = None


# The size of its training frames; on a real drive that was left out, 480 pixels scored above 384: see its card.
BUNDLED = Checkpoint("deeplab_street", "deeplab_street", CITYSCAPES, input_limit=None, default_size=480)

_VOC = (PASCAL_VOC, (513, 513))
_CITY = (CITYSCAPES, (1025, 2049))

ZOO = tuple(
    Checkpoint(name, archive, labels, limit, miou=miou)
    for name, archive, (labels, limit), miou in (
        ("mobilenetv2_dm05_coco_voc_trainaug", "deeplabv3_mnv2_dm05_pascal_trainaug_2018_10_01", _VOC, 70.19),
        ("mobilenetv2_dm05_coco_voc_trainval", "deeplabv3_mnv2_dm05_pascal_trainval_2018_10_01", _VOC, 71.83),
        ("mobilenetv2_coco_voc_trainaug", "deeplabv3_mnv2_pascal_train_aug_2018_01_29", _VOC, 75.32),
        ("mobilenetv2_coco_voc_trainval", "deeplabv3_mnv2_pascal_trainval_2018_01_29", _VOC, 80.25),
        ("xception65_coco_voc_trainaug", "deeplabv3_pascal_train_aug_2018_01_04", _VOC, 82.20),
        ("xception65_coco_voc_trainval", "deeplabv3_pascal_trainval_2018_01_04", _VOC, 87.80),
        ("mobilenetv2_coco_cityscapes_trainfine", "deeplabv3_mnv2_cityscapes_train_2018_02_05", _CITY, 70.71),
        ("mobilenetv3_large_cityscapes_trainfine", "deeplab_mnv3_large_cityscapes_trainfine_2019_11_15", _CITY, 72.41),
        ("mobilenetv3_small_cityscapes_trainfine", "deeplab_mnv3_small_cityscapes_trainfine_2019_11_15", _CITY, 68.99),
        ("xception65_cityscapes_trainfine", "deeplabv3_cityscapes_train_2018_02_06", _CITY, 78.79),
        ("xception71_dpc_cityscapes_trainfine", "deeplab_cityscapes_xception71_trainfine_2018_09_08", _CITY, 80.31),
        ("xception71_dpc_cityscapes_trainval", "deeplab_cityscapes_xception71_trainvalfine_2018_09_08", _CITY, 82.66),
        ("mobilenetv2_ade20k_train", "deeplabv3_mnv2_ade20k_train_2018_12_03", (ADE20K, (257, 257)), 32.04),
        ("xception65_ade20k_train", "deeplabv3_xception_ade20k_train_2018_05_29", (ADE20K, (513, 513)), 45.65),
    )
)

CHECKPOINTS = {checkpoint.name: checkpoint for checkpoint in (BUNDLED, *ZOO)}


def recognise(path: Path) -> Checkpoint | None:
    """The checkpoint that a file or folder holds, judged by its name, or None.

    The zoo's tarballs unpack into folders without the date, and the graph inside has the same name in all of them,
    so the folder counts too.

    >>> recognise(Path("downloads/deeplabv3_mnv2_pascal_trainval/frozen_inference_graph.pb")).name
    'mobilenetv2_coco_voc_trainval'
    """
    names = {re.sub(r"\.(tar\.gz|tgz|tar|pb)$", "", path.name)}
    if path.suffix == ".pb":
        names.add(path.absolute().parent.name)
    for checkpoint in CHECKPOINTS.values():
        undated = re.sub(r"_\d{4}_\d{2}_\d{2}$", "", checkpoint.archive)
        if names & {checkpoint.name, checkpoint.archive, undated}:
            return checkpoint
    return None
