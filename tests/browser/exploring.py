"""Pages of the explorer, opened for tests, and what is asked of them."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest

import segkit
from segkit.explorer.exploring import explorer_of
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
            browser.leave()

    return show


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
