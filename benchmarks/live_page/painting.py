"""The live page in Chromium: how soon counts are painted, what updates cost there."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.reporting import Row
from tests.browser.browsing import Browser, started

PAINTED = """
const end = arguments[0];
const look = () => {
  if (!document.querySelector("table.functions td a")) return setTimeout(look, 2);
  requestAnimationFrame(() => setTimeout(() => end(performance.now()), 0));
};
look();
"""
_SECONDS = 15.0


def painting(address: str, times: int = 5) -> Row:
    """From the navigation to the frame that has the counts, of a server that runs."""
    with tempfile.TemporaryDirectory() as folder:
        browser = Browser(started(Path(folder) / "profile"), Path(folder))
        found = []
        for _ in range(times):
            browser.driver.get(address)
            found.append(browser.driver.execute_async_script(PAINTED) / 1000)
        browser.driver.quit()
    found.sort()
    note = f"median of {times}, {found[0]:.2f} to {found[-1]:.2f} s"
    return Row(
        "Chromium: counts are painted", found[times // 2], "s", goal=1.0, note=note
    )


def updating(address: str) -> Row:
    """How much of a core the page's scripts, styles and layout take while tasks end."""
    with tempfile.TemporaryDirectory() as folder:
        browser = Browser(started(Path(folder) / "profile"), Path(folder))
        browser.driver.get(address)
        browser.find("table.functions td a")
        browser.tell("Performance.enable")
        time.sleep(3)
        before, began = _busy(browser), time.perf_counter()
        time.sleep(_SECONDS)
        share = (_busy(browser) - before) / (time.perf_counter() - began)
        browser.driver.quit()
    return Row("Chromium: updates while tasks end", share, "cores", goal=0.2)


def _busy(browser: Browser) -> float:
    """Return the seconds that the page's main thread was busy."""
    found = browser.tell("Performance.getMetrics")["metrics"]
    return float(next(x["value"] for x in found if x["name"] == "TaskDuration"))
