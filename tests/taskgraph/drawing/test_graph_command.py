"""`tg graph`: what is drawn of a jugfile."""

from __future__ import annotations

import textwrap
from xml.etree import ElementTree

import pytest

from ..displays.html_checks import offences

SCRIPT = """
    from taskgraph import TaskGenerator, barrier, value

    @TaskGenerator
    def load(n):
        if n == 2:
            raise ValueError("<b>no</b>")
        return n

    @TaskGenerator
    def join(one, other):
        return one

    loaded = [load(n) for n in range(4)]
    joined = join(join(loaded[0], loaded[1]), loaded[2])
    {rest}
"""
BEHIND = "barrier(); load(value(joined) + 9)"


@pytest.fixture
def tg(forked_tg):
    return forked_tg


def write(tg, rest=""):
    (tg.folder / "jugfile.py").write_text(textwrap.dedent(SCRIPT.format(rest=rest)))


def test_functions_are_boxes_with_the_counts_of_their_states(tg):
    write(tg)
    tg("execute", "jugfile.py", code=1)
    said = tg("graph", "jugfile.py").stdout
    assert 'n0 [label="load\\n✓ 3 done, ✗ 1 failed"];' in said
    assert 'n1 [label="join\\n✓ 1 done, ■ 1 blocked"];' in said
    assert "n0 -> n1;" in said
    assert "n1 -> n1;" in said
    assert "unknown" not in said


def test_a_jugfile_that_never_ran_is_read_and_what_a_barrier_hides_is_dashed(tg):
    write(tg, BEHIND)
    said = tg("graph", "jugfile.py", "-o", "g.mmd").stderr
    assert "saved g.mmd: 2 functions" in said
    drawn = (tg.folder / "g.mmd").read_text()
    assert 'n0["load<br>○ 4 ready"]' in drawn
    assert "n1 -.-> unknown" in drawn
    assert not list(tg.folder.glob("*.tgdata"))


def test_a_drawing_is_well_formed_and_runs_nothing(tg):
    write(tg, BEHIND)
    tg("execute", "jugfile.py", code=1)
    for more in ((), ("--tasks",)):
        tg("graph", "jugfile.py", "-o", "g.svg", *more)
        text = (tg.folder / "g.svg").read_text()
        words = [each.text for each in ElementTree.fromstring(text).iter()]
        assert any("unknown, behind a barrier" in (word or "") for word in words)
        assert offences(text) == []
    assert any((word or "").startswith("load(2)") for word in words)


def test_too_many_boxes_and_unknown_formats_are_refused(tg):
    write(tg, "[load(n) for n in range(300)]")
    assert (
        "is no format of graphs"
        in tg("graph", "jugfile.py", "-o", "g.png", code=2).stderr
    )
    said = tg("graph", "jugfile.py", "--tasks", "-o", "g.svg", code=2).stderr
    assert "302 tasks are too many" in said
    assert "leave --tasks out" in said
