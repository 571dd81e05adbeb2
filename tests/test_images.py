"""Reading pictures: every kind of file that people bring."""

import doctest
import os
import re
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from helpers import images
from helpers.images import ImageError, fit_within, opened_image, read_image, resize_image, save_image
from pictures import exif, upright

RED = (255, 0, 0)


def write(path, mode="RGB", color=RED, size=(6, 4), **options):
    Image.new(mode, size, color).save(path, **options)
    return path


def test_doctests_of_the_module():
    result = doctest.testmod(images)
    assert result.attempted > 0 and result.failed == 0


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".webp", ".jpg", ".gif"])
def test_the_red_card_is_red_in_every_format(tmp_path, suffix):
    options = {"lossless": True} if suffix == ".webp" else {}
    image = read_image(write(tmp_path / f"card{suffix}", **options))
    assert image.shape == (4, 6, 3) and image.dtype == np.uint8
    assert np.abs(image.reshape(-1, 3).astype(int) - RED).max() <= 2  # JPEG rounds


def test_gray_has_one_channel(tmp_path):
    image = read_image(write(tmp_path / "a.png"), gray=True)
    assert image.shape == (4, 6, 1) and (image == 76).all()  # ITU-R 601: 0.299 · 255


def test_grey_palette_and_cmyk_become_rgb(tmp_path):
    assert (read_image(write(tmp_path / "g.png", "L", 90)) == 90).all()
    picture = Image.new("P", (3, 3), 1)
    picture.putpalette([0, 0, 0, 10, 20, 30])
    picture.save(tmp_path / "p.png")
    assert (read_image(tmp_path / "p.png") == (10, 20, 30)).all()
    cmyk = read_image(write(tmp_path / "c.jpg", "CMYK", (0, 255, 255, 0)))
    assert cmyk[0, 0, 0] > 200 and cmyk[0, 0, 1] < 60


def test_transparency_lies_on_white(tmp_path):
    assert (read_image(write(tmp_path / "a.png", "RGBA", (0, 0, 0, 0))) == 255).all()
    assert (read_image(write(tmp_path / "la.png", "LA", (0, 255))) == 0).all()
    picture = Image.new("P", (2, 2), 0)
    picture.putpalette([0, 0, 0])
    picture.save(tmp_path / "t.png", transparency=0)
    assert (read_image(tmp_path / "t.png") == 255).all()


def test_sixteen_bits_are_scaled_with_a_warning(tmp_path):
    Image.fromarray(np.array([[0, 257, 65535]], np.uint16)).save(tmp_path / "deep.png")
    with pytest.warns(UserWarning, match="16 bits"):
        assert read_image(tmp_path / "deep.png")[0, :, 0].tolist() == [0, 1, 255]
    Image.fromarray(np.full((2, 2), 200, np.uint16)).save(tmp_path / "dark.png")
    with pytest.warns(UserWarning, match="16 bits"):
        assert read_image(tmp_path / "dark.png").max() == 1  # 200 of 65,535 is nearly black, not bright


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bit_colours_are_scaled_with_a_warning(tmp_path, suffix):
    blue_green_red = np.full((2, 3, 3), (0, 32768, 65535), np.uint16)
    cv2.imwrite(str(tmp_path / f"deep{suffix}"), blue_green_red)
    with pytest.warns(UserWarning, match="16 bits"):
        assert read_image(tmp_path / f"deep{suffix}")[0, 0].tolist() == [255, 128, 0]


def test_exif_orientation_is_applied(tmp_path):
    picture = Image.new("RGB", (6, 4), "black")
    picture.putpixel((0, 0), RED)
    exif = picture.getexif()
    exif[0x0112] = 6  # the camera was turned: show it rotated by 90 degrees clockwise
    picture.save(tmp_path / "turned.png", exif=exif)
    image = read_image(tmp_path / "turned.png")
    assert image.shape == (6, 4, 3)
    assert tuple(image[0, 3]) == RED


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_a_picture_is_turned_once_whatever_the_format(tmp_path, orientation, suffix):
    stored = np.zeros((16, 24, 3), np.uint8)
    stored[:8, :8] = 255
    tags = Image.Exif()
    tags[274] = orientation
    options = {"lossless": True} if suffix == ".webp" else {}
    Image.fromarray(stored).save(tmp_path / f"a{suffix}", exif=tags, **options)
    image, found = opened_image(tmp_path / f"a{suffix}")
    assert (
        found == orientation and (np.abs(image.astype(int) - upright(stored[..., 0], orientation)[..., None]) < 9).all()
    )


BROKEN = {
    "a number as text": struct.pack(">HHI4s", 282, 2, 3, b"72\0\0"),
    "a maker as number": struct.pack(">HHII", 271, 4, 1, 7),
    "a signed size": struct.pack(">HHIi", 256, 9, 1, -5),
    "a value outside": struct.pack(">HHII", 282, 5, 1, 2**31),
    "an endless count": struct.pack(">HHII", 37500, 7, 2**32 - 1, 8),
    "an unknown type": struct.pack(">HHII", 282, 99, 1, 8),
}


@pytest.mark.parametrize("entry", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_of_damaged_exif_the_orientation_is_all_that_is_needed(tmp_path, entry, suffix):
    data = exif(6, extra=entry)
    picture = Image.new("RGB", (6, 4), RED)
    picture.save(tmp_path / f"a{suffix}", exif=b"Exif\0\0" + data)
    assert read_image(tmp_path / f"a{suffix}").shape == (6, 4, 3)


def test_what_is_no_ordinary_file_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    os.symlink("circle.png", tmp_path / "circle.png")
    long = tmp_path / ("a" * 300 + ".png")
    for path, reason in (("pipe.png", "pipe or device"), ("circle.png", "circle"), (long, "too long")):
        with pytest.raises(ImageError, match=reason):
            read_image(tmp_path / path)


def test_formats_that_start_other_programs_are_not_opened(tmp_path):
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n")
    with pytest.raises(ImageError, match="cannot identify"):
        read_image(tmp_path / "a.png")


def test_the_suffixes_of_pictures_are_those_of_the_formats_that_are_read():
    Image.init()
    known = {suffix for suffix, kind in Image.registered_extensions().items() if kind in images.FORMATS}
    assert known == set(images.IMAGE_SUFFIXES)


def test_values_that_fill_12_of_16_bits_are_named(tmp_path):
    Image.fromarray(np.full((2, 2), 4095, np.uint16)).save(tmp_path / "camera.png")
    with pytest.warns(UserWarning, match="need 12 bits only, so it comes out dark; multiply them by 16"):
        assert read_image(tmp_path / "camera.png").max() == 16


def test_a_float_picture_without_numbers_is_refused(tmp_path):
    Image.fromarray(np.array([[0.5, np.nan]], np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(ImageError, match="no numbers"):
        read_image(tmp_path / "a.tif")


def test_the_first_frame_of_an_animation_is_read(tmp_path):
    frames = [Image.new("RGB", (4, 4), c) for c in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert tuple(read_image(tmp_path / "a.gif")[0, 0]) == RED


def test_what_is_no_picture_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.png"):
        read_image(tmp_path / "absent.png")
    with pytest.raises(ImageError, match="is a folder"):
        read_image(tmp_path)
    (tmp_path / "text.png").write_text("hello")
    with pytest.raises(ImageError, match=r"text\.png as a picture"):
        read_image(tmp_path / "text.png")
    whole = write(tmp_path / "whole.png", size=(300, 300)).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ImageError, match=r"cut\.png"):
        read_image(tmp_path / "cut.png")
    (tmp_path / "empty.png").write_bytes(b"")
    with pytest.raises(ImageError, match=r"empty\.png"):
        read_image(tmp_path / "empty.png")


def test_a_decompression_bomb_is_refused(tmp_path, monkeypatch):
    path = write(tmp_path / "large.png", size=(200, 200))
    monkeypatch.setenv("SEGMENTATION_MAX_MEGAPIXELS", "0.03")
    with pytest.raises(ImageError, match="too large"):
        read_image(path)


def test_saving_is_all_or_nothing(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    assert (read_image(save_image(path, image)) == image).all()

    def fail(self, target, **options):
        Path(target).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="No space left"):
        save_image(path, image * 0)
    monkeypatch.undo()
    assert (read_image(path) == image).all()
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_saving_refuses_what_it_cannot_keep(tmp_path):
    with pytest.raises(ImageError, match="must be uint8"):
        save_image(tmp_path / "a.png", np.zeros((2, 2, 3)))
    with pytest.raises(ImageError, match="format of 'a.xyz'"):
        save_image(tmp_path / "a.xyz", np.zeros((2, 2, 3), np.uint8))
    save_image(tmp_path / "g.png", np.full((2, 2, 1), 7, np.uint8))
    assert (read_image(tmp_path / "g.png", gray=True) == 7).all()


def test_resize_keeps_channels_and_mean():
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    small = resize_image(image, (20, 30))
    assert small.shape == (20, 30, 3)
    assert np.abs(small.mean() - image.mean()) < 1
    assert resize_image(image[..., :1], (80, 120)).shape == (80, 120, 1)
    with pytest.raises(ImageError, match="at least 1"):
        resize_image(image, (0, 10))


def test_fit_within_never_enlarges():
    assert fit_within((100, 50), 200) == (100, 50)
    assert fit_within((2000, 1000), 500) == (500, 250)
    assert fit_within((1, 5000), 513) == (1, 513)


@pytest.mark.parametrize("name, size", [("astronaut", (512, 512)), ("chelsea", (300, 451)), ("china", (427, 640))])
def test_photographs_come_with_packages(name, size):
    image = images.photo(name)
    assert image.shape == (*size, 3) and image.dtype == np.uint8
    assert image.std() > 30  # a photograph, not a blank


def test_the_cat_is_ginger():
    red, _, blue = images.photo("chelsea").reshape(-1, 3).mean(0)
    assert red > blue + 30


def test_every_photograph_is_there_and_credited():
    for name, about in images.PHOTOS.items():
        assert images.photo(name).shape[2] == 3
        assert re.search(r"public domain|CC0|CC BY|for research", about.credit)


def test_a_photograph_that_cannot_be_had(monkeypatch):
    with pytest.raises(ImageError, match="no photograph 'lena'; choose one of astronaut, chelsea"):
        images.photo("lena")
    monkeypatch.setattr(images, "find_spec", lambda package: None)
    with pytest.raises(ImageError, match="comes with the package skimage, which isn't installed"):
        images.photo("coffee")
