"""The explorer in a browser: each thing that its page can do is done once."""

from __future__ import annotations

import time
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

import segkit
from segkit.explorer.exploring import explorer_of
from segkit.pipeline import Pipeline, florinate
from taskgraph.pages import serving

RNG = np.random.default_rng(5)


def spots(shape, count=30):
    """Return an image of bright spots on noise, and the labels of the spots."""
    grid = np.indices(shape)
    labels = np.zeros(shape, np.int32)
    for number in range(1, count + 1):
        centre = [int(RNG.integers(6, n - 6)) for n in shape]
        away = sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True))
        labels[(away < 26) & (labels == 0)] = number
    noise = RNG.normal(30, 4, shape)
    return np.clip(noise + 120 * (labels > 0), 0, 255).astype(np.uint8), labels


IMAGE, LABELS = spots((180, 220))
VOLUME, _ = spots((20, 60, 64), 12)


@pytest.fixture
def shown(browser, tmp_path, monkeypatch):
    """A page about an image in a file, with options."""
    monkeypatch.chdir(tmp_path)

    @contextmanager
    def show(image=IMAGE, *given, width=1280, theme="dark", **options):
        if isinstance(image, np.ndarray):
            segkit.save("cells.tif", image, overwrite=True)
            image = "cells.tif"
        explorer = explorer_of(image, *given, **options)
        with serving(explorer.site(), on_end=explorer.close) as served:
            browser.open(served.address, width=width, theme=theme)
            browser.find(".step .count", "")
            browser.wait(lambda: figure(browser), "a figure")
            yield served
            leave(browser)

    return show


def leave(browser):
    """Leave the page before its server ends, and look at what the console said."""
    assert browser.complaints() == []
    browser.driver.get("about:blank")


def figure(browser):
    return browser.run("return document.querySelector('.figures b')?.textContent")


def steps(browser):
    script = "return window.explorer.model.now.steps.map((step) => step.run)"
    return browser.run(script)


def option(browser, place, name):
    script = "return window.explorer.model.now.steps[arguments[0]].with[arguments[1]]"
    return browser.run(script, place, name)


def canvas(browser, place=0):
    return browser.all(".pane canvas")[place]


def changed(browser, before):
    browser.wait(lambda: figure(browser) != before, f"another figure than {before}")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_everybody_can_read_the_page(browser, shown, width, theme):
    with shown(width=width, theme=theme, reference=LABELS):
        for tool in ("objects", "histogram", "sheet", "scores"):
            browser.click(f"[data-tool={tool}]")
            browser.find(f"[data-tool={tool}][aria-expanded=true]")
        browser.click("[data-tool=objects]")
        browser.find("tbody tr")
        browser.check()
        browser.picture(f"explorer-{width}-{theme}")


def test_a_slider_moves_the_contours_and_the_address_and_is_undone(browser, shown):
    with shown():
        slider = browser.find("[data-name=min_size] .slider")
        before = figure(browser)
        browser.run("arguments[0].focus()", slider)
        browser.type(*[Keys.SHIFT + Keys.ARROW_RIGHT] * 4)
        changed(browser, before)
        assert option(browser, 3, "min_size") > 64
        moving = "return explorer.model.now.moving"
        browser.wait(lambda: not browser.run(moving), "rest")
        time.sleep(0.5)  # what the rest asked for is there, and the address is written
        said = figure(browser)
        browser.wait(lambda: "s=" in browser.driver.current_url, "the state")
        browser.driver.refresh()
        browser.wait(lambda: figure(browser) == said, "the same figure")
        browser.run(
            "arguments[0].focus()", browser.find("[data-name=min_size] .slider")
        )
        browser.type(Keys.SHIFT + Keys.ARROW_RIGHT)
        browser.type("z")
        browser.wait(lambda: figure(browser) == said, "what was before")


def test_all_is_done_by_keys(browser, shown, tmp_path):
    with shown():
        browser.type("?")
        browser.find("dialog", "undo")
        browser.type(Keys.ESCAPE)
        browser.type("1", "a")
        browser.type("median", Keys.ENTER)
        browser.wait(lambda: "median" in steps(browser), "a new step")
        browser.type("2", "x")
        browser.wait(
            lambda: not browser.run("return explorer.model.now.steps[1].on"), "off"
        )
        browser.type("]")
        focused = "return document.activeElement.tagName"
        assert browser.run(focused) in ("INPUT", "SELECT")
        browser.run("document.activeElement.blur()")
        zoom = "return explorer.model.now.view.zoom"
        before = browser.run(zoom)
        browser.type("+", Keys.ARROW_RIGHT)
        assert browser.run(zoom) > before
        browser.type("f")
        assert browser.run(zoom) == pytest.approx(before)
        browser.type("h")
        browser.find(".methods button", "otsu")
        browser.type("c")
        browser.find(".cell", "object")
        browser.type("o")
        browser.find("tbody tr")
        browser.type("s")
        browser.find(".message", "segkit run pipeline.toml cells.tif")
        browser.tab_to(".name", "gaussian")
    saved = Pipeline.load(tmp_path / "pipeline.toml")
    assert [step.function for step in saved.steps][-2:] == [
        "remove_small_objects",
        "save",
    ]


def test_steps_are_added_moved_and_removed(browser, shown):
    with shown():
        browser.click("#step-1")
        browser.click("button", "Add")
        browser.type("hole")
        browser.click(".found button", "fill_holes")
        browser.wait(lambda: "fill_holes" in steps(browser), "a new step")
        at = steps(browser).index("fill_holes")
        browser.click(".step.chosen .moving button", "down")
        browser.wait(lambda: steps(browser).index("fill_holes") == at + 1, "down")
        browser.click(".step.chosen .moving button", "remove")
        browser.wait(lambda: "fill_holes" not in steps(browser), "the end of it")
        browser.click(".buttons button", "Undo")
        browser.wait(lambda: "fill_holes" in steps(browser), "it again")
        browser.click(".buttons button", "Redo")
        browser.wait(lambda: "fill_holes" not in steps(browser), "its end again")


def test_a_step_that_raises_says_why_and_the_rest_stays(browser, shown):
    with shown():
        before = figure(browser)
        browser.click("#on-1")
        browser.find(".step .bad", "label() was given grey values")
        assert "to" in browser.find(".step .count").text
        browser.picture("explorer-raised")
        browser.check()
        browser.click("#on-1")
        browser.wait(lambda: figure(browser) == before, "the objects")


def test_a_threshold_is_taken_and_dragged(browser, shown):
    with shown():
        browser.click("[data-tool=histogram]")
        browser.click(".methods button", "yen")
        browser.wait(lambda: option(browser, 1, "method") == "yen", "the method")
        chart = browser.find(".histogram")
        (
            ActionChains(browser.driver)
            .move_to_element(chart)
            .click_and_hold()
            .move_by_offset(12, 0)
            .move_by_offset(12, 0)
            .release()
            .perform()
        )
        browser.wait(lambda: steps(browser)[1] == "hysteresis", "a threshold")
        browser.find("[data-name=low] .slider")
        assert option(browser, 1, "low") == option(browser, 1, "high")
        browser.gone(".step .bad", "a")


def test_a_picture_of_the_contact_sheet_is_taken(browser, shown):
    with shown():
        browser.click("[data-tool=sheet]")
        browser.find(".cell", "object")
        now = option(browser, 3, "min_size")
        browser.all(".cell")[1].click()
        browser.wait(lambda: option(browser, 3, "min_size") != now, "another value")
        options = browser.all("select[aria-label='Second parameter'] option")
        options[2].click()
        browser.wait(lambda: len(browser.all(".cell")) > 5, "rows")
        browser.find(".cell:nth-child(6)", "object")
        browser.picture("explorer-sheet")


def test_an_object_and_its_row_are_chosen_together(browser, shown):
    with shown():
        browser.click("[data-tool=objects]")
        browser.click("tbody tr:nth-child(3) button")
        browser.find("tbody tr.chosen:nth-child(3)")
        chosen = browser.run("return explorer.model.now.object")
        browser.click("thead button", "area")
        browser.find("th[aria-sort=ascending]", "area")
        browser.find("tbody tr.chosen")
        row = "const c = explorer.model.now.at; return c"
        at = browser.run(row)
        assert 0 <= at[0] < 180
        place = browser.run(
            "const v = explorer.views, p = v.panes[0], w = v.viewOf(p);"
            "return [(arguments[0][1] + .5 - w.centre[1]) * w.zoom[1],"
            " (arguments[0][0] + .5 - w.centre[0]) * w.zoom[0]]",
            at,
        )
        browser.run("explorer.model.set({object: null})")
        ActionChains(browser.driver).move_to_element_with_offset(
            canvas(browser), *map(round, place)
        ).click().perform()
        browser.wait(
            lambda: browser.run("return explorer.model.now.object") == chosen, "it"
        )
        browser.find(".hovered", f"object {chosen}")
        browser.find(".hovered", "value")


def test_pictures_share_one_zoom_and_a_second_set_of_steps_is_beside(browser, shown):
    with shown():
        for kind in ("mask", "objects", "image", "grey"):
            browser.click(f"[data-pane={kind}]")
        browser.click("button", "Keep as B")
        browser.wait(lambda: len(browser.all(".pane")) == 6, "all pictures")
        zooms = (
            "return new Set(explorer.views.panes.map("
            "(pane) => +explorer.views.viewOf(pane).zoom[0])).size"
        )
        assert browser.run(zooms) == 1
        browser.picture("explorer-panes")
        browser.check()


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


def test_the_whole_image_is_run_by_stored_tasks(browser, shown, tmp_path):
    with shown(out=tmp_path / "out"):
        browser.click("button", "Run on all")
        browser.find(".progress", "cells-labels.tif is there")
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
        leave(browser)


def test_a_page_outlives_an_image_that_is_gone(browser, shown, tmp_path):
    path = tmp_path / "cells.zarr"
    segkit.save(path, np.tile(IMAGE, (14, 12)))
    browser.expected = ["422"]
    with shown(str(path)):
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
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        browser.open(f"http://localhost:{server.server_port}/notebook.html", width=600)
        frame = browser.find("iframe")
        browser.driver.switch_to.frame(frame)
        browser.wait(lambda: figure(browser), "a figure")
        browser.find(".step .count", "object")
        browser.driver.switch_to.default_content()
        browser.picture("explorer-notebook")
        browser.driver.get("about:blank")
    finally:
        server.shutdown()
        server.server_close()
        page.close()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *said):
        pass
