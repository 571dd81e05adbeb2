"""The figures in the bundled model's card are those of the bundled model."""

import re
from pathlib import Path

import pytest

from helpers import deeplab, paths
from helpers.evaluation import Evaluation, labelled_pairs
from helpers.images import read_image
from helpers.labels import CAMVID11
from helpers.masks import read_mask

CARD = paths.DATA / "models" / "deeplab_street.md"
SEEN, PRACTICE = 1, 2  # columns of the card's table


def card_figures(column: int) -> dict[str, float]:
    """Row name → percent, from the table "How good it is"."""
    rows = re.findall(r"^\| ([^|]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", CARD.read_text(encoding="utf-8"), re.M)
    return {name: float(values[column]) for name, *values in rows}


def measured(folder: Path) -> dict[str, float]:
    """The same figures, computed now on the folder's valid list."""
    names = (folder / "valid.txt").read_text(encoding="utf-8").split()
    pairs, truth_labels = labelled_pairs(folder, names=names)
    graph = deeplab.load_graph("deeplab_street")
    evaluation = Evaluation(graph.labels, truth_labels, folded_to=CAMVID11)
    for image_path, label_path in pairs:
        evaluation.add(deeplab.segment(graph, read_image(image_path)), read_mask(label_path))
    matrix = evaluation.matrix
    figures = {"pixel accuracy": matrix.pixel_accuracy(), "mean IoU": matrix.mean_iou()}
    figures |= dict(zip(CAMVID11.class_names, matrix.iou(), strict=True))
    return {name: 100 * value for name, value in figures.items()}


def test_the_practice_column_is_what_the_model_scores_now():
    figures = card_figures(PRACTICE)
    assert len(figures) == 2 + CAMVID11.num_classes
    # Other processors round a little differently, which moves a few pixels on borders.
    assert measured(paths.DATA / "camvid_practice") == pytest.approx(figures, abs=0.3)


def test_the_real_column_is_what_the_model_scores_now():
    if paths.real_data() is None:
        pytest.skip("SEGMENTATION_REAL_DATA is not set")
    assert measured(paths.real_data() / "camvid") == pytest.approx(card_figures(SEEN), abs=0.3)
