"""A report as HTML: one file that needs nothing else, and runs nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from taskgraph.displays.markup import Markup, element, escaped, joined
from taskgraph.displays.numbers import counted, moment_text, seconds_text, size_text
from taskgraph.drawing.graph_shape import SIGNS
from taskgraph.drawing.svg import MOST_BOXES, svg
from taskgraph.upkeep.failure_groups import failure_of, grouped
from taskgraph.upkeep.status import STATES

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping, Sequence

    from taskgraph.drawing.graph_shape import GraphShape
    from taskgraph.reporting.chosen import Shown
    from taskgraph.reporting.facts import Facts, Spent
    from taskgraph.upkeep.failure_groups import Failed
    from taskgraph.upkeep.status import Status

POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)
_MOST_WORKERS, _MOST_GROUPS, _MOST_TASKS, _MOST_VERSIONS = 60, 40, 12, 4
_MOST_LETTERS = 20_000
_SPAN = 120


@dataclass(frozen=True, slots=True)
class Report:
    """All that a report says.

    Attributes
    ----------
    jugfile, store : str
        What ran, and where its results are.
    arguments : sequence of str
        What the jugfile was given.
    moment : float
        When this was looked at, in seconds since the epoch.
    status : Status
        How far it was then.
    facts : Facts
        What records say.
    shape : GraphShape
        The graph.
    results : list of Shown
        Some results of each function.
    told : list of str
        What a reader has to know besides.
    """

    jugfile: str
    store: str
    arguments: Sequence[str]
    moment: float
    status: Status
    facts: Facts
    shape: GraphShape
    results: list[Shown]
    told: list[str] = field(default_factory=list)


def page(report: Report) -> str:
    """Return a report as an HTML document."""
    name = report.jugfile.replace("\\", "/").rpartition("/")[2]
    parts = [
        ("summary", "Summary", _summary(report)),
        ("functions", "Functions", _functions(report)),
        ("graph", "Graph", _graph(report.shape)),
        ("failures", "Failures", _failures(report.facts.failed)),
        ("results", "Results", _results(report.results)),
        ("workers", "Where it ran", _workers(report.facts)),
        ("versions", "Versions", _versions(report.facts)),
    ]
    there = [part for part in parts if part[2]]
    links = [element("a", title, href=f"#{anchor}") for anchor, title, _ in there]
    sections = [
        element("section", element("h2", title), body, id=anchor)
        for anchor, title, body in there
    ]
    head = [
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width"),
        element("title", f"{name}: {_total(report.status)}"),
        element("style", _sheets()),
    ]
    body = [
        element("header", element("h1", name), element("nav", *links)),
        element("main", *sections),
    ]
    whole = element("html", element("head", *head), element("body", *body), lang="en")
    return f"<!doctype html>\n{whole}\n"


def _sheets() -> Markup:
    """Return the style sheets of pages, of displays and of this one."""
    places = (
        ("taskgraph.pages", "static/style.css"),
        ("taskgraph.displays", "displays.css"),
        ("taskgraph.reporting", "report.css"),
    )
    texts = [
        files(package).joinpath(path).read_text("utf-8") for package, path in places
    ]
    return Markup("\n".join(texts))


def _total(status: Status) -> str:
    text = f"{status.total('done'):,} of {counted(status.tasks, 'task')} done"
    failed = status.total("failed")
    text += f", {failed:,} failed" if failed else ""
    return text + ("" if status.complete else ", and more behind a barrier")


def _summary(report: Report) -> Markup:
    spent = report.facts.all
    rows: list[tuple[str, object]] = [
        ("state", _total(report.status)),
        ("jugfile", " ".join([report.jugfile, *report.arguments])),
        ("store", report.store),
        ("looked at", moment_text(report.moment)),
    ]
    if spent.tasks:
        ran = f"{moment_text(spent.start)} to {moment_text(spent.end)}"
        rows += [
            ("ran", f"{ran} ({seconds_text(spent.end - spent.start)})"),
            ("took", _took(spent)),
            ("workers", _where(report.facts)),
            ("results", size_text(spent.size)),
        ]  # fmt: skip
    listed = [joined(element("dt", what), element("dd", text)) for what, text in rows]
    told = [element("p", text, class_="notice") for text in report.told]
    return joined(element("dl", *listed), *told)


def _took(spent: Spent) -> str:
    return f"{seconds_text(spent.seconds)} ({seconds_text(spent.cpu)} of processors)"


def _where(facts: Facts) -> str:
    hosts = {host for host, *_ in facts.workers}
    return f"{counted(len(facts.workers), 'worker')} on {counted(len(hosts), 'host')}"


def _functions(report: Report) -> Markup:
    spent, all_ = report.facts.functions, report.facts.all
    states = [state for state in reversed(STATES) if report.status.total(state)]
    heads = ["function", *(f"{SIGNS[state]} {state}" for state in states)]
    heads += ["time", "mean", "longest", "memory", "results", "when"]
    rows = []
    for box in report.shape.boxes:
        cells: list[object] = [element("span", box.title, title=box.name)]
        cells += [f"{box.counts[s]:,}" if box.counts.get(s) else "" for s in states]
        cells += _costs(spent[box.name]) if box.name in spent else [""] * 5
        cells += [_when(spent[box.name], all_) if box.name in spent else ""]
        rows.append(cells)
    return _table(heads, rows, words=(0, len(heads) - 1))


def _costs(spent: Spent) -> list[object]:
    return [
        seconds_text(spent.seconds),
        seconds_text(spent.seconds / spent.tasks),
        seconds_text(spent.longest),
        size_text(spent.memory),
        size_text(spent.size),
    ]


def _when(spent: Spent, all_: Spent) -> Markup:
    """Return from when to when, as a part of the time of all."""
    whole = max(all_.end - all_.start, 1e-6)
    left = _SPAN * (spent.start - all_.start) / whole
    width = max(2.0, _SPAN * (spent.end - spent.start) / whole)
    left = min(left, _SPAN - 2.0)
    text = f"{moment_text(spent.start)} to {moment_text(spent.end)}"
    bar = element("rect", x=f"{left:.1f}", y=3, width=f"{width:.1f}", height=8, rx=1)
    line = element("rect", x=0, y=6.5, width=_SPAN, height=1, class_="span")
    about: dict[str, Any] = {"viewBox": f"0 0 {_SPAN} 14", "class_": "when"}
    return element("svg", element("title", text), line, bar, role="img", width=_SPAN,
                   height=14, **about)  # fmt: skip


def _graph(shape: GraphShape) -> Markup:
    if not shape.boxes:
        return Markup("")
    if len(shape.boxes) > MOST_BOXES:
        return element("p", f"It has {len(shape.boxes):,} functions: too many to draw.")
    return element("div", svg(shape), class_="graph", tabindex=0)


def _failures(failed: Sequence[Failed]) -> Markup:
    groups = grouped(failed)
    shown = [_failure(group) for group in groups[:_MOST_GROUPS]]
    if len(groups) > len(shown):
        rest = len(groups) - len(shown)
        shown.append(element("p", f"and {counted(rest, 'other cause')}; see tg errors"))
    return joined(*shown)


def _failure(group: list[Failed]) -> Markup:
    _, first = group[0]
    failure = failure_of(first)
    title = f"{counted(len(group), 'task')} of {first.name}: {failure.error}"
    tasks = [
        element("li", element("code", key.hex()[:12]), f" {record.summary} ",
                element("span", _said(failure_of(record).message), class_="quiet"))
        for key, record in group[:_MOST_TASKS]
    ]  # fmt: skip
    if len(group) > _MOST_TASKS:
        tasks.append(element("li", f"and {len(group) - _MOST_TASKS:,} more"))
    output = first.output.strip()
    printed = _pre(output) if output else ""
    return element(
        "details",
        element(
            "summary", element("strong", title), f": {_said(failure.message, 300)}"
        ),
        _pre(failure.traceback) if failure.traceback else "",
        joined(element("p", "It had printed:"), printed) if printed else "",
        element("ul", *tasks),
        open=True,
    )


def _pre(text: str) -> Markup:
    """Return long text in a box that can be scrolled, by the keyboard too."""
    return element("pre", _said(text.rstrip()), tabindex=0)


def _said(text: str, limit: int = _MOST_LETTERS) -> str:
    """Return text, of what is too long the end: there an error is."""
    return text if len(text) <= limit else f"... {text[-limit:]}"


def _results(results: Sequence[Shown]) -> Markup:
    return joined(*(_shown(one) for one in results))


def _shown(one: Shown) -> Markup:
    name = one.name.rpartition(".")[2]
    pictures = [
        element("div", _call(key.hex()[:12], name, call), shown, class_="result")
        for key, call, shown in one.pictures
    ]
    parts: list[object] = []
    if pictures:
        parts.append(element("div", *pictures, class_="results"))
    if one.texts:
        rows = [
            [element("code", key.hex()[:12]), call, element("pre", text)]
            for key, call, text in one.texts
        ]
        parts.append(_table(["key", "arguments", "result"], rows, words=(0, 1, 2)))
    if one.pickled:
        parts.append(element(
            "p", f"{counted(one.pickled, 'result')} not shown: pickle reads them, and "
            "could run what their writer chose; tg report --values shows them.",
            class_="quiet"))  # fmt: skip
    parts += [element("p", f"not shown: {why}", class_="quiet") for why in one.left_out]
    shown = len({key for key, *_ in [*one.pictures, *one.texts]})
    title = f"{shown:,} of {counted(one.total, 'result')}"
    head = element("h3", name, " ", element("span", title, class_="quiet"),
                   title=one.name)  # fmt: skip
    return element("article", head, *parts)


def _call(key: str, name: str, arguments: str) -> Markup:
    return element("p", f"{name}({arguments})", class_="call", title=key)


def _workers(facts: Facts) -> Markup:
    heads = ["host", "process", "user", "job", "tasks", "time", "first", "last"]
    by_time = sorted(facts.workers.items(), key=lambda pair: -pair[1].seconds)
    rows: list[Sequence[object]] = [
        [host, pid, user, job, f"{spent.tasks:,}", seconds_text(spent.seconds),
         moment_text(spent.start), moment_text(spent.end)]
        for (host, pid, user, job), spent in by_time[:_MOST_WORKERS]
    ]  # fmt: skip
    if not rows:
        return Markup("")
    more = len(by_time) - len(rows)
    told = element("p", f"and {counted(more, 'more worker')}") if more else ""
    return joined(_table(heads, rows, words=(0, 2, 3, 6, 7)), told)


def _versions(facts: Facts) -> Markup:
    if not facts.all.tasks:
        return Markup("")
    counts: Mapping[str, Counter[str]] = {
        "commit": facts.commits,
        "Python": facts.pythons,
        **dict(sorted(facts.packages.items())),
    }
    rows = [[name, _listed(found)] for name, found in counts.items() if found]
    dirty = any(commit.endswith("+") for commit in facts.commits)
    plus = "+: with changes that were not committed. " if dirty else ""
    note = f"{plus}Where there are several, how many tasks ran with each."
    table = _table(["what", "version"], rows, words=(0, 1))
    return joined(element("div", table, class_="versions"),
                  element("p", note, class_="quiet"))  # fmt: skip


def _listed(found: Counter[str]) -> str:
    if len(found) == 1:
        return next(iter(found))
    most = found.most_common(_MOST_VERSIONS)
    more = f" and {len(found) - len(most)} more" if len(found) > len(most) else ""
    return ", ".join(f"{version} ({count:,})" for version, count in most) + more


def _table(
    heads: Sequence[str], rows: Sequence[Sequence[object]], words: Sequence[int]
) -> Markup:
    """Return a table; all columns but those of words are of numbers, to the right."""
    sides = [None if place in words else "number" for place in range(len(heads))]
    head = [
        element("th", text, class_=side, scope="col")
        for text, side in zip(heads, sides, strict=True)
    ]
    body = [
        element("tr", *(
            element("td", escaped(cell), class_=side)
            for cell, side in zip(row, sides, strict=True)
        ))
        for row in rows
    ]  # fmt: skip
    table = element(
        "table", element("thead", element("tr", *head)), element("tbody", *body)
    )
    return element("div", table, class_="scroll", tabindex=0)
