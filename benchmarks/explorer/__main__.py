"""From a key on a slider to the painted picture, in Chromium: the explorer beside Dash.

    uv run --extra bench --with dash python -m benchmarks.explorer
        [--steps 50] [--only threshold walker large volume]

Dash is no part of the extra: it comes with a plug-in that our pytest refuses. Its app
does what its tutorials do: a slider, a callback that computes the steps and draws the
contours into a picture, a graph that shows it. Both compute the same steps. The time
runs from the event of the key to the frame in which the picture is there.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import numpy as np
from scipy import ndimage

import segkit
from benchmarks.reporting import Row, parser, show
from segkit.explorer.exploring import explorer_of
from segkit.pipeline import Pipeline
from segkit.pipeline.steps import written
from taskgraph.pages import serving
from tests.browser.browsing import Browser, started

if TYPE_CHECKING:
    from collections.abc import Iterator

STEPS = [
    written("gaussian", sigma=0.5),
    written("binarize", method="otsu"),
    written("label"),
    written("remove_small_objects", min_size=20),
]
WALKER = [written("random_walker", markers={"below": 60.0, "above": 140.0})]
# Each key: the event's time, and that of the first paint after it of what it led to.
PRESS = """
const [count, end] = arguments;
const slider = (FOCUS)();
const late = () => new Promise((done) => setTimeout(done, 8000));
const times = [];
(async () => {
  for (let k = 0; k < count; k += 1) {
    slider.focus();
    const painted = new Promise(LISTEN);
    const key = "ArrowRight"; // a new value each time: nothing was computed before
    const began = performance.now();
    for (const type of ["keydown", "keyup"]) {
      slider.dispatchEvent(new KeyboardEvent(type, {key, code: key, bubbles: true}));
    }
    const there = await Promise.race([painted, late()]);
    if (there !== undefined) times.push(performance.now() - began);
    await new Promise((r) => setTimeout(r, 60));
  }
  end(times);
})();
"""
OURS = """(done) => {
  const views = window.explorer.views, source = views.panes[0].source;
  const before = views.data.get(source).header;
  views.painted = () => {
    const now = views.data.get(source).header;
    if (now === before) return;
    views.painted = null;
    (window.levels ??= []).push(now.level);
    done(1);
  };
}"""
THEIRS = """(done) => {
  const graph = document.querySelector(".js-plotly-plot");
  graph.removeAllListeners("plotly_afterplot");
  graph.on("plotly_afterplot", () => requestAnimationFrame(() => done(1)));
}"""
DASH = """
import sys
import numpy as np, plotly.express as px, segkit
from dash import Dash, Input, Output, dcc, html
image = np.load(sys.argv[1])
app = Dash(__name__)
slider = dcc.Slider(*{slider}, id="slider", updatemode="drag")
app.layout = html.Div([slider, dcc.Graph(id="graph")])
@app.callback(Output("graph", "figure"), Input("slider", "value"))
def update(value):
    {work}
    return px.imshow(segkit.overlay(image, labels, fill=0), binary_string=True)
app.run(port=int(sys.argv[2]))
"""
THRESHOLD = """mask = segkit.binarize(segkit.gaussian(image, value), "otsu")
    labels = segkit.remove_small_objects(segkit.label(mask), 20)"""
WALKED = """from skimage.segmentation import random_walker
    labels = random_walker(image / image.std(), np.where(image < value, 1, 0)
        + np.where(image > 140, 2, 0), beta=30, mode="cg_j", prob_tol=1)"""


def nuclei(shape: tuple[int, ...]) -> np.ndarray:
    """Return blobs on noise, 8 bits."""
    rng = np.random.default_rng(0)
    small = tuple(-(-n // 8) for n in shape)
    smooth = ndimage.gaussian_filter(rng.random(small, np.float32), 1.2)
    large = ndimage.zoom(smooth, 8, order=1)[tuple(map(slice, shape))]
    large = (large - large.min()) / np.ptp(large)
    return (180 * large + 20 * rng.random(shape, np.float32)).astype(np.uint8)


def median(browser: Browser, focus: str, listen: str, steps: int) -> float:
    """Return the median of the seconds that pictures took."""
    browser.driver.set_script_timeout(120)
    script = PRESS.replace("FOCUS", focus).replace("LISTEN", listen)
    times = browser.driver.execute_async_script(script, steps)
    if len(times) < steps / 2:
        raise SystemExit(f"only {len(times)} of {steps} pictures came")
    return statistics.median(times) / 1000


def ours(
    browser: Browser, image: Path, pipeline: list, name: str, given: object, **how: str
) -> float:
    """Return our median for a slider of a pipeline."""
    explorer = explorer_of(image, Pipeline(*pipeline), **how)
    with serving(explorer.site(), on_end=explorer.close) as served:
        browser.open(served.address)
        browser.find(".figures", "object")
        if "large" in image.name:
            browser.run("explorer.model.set({view: {centre: [4e3, 4e3], zoom: 1}})")
        time.sleep(2)
        focus = f"() => document.querySelector('[data-name={name}] .slider')"
        found = median(browser, focus, OURS, given.steps)
        coarse = browser.run("return window.levels.filter((level) => level > 0).length")
        print(f"{image.name}: {coarse} of {given.steps} coarser", file=sys.stderr)
        browser.driver.get("about:blank")
    return found


@contextmanager
def dash(folder: Path, image: Path, slider: str, work: str) -> Iterator[str]:
    """Serve an app of Dash in a process of its own; its address."""
    script = folder / "app.py"
    script.write_text(DASH.format(slider=slider, work=work))
    port = 20_000 + os.getpid() % 20_000
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, str(script), str(image), str(port)]
    process = subprocess.Popen(command, stdout=-3, stderr=-3)
    try:
        for _ in range(600):
            try:
                urlopen(address)
                break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()


def theirs(
    browser: Browser, folder: Path, image: Path, slider: str, work: str, steps: int
) -> float | None:
    """Return Dash's median; None if it is not installed."""
    if find_spec("dash") is None:
        return None
    with dash(folder, image, slider, work) as address:
        browser.open(address)
        browser.find(".js-plotly-plot .main-svg")
        time.sleep(3)
        focus = "() => document.querySelector('[role=slider]')"
        found = median(browser, focus, THEIRS, steps)
        browser.driver.get("about:blank")
    return found


def rows(browser: Browser, folder: Path, given: object) -> Iterator[Row]:
    """Yield a row for each case."""

    def saved(name: str, shape: tuple[int, ...]) -> Path:
        np.save(folder / f"{name}.npy", nuclei(shape))
        return folder / f"{name}.npy"

    if "threshold" in given.only:
        image = saved("plane", (1024, 1024))
        last = ours(browser, image, STEPS, "min_size", given)
        yield Row("1024^2, the last of four steps", last, goal=0.11)
        every = ours(browser, image, STEPS, "sigma", given)
        peer = theirs(browser, folder, image, "(0.5, 8, 0.15)", THRESHOLD, given.steps)
        yield Row("1024^2, all four steps", every, "s", "Dash", peer, goal=0.11)
    if "walker" in given.only:
        image = saved("small", (512, 512))
        mine = ours(browser, image, WALKER, "below", given)
        peer = theirs(browser, folder, image, "(30, 90, 1)", WALKED, given.steps)
        yield Row("512^2, random walker", mine, "s", "Dash", peer)
    if "large" in given.only:
        image = saved("large", (8192, 8192))
        mine = ours(browser, image, STEPS, "sigma", given)
        yield Row("8192^2, what is seen, all four steps", mine, goal=0.3)
    if "volume" in given.only:
        image = saved("volume", (512, 512, 512))
        mine = ours(browser, image, STEPS, "sigma", given, axes="zyx")
        yield Row("512^3, one slice, all four steps in 3-D", mine, goal=0.3)


def main() -> None:
    options = parser(__doc__)
    cases = ["threshold", "walker", "large", "volume"]
    options.add_argument("--only", nargs="*", default=cases, choices=cases)
    options.add_argument("--steps", type=int, default=50)
    given = options.parse_args()
    print(f"segkit {segkit.__version__}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as name:
        driver = started(Path(name) / "profile")
        try:
            browser = Browser(driver, Path(name))
            show(rows(browser, Path(name), given), given)
        finally:
            driver.quit()


if __name__ == "__main__":
    main()
