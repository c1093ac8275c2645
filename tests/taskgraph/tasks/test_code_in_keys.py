"""The code of functions as a part of keys, for those who want it there."""

from __future__ import annotations

import pytest

from taskgraph import TaskGenerator, UsageError
from tests.taskgraph.fingerprints.projects import load

WORK = """
from taskgraph import TaskGenerator
K = 2

def helper(x):
    return x + K

@TaskGenerator({options})
def f(x):
    return helper(x)
"""


def key_of(folder, options, *edit):
    return load(folder, work=WORK.format(options=options).replace(*edit)).f(1).key


@pytest.mark.parametrize("edit", [("x + K", "x - K"), ("K = 2", "K = 3")])
def test_other_code_is_another_key_if_that_is_wanted(tmp_path, edit):
    same = "K = 2", "K = 2  # why"
    before = key_of(tmp_path, "code=True", *same)
    assert key_of(tmp_path, "code=True", *edit) != before
    assert key_of(tmp_path, "", *edit) == key_of(tmp_path, "", *same) != before


def test_a_version_counts_besides(tmp_path):
    same = "K", "K"
    keys = [key_of(tmp_path, f"code=True{more}", *same) for more in ("", ", version=2")]
    assert keys[0] != keys[1] == key_of(tmp_path, "code=True, version=2", "+ K", "+  K")


def test_what_is_defined_below_the_call_is_refused(tmp_path):
    work = WORK.format(options="code=True").replace("def helper", "def later")
    with pytest.raises(UsageError, match="called before helper is defined"):
        load(tmp_path, work=work).f(1)


def test_a_function_without_a_source_is_refused():
    space = {"__name__": "nowhere"}
    exec("def f(x): return x", space)
    with pytest.raises(UsageError, match="has no source that can be read"):
        TaskGenerator(space["f"], name="nowhere.f", code=True)(1)
