"""One browser for all tests here, if there is one."""

from __future__ import annotations

import os

import pytest

from .browsing import Browser, missing, pictures_folder, started
from .exploring import shown  # noqa: F401 - a fixture of all explorer tests


@pytest.fixture(scope="session")
def driver(tmp_path_factory):
    """The browser; in CI it has to be there."""
    if lacking := missing():
        assert not os.environ.get("CI"), f"CI has to install {lacking}"
        pytest.skip(f"needs {lacking}")
    found = started(tmp_path_factory.mktemp("profile"))
    yield found
    found.quit()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    return pictures_folder(tmp_path_factory.getbasetemp() / "screenshots")


@pytest.fixture
def browser(driver, pictures):
    """A window; at the end its console must be empty, and no other host was asked."""
    driver.get_log("browser")
    found = Browser(driver, pictures)
    yield found
    found.leave()
