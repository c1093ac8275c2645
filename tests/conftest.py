"""What all tests have in common."""

import pytest

from taskgraph.tasks.recording import set_recording


@pytest.fixture(autouse=True)
def no_recording():
    """Let each test begin as a fresh process does: with no store chosen."""
    set_recording(None)
