"""Widgets: what they hold, and in a browser that they move."""

import base64
import io
import re
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from PIL import Image

from browser import chromium, needs_browser
from helpers import widgets
from helpers.labels import CITYSCAPES

IMAGE = np.full((60, 90, 3), 200, np.uint8)
IMAGE[:, 45:] = (40, 90, 160)
MASK = np.zeros((60, 90), np.uint8)
MASK[:, 30:60], MASK[:, 60:] = CITYSCAPES.index("car"), 255
PROBABILITY = np.tile(np.linspace(0, 1, 90), (60, 1))
FRAMES = [np.full((60, 90, 3), shade, np.uint8) for shade in (0, 100, 200)]

EACH = {
    "compare": lambda: widgets.compare(IMAGE, 255 - IMAGE, titles=("street", "negative")),
    "strength": lambda: widgets.overlay_strength(IMAGE, MASK, CITYSCAPES),
    "threshold": lambda: widgets.threshold(IMAGE, PROBABILITY),
    "hover": lambda: widgets.hover_classes(IMAGE, MASK, CITYSCAPES),
    "scrubber": lambda: widgets.scrubber(FRAMES, ["epoch 1", "epoch 5", "epoch 9"], name="epoch"),
    "flicker": lambda: widgets.flicker(FRAMES, FRAMES[::-1], rate=20),
}


def shown(show: Callable[[], None]) -> dict:
    with patch("IPython.display.display") as display:
        show()
    display.assert_called_once()
    return display.call_args.args[0]


def decode(source: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.split(",")[-1]))))


@pytest.mark.parametrize("name", EACH)
def test_a_widget_is_one_piece_with_a_still_picture_beside_it(name: str) -> None:
    data = shown(EACH[name])
    assert decode(data["image/jpeg"]).shape[0] == 60
    assert not re.search(r"""(src|href)=["'](?!data:)|https?:|import\(|fetch\(""", data["text/html"])
    assert data == shown(EACH[name]), "the same in each run"


def test_text_of_a_page_cannot_end_the_script() -> None:
    html = shown(lambda: widgets.compare(IMAGE, IMAGE, titles=("</script><b>", "x"), alt='a "quoted" <street>'))[
        "text/html"
    ]
    assert html.count("</script>") == 1 and 'alt="a &quot;quoted&quot; &lt;street&gt;"' in html


def test_ids_and_thresholds_survive_exactly() -> None:
    html = shown(EACH["hover"])["text/html"]
    assert (decode(re.search(r'"ids": "(data:[^"]+)"', html)[1]) == MASK).all()
    html = shown(EACH["threshold"])["text/html"]
    assert (decode(re.search(r'"probability": "(data:[^"]+)"', html)[1]) == np.round(255 * PROBABILITY)).all()


def test_a_mask_keeps_its_colours_and_void_is_clear() -> None:
    html = shown(EACH["strength"])["text/html"]
    colors = Image.open(io.BytesIO(base64.b64decode(re.search(r'"colors": "data:image/png;base64,([^"]+)"', html)[1])))
    rgba = np.asarray(colors.convert("RGBA"))
    assert (rgba[0, 0] == [128, 64, 128, 255]).all() and (rgba[0, 45] == [0, 0, 142, 255]).all() and rgba[0, 80, 3] == 0


def test_large_pictures_are_stored_at_the_width_asked_for() -> None:
    large = np.repeat(np.repeat(IMAGE, 20, axis=0), 20, axis=1)
    html = shown(lambda: widgets.compare(large, large, width=600))["text/html"]
    assert decode(re.search(r'src="(data:[^"]+)"', html)[1]).shape == (400, 600, 3)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: widgets.compare(IMAGE, IMAGE[:30]), r"shapes \(60, 90, 3\) and \(30, 90, 3\)"),
        (lambda: widgets.threshold(IMAGE, 3 * PROBABILITY), "between 0 and 1, found 0 … 3"),
        (lambda: widgets.scrubber(FRAMES, ["one"]), "3 pictures and 1 captions"),
        (lambda: widgets.scrubber([], []), "give at least one"),
        (lambda: widgets.scrubber([IMAGE, IMAGE[:9]], ["a", "b"]), "different sizes"),
        (lambda: widgets.flicker(FRAMES, FRAMES[:2]), "3 frames before, 2 after"),
    ],
)
def test_what_fits_no_widget_is_refused(wrong: Callable[[], None], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wrong()


@pytest.mark.slow
@needs_browser
def test_each_widget_moves_in_a_browser(tmp_path: Path) -> None:
    """By keyboard, and where it is made for the mouse, by mouse; without scripts the still picture is there."""
    page = tmp_path / "page.html"
    with chromium(width=800, height=500) as browser:
        for name, widget in EACH.items():
            html = shown(widget)["text/html"]
            page.write_text(f'<!doctype html><meta charset="utf-8">{html}', encoding="utf-8")
            browser.open(page)
            browser.wait("document.querySelector('[data-ready] label, [data-ready] [tabindex]')")
            stage = "[data-widget] > div"
            assert browser.js("document.querySelector('img').naturalWidth") > 0
            before = browser.screenshot(tmp_path / f"{name}_before.png")
            browser.js(f"document.querySelector('{stage if name == 'hover' else 'input'}').focus()")
            for _ in range(3):
                browser.press("ArrowLeft")
            assert browser.screenshot() != before, f"{name} does not follow the arrow keys"
            if name in ("compare", "hover"):
                before = browser.screenshot()
                browser.hover(stage, right=0.1)
                assert browser.screenshot(tmp_path / f"{name}.png") != before, f"{name} does not follow the mouse"
            if name == "hover":
                assert "0 road" in browser.js("document.querySelector('[aria-live]').textContent")
            if name == "threshold":
                browser.press("End")
                says = browser.js("document.querySelector('output').textContent")
                assert says == f"≥ 1.00: {100 / 90:.1f} %"
            if name == "flicker":
                first = browser.js("document.querySelector('output').textContent")
                browser.click("button")
                browser.wait(f"document.querySelector('output').textContent !== {first!r}", seconds=10)
                assert "pause" in browser.js("document.querySelector('button').textContent")
        assert browser.console == []
