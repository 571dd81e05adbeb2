"""The page as people meet it: in a browser, with a mouse, a keyboard, a screen reader, a small screen."""

import base64
import json
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from browser import Browser, chromium, needs_browser
from helpers.server.local import Service, local_service


def test_page_and_docs_need_nothing_from_elsewhere(stranger):
    for path in ("/", "/api/v1/docs/", "/static/style.css", "/static/page.js", "/static/icon.svg"):
        answer = stranger.get(path)
        text = b"".join(answer).decode()
        assert answer.status_code == 200
        found = [url for url in re.findall(r"https?://[^\s\"')]+", text) if "localhost" not in url]
        assert set(found) <= {"http://www.w3.org/2000/svg"}
        assert not re.search(r"<script>|<style|\son\w+=|style=\"", text), "the content policy forbids inline code"


def test_docs_show_every_operation_field_and_answer(stranger):
    schema = stranger.get("/api/v1/schema/").json()
    text = stranger.get("/api/v1/docs/").content.decode()
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            assert path in text and operation["summary"] in text
            assert all(f"<code>{code}</code>" in text for code in operation["responses"])
    for field in ("picture", "background", "mode", "edge", "color"):
        assert f"<code>{field}</code>" in text
    assert "guided, soft, argmax" in text and "cutout, blur, color" in text


# --- In Chromium ---

in_chromium = [pytest.mark.slow, needs_browser]


@pytest.fixture(scope="module")
def service(tmp_path_factory) -> Iterator[Service]:
    with local_service(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with chromium(width=1100, height=860) as chrome:
        yield chrome


@pytest.fixture
def page(service: Service, chrome: Browser) -> Iterator[Browser]:
    """The page, newly opened; at the end nothing went wrong on it and nothing came from elsewhere."""
    chrome.console.clear()
    chrome.open(service.url)
    yield chrome
    assert chrome.console == []
    loaded = chrome.js("performance.getEntriesByType('resource').map(entry => entry.name)")
    assert [url for url in loaded if not url.startswith((service.url, f"blob:{service.url}"))] == []


@pytest.fixture
def portrait(tmp_path: Path) -> Path:
    """Something with a middle: a disc on a gradient."""
    rows, columns = np.mgrid[:360, :480]
    image = np.dstack([columns / 2, rows / 2, np.full_like(rows, 120)]).astype(np.uint8)
    image[np.hypot(rows - 180, columns - 240) < 110] = (230, 180, 150)
    Image.fromarray(image).save(tmp_path / "portrait.png")
    return tmp_path / "portrait.png"


def choose(page: Browser, path: Path, selector: str = "#picture") -> None:
    """What a file dialog does."""
    root = page.call("DOM.getDocument")["root"]["nodeId"]
    node = page.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
    page.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])
    page.wait("document.getElementById('preview').src && document.getElementById('preview').complete")


def drop(page: Browser, path: Path, selector: str) -> None:
    """Drag a file from outside onto an element."""
    x, y = page.middle(selector)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        page.call("Input.dispatchDragEvent", type=kind, x=x, y=y, data=data)


def status(page: Browser) -> str:
    return page.js("document.getElementById('status').textContent")


def focused(page: Browser) -> str:
    return page.js("document.activeElement.id || document.activeElement.value")


def shown(page: Browser) -> np.ndarray:
    """The pixels of the result."""
    data = page.js("""(() => {
        const image = document.getElementById("after"), canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
        canvas.getContext("2d").drawImage(image, 0, 0);
        return canvas.toDataURL("image/png");
    })()""")
    return np.asarray(Image.open(BytesIO(base64.b64decode(data.partition(",")[2]))).convert("RGB"))


def in_words(page: Browser) -> dict[str, list[str]]:
    """Role → names, as a screen reader gets them."""
    found: dict[str, list[str]] = {}
    for node in page.call("Accessibility.getFullAXTree")["nodes"]:
        if not node["ignored"]:
            found.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value", ""))
    return found


class TestInChromium:
    pytestmark = in_chromium

    def test_drop_compare_download_delete(self, page, portrait, tmp_path):
        drop(page, portrait, "#drop")
        assert page.js("document.getElementById('chosen').textContent") == "portrait.png"
        page.screenshot(tmp_path / "chosen.png")
        page.click("#send")
        page.wait("!document.getElementById('result').hidden")
        assert (shown(page) == 255 - np.asarray(Image.open(portrait))).all()
        page.wait("document.activeElement.id === 'slider'")
        assert status(page).startswith("Done.") and page.js("document.getElementById('progress').hidden")
        assert page.js("[download.getAttribute('download'), download.href === after.src]") == ["background.png", True]
        page.screenshot(tmp_path / "result.png")
        url = page.js("job.url")
        page.click("#delete")
        page.wait("document.getElementById('status').textContent === 'Deleted.'")
        assert page.js("document.getElementById('result').hidden")
        assert page.js(f"fetch({json.dumps(url)}).then(answer => answer.status)") == 404
        assert "404" in page.console.pop()

    def test_everything_works_with_the_keyboard(self, page, portrait, tmp_path):
        page.press("Tab")
        assert focused(page) == "picture"
        choose(page, portrait)
        page.press("Tab")
        page.press("ArrowDown")
        assert page.js("document.querySelector('[name=behind]:checked').value") == "blur"
        page.screenshot(tmp_path / "focus.png")
        seen = []
        while "send" not in seen:
            page.press("Tab")
            seen.append(focused(page))
            assert len(seen) < 12
        assert {"color", "background", "guided"} <= set(seen)
        page.press("Enter")
        page.wait("document.activeElement.id === 'slider'")
        cut = "[Number(slider.value), getComputedStyle(document.getElementById('before')).clipPath]"
        before = page.js(cut)
        for _ in range(5):
            page.press("ArrowRight")
        after = page.js(cut)
        assert after[0] == before[0] + 5 and after[1] != before[1]
        page.press("Tab")
        assert focused(page) == "download"
        page.press("Tab")
        page.press(" ")
        page.wait("document.getElementById('status').textContent === 'Deleted.'")

    def test_every_control_has_a_name_and_the_status_is_spoken(self, page):
        names = in_words(page)
        for role in ("button", "radio", "ColorWell", "link"):
            assert names[role] and all(names[role]), role
        assert len(names["radio"]) == 7
        assert page.js("document.querySelector('[role=status]').getAttribute('aria-live')") == "polite"
        assert page.js("document.documentElement.lang") == "en"

    def test_what_is_wrong_is_said(self, page, tmp_path):
        bad = tmp_path / "picture.png"
        bad.write_text("no picture")
        choose(page, bad)
        page.click("#send")
        page.wait("document.getElementById('status').classList.contains('problem')")
        assert "no PNG, JPEG or WebP" in status(page)
        assert "400" in page.console.pop()
        page.wait("!document.getElementById('send').disabled")
        page.click("[name=behind][value=picture]")
        page.click("#send")
        page.wait("document.getElementById('status').textContent.startsWith('Choose the picture that shall be')")
        page.screenshot(tmp_path / "problem.png")

    def test_on_a_phone_in_the_dark(self, page, service, portrait, tmp_path):
        page.call("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=1, mobile=False)
        page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        choose(page, portrait)
        page.click("#send")
        page.wait("!document.getElementById('result').hidden")
        assert page.js("document.documentElement.scrollWidth") <= 390, "nothing sticks out"
        page.screenshot(tmp_path / "phone.png", whole=True)
        page.open(f"{service.url}/api/v1/docs/")
        assert page.js("document.documentElement.scrollWidth") <= 390
        page.screenshot(tmp_path / "docs.png", whole=True)
