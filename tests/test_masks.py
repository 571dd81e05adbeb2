"""Masks: what must never happen to class ids, and what colouring and overlays promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from helpers.colors import evenly_spaced_colors
from helpers.labels import CAMVID, CITYSCAPES, PASCAL_VOC
from helpers.masks import (
    WRONG,
    MaskError,
    colorize,
    mark_errors,
    opened_mask,
    outline,
    overlay,
    read_mask,
    resize_mask,
    save_mask,
    validate_mask,
)
from pictures import exif, png, tiff, upright

PALETTE = CAMVID.palette()
masks = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=30), elements=st.integers(0, 31))
sizes = st.tuples(st.integers(1, 60), st.integers(1, 60))


@given(masks, sizes)
def test_resizing_invents_no_class(mask, size):
    resized = resize_mask(mask, size)
    assert resized.shape == size and resized.dtype == mask.dtype
    assert set(np.unique(resized)) <= set(np.unique(mask))


@given(masks, st.integers(1, 4))
def test_enlarging_by_a_whole_factor_repeats_pixels(mask, factor):
    height, width = mask.shape
    enlarged = resize_mask(mask, (height * factor, width * factor))
    assert (enlarged == mask.repeat(factor, 0).repeat(factor, 1)).all()


def test_resizing_agrees_with_pillow_nearest():
    mask = np.random.default_rng(0).integers(0, 32, (37, 53)).astype(np.uint8)
    for size in ((20, 20), (100, 71), (37, 53)):
        oracle = np.asarray(Image.fromarray(mask).resize(size[::-1], Image.Resampling.NEAREST))
        assert (resize_mask(mask, size) == oracle).all()


def test_bilinear_would_invent_a_class():
    mask = np.array([[0, 2], [0, 2]], np.uint8)
    bilinear = np.asarray(Image.fromarray(mask).resize((5, 2), Image.Resampling.BILINEAR))
    assert 1 in bilinear and 1 not in resize_mask(mask, (2, 5))


@given(masks)
def test_colorize_equals_plain_indexing(mask):
    assert (colorize(mask, PALETTE) == PALETTE[mask]).all()
    assert (colorize(mask.astype(np.int64), PALETTE) == PALETTE[mask]).all()


def test_colorize_is_rgb_not_bgr():
    assert colorize(np.zeros((1, 1), np.uint8), np.array([[255, 0, 0]], np.uint8)).tolist() == [[[255, 0, 0]]]


def test_colorize_handles_more_than_256_classes_and_booleans():
    palette = evenly_spaced_colors(300)
    mask = np.array([[0, 299]])
    assert (colorize(mask, palette) == palette[mask]).all()
    assert (colorize(mask > 5, palette) == palette[[[0, 1]]]).all()


def test_colorize_refuses_ids_without_a_colour():
    with pytest.raises(MaskError, match="ids 0–9, but the palette has 3"):
        colorize(np.array([[0, 9]]), PALETTE[:3])
    with pytest.raises(MaskError, match="shape"):
        colorize(np.zeros((2, 2, 3), np.uint8), PALETTE)


@given(hnp.arrays(np.uint8, (5, 6, 3)), hnp.arrays(np.uint8, (5, 6), elements=st.integers(0, 31)), st.floats(0, 1))
def test_overlay_is_the_weighted_mean(image, mask, alpha):
    expected = (1 - alpha) * image + alpha * PALETTE[mask].astype(float)
    assert np.abs(overlay(image, mask, PALETTE, alpha=alpha) - expected).max() <= 0.5 + 1e-3


def test_overlay_shows_the_picture_where_ignored_and_never_writes_into_it():
    image = np.full((2, 2, 3), 100, np.uint8)
    mask = np.array([[13, 255], [255, 13]], np.uint8)
    laid = overlay(image, mask, CITYSCAPES.palette(), alpha=1, ignore_index=255)
    assert laid[0, 1].tolist() == [100, 100, 100] and laid[0, 0].tolist() == [0, 0, 142]
    assert (image == 100).all()


def test_overlay_names_a_size_that_differs():
    with pytest.raises(MaskError, match=r"\(4, 6\) and mask \(6, 4\).*resize_mask"):
        overlay(np.zeros((4, 6, 3), np.uint8), np.zeros((6, 4), np.uint8), PALETTE)
    with pytest.raises(ValueError, match="alpha is 1.5"):
        overlay(np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6), np.uint8), PALETTE, alpha=1.5)


def test_outline_draws_borders_and_leaves_the_inside():
    image = np.zeros((20, 20, 3), np.uint8)
    mask = np.zeros((20, 20), np.uint8)
    mask[5:15, 5:15] = 26
    drawn = outline(image, mask, PALETTE, width=1)
    assert drawn[5, 10].tolist() == PALETTE[26].tolist()
    assert drawn[10, 10].tolist() == [0, 0, 0]
    assert not outline(image, np.zeros((20, 20), np.uint8), PALETTE).any()


@given(mask=masks)
def test_a_saved_mask_comes_back_id_for_id(tmp_path_factory, mask):
    path = tmp_path_factory.mktemp("masks") / "a.png"
    save_mask(path, mask, PALETTE)
    assert (read_mask(path) == mask).all()
    assert (np.asarray(Image.open(path).convert("RGB")) == PALETTE[mask]).all()


def test_read_mask_takes_grey_and_refuses_colours(tmp_path):
    Image.fromarray(np.array([[0, 255]], np.uint8)).save(tmp_path / "grey.png")
    assert read_mask(tmp_path / "grey.png").tolist() == [[0, 255]]
    Image.fromarray(np.array([[0, 999]], np.uint16)).save(tmp_path / "deep.png")
    assert read_mask(tmp_path / "deep.png").tolist() == [[0, 999]]
    Image.new("RGB", (2, 2)).save(tmp_path / "colours.png")
    with pytest.raises(MaskError, match="holds colours"):
        read_mask(tmp_path / "colours.png")
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(MaskError, match="cannot read"):
        read_mask(tmp_path / "text.png")
    with pytest.raises(FileNotFoundError):
        read_mask(tmp_path / "absent.png")


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_ids_are_read_as_they_are_stored_whatever_the_depth(tmp_path, bits):
    ids = np.random.default_rng(bits).integers(0, 2**bits, (5, 7))
    files = [png(ids, bits), tiff(ids, bits)]
    if bits <= 8:
        files.append(png(ids, bits, palette=PALETTE[: 2**bits].tobytes()))
    for data in files:
        (tmp_path / "a.png").write_bytes(data)
        assert (read_mask(tmp_path / "a.png") == ids).all()


@pytest.mark.parametrize("most", [1, 10, 15, 255, 300, 65535])
def test_the_ids_of_a_pgm_are_those_in_the_file(tmp_path, most):
    ids = np.arange(12).reshape(3, 4) % (most + 1)
    data = ids.astype(">u2" if most > 255 else np.uint8).tobytes()
    (tmp_path / "a.pgm").write_bytes(f"P5 4 3 {most}\n".encode() + data)
    assert read_mask(tmp_path / "a.pgm").tolist() == ids.tolist()


@pytest.mark.parametrize("values", [[3, 0, 8], [0, 255], [0, 3, 8, 11], [1, 0]])
def test_a_palette_of_greys_that_are_not_their_indices_is_refused(tmp_path, values):
    """What PNG optimisers make of a grey mask: the index of a pixel is not its grey value."""
    palette = np.repeat(np.array(values, np.uint8), 3).tobytes()
    (tmp_path / "a.png").write_bytes(png(np.arange(len(values))[None], 8, palette=palette))
    with pytest.raises(MaskError, match="nobody can tell"):
        read_mask(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(
        png(np.array([[0, 2, 5]]), 8, palette=np.repeat(np.arange(6), 3).astype(np.uint8).tobytes())
    )
    assert read_mask(tmp_path / "b.png").tolist() == [[0, 2, 5]], "greys that are their indices"
    voc = PASCAL_VOC.palette()
    assert voc[7].tolist() == [128, 128, 128], "the palette as a whole has colours, though 0 and 7 are greys"
    assert read_mask(save_mask(tmp_path / "voc.png", np.array([[0, 7]]), voc)).tolist() == [[0, 7]]
    with pytest.raises(MaskError, match="choose colours"):
        save_mask(tmp_path / "own.png", np.array([[0, 1]]), np.array([[0, 0, 0], [255, 255, 255]]))


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".jp2", ".avif"])
def test_what_is_compressed_with_loss_is_no_mask(tmp_path, suffix):
    Image.new("L", (8, 8), 3).save(tmp_path / f"a{suffix}")
    (tmp_path / f"a{suffix}").rename(tmp_path / "a.png")
    with pytest.raises(MaskError, match="compression changes class ids"):
        read_mask(tmp_path / "a.png")


def test_white_stored_as_zero_is_refused(tmp_path):
    for bits in (1, 4, 8):
        (tmp_path / "a.tif").write_bytes(tiff(np.ones((4, 8), int), bits, white_is_zero=True))
        with pytest.raises(MaskError, match="stores white as 0"):
            read_mask(tmp_path / "a.tif")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_mask_is_turned_by_its_own_exif(tmp_path, orientation):
    ids = np.arange(6, dtype=np.uint8).reshape(2, 3)
    (tmp_path / "a.png").write_bytes(png(ids, 8, exif=exif(orientation)))
    turned = opened_mask(tmp_path / "a.png")
    assert turned[1] == orientation
    assert (turned[0] == upright(ids, orientation)).all()


def test_a_mask_too_large_to_be_safe_is_refused(tmp_path, monkeypatch):
    path = save_mask(tmp_path / "large.png", np.zeros((200, 200), np.uint8), PALETTE)
    monkeypatch.setenv("SEGMENTATION_MAX_MEGAPIXELS", "0.03")
    with pytest.raises(MaskError, match=r"large\.png is too large: 200×200 .*set SEGMENTATION_MAX_MEGAPIXELS=1"):
        read_mask(path)
    monkeypatch.setenv("SEGMENTATION_MAX_MEGAPIXELS", "0.04")
    assert read_mask(path).shape == (200, 200)


def test_save_mask_refuses_what_would_lose_ids(tmp_path):
    with pytest.raises(MaskError, match="JPEG would change the ids"):
        save_mask(tmp_path / "a.jpg", np.zeros((2, 2), np.uint8), PALETTE)
    with pytest.raises(MaskError, match="ids 0 … 255"):
        save_mask(tmp_path / "a.png", np.full((2, 2), 256), PALETTE)
    with pytest.raises(MaskError, match="holds float64"):
        save_mask(tmp_path / "a.png", np.full((2, 2), 0.9), PALETTE)
    assert list(tmp_path.iterdir()) == []


def test_validate_mask_accepts_classes_and_the_ignore_id():
    mask = np.array([[0, 18, 255]], np.uint8)
    assert validate_mask(mask, CITYSCAPES) is mask
    validate_mask(np.array([[True, False]]), 2)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.array([[0, 255]]), "mask has class 255, but a task with 2 classes has classes 0–1.*divide by 255"),
        (np.array([[0, 2]]), "class 2.*resized with nearest"),
        (np.array([[-1, 0]]), "class -1"),
        (np.array([[0.0, 1.0]]), "holds float64"),
        (np.zeros((2, 2, 3), np.uint8), "a colour picture is not a mask"),
    ],
)
def test_validate_mask_says_what_is_wrong(mask, message):
    with pytest.raises(MaskError, match=message):
        validate_mask(mask, 2)


def test_errors_are_red_and_unlabelled_pixels_dark() -> None:
    image = np.full((1, 4, 3), 200, np.uint8)
    image[0, 1] = (0, 60, 90)
    target = np.array([[0, 1, 2, 255]], np.uint8)
    pred = np.array([[0, 1, 0, 7]], np.uint8)
    marked = mark_errors(image, target, pred, ignore_index=255)
    assert marked[0, 0].tolist() == [200, 200, 200]
    assert marked[0, 1].tolist() == [50, 50, 50], "right pixels are grey"
    assert marked[0, 2].tolist() == [int(0.3 * 200 + 0.7 * value) for value in WRONG]
    assert marked[0, 3].tolist() == [60, 60, 60], "what has no label is no error"
    assert image[0, 1].tolist() == [0, 60, 90], "the picture itself stays as it was"


def test_errors_without_an_ignore_index() -> None:
    image = np.zeros((1, 2, 3), np.uint8)
    marked = mark_errors(image, np.array([[255, 0]]), np.array([[0, 0]]))
    assert marked[0, 0, 0] > 100 and marked[0, 1, 0] == 0


def test_errors_are_marked_in_pictures_of_one_size() -> None:
    with pytest.raises(MaskError, match=r"differ in size: \(2, 3\), \(2, 3\), \(3, 2\)"):
        mark_errors(np.zeros((2, 3, 3), np.uint8), np.zeros((2, 3), int), np.zeros((3, 2), int))
