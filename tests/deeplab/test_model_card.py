"""The figures in the cards of the bundled models are those of the bundled models."""

import re
from pathlib import Path

import pytest

from helpers import models, paths
from helpers.evaluation import Evaluation, labelled_pairs
from helpers.images import read_image
from helpers.masks import read_mask

SEEN, PRACTICE = 1, 2  # columns of the cards' tables
ROWS = {"deeplab_street": 13, "fcn_street": 5}  # accuracy, mean and classes


def card_figures(model: str, column: int) -> dict[str, float]:
    """Row name → percent, from the table "How good it is"."""
    card = (paths.DATA / "models" / f"{model}.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", card, re.M)
    return {name: float(values[column]) for name, *values in rows}


def measured(model: str, folder: Path) -> dict[str, float]:
    """The same figures, computed now on the folder's valid list."""
    names = (folder / "valid.txt").read_text(encoding="utf-8").split()
    pairs, truth_labels = labelled_pairs(folder, names=names)
    network = models.load(model)
    evaluation = Evaluation(network.labels, truth_labels)
    for image_path, label_path in pairs:
        evaluation.add(network.predict(read_image(image_path)), read_mask(label_path))
    figures = evaluation.matrix.figures(evaluation.labels.class_names)
    scores = {"pixel accuracy": figures["pixel_accuracy"], "mean IoU": figures["mean_iou"]} | figures["iou"]
    return {name: 100 * value for name, value in scores.items()}


@pytest.mark.parametrize("model", ROWS)
def test_the_practice_column_is_what_the_model_scores_now(model):
    figures = card_figures(model, PRACTICE)
    assert len(figures) == ROWS[model]
    # Other processors round a little differently, which moves a few pixels on borders.
    assert measured(model, paths.DATA / "camvid_practice") == pytest.approx(figures, abs=0.3)


@pytest.mark.slow
@pytest.mark.parametrize("model", ROWS)
def test_the_real_column_is_what_the_model_scores_now(model):
    if paths.real_data() is None:
        pytest.skip("SEGMENTATION_REAL_DATA is not set")
    assert measured(model, paths.real_data() / "camvid") == pytest.approx(card_figures(model, SEEN), abs=0.3)
