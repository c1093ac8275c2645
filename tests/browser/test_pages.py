"""What all pages share, in a browser: themes, keys, elements, streams, acting."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys
from starlette.routing import Route

from taskgraph.displays.numbers import seconds_text
from taskgraph.pages import Latest, Site, events, json_answer, serving, shell

SCRIPT = Path(__file__).with_name("shared.js")


@pytest.fixture
def served(browser, tmp_path):
    latest = Latest()
    latest.publish('{"text": "<img src=x onerror=alert(1)>"}')

    async def first(request):
        return shell("Cells", scripts=["test/page.js"])

    async def news(request):
        return events(latest, request)

    async def change(request):
        return json_answer({"n": (await request.json())["n"] + 1})

    routes = [Route("/", first), Route("/events", news)]
    routes.append(Route("/change", change, methods=["POST"]))
    shutil.copy(SCRIPT, tmp_path / "page.js")
    site = Site(routes, "Cells", static={"test": tmp_path})
    with serving(site, on_end=latest.close) as found:
        yield found
        browser.leave()


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_follows_the_system_and_can_be_switched(browser, served, width, theme):
    browser.open(served.address, width=width, theme=theme)
    browser.find("output", "<img src=x onerror=alert(1)>")
    assert "token" not in browser.driver.current_url
    browser.check()
    colour = "return getComputedStyle(document.documentElement).backgroundColor"
    before = browser.run(colour)
    assert (before == "rgb(255, 255, 255)") == (theme == "light")
    browser.picture(f"pages-{width}-{theme}")
    browser.click("button", "Dark" if theme == "light" else "Light")
    after = browser.run(colour)
    assert after != before
    browser.check()
    browser.driver.refresh()
    browser.find("h1", "Cells")
    assert browser.run(colour) == after


def test_everything_is_done_by_keys(browser, served):
    browser.open(served.address)
    browser.find("input")
    browser.tab_to("input")
    browser.type("n? ")  # a text, and nothing else
    assert browser.run("return document.activeElement.value") == "n? "
    browser.find("#shown", "task none")
    browser.tab_to("button", "Change")
    browser.type(Keys.ENTER)
    browser.find("#done", "3")
    browser.tab_to("a", "the next")
    browser.type(Keys.ENTER)
    browser.find("#shown", "task b<i>")
    browser.type("n")
    browser.find("#shown", "task n")
    browser.type("?")
    browser.find("dialog", "next task")
    browser.check()
    browser.picture("pages-keys")
    browser.type(Keys.ESCAPE)
    browser.gone("dialog")
    browser.driver.back()
    browser.find("#shown", "task b<i>")


SECONDS = [0, 1e-5, 0.00257, 0.0995, 0.25, 0.9994, 0.9996, 1, 3.24, 8, 9.94, 9.96]
SECONDS += [42.4, 59.6, 90, 599.4, 599.6, 605, 5969, 5971, 7500, 172799, 300000]


def test_pages_say_lengths_of_time_as_commands_do(browser, served):
    browser.open(served.address)
    browser.find("output")
    found = browser.run("return arguments[0].map((x) => duration(x))", SECONDS)
    assert found == [seconds_text(seconds) for seconds in SECONDS]


@pytest.mark.parametrize(
    "attributes",
    [
        '{ onclick: "alert(1)" }',
        '{ href: "javascript:alert(1)" }',
        '{ href: " java\\tscript:alert(1)" }',
        '{ src: "data:text/html,x" }',
        '{ srcdoc: "<script>" }',
    ],
)
def test_what_a_browser_would_run_is_never_set(browser, served, attributes):
    browser.open(served.address)
    browser.find("output")
    script = f"try {{ h('a', {attributes}); return 'set' }} catch (e) {{ return 'no' }}"
    assert browser.run(script) == "no"


def test_a_page_without_the_token_says_how_to_get_in(browser, served):
    browser.expected = ["403"]
    browser.open(f"http://127.0.0.1:{served.port}/")
    browser.find("body", "open the address that was printed")


def test_a_page_outlives_its_server(browser, tmp_path):
    latest = Latest()
    latest.publish('{"text": "first"}')

    async def first(request):
        return shell("Cells", scripts=["test/page.js"])

    async def news(request):
        return events(latest, request)

    shutil.copy(SCRIPT, tmp_path / "page.js")
    routes = [Route("/", first), Route("/events", news)]
    site = Site(routes, "Cells", static={"test": tmp_path})
    with serving(site, on_end=latest.close) as served:
        browser.open(served.address)
        browser.find("output", "first")
    browser.find(".notice", "the server is gone")
    browser.find("output", "first")
    browser.expected = ["ERR_CONNECTION_REFUSED"]
