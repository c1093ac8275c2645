"""A real browser: pages opened, clicked, typed into, looked at, checked.

`python -m tests.browser.browsing` installs axe-core, which checks pages for those who
do not see them (MPL-2.0; tests only). The browser is that of Debian's packages chromium
and chromium-driver.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selenium.common.exceptions import (
    ElementNotInteractableException,
    StaleElementReferenceException,
)
from selenium.webdriver import ActionChains, Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.npm import install, installed

if TYPE_CHECKING:
    from collections.abc import Callable

    from selenium.webdriver.remote.webelement import WebElement

AXE = "4.14.1"
PATIENCE = 30.0
_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


def missing() -> str:
    """Return what is not installed that tests in a browser need; empty if all is."""
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            return f"{program} (Debian's packages chromium and chromium-driver)"
    if not _axe().exists():
        return "axe-core (python -m tests.browser.browsing)"
    return ""


def started(profile: Path) -> Chrome:
    """Return a browser that was started, with an empty profile."""
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options, Service(shutil.which("chromedriver")))
    driver.set_script_timeout(PATIENCE)
    return driver


class Browser:
    """One window; a test opens pages in it, which are checked when it ends."""

    def __init__(self, driver: Chrome, pictures: Path) -> None:
        self.driver, self.pictures = driver, pictures
        self.expected: list[str] = []
        """What the console may say, as regular expressions."""

    def open(
        self,
        address: str,
        *,
        width: int = 1280,
        height: int = 800,
        theme: str = "light",
    ) -> None:
        """Open a page, as wide as given, for a system with a theme."""
        self.resize(width, height)
        self.prefer(theme)
        self.driver.get(address)

    def prefer(self, theme: str) -> None:
        """Let the system have a theme: light or dark."""
        feature = {"name": "prefers-color-scheme", "value": theme}
        self.tell("Emulation.setEmulatedMedia", features=[feature])

    def resize(self, width: int, height: int = 800) -> None:
        """Make the window as wide as a screen, or as a telephone."""
        self.tell(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def tell(self, what: str, **given: Any) -> Any:
        """Give a command of the DevTools protocol; return what it says."""
        return self.driver.execute_cdp_cmd(what, given)

    def run(self, script: str, *given: Any) -> Any:
        """Return what a script says in the page."""
        return self.driver.execute_script(script, *given)

    def all(self, selector: str) -> list[WebElement]:
        """Return the elements that a selector of CSS finds now."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def wait(self, holds: Callable[[], Any], what: str = "it") -> Any:
        """Return what a function says once that is something."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                found = holds()
            except StaleElementReferenceException:
                found = None
            if found:
                return found
            if time.monotonic() > end:
                raise AssertionError(
                    f"{what} never came; the page says:\n{self.text()}"
                )
            time.sleep(0.02)

    def find(self, selector: str, text: str = "") -> WebElement:
        """Return the first visible element that has a text, once it is there."""

        def found() -> WebElement | None:
            for one in self.all(selector):
                if one.is_displayed() and text in one.text:
                    return one
            return None

        return self.wait(found, f"{selector} {text!r}")

    def gone(self, selector: str, text: str = "") -> None:
        """Wait until no visible element of a selector has a text."""

        def none() -> bool:
            return not any(
                one.is_displayed() and text in one.text for one in self.all(selector)
            )

        self.wait(none, f"the end of {selector} {text!r}")

    def click(self, selector: str, text: str = "") -> None:
        """Click an element, once it is there and can be clicked."""

        def clicked() -> bool:
            try:
                self.find(selector, text).click()
            except ElementNotInteractableException:
                return False
            return True

        self.wait(clicked, f"a click on {selector} {text!r}")

    def type(self, *keys: str) -> None:
        """Press keys, where the focus is."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def tab_to(self, selector: str, text: str = "", most: int = 80) -> None:
        """Move the focus to an element by the key Tab alone; it must be seen there."""
        for _ in range(most):
            self.type(Keys.TAB)
            focused = self.driver.switch_to.active_element
            if focused in self.all(selector) and text in focused.text:
                style = (
                    "const s = getComputedStyle(arguments[0]); return s.outlineStyle"
                )
                assert self.run(style, focused) != "none", "the focus is not seen"
                return
        raise AssertionError(f"Tab never comes to {selector} {text!r}")

    def text(self) -> str:
        """Return all that can be read."""
        return str(self.run("return document.body.innerText"))

    def picture(self, name: str) -> Path:
        """Keep a picture of the window."""
        self.pictures.mkdir(parents=True, exist_ok=True)
        path = self.pictures / f"{name}.png"
        data = self.tell("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(data))
        return path

    def check(self) -> None:
        """Fail if the page is wider than the window, or not for everybody (axe)."""
        over = self.run(
            "const e = document.documentElement; return e.scrollWidth - e.clientWidth"
        )
        assert over <= 0, f"the page is {over} pixels wider than the window"
        if not self.run("return window.axe !== undefined"):
            self.run(_axe().read_text())
        found = self.driver.execute_async_script(
            "const end = arguments[0]; axe.run(document, {resultTypes: ['violations']})"
            ".then((r) => end(r.violations.map((v) => v.id + ': ' + v.nodes.map("
            "(n) => n.html + ' ' + n.failureSummary).slice(0, 3).join('; '))))"
        )
        assert found == [], "\n".join(found)

    def complaints(self) -> list[str]:
        """Return what the console said, and which other hosts were asked."""
        said = [
            entry["message"]
            for entry in self.driver.get_log("browser")
            if not any(re.search(one, entry["message"]) for one in self.expected)
        ]
        asked = self.run(
            "return performance.getEntriesByType('resource').map((e) => e.name)"
        )
        foreign = "^(http://127.0.0.1:|http://localhost:|data:|blob:)"
        return said + [name for name in asked if not re.match(foreign, name)]

    def leave(self) -> None:
        """Leave the page, before its server ends; fail if there is a complaint."""
        complaints = self.complaints()
        self.driver.get("about:blank")  # it asks on while it is there
        assert complaints == [], complaints


def pictures_folder(temporary: Path) -> Path:
    """Return where pictures of pages go: `SCREENSHOTS`, or a folder of the tests'."""
    return Path(os.environ.get("SCREENSHOTS") or temporary)


def _axe() -> Path:
    return installed("axe-core", AXE) / "axe.min.js"


if __name__ == "__main__":
    install("axe-core", AXE)
