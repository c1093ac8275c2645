"""The explorer in a browser: volumes, seeds, references, runs, notebooks, names."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

import segkit
from segkit.explorer import regions
from segkit.explorer.exploring import explorer_of
from segkit.pipeline import Pipeline, florinate
from taskgraph.pages import serving

from .exploring import IMAGE, LABELS, VOLUME, canvas, figure, steps


def test_seeds_are_drawn_and_saved(browser, shown, tmp_path):
    with shown(preset="watershed"):
        browser.find("select[aria-label='Draw seeds']").send_keys("seed 3")
        (
            ActionChains(browser.driver)
            .move_to_element(canvas(browser))
            .click_and_hold()
            .move_by_offset(30, 10)
            .move_by_offset(30, 20)
            .release()
            .perform()
        )
        strokes = "return explorer.model.now.steps[1].with.markers.strokes?.length"
        browser.wait(lambda: browser.run(strokes) == 1, "a stroke")
        browser.find(".figures", "3 objects")
        browser.picture("explorer-seeds")
        browser.click("button", "Save")
        browser.find(".message", "Saved")
    found = Pipeline.load(tmp_path / "pipeline.toml").run("cells.tif", out=tmp_path)
    assert set(np.unique(found.labels)) == {1, 2, 3}


def test_a_volume_is_seen_in_three_linked_slices(browser, shown):
    with shown(VOLUME, axes="zyx"):
        assert len(browser.all(".pane")) == 3
        browser.type(".", ".")
        at = "return explorer.model.now.at"
        assert browser.run(at)[0] == 12
        ActionChains(browser.driver).move_to_element_with_offset(
            canvas(browser, 1), 0, -20
        ).click().perform()
        browser.wait(lambda: browser.run(at)[0] < 12, "another plane")
        browser.picture("explorer-volume")
        browser.check()


def test_while_nothing_moves_the_whole_of_a_large_image_is_computed(
    browser, shown, monkeypatch
):
    monkeypatch.setattr(regions, "WHOLE", 10_000)
    monkeypatch.setattr(regions, "_GRID", 8)
    expected = Pipeline(*explorer_of(IMAGE)._exploration.opened.steps).run(IMAGE)
    number = int(expected.labels.max())
    view = "explorer.model.set({view: {centre: [40, 50], zoom: 16}})"
    with shown():
        browser.run(view)
        browser.find(".note", "of the whole image")
        browser.find(".figures", f"{number} objects in the whole image")
        browser.type("o")
        browser.find(".shelf p", f"{number} objects, lengths")
        browser.run(
            "arguments[0].focus()", browser.find("[data-name=min_size] .slider")
        )
        browser.type(*[Keys.SHIFT + Keys.ARROW_RIGHT] * 2)
        browser.find(".note", "of this view; the whole is being computed")
        browser.find(".note", "of the whole image")
        browser.picture("explorer-whole")


def test_the_whole_image_is_run_by_stored_tasks(browser, shown, tmp_path):
    with shown(out=tmp_path / "out"):
        browser.click("button", "Run on all")
        said = browser.find(".progress", "cells-labels.tif is there")
        assert len(said.text.splitlines()) > 2  # each of its sentences on its own line
        shown_objects = int(figure(browser).split()[0])
    labels = segkit.open_image(tmp_path / "out" / "cells-labels.tif").read()
    assert len(np.unique(labels)) - 1 == shown_objects
    assert (tmp_path / "pipeline.tgdata").exists()


def test_scores_follow_the_slider(browser, shown):
    with shown(reference=LABELS):
        browser.click("[data-tool=scores]")
        cell = ".shelf tr:nth-child(4) td + td"
        script = f"return document.querySelector('{cell}')?.innerText"
        before = browser.wait(lambda: browser.run(script), "scores")
        field = browser.find("[data-name=sigma] input[type=number]")
        field.click()
        browser.type(Keys.END, "9")
        browser.wait(lambda: browser.run(script) not in (before, None), "another score")


def test_names_of_files_and_steps_run_nothing(browser, shown, tmp_path):
    name = "<img src=x onerror=alert(1)>.tif"
    segkit.save(tmp_path / name, IMAGE)

    def hostile(image):
        raise ValueError("<script>alert(1)</script>")

    pipeline = Pipeline(florinate(hostile)())
    with shown_array(browser, tmp_path / name, pipeline):
        browser.find("h1", "<img src=x onerror=alert(1)>")
        browser.find(".step .bad", "<script>alert(1)</script>")


@contextmanager
def shown_array(browser, image, pipeline):
    """A page framed as in a notebook, whose first step raises."""
    explorer = explorer_of(image, pipeline)
    with serving(explorer.site(framed=True), on_end=explorer.close) as served:
        browser.open(served.address)
        yield
        browser.leave()


def test_a_page_outlives_an_image_that_is_gone(browser, shown, tmp_path):
    path = tmp_path / "cells.zarr"
    segkit.save(path, np.tile(IMAGE, (14, 12)))
    browser.expected = ["422"]
    with shown(str(path), cache=20):  # too little to keep the whole image
        import shutil

        shutil.rmtree(path)
        browser.run("explorer.model.set({view: {centre: [900, 900], zoom: 1}})")
        browser.find(".message.bad", "cells.zarr")
        assert browser.all(".pane canvas")


def test_a_notebook_of_another_origin_shows_it_in_a_frame(browser, tmp_path):
    """As in a cell: the page that has the frame comes from another host."""
    page = segkit.explore(IMAGE, preset="threshold")
    head = '<!doctype html><title>Notebook</title><link rel="icon" href="data:,">'
    (tmp_path / "notebook.html").write_text(head + page._repr_html_())
    handler = partial(Quiet, directory=tmp_path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = False  # other tests of this process fork it
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        browser.open(f"http://localhost:{server.server_port}/notebook.html", width=600)
        frame = browser.find("iframe")
        browser.driver.switch_to.frame(frame)
        browser.wait(lambda: figure(browser), "a figure")
        browser.find(".step .count", "object")
        browser.driver.switch_to.default_content()
        browser.picture("explorer-notebook")
        browser.leave()
    finally:
        server.shutdown()
        server.server_close()
        page.close()


class Quiet(SimpleHTTPRequestHandler):
    timeout = 1.0  # of lines that a browser opens in case that it needs them

    def log_message(self, *said):
        pass


# Clicks, chooses and moves whatever is there, and presses keys, in an order of its own.
ANYTHING = """
const [count, first, end] = arguments;
let seed = first;
const chance = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
const some = (list) => list[Math.floor(chance() * list.length)];
const tell = (one, ...names) => names.forEach((name) =>
  one.dispatchEvent(new Event(name, {bubbles: true})));
const leaves = /Save|Download|Run on all|CSV/;
(async () => {
  for (let k = 0; k < count; k += 1) {
    const all = document.querySelectorAll("main button, main select, main input");
    const fitting = (e) => e.offsetParent && !leaves.test(e.innerText);
    const one = some([...all].filter(fitting));
    if (one.tagName === "BUTTON" || one.type === "checkbox") one.click();
    else if (one.tagName === "SELECT") {
      one.selectedIndex = Math.floor(chance() * one.options.length);
      tell(one, "change");
    } else {
      const range = one.type === "range";
      const [low, high] = range ? [Number(one.min), Number(one.max)] : [-5, 50];
      one.value = chance() < 0.1 ? "" : String(low + chance() * (high - low));
      tell(one, "input", "change");
    }
    const key = some([..."zxf+hoc[ b", "", "", "", "", ""]);
    document.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
    await new Promise((done) => setTimeout(done, 20));
  }
  end();
})();
"""


@pytest.mark.parametrize("seed", [3, 111])
def test_whatever_is_clicked_in_whatever_order_nothing_breaks(browser, shown, seed):
    browser.expected = ["422"]  # steps that cannot be are refused
    with shown(IMAGE[:60, :60], reference=LABELS[:60, :60]):
        begun = browser.run("return explorer.model.now.steps")
        browser.driver.execute_async_script(ANYTHING, 120, seed)
        browser.run("document.querySelector('dialog[open]')?.close()")
        script = "explorer.model.set({steps: arguments[0], list: true, until: null})"

        def begins_anew():  # once the steps are there that were asked for last
            if steps(browser) != [step["run"] for step in begun]:
                browser.run(script, begun)
            return "object" in str(figure(browser))

        browser.wait(begins_anew, "objects")


def test_what_is_told_is_of_the_steps_that_are_edited_whatever_stands_first(
    browser, shown
):
    with shown(IMAGE[:60, :60]):
        begun = browser.run("return explorer.model.now.steps")
        found = figure(browser)
        bad = [{**begun[0], "run": "binarize", "with": {"threshold": 1, "percent": 2}}]
        script = (
            "explorer.model.set({other: arguments[0], panes: ['other', 'contours']})"
        )
        browser.run(script, bad)
        browser.run("explorer.model.set({steps: arguments[0]})", begun[:2])
        browser.wait(lambda: "foreground" in str(figure(browser)), "the mask")
        browser.run("explorer.model.set({steps: arguments[0]})", begun)
        browser.wait(lambda: figure(browser) == found, "the objects")
        assert not browser.run("return document.querySelectorAll('.raised').length")
        browser.click("button", "Contours")
        shown_now = browser.run("return explorer.model.now.panes")
        assert set(shown_now) == {"other", "contours"}  # B is not looked at alone
