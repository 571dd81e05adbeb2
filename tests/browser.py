"""Chromium without a window, driven by its own devtools protocol: pages as readers see them."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from websocket import create_connection  # websocket-client, which JupyterLab brings along

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


class Browser:
    """One page of a running Chromium."""

    def __init__(self, address: str) -> None:
        self._socket = create_connection(address, timeout=120, suppress_origin=True)
        self._count = 0
        self.console: list[str] = []  # errors that the page reported
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params) -> dict:
        """Send a command of the protocol and wait for its answer."""
        self._count += 1
        self._socket.send(json.dumps({"id": self._count, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("method") == "Runtime.exceptionThrown":
                self.console.append(_what_went_wrong(message["params"]["exceptionDetails"]))
            elif message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
                entry = message["params"]["entry"]
                self.console.append(f"{entry['text']} {entry.get('url', '')}".strip())
            elif message.get("id") == self._count:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                return message["result"]

    def open(self, address: str | Path) -> None:
        """Go to an address or a file and wait until it is loaded."""
        address = address.resolve().as_uri() if isinstance(address, Path) else address
        self.call("Page.navigate", url=address)
        self.wait(
            f"location.href !== 'about:blank' && document.readyState === 'complete' || {json.dumps(address)} === ''"
        )

    def js(self, expression: str):
        """The value of a JavaScript expression in the page; promises are awaited."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(_what_went_wrong(result["exceptionDetails"]))
        return result["result"].get("value")

    def wait(self, condition: str, *, seconds: float = 60) -> None:
        """Wait until a JavaScript condition holds.

        Raises:
            TimeoutError: it didn't within the time.
        """
        end = time.monotonic() + seconds
        while not self.js(f"Boolean({condition})"):
            if time.monotonic() > end:
                raise TimeoutError(f"after {seconds:.0f} s still not: {condition}")
            time.sleep(0.1)

    def press(self, key: str) -> None:
        """Press and release a key, for instance "ArrowRight" or "Tab"."""
        codes = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Tab": 9, "Home": 36, "End": 35}
        codes |= {"Enter": 13, " ": 32}
        text = {"text": {"Enter": "\r"}.get(key, key)} if key in ("Enter", " ") else {}
        for kind in ("keyDown" if text else "rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key], **text)

    def click(self, selector: str) -> None:
        """Click into the middle of an element."""
        x, y = self.middle(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def hover(self, selector: str, right: float = 0.5, down: float = 0.5) -> None:
        """Move the pointer over an element, to these shares of its width and height."""
        x, y = self.middle(selector, right, down)
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def middle(self, selector: str, right: float = 0.5, down: float = 0.5) -> tuple[float, float]:
        find = f"const e = document.querySelector({json.dumps(selector)});"
        measure = "const b = e.getBoundingClientRect(); return [b.left, b.top, b.width, b.height];"
        box = self.js(f"(() => {{ {find} e.scrollIntoView({{block: 'center'}}); {measure} }})()")
        return box[0] + right * box[2], box[1] + down * box[3]

    def screenshot(self, path: Path | None = None, *, whole: bool = False) -> bytes:
        """The page as PNG, what fits the window or the whole of it; also written to `path` if there is one."""
        png = base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"])
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png)
        return png


def _what_went_wrong(details: dict) -> str:
    """An exception in words; what is thrown may be anything, or nothing that can be had."""
    return details.get("exception", {}).get("description") or details.get("text", "exception")


@contextmanager
def chromium(*, width: int = 1280, height: int = 900) -> Iterator[Browser]:
    """Start Chromium with a profile of its own and close it afterwards."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            CHROMIUM,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-dev-shm-usage",
            "--remote-debugging-port=0",
            f"--user-data-dir={profile}",
            f"--window-size={width},{height}",
            "--hide-scrollbars",
            "about:blank",
        ]
        # A group of its own, so that its helper processes end with it.
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            port_file, end = Path(profile) / "DevToolsActivePort", time.monotonic() + 60
            while not port_file.exists() or not port_file.read_text().count("\n"):
                if time.monotonic() > end or process.poll() is not None:
                    raise RuntimeError("Chromium did not start")
                time.sleep(0.1)
            port = port_file.read_text().splitlines()[0]
            pages = json.loads(urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=30).read())
            yield Browser(next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page"))
        finally:
            os.killpg(process.pid, 15)
            process.wait(timeout=30)
