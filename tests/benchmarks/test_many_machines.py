"""How often many machines ask one bucket, in virtual time."""

import importlib
import sys
from pathlib import Path

import pytest

from backends.warning import warnings_told

ROOT = Path(__file__).parent.parent.parent

pytestmark = pytest.mark.skipif(
    not (ROOT / "benchmarks").exists(), reason="tested away from the checkout"
)


@pytest.fixture(scope="module")
def run():
    with pytest.MonkeyPatch.context() as patch:
        folders = [str(ROOT / "benchmarks"), str(ROOT / "benchmarks" / "stores")]
        patch.setattr(sys, "path", [*sys.path, *folders])
        yield importlib.import_module("many_machines").run


@pytest.mark.parametrize("machines", [1, 16])
def test_each_of_many_machines_makes_few_requests(run, machines):
    """All tasks are run once, nothing seems lost; what is asked for stays in bounds."""
    warned = []
    with warnings_told(warned.append):
        came = run(machines, 4_000, 0.001)
    assert came.done == 4_000
    assert came.requests.total() <= 40 * machines
    assert warned == []


def test_a_hundred_machines_do_not_ask_all_the_time(run):
    """Whose work is over waits for that of the others, and looks seldom meanwhile."""
    came = run(100, 4_000, 0.005)
    assert came.done == 4_000
    assert came.requests.total() <= 45 * 100
