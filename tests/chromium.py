"""A headless Chromium over its DevTools pipe: the standard library alone drives it, and nothing is downloaded.

Messages are JSON with a NUL behind, read by the browser from its file descriptor 3 and written to 4.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
TIMEOUT = 90.0
"""Seconds that an answer may take; a busy machine starts a browser in tens of seconds."""


def find() -> str | None:
    """The browser's path: $BENCHMARK_CHROMIUM, or the first known name on the path."""
    given = os.environ.get("BENCHMARK_CHROMIUM")
    return given or next((path for name in NAMES if (path := shutil.which(name))), None)


PLACE = """
import os, sys
from fcntl import F_DUPFD_CLOEXEC, fcntl
for target, pipe in zip((3, 4), [fcntl(int(number), F_DUPFD_CLOEXEC, 10) for number in sys.argv[1:3]]):
    os.dup2(pipe, target)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Puts the two pipes where the browser expects them, whatever numbers they have here, and becomes the browser."""


class Browser:
    """One browser with one page. `errors` holds what the console or a script said was wrong, `requests` every URL."""

    def __init__(self, binary: str, profile: Path) -> None:
        to_read, self.write_end = os.pipe()
        self.read_end, to_write = os.pipe()
        flags = ["--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--no-first-run", "--hide-scrollbars"]
        flags += ["--disable-dev-shm-usage", "--disable-background-networking", f"--user-data-dir={profile}"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            flags.append("--no-sandbox")
        words = [sys.executable, "-I", "-S", "-c", PLACE, str(to_read), str(to_write), binary, *flags, "about:blank"]
        self.process = subprocess.Popen(
            words, pass_fds=(to_read, to_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        os.close(to_read)
        os.close(to_write)
        self.buffer = b""
        self.number = 0
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.loaded = 0
        self.session: str | None = None

    def attach(self) -> None:
        """Open the one page that all other calls are about."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method and wait for its answer."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self._note(answer)

    def open(
        self, url: str, *, width: int = 1280, height: int = 900, phone: bool = False, scheme: str = "light",
        motion: str = "no-preference",
    ) -> None:  # fmt: skip
        """Load a page and wait until it is there; what was asked or noted of an earlier page is forgotten.

        scheme: "light" or "dark". motion: "no-preference" or "reduce". phone: a touch screen, two pixels in one.
        """
        features = {"prefers-color-scheme": scheme, "prefers-reduced-motion": motion}
        listed = [{"name": name, "value": value} for name, value in features.items()]
        self.send("Emulation.setEmulatedMedia", features=listed)
        metrics = {"width": width, "height": height, "deviceScaleFactor": 2 if phone else 1, "mobile": phone}
        self.send("Emulation.setDeviceMetricsOverride", **metrics)
        self.errors.clear()
        self.requests.clear()
        before = self.loaded
        self.send("Page.navigate", url=url)
        while self.loaded == before:
            self._note(self._receive())

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression in the page; a promise is awaited."""
        found = self.send(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True
        )
        if "exceptionDetails" in found:
            raise RuntimeError(found["exceptionDetails"]["exception"]["description"])
        return found["result"].get("value")

    def press(self, key: str) -> None:
        """One key, by its name: Tab, Enter, ArrowRight, a."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        text = "\r" if key == "Enter" else key if len(key) == 1 else ""
        common = {"key": key, "code": key, "windowsVirtualKeyCode": codes.get(key, 0)}
        self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.send("Input.dispatchKeyEvent", type="keyUp", **common)

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        found = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(found["data"]))

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.write_end)
        os.close(self.read_end)

    def _receive(self) -> dict[str, Any]:
        end = time.monotonic() + TIMEOUT
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.read_end], [], [], max(end - time.monotonic(), 0))
            if not ready:
                raise TimeoutError(f"the browser said nothing for {TIMEOUT:.0f} s")
            data = os.read(self.read_end, 1 << 20)
            if not data:
                raise RuntimeError("the browser ended")
            self.buffer += data
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def _note(self, event: dict[str, Any]) -> None:
        found = event.get("params", {})
        match event.get("method"):
            case "Page.loadEventFired":
                self.loaded += 1
            case "Network.requestWillBeSent":
                self.requests.append(found["request"]["url"])
            case "Runtime.exceptionThrown":
                self.errors.append(str(found["exceptionDetails"].get("exception", {}).get("description", found)))
            case "Runtime.consoleAPICalled" if found["type"] in ("error", "warning"):
                self.errors.append(str([each.get("value") for each in found["args"]]))
            case "Log.entryAdded" if found["entry"]["level"] in ("error", "warning"):
                self.errors.append(found["entry"]["text"])


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser that is ended with the block; the test is skipped where there is none."""
    binary = find()
    if binary is None:
        pytest.skip("no Chromium on the path, nor at $BENCHMARK_CHROMIUM: apt-get install chromium")
    found = Browser(binary, profile)
    try:
        found.attach()
        yield found
    finally:
        found.close()
