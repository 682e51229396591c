"""One headless Chromium, and what a person does with a page in it: open, look, type; used by test_page."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any, TypeAlias

from autograd import Value
from autograd.derive import derive
from autograd.derive.page import page

BACKSPACE, TAB, ENTER, ESCAPE, END, HOME, LEFT, UP, RIGHT, DOWN = (chr(0xE000 + i) for i in (3, 4, 7, 12, *range(16, 22)))
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --window-size=1280,800"
)
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
TITLES = "boxes.map(({ group }) => group.querySelector('title').textContent)"
Boxes: TypeAlias = dict[str, tuple[float | None, float | None]]


class Browser:
    """One Chromium for all tests of this file, and what they do with a page in it."""

    def __init__(self, directory: Path) -> None:
        from selenium import webdriver

        options = webdriver.ChromeOptions()
        for flag in (*FLAGS.split(), f"--user-data-dir={directory / 'profile'}"):
            options.add_argument(flag)
        options.binary_location = str(CHROMIUM)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver: Any = webdriver.Chrome(options, webdriver.ChromeService(str(DRIVER)))
        self.directory, self.count = directory, 0

    def open(self, output: Value, wrt: Any = None, width: int = 1280, height: int = 800, scheme: str = "light") -> None:
        self.count += 1
        self.path = self.directory / f"page{self.count}.html"
        self.path.write_text(page(derive(output, wrt)), encoding="utf-8")
        self.emulate(width, height, scheme)
        self.driver.get(self.path.as_uri())

    def emulate(self, width: int = 1280, height: int = 800, scheme: str = "light") -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        media = [{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}]
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def keys(self, *keys: str) -> None:
        from selenium.webdriver import ActionChains

        ActionChains(self.driver, duration=0).send_keys(*keys).perform()

    def text(self, selector: str) -> str:
        return str(self.run("return document.querySelector(arguments[0]).textContent", selector))

    def type(self, name: str, text: str) -> None:
        """Type into the field of an input, as a person does, and leave it."""
        field = self.run("return document.getElementById(`input${nodes.findIndex((n) => n.name === arguments[0])}`)", name)
        self.run("arguments[0].select(); arguments[0].focus()", field)
        self.keys(BACKSPACE, text, TAB)

    def boxes(self) -> Boxes:
        """By name, the number and the gradient that the page tells of each box, with all digits; None for not yet."""
        return shown(self.run(f"return {TITLES}"))

    def steps(self, count: int) -> list[Boxes]:
        """The boxes after each of so many clicks on Next."""
        script = f"return Array.from({{length: arguments[0]}}, () => (byId('next').click(), {TITLES}))"
        return [shown(titles) for titles in self.run(script, count)]

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> set[str]:
        events = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        return {event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"}


def shown(titles: list[str]) -> Boxes:
    found = (re.fullmatch(r"(.*?)(?: = (\S+?))?(?:, gradient (\S+))?", title) for title in titles)
    return {m[1]: (float(m[2]) if m[2] else None, float(m[3]) if m[3] else None) for m in found if m}
