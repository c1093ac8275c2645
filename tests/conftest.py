"""What all tests have in common."""

import os
import signal
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from taskgraph.tasks.recording import is_recording, set_recording
from taskgraph.told_store import STORE_VARIABLE

SHARED = [Path(__file__).with_name(name) for name in ("browser", "clusters", "nfs")]
SHARED.append(Path(__file__).parent / "segkit/io/elsewhere")

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


def pytest_collection_modifyitems(items):
    """Tests of one file share what it starts, some folders one browser or machine."""
    for item in items:
        folder = item.path.parent
        shared = folder if folder in SHARED else item.path
        item.add_marker(pytest.mark.xdist_group(str(shared)))


@pytest.fixture(autouse=True)
def no_recording():
    """Let each test begin as a fresh process does, and leave it so: no store chosen."""
    set_recording(None)
    yield
    set_recording(None)
    assert not is_recording()
    assert STORE_VARIABLE not in os.environ
