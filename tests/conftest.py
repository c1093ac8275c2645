"""What all tests have in common."""

import os
import signal
from functools import partial

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from taskgraph.tasks.recording import is_recording, set_recording
from taskgraph.told_store import STORE_VARIABLE

# All tests of these have one browser or machine, or one folder of servers.
SHARED = ("tests/browser", "tests/clusters", "tests/nfs", "tests/segkit/io/elsewhere")
# What takes longest begins first, or one worker would be busy with it at the end.
LONGEST = (
    "tests/browser",
    "tests/docs",
    "tests/protocol",
    "tests/simulation",
    "tests/taskgraph/execution",
    "tests/test_",
)

# A busy machine is slow, not wrong; what else holds, in CI for one, stays.
settings.register_profile(
    "any pace",
    parent=settings(),
    deadline=None,
    suppress_health_check=[*settings().suppress_health_check, HealthCheck.too_slow],
)
settings.load_profile("any pace")

# Under nohup, or behind `&`, programs that tests start would be deaf to these.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_make_parametrize_id(val):
    """Name calls by what they are: their addresses differ in each process."""
    if not isinstance(val, partial):
        return None
    given = [*map(repr, val.args), *(f"{k}={v!r}" for k, v in val.keywords.items())]
    return f"{val.func.__name__}({', '.join(given)})"


class ByFile(LoadScopeScheduling):
    """Has tests of one file run by one worker, which sets up once what they share.

    xdist's own `loadfile` knows no folders, and its `loadgroup` sees no groups with
    pytest 9.2: https://github.com/pytest-dev/pytest-xdist/issues/1386
    """

    def _split_scope(self, nodeid):
        file = nodeid.partition("::")[0]
        return next((one for one in SHARED if file.startswith(f"{one}/")), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    if config.getvalue("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False  # ours is the order
    return ByFile(config, log)


def pytest_collection_modifyitems(items):
    """Begin with what takes longest."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.fixture(autouse=True)
def no_recording():
    """Let each test begin as a fresh process does, and leave it so: no store chosen."""
    set_recording(None)
    yield
    set_recording(None)
    assert not is_recording()
    assert STORE_VARIABLE not in os.environ
