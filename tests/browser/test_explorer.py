"""The explorer in a browser: each thing that its page can do is done once."""

from __future__ import annotations

import time

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

from segkit.pipeline import Pipeline

from .exploring import LABELS, canvas, changed, figure, option, steps


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
        browser.wait(lambda: browser.run(focused) in ("INPUT", "SELECT"), "the focus")
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
        browser.tab_to(".name", "gaussian", most=150)
    saved = Pipeline.load(tmp_path / "pipeline.toml")
    assert [step.function for step in saved.steps][-2:] == [
        "remove_small_objects",
        "save",
    ]


def test_the_steps_are_hidden_for_a_larger_picture_and_come_back(browser, shown):
    with shown():
        wide = browser.run("return document.querySelector('canvas').clientWidth")
        browser.click("footer button", "Hide steps")
        larger = "return document.querySelector('canvas').clientWidth > arguments[0]"
        browser.wait(lambda: browser.run(larger, wide), "a larger picture")
        browser.find("footer button[aria-pressed=true]", "Hide steps")
        browser.type("\\")
        browser.find(".step .name", "gaussian")


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


def test_other_steps_are_begun_with_and_taken_back(browser, shown):
    with shown():
        before = steps(browser)
        browser.find("select[aria-label='Begin with other steps']").send_keys("nuclei")
        browser.wait(lambda: steps(browser) == ["segment_nuclei"], "the preset")
        # Its letters chose it, and were no keys of the page, as c is.
        assert not browser.all("[data-tool=sheet][aria-expanded=true]")
        browser.find("[data-name=sensitivity] .slider")
        browser.type("z")
        browser.wait(lambda: steps(browser) == before, "the steps before")


def test_steps_that_are_set_while_a_preset_is_typed_stay(browser, shown):
    chosen = """
const list = document.querySelector("select[aria-label='Begin with other steps']");
list.dispatchEvent(new KeyboardEvent("keydown", {key: "n"}));
list.value = "nuclei";
list.dispatchEvent(new Event("change"));
explorer.model.set({steps: explorer.model.now.steps.slice(0, 1), list: true});
setTimeout(arguments[0], 700);
"""
    with shown():
        first = steps(browser)[:1]
        browser.driver.execute_async_script(chosen)
        assert steps(browser) == first


def test_a_button_of_a_step_that_is_gone_does_nothing(browser, shown):
    moved = """
const [button] = [...document.querySelectorAll(".moving button")].slice(-3);
explorer.model.set({steps: explorer.model.now.steps.slice(0, -1), list: true});
button.click();
return explorer.model.now.steps.filter((step) => step).length;
"""
    with shown():
        before = steps(browser)
        assert browser.run(moved) == len(before) - 1
        assert steps(browser) == before[:-1]


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
        second = "select[aria-label='Second parameter'] option"
        # The list is made anew when the picture has come.
        browser.wait(lambda: browser.all(second)[2].click() is None, "a parameter")
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
