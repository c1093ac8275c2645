"""`tg report`: one file that says what ran, and in which nothing of it runs."""

from __future__ import annotations

import re
import textwrap

import pytest
from hypothesis import given, settings, strategies as st

from taskgraph.drawing.graph_shape import Box, GraphShape
from taskgraph.records import Failure, Record
from taskgraph.reporting.chosen import Shown
from taskgraph.reporting.facts import Facts, Spent
from taskgraph.reporting.page import Report, page
from taskgraph.upkeep.status import STATES, Status

from ..displays.html_checks import Offences, offences

SCRIPT = """
    import sys
    import numpy as np
    from pathlib import Path
    from taskgraph import TaskGenerator, barrier

    class Secret:
        def __reduce__(self):
            return open, (str(Path(__file__).with_name("opened")), "a")

    @TaskGenerator
    def picture(n):
        return (np.arange(4096).reshape(64, 64) % 97 + n).astype(float)

    @TaskGenerator
    def table(n):
        return {"label": np.arange(n), "<b>name</b>": ["<script>x</script>"] * n}

    @TaskGenerator
    def secret(n):
        return Secret()

    @TaskGenerator
    def fails(n):
        print("it printed <i>this</i>")
        raise ValueError("<script>alert(1)</script>")

    @TaskGenerator(files=True)
    def written(n):
        from PIL import Image
        Image.fromarray(np.zeros((9, 9), np.uint8)).save("drawn.png")
        Path("scores.csv").write_text("name,dice\\n<b>,0.5\\n")
        return [Path("drawn.png"), Path("scores.csv")]

    [picture(n) for n in range(9)], table(12), secret(1), written(1)
    [fails(n) for n in range(3)]
    if len(sys.argv) > 1:
        barrier()
"""


@pytest.fixture
def tg(forked_tg):
    return forked_tg


@pytest.fixture
def ran(tg):
    (tg.folder / "jugfile.py").write_text(textwrap.dedent(SCRIPT))
    tg("execute", "jugfile.py", code=1)
    (tg.folder / "opened").unlink(missing_ok=True)  # it was tried when it was stored
    return tg


def text_of(tg, *more):
    tg("report", "jugfile.py", *more)
    return (tg.folder / "jugfile.html").read_text()


def test_a_report_says_what_ran_where_with_what_and_why_it_failed(ran):
    text = text_of(ran)
    assert offences(text) == []
    words = " ".join(" ".join(Offences(text).text).split())
    assert "12 of 15 tasks done, 3 failed" in words
    assert "3 tasks of jugfile.fails: ValueError" in words
    assert "it printed <i>this</i>" in words
    assert 'raise ValueError("<script>alert(1)</script>")' in words
    assert re.search(r"numpy \d+\.\d+", words)
    assert "Python 3." in words
    assert "1 worker on 1 host" in words
    assert text.count("data:image/png") == 6 + 1
    assert "6 of 9 results" in words
    assert "float64 64 x 64, grey" in words
    assert "dict of columns, 12 rows, 2 columns; the first 10 rows are shown" in words
    assert "drawn.png" in words
    assert "scores.csv, 1 row, 2 columns" in words


def test_nothing_is_unpickled_unless_it_is_asked_for(ran):
    opened = ran.folder / "opened"
    assert "1 result not shown: pickle reads them" in text_of(ran)
    assert not opened.exists()
    text = text_of(ran, "--values")
    assert opened.exists()
    assert "1 of 1 result" in text
    assert offences(text) == []


def test_a_file_that_changed_since_is_not_shown(ran):
    (ran.folder / "drawn.png").write_bytes(b"\x89PNG\r\n\x1a\nanother")
    assert text_of(ran).count("data:image/png") == 6


def test_how_many_results_are_shown_can_be_said(ran):
    assert text_of(ran, "--most", "2").count("data:image/png") == 2 + 1


def test_a_report_of_what_never_ran_or_to_another_file_is_refused(tg):
    (tg.folder / "jugfile.py").write_text(textwrap.dedent(SCRIPT))
    assert "tg execute" in tg("report", "jugfile.py", code=2).stderr
    said = tg("report", "jugfile.py", "-o", "r.pdf", code=2).stderr
    assert "a report is a page" in said


def test_what_is_behind_a_barrier_is_told(ran):
    ran("execute", "jugfile.py", "--", "stop", code=1)
    text = text_of(ran, "--", "stop")
    assert "and more behind a barrier" in text
    assert "unknown, behind a barrier" in text


bad = st.text(max_size=20) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "</title></style><script>",
        "' onload='alert(1)",
        "javascript:alert(1)",
        "\ud800\x1b[31m",
    ]
)


@st.composite
def reports(draw):
    name, other = draw(bad), draw(bad)
    spent = Spent(1, 1.0, 1.0, 1.0, 5, 7, 10.0, 20.0)
    failure = Failure("exception", draw(bad), draw(bad), draw(bad))
    context = {"host": draw(bad)}
    record = Record(
        name, "", draw(bad), 1.0, 1.0, 1.0, 1, 1, draw(bad), b"", failure, context
    )
    facts = Facts(all=spent, failed=[(b"k" * 32, record)])
    facts.functions[name] = spent
    facts.workers[draw(bad), 1, draw(bad), draw(bad)] = spent
    facts.commits[draw(bad)] += 1
    facts.packages[draw(bad)][draw(bad)] += 1
    counts = {name: dict.fromkeys(STATES, 1)}
    shape = GraphShape([Box(name, other, counts[name])], {(0, 0): 1}, (0,), True)
    shown = Shown(name, 3, [], [(b"k" * 32, draw(bad), draw(bad))], 1, [draw(bad)])
    status = Status(counts, complete=False)
    told = [draw(bad)]
    return Report(
        draw(bad), draw(bad), [draw(bad)], 0.0, status, facts, shape, [shown], told
    )


@settings(max_examples=60, deadline=None)
@given(reports())
def test_whatever_names_and_texts_are_a_report_runs_and_loads_nothing(report):
    text = page(report)
    text.encode()
    assert offences(text) == []
    assert text.count("<style>") == 1
    assert "default-src &#x27;none&#x27;" in text
