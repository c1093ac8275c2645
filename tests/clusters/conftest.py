"""One Slurm and one Grid Engine for all tests of this folder."""

from __future__ import annotations

import pytest

from . import rigs


@pytest.fixture(scope="session")
def slurm():
    with rigs.slurm() as at:
        yield at


@pytest.fixture(scope="session")
def grid_engine():
    with rigs.grid_engine() as at:
        yield at
