"""What the bundled stages find on the drives that they never saw: the bars of lesson 06."""

import pytest

from helpers.datasets import rtk
from helpers.labels import RTK
from helpers.metrics import ConfusionMatrix
from helpers.paths import DATA
from helpers.road_surface import data, model

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def stages() -> tuple[ConfusionMatrix, ConfusionMatrix]:
    """One matrix for each stage, over the same frames."""
    frames = data.read_frames(rtk.split(DATA / "rtk_practice")[1])
    one, two = (model.load(DATA / "models" / f"road_stage_{name}.pt").network for name in ("one", "two"))
    return model.score(one, frames), model.score(two, frames)


def test_stage_two_finds_eight_of_twelve_classes_where_stage_one_finds_fewer(stages) -> None:
    one, two = (set(data.found(stage.iou())) for stage in stages)
    assert len(one) < 8 <= len(two) and one < two


def test_the_pavements_pay_less_than_five_points(stages) -> None:
    one, two = (data.pavement_iou(stage.iou()) for stage in stages)
    assert one - two < 0.05


def test_accuracy_hardly_tells_the_two_apart(stages) -> None:
    """What the lesson says of accuracy: mean IoU rises by a fifth of the scale, accuracy by two points of a hundred."""
    one, two = stages
    assert two.mean_iou() - one.mean_iou() > 0.15
    assert abs(two.pixel_accuracy() - one.pixel_accuracy()) < 0.05
    assert one.matrix.sum() == two.matrix.sum() > 0 and len(one.iou()) == RTK.num_classes
