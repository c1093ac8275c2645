"""What changed from one commit to another, by runs that took turns. Pure."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from reporting import Row, ratio

if TYPE_CHECKING:
    from collections.abc import Sequence


def changes(old: Sequence[list[Row]], new: Sequence[list[Row]], name: str) -> list[Row]:
    """Return a row for each case: the median of the new runs beside that of the old.

    Parameters
    ----------
    old, new
        The rows of each run. Cases that only one side has are left out.
    name
        What the old commit is called.

    Returns
    -------
    list[Row]
        The note says whether each new run was better, or each was worse, than each old
        one, and how a peer's figures moved: it is the same program on both sides.
    """
    before, after = by_case(old), by_case(new)
    return [change(before[case], after[case], name) for case in before if case in after]


def by_case(runs: Sequence[list[Row]]) -> dict[str, list[Row]]:
    """Return the first row of each case, of each run."""
    found: dict[str, list[Row]] = defaultdict(list)
    for rows in runs:
        firsts: dict[str, Row] = {}
        for row in rows:
            firsts.setdefault(row.case, row)
        for case, row in firsts.items():
            found[case].append(row)
    return found


def change(old: list[Row], new: list[Row], name: str) -> Row:
    """Return the medians of one case, as a row whose peer is the old commit."""
    was, now = ([row.ours for row in rows] for rows in (old, new))
    apart = max(was) < min(now) or max(now) < min(was)
    note = "all runs apart" if apart else "runs overlap"
    row = Row(new[0].case, median(now), new[0].unit, name, median(was))
    theirs = [[r.theirs for r in rows if r.theirs is not None] for rows in (old, new)]
    if new[0].peer and not new[0].yardstick and all(theirs):
        moved = replace(row, ours=median(theirs[1]), theirs=median(theirs[0]))
        note += f"; {new[0].peer} {ratio(moved) or 1:.2f}x"
    return replace(row, note=note)


def median(values: list[float]) -> float:
    return float(statistics.median(values))
