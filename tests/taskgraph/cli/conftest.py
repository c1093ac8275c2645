"""A jugfile that ran, for several files of tests."""

import pytest


@pytest.fixture
def outputs(tg):
    tg.ran("outputs.py")
    return tg


@pytest.fixture
def tg(forked_tg):
    return forked_tg
