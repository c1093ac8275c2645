"""A report, in a browser: it can be read by everybody, and says nothing to nobody."""

from __future__ import annotations

import numpy as np
import pytest

from taskgraph.displays.display import display
from taskgraph.drawing.graph_shape import Box, GraphShape
from taskgraph.records import Failure, Record
from taskgraph.reporting.chosen import Shown
from taskgraph.reporting.facts import Facts, Spent
from taskgraph.reporting.page import Report, page
from taskgraph.upkeep.status import STATES, Status

BAD = "<script>document.title='ran'</script><img src=x onerror=document.title='ran'>"


class Hostile:
    def _repr_html_(self):
        return f"<b>of its own</b>{BAD}<link rel=stylesheet href=http://127.0.0.1:9/x>"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    waves = np.sin(np.arange(4096) / 50).reshape(64, 64)
    labels = np.kron(np.arange(16).reshape(4, 4), np.ones((16, 16), int))
    table = {"label": np.arange(40), "area": np.arange(40) / 7, BAD: [BAD] * 40}
    values = [
        waves,
        labels,
        waves > 0,
        np.stack([waves] * 3),
        table,
        waves[0],
        Hostile(),
    ]
    key = b"k" * 32
    pictures = [(key, f"{n}, {BAD}", display(v).html()) for n, v in enumerate(values)]
    failure = Failure("exception", "ValueError", BAD, f"Traceback\n{BAD}\n" * 9)
    record = Record(f"m.{BAD}", "", BAD, 1.0, 1.0, 1.0, 1, 1, BAD, b"", failure, {})
    spent = Spent(9, 2000.0, 9.0, 99.0, 10**9, 10**7, 10.0, 4000.0)
    facts = Facts(all=spent, failed=[(key, record)] * 3)
    facts.functions["m.load"] = facts.functions[f"m.{BAD}"] = spent
    facts.workers["host", 1, "user", "slurm:7"] = spent
    facts.packages["numpy"] |= {"2.3.1": 7, "2.4.0": 2}
    counts = {name: dict.fromkeys(STATES, 7) for name in ("m.load", f"m.{BAD}")}
    boxes = [Box(name, name[2:], counts[name]) for name in counts]
    shape = GraphShape(boxes, {(0, 1): 7, (1, 1): 3}, (1,), barrier=True)
    shown = [Shown("m.load", 9, pictures, [(key, "7", BAD)], 2, [BAD])]
    status = Status(counts, complete=False)
    whole = Report(BAD, BAD, [BAD], 0.0, status, facts, shape, shown, [BAD])
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(page(whole))
    return path


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_report_is_read_by_everybody_and_nothing_in_it_runs(
    browser, report, width, theme
):
    browser.expected.append("Blocked script execution in 'about:srcdoc'")
    browser.expected.append("violates the following Content Security Policy")
    browser.open(report.as_uri(), width=width, height=1600, theme=theme)
    browser.find("h2", "Where it ran")
    assert browser.driver.title != "ran"
    assert len(browser.all("img")) == 4
    assert all(browser.run("return [...document.images].map((i) => i.naturalWidth)"))
    browser.check()
    browser.picture(f"report-{width}-{theme}")
    frame = browser.all("iframe")[0]
    browser.run("arguments[0].scrollIntoView()", frame)
    browser.driver.switch_to.frame(frame)
    browser.find("b", "of its own")
    browser.driver.switch_to.default_content()
    browser.picture(f"report-frame-{width}-{theme}")


def test_a_link_of_a_report_leads_to_its_part_by_keys(browser, report):
    browser.open(report.as_uri())
    browser.tab_to("nav a", "Versions")
    browser.type("\ue007")
    assert browser.driver.current_url.endswith("#versions")
