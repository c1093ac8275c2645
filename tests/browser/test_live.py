"""The live page in a browser: each of its views, by mouse and by keys alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from taskgraph.cli.commands.look.web import _actor, _opener
from taskgraph.live.page import LivePage
from taskgraph.live.routes import site_of
from taskgraph.pages import serving

JUGFILE = Path(__file__).parent / "jugfiles/cells.py"
TG = Path(sys.executable).with_name("tg")
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"
SHAPES = [(1280, "light"), (400, "dark")]


def tg(folder, *words):
    env = {k: v for k, v in os.environ.items() if not k.startswith("TG_")}
    command = [TG, *words]
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A folder where the jugfile has run: one task failed, one is blocked."""
    folder = tmp_path_factory.mktemp("cells")
    shutil.copy(JUGFILE, folder)
    tg(folder, "execute", "cells.py", "-j", "1")
    return folder


class Shown:
    """A page that is served, and where the views of it are."""

    def __init__(self, browser, folder, *, acts):
        jugfile = folder / "cells.py"
        act = _actor(jugfile, None) if acts else None
        self.page = LivePage(_opener(jugfile, None), jugfile, act=act)
        self.browser, self.folder = browser, folder

    def __enter__(self):
        self.page.start()
        self.page.looked_at()
        self._served = serving(site_of(self.page), on_end=self.page.latest.close)
        self.address = self._served.__enter__().address
        return self

    def __exit__(self, *error):
        self._served.__exit__(*error)
        self.page.close()

    def open(self, view="overview", width=1280, theme="light", **state):
        query = "&".join(f"{name}={text}" for name, text in state.items())
        self.browser.open(self.address, width=width, theme=theme)
        self.browser.find("nav.tabs a", "Overview")
        self.browser.run("location.hash = arguments[0]", f"view={view}&{query}")

    def key(self, function, place=0):
        tasks = self.page.following.tasks
        keys = {name: [] for name in tasks.snapshot.names}
        for key, name in tasks.snapshot.named().items():
            keys[name].append(key.hex())
        return keys[f"cells.{function}"][place]

    def task(self, function, place=0, **more):
        key = self.key(function, place)
        self.open("tasks", task=key, **more)
        self.browser.find(".task h2", f"{function}(")


@pytest.fixture
def shown(browser, ran):
    with Shown(browser, ran, acts=False) as found:
        yield found
        browser.leave()


@pytest.fixture
def acting(browser, ran, tmp_path):
    folder = tmp_path / "cells"
    shutil.copytree(ran, folder)
    with Shown(browser, folder, acts=True) as found:
        yield found
        browser.leave()


VIEWS = {
    "overview": (".legend li", "load"),
    "tasks": ("[role=gridcell]", "label"),
    "failures": (".group pre", "Traceback"),
    "results": ("figcaption", "load(5)"),
    "graph": (".graph text", "behind a barrier"),
}


def test_each_view_is_whole_for_everybody(browser, shown):
    for view, (selector, text) in VIEWS.items():
        shown.open(view, function="cells.load" if view == "results" else "")
        browser.find(selector, text)
        browser.find(".bar", "1 failed")
        browser.find(".notes", "stops at a barrier")
        if view == "results":
            browser.wait(lambda: loaded(browser, ".gallery img") == 6)
            browser.find(".filters", "6 of 6; all are among Tasks")
        looked_at(browser, f"live-{view}")


def looked_at(browser, name):
    """Check a page and keep pictures of it, as wide as a screen and as a telephone."""
    for width, theme in SHAPES:
        browser.resize(width)
        browser.prefer(theme)
        browser.check()
        browser.run("document.querySelector('.task, .view').scrollIntoView()")
        browser.picture(f"{name}-{width}-{theme}")


def loaded(browser, selector):
    script = "return [...document.querySelectorAll(arguments[0])].filter("
    return browser.run(f"{script}(i) => i.naturalWidth > 0).length", selector)


KINDS = {
    "stack": (".slider", "of 0 to 5"),
    "measure": ("[role=gridcell]", "<img src=x"),
    "profile": (".curve svg", ""),
    "text": (".value pre", HOSTILE),
    "own": (".value p", "stored as a pickle"),
}


def test_values_are_shown_as_what_they_are(browser, shown):
    for function, (selector, text) in KINDS.items():
        shown.task(function)
        browser.find(selector, text)
        browser.find(".task dl", "attempt")
        looked_at(browser, f"live-value-{function}")


def test_a_volume_is_gone_through_by_slider_number_and_keys(browser, shown):
    shown.task("stack")
    browser.wait(lambda: source(browser).endswith("plane=3"))
    browser.click("body")
    browser.type(".")
    browser.wait(lambda: source(browser).endswith("plane=4"))
    browser.tab_to("input[type=range]")
    browser.type(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    browser.wait(lambda: source(browser).endswith("plane=2"))
    browser.type(Keys.TAB, Keys.BACKSPACE, "5")
    browser.wait(lambda: source(browser).endswith("plane=5"))


def source(browser):
    return browser.find(".value img").get_attribute("src") or ""


def test_a_pickle_is_loaded_when_asked_and_its_html_runs_nothing(browser, shown):
    browser.expected = ["sandboxed", "Content Security Policy"]
    shown.task("own")
    browser.find(".value p", "runs what is in it")
    assert not browser.all(".value iframe")
    browser.click("button", "Load it")
    frame = browser.find(".value iframe")
    browser.driver.switch_to.frame(frame)
    browser.find("b", "its own table")
    browser.driver.switch_to.default_content()
    browser.picture("live-value-html")


def test_tasks_are_searched_sorted_and_opened_by_keys_alone(browser, shown):
    shown.open()
    browser.type("/")
    browser.wait(lambda: browser.run("return document.activeElement.type") == "search")
    browser.type("label:")
    browser.find("[role=status]", "6 tasks")
    browser.tab_to("[role=grid]")
    browser.type(Keys.ARROW_DOWN, Keys.ENTER)
    browser.find(".task h2", "measure(label:")
    assert "task=" in browser.driver.current_url
    browser.tab_to(".links a", "label(")
    browser.type(Keys.ENTER)
    browser.find(".task h2", "label(load:")
    browser.driver.back()
    browser.find(".task h2", "measure(")
    browser.driver.refresh()
    browser.find(".task h2", "measure(")
    browser.find("[role=status]", "6 tasks")
    browser.click("[role=columnheader] button", "time")
    browser.find("[role=columnheader]", "time ↑")
    browser.type("x")
    browser.find(".task", "Choose a task")
    for number, text in (
        ("3", "Traceback"),
        ("5", "What needs what"),
        ("1", "Workers"),
    ):
        browser.type(number)
        browser.find(".view", text)


def test_counts_and_boxes_lead_to_their_tasks(browser, shown):
    shown.open()
    browser.click("table.functions td.bad a", "1")
    browser.find("[role=status]", "1 task")
    browser.find("[role=gridcell]", "failed")
    browser.type("5")
    browser.click(".graph a", "stack")
    browser.find("[role=status]", "1 task")


def test_failures_say_why_and_what_was_printed(browser, shown):
    shown.open("failures")
    browser.find(".group summary", f"no objects {HOSTILE}")
    browser.find(".group pre", f"it prints {HOSTILE}")
    assert not browser.all("button.first")
    assert "Forget" not in browser.text()
    browser.click(".group a", "measure(")
    browser.find(".task h3", "ValueError")


def test_results_are_forgotten_retried_and_brought_back(browser, acting):
    acting.task("stack")
    browser.click("button", "Forget this result")
    browser.find("dialog td", "cells.stack")
    browser.check()
    browser.picture("live-forget")
    browser.click("dialog button.first")
    browser.find("dialog", "takes it back")
    browser.type(Keys.ESCAPE)
    browser.find(".task .state", "ready")
    acting.open("failures")
    browser.click("button", "Let all run again")
    browser.find("dialog", "1 task will run again with")
    browser.type(Keys.ESCAPE)
    browser.find("h2", "No task has failed")
    browser.click("nav.tabs a", "Changes")
    browser.find("td", "retry")
    browser.check()
    browser.picture("live-changes")
    browser.click("button[aria-label*=invalidate]")
    browser.find("dialog", "came back")
    browser.type(Keys.ESCAPE)
    acting.open("tasks", function="cells.stack")
    browser.find("[role=gridcell]", "done")


def test_what_changes_is_seen_without_loading_the_page_anew(browser, acting):
    acting.open()
    browser.find(".bar", "1 failed")
    tg(acting.folder, "invalidate", "cells.py", "--name", "load", "--yes")
    browser.find("table.functions a", "6")
    browser.gone(".bar", "1 failed")
    text = (acting.folder / "cells.py").read_text()
    (acting.folder / "cells.py").write_text(text.replace("if n == 2", "if n == 99"))
    browser.find(".notes", "cells.py has changed since its tasks were listed")
    tg(acting.folder, "execute", "cells.py", "-j", "1")
    browser.find(".bar", "all done")
    browser.find("table.functions", "later")


def test_a_store_that_goes_is_told_and_the_page_stays(browser, acting):
    acting.open()
    browser.find(".bar", "1 failed")
    store = acting.folder / "cells.tgdata"
    shutil.move(store, acting.folder / "elsewhere")
    browser.find(".notice", "What is shown is as it was")
    browser.find("table.functions", "measure")
    shutil.move(acting.folder / "elsewhere", store)
    browser.gone(".notice")


def test_a_jugfile_that_never_ran_says_what_to_type(browser, tmp_path):
    shutil.copy(JUGFILE, tmp_path)
    with Shown(browser, tmp_path, acts=False) as shown:
        browser.open(shown.address, width=400)
        browser.find(".empty", "start it with `tg execute`")
        browser.check()
        browser.picture("live-empty")
        tg(tmp_path, "execute", "cells.py", "-j", "1")
        browser.find("table.functions", "measure")


def test_the_server_may_end_before_the_page(browser, ran):
    with Shown(browser, ran, acts=False) as shown:
        shown.open()
        browser.find("table.functions", "measure")
    browser.find(".notice", "is `tg web` still running?")
    time.sleep(0.1)
    browser.expected = ["ERR_CONNECTION_REFUSED"]


def test_a_page_that_nobody_sees_asks_for_nothing(browser, shown):
    shown.open()
    browser.find("table.functions", "measure")

    def watchers():
        return shown.page.latest.watchers

    browser.wait(lambda: watchers() == 1)
    hide = (
        "Object.defineProperty(document, 'hidden', {value: arguments[0], "
        "configurable: true}); document.dispatchEvent(new Event('visibilitychange'))"
    )
    browser.run(hide, True)
    browser.wait(lambda: watchers() == 0, "the end of the stream")
    browser.run(hide, False)
    browser.wait(lambda: watchers() == 1, "the stream again")
