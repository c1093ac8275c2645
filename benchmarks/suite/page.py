"""The page of figures, made of what was found. Pure."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from reporting import Row, at_best, figure, goals, holds, ratio

BUSY = 0.3
"""From how many cores on that other programs use the figures are not worth much."""

HEAD = """\
# Speed

What is fast and what is not, beside others that do the same work, all measured in one
run: `python benchmarks/all.py` makes this page ([benchmarks](../benchmarks), with the
extra `bench`), and [speed.json](speed.json) holds its figures. Below each table stands
the command that makes it alone.

A ratio says how many times as fast as the other we are, or how many times slower. Times
are wall times unless it says CPU. In brackets is whom we compare with where that is no
peer: a bound for all, or ours in another way.
"""


def page(found: dict[str, Any]) -> str:
    """Return the page, in Markdown.

    Parameters
    ----------
    found
        `machine`, as of `suite.machine`, with `seconds` and `others`; and `parts`: each
        with `title`, `about`, `command`, `seconds`, `others`, `failure` and `rows`.
    """
    parts = found["parts"]
    sections = [
        HEAD,
        about_machine(found["machine"]),
        "## Where a peer is faster\n\n" + bullets(slower(parts), "Nowhere."),
        "## What we want and have not\n\n" + bullets(missed(parts), "Nothing."),
    ]
    failed = [f"{p['title']}: {p['failure']}" for p in parts if p["failure"]]
    if failed:
        sections.append("## Not measured\n\n" + bullets(failed, ""))
    return "\n".join([*sections, *map(section, parts)])


def about_machine(machine: dict[str, Any]) -> str:
    """Return what the figures were measured on."""
    m = machine
    versions = ", ".join(f"{n} {v}" for n, v in m["versions"].items())
    return (
        f"Measured on {m['date']}, commit {m['commit']}, within "
        f"{m['seconds'] / 60:.1f} minutes.{load(m['others'])}\n"
        f"{warning(m['others'])}\n"
        f"- {m['processor']}, {m['cores']} cores, {m['memory_gb']:.0f} GB, "
        f"{m['system']}; the disk is {m['disk']}\n"
        f"- Python {m['python']}, {versions}\n"
    )


def load(others: float | None) -> str:
    """Return how busy other programs were, as a sentence, if that is known."""
    if others is None:
        return ""
    return f" Other programs used {others:.1f} cores meanwhile."


def warning(others: float | None) -> str:
    """Return what to think of the figures if the machine was busy."""
    if others is None or others < BUSY:
        return ""
    return (
        "\n**That is much: times by the clock are too long here, and goals that are of "
        "these are missed for it. CPU times and ratios say more.**\n"
    )


def slower(parts: list[dict[str, Any]]) -> list[str]:
    """Return where a peer is more than 5 % faster, the worst first."""
    found = [
        (times, row)
        for part in parts
        for row in part["rows"]
        if not row.yardstick
        if (times := ratio(row)) is not None and times < 0.95
    ]
    found.sort(key=lambda one: one[0])
    return [
        f"{row.case.strip()}: {figure(row.ours, row.unit)}, {row.peer} "
        f"{figure(row.theirs or 0, row.unit)}, **{figure_of(1 / times)}x "
        f"{words(row)[1]}**"
        for times, row in found
    ]


def missed(parts: list[dict[str, Any]]) -> list[str]:
    """Return the goals that are not reached."""
    return [
        f"{part['title']}, {row.case.strip()}: {figure(row.ours, row.unit)}"
        f"{versus(row)}; wanted: {goals(row)}{within(row)}"
        for part in parts
        for row in part["rows"]
        if holds(row) is False
    ]


def versus(row: Row) -> str:
    if row.theirs is None:
        return ""
    return f", {row.peer} {figure(row.theirs, row.unit)}"


def within(row: Row) -> str:
    """Return what the machine gives at best, where that is known."""
    return f"; at best {at_best(row)}" if row.best_ratio is not None else ""


def bullets(lines: list[str], otherwise: str) -> str:
    return "".join(f"- {line}\n" for line in lines) or f"{otherwise}\n"


def section(part: dict[str, Any]) -> str:
    """Return the table of a part."""
    lines = [f"## {part['title']}", "", part["about"], ""]
    if part["rows"]:
        lines += table(part["rows"])
        lines.append("")
    if part["failure"]:
        lines += [f"**Not complete: {part['failure']}.**", ""]
    lines += [
        f"`{part['command']}`: {part['seconds']:.0f} s.{load(part['others'])}",
        "",
    ]
    return "\n".join(lines)


def table(rows: list[Row]) -> list[str]:
    """Return the lines of a table; a case that has several peers is named once."""
    heads = "what", "ours", "beside", "theirs", "ratio", "at best", "wanted", "notes"
    first = [True, *(a.case != b.case or a.ours != b.ours for a, b in pairwise(rows))]
    body = [cells(row, new=new) for row, new in zip(rows, first, strict=True)]
    kept = [k for k in range(len(heads)) if any(line[k] for line in body)]
    aligned = dict.fromkeys((1, 3, 4, 5), "---:")
    lines = [
        [heads[k] for k in kept],
        [aligned.get(k, "---") for k in kept],
        *([line[k] for k in kept] for line in body),
    ]
    return ["| " + " | ".join(line) + " |" for line in lines]


def cells(row: Row, *, new: bool) -> list[str]:
    """Return the cells of a row."""
    peer = f"({row.peer})" if row.yardstick else row.peer
    theirs = figure(row.theirs, row.unit) if row.theirs is not None else ""
    found = [
        row.case.strip() if new else "",
        figure(row.ours, row.unit) if new else "",
        peer,
        theirs,
        verdict(row),
        at_best(row),
        wish(row),
        row.note,
    ]
    return [cell.replace("|", "\\|") for cell in found]


def verdict(row: Row) -> str:
    """Return how many times better or worse ours is, in bold if a peer is better.

    >>> verdict(Row("to sum", 2, "s", "numpy", 6))
    '3.0x faster'
    >>> verdict(Row("to sum", 2, "s", "numpy", 1))
    '**2.0x slower**'
    >>> verdict(Row("to sum", 2, "B", "numpy", 1.99))
    'equal'
    """
    times = ratio(row)
    if times is None:
        return ""
    better, worse = words(row)
    if times >= 1.05:
        return f"{figure_of(times)}x {better}"
    if times > 0.95:
        return "equal"
    said = f"{figure_of(1 / times)}x {worse}"
    return said if row.yardstick else f"**{said}**"


def figure_of(times: float) -> str:
    """Return a ratio with about two digits."""
    digits = 0 if times >= 20 else 1 if times >= 1.5 else 2
    return f"{times:,.{digits}f}"


def words(row: Row) -> tuple[str, str]:
    """Return what less, and what more, is called of what a row counts."""
    is_size = row.unit in ("", "B", "MB", "files", "calls")
    return ("less", "more") if is_size else ("faster", "slower")


def wish(row: Row) -> str:
    """Return the goals of a row and whether they are reached."""
    reached = holds(row)
    if reached is None:
        return ""
    return f"{goals(row)}: {'yes' if reached else '**no**'}"
