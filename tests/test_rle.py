"""Run lengths: known texts, pycocotools as a second opinion, properties, and every way to be wrong."""

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco

from helpers import rle
from helpers.rle import RLEError

masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12))


def test_the_known_text():
    mask = rle.decode("29102 12")
    # Pixel 29102 is the 174th (from 0: 173) of column 113 (29101 = 113 · 256 + 173).
    rows, columns = np.nonzero(mask)
    assert mask.shape == (256, 1600) and mask.dtype == bool
    assert rows.tolist() == list(range(173, 185)) and set(columns.tolist()) == {113}
    assert rle.encode(mask) == "29102 12"


def test_columns_first_and_counted_from_one():
    mask = np.array([[1, 0, 0, 0], [1, 0, 1, 0]])
    assert rle.encode(mask) == "1 2 6 1"
    assert rle.decode("1 2 6 1", height=2, width=4).astype(int).tolist() == mask.tolist()


@given(masks)
def test_round_trip(mask):
    height, width = mask.shape
    text = rle.encode(mask)
    assert np.array_equal(rle.decode(text, height=height, width=width), mask)
    assert rle.area(text, height=height, width=width) == mask.sum()
    assert rle.encode(np.asfortranarray(mask)) == rle.encode(mask.astype(np.uint8)) == text


def coco_counts(text: str, pixels: int) -> list[int]:
    """Lengths of background and foreground in turn, as COCO lists them down the columns too."""
    counts, end = [], 0
    numbers = list(map(int, text.split()))
    for start, length in zip(numbers[::2], numbers[1::2], strict=True):
        counts += [start - 1 - end, length]
        end = start - 1 + length
    return [*counts, pixels - end] if end < pixels else counts


@given(masks)
def test_pycocotools_agrees(mask):
    height, width = mask.shape
    counts = coco_counts(rle.encode(mask), mask.size)
    theirs = coco.frPyObjects({"size": [height, width], "counts": counts}, height, width)
    assert np.array_equal(coco.decode(theirs), mask)
    assert theirs["counts"] == coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"]


@pytest.mark.parametrize("empty", ["", "  \n", None, float("nan"), np.float64("nan")])
def test_nothing_is_an_empty_mask(empty):
    assert not rle.decode(empty, height=2, width=3).any()
    assert rle.area(empty) == 0


def test_empty_and_full_masks():
    assert rle.encode(np.zeros((3, 4), bool)) == ""
    assert rle.encode(np.ones((3, 4), bool)) == "1 12"
    assert rle.encode(np.zeros((0, 4), bool)) == ""


def test_decoding_gives_the_order_that_encodes_fastest():
    assert rle.decode("2 4", height=2, width=3).flags.f_contiguous


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 3 7", "run 2: start 7 has no length"),
        ("1 3 x 2", "run 2: 'x' is not a whole number"),
        ("1.5 3", "run 1: '1.5' is not a whole number"),
        ("1,3", "run 1: '1,3' is not a whole number"),
        ("1_0 3", "run 1: '1_0' is not a whole number"),
        ("١ 3", "run 1: '١' is not a whole number"),
        ("9" * 40 + " 1", "is not a whole number"),
        ("1 0", r"run 1 \(1 0\): has a length below 1"),
        ("1 2 5 -2", r"run 2 \(5 -2\): has a length below 1"),
        ("0 3", r"run 1 \(0 3\): starts below 1"),
        ("-4 3", r"run 1 \(-4 3\): starts below 1"),
        ("5 3", r"run 1 \(5 3\): ends at pixel 7, but an image of 2×3 has 6"),
        ("999999999999999999 999999999999999999", "run 1 .* ends at pixel"),
        ("1 2 2 1", r"run 2 \(2 1\): overlaps the one before, which ends at pixel 2"),
        ("4 1 1 2", r"run 2 \(1 2\): comes after one that starts at 4; runs must be sorted"),
    ],
)
def test_wrong_texts_are_refused_by_name(text, message):
    with pytest.raises(RLEError, match=message):
        rle.decode(text, height=2, width=3)


def test_runs_may_touch():
    assert rle.decode("1 2 3 1", height=2, width=3).sum() == 3


@given(st.text(alphabet="0123456789 -x", max_size=12))
def test_any_text_is_a_mask_or_a_clear_error(text):
    try:
        mask = rle.decode(text, height=3, width=4)
    except RLEError as error:
        assert str(error).startswith("run ")
    else:
        assert rle.decode(rle.encode(mask), height=3, width=4).tolist() == mask.tolist()


@given(
    st.lists(st.text(alphabet="0123456789 -x\t\u00a0", max_size=12) | st.sampled_from(["1 1", "2 2 5 3", "9" * 5000]))
)
def test_many_texts_are_judged_as_one_by_one(texts):
    def refused(text):
        try:
            rle.area(text, height=3, width=4)
        except RLEError:
            return True
        return False

    assert rle.unfit(texts, height=3, width=4) == list(map(refused, texts))


def test_masks_of_senseless_sizes_are_refused():
    with pytest.raises(ValueError, match="this mask is too large: 1000000×1000000 are 1000000 million pixels"):
        rle.decode("1 1", height=10**6, width=10**6)
    with pytest.raises(RLEError, match="a mask of -2×3 pixels can't be"):
        rle.decode("", height=-2, width=3)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((2, 2, 2), bool), r"a mask is \(H, W\), found shape \(2, 2, 2\)"),
        (np.array([[0, 255]]), "found int64 0 … 255. Pass mask == class_id"),
        (np.array([[0.0, 1.0]]), "found float64"),
        (np.array([[-1, 1]]), "-1 … 1"),
    ],
)
def test_what_is_no_binary_mask_is_refused(mask, message):
    with pytest.raises(RLEError, match=message):
        rle.encode(mask)


def test_text_has_to_be_text():
    with pytest.raises(RLEError, match="found int 5"):
        rle.decode(5)


def test_all_real_rows_survive(real_data):
    texts = []
    for name in ("train.csv", "train_rle_rows.csv"):
        with open(real_data / "severstal" / name, newline="") as file:
            texts += [row["EncodedPixels"] for row in csv.DictReader(file) if row["EncodedPixels"]]
    assert len(texts) > 700
    for text in texts:
        mask = rle.decode(text)
        assert rle.encode(mask) == text
        theirs = coco.frPyObjects({"size": [256, 1600], "counts": coco_counts(text, mask.size)}, 256, 1600)
        assert coco.area(theirs) == mask.sum()
