"""`tg` in forks: each test calls it many times."""

import pytest


@pytest.fixture
def tg(forked_tg):
    return forked_tg
