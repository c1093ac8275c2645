"""What measurements mean, and what to do: findings of what processes told. Pure."""

from __future__ import annotations

from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

from backends.interface import Finding, Level
from backends.liveness import BEATS_PER_LEASE, DEFAULT_LEASE
from taskgraph.doctor.capacity import READ_MERGED, Costs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from backends.interface import Service

    Told = Mapping[str, Mapping[str, Any]]

_WRONG_CLOCK = 5.0
_LATE_HOP = 2.0
_READ = 60e-6
"""Seconds of a core to take in a segment, if that could not be measured."""
_UNSAFE = "two workers could both be first: choose another --store"


def absent(
    asked: Sequence[str], said: Sequence[str | None], meet: int, came: int
) -> Iterator[Finding]:
    """Yield who did not come, and why.

    Parameters
    ----------
    asked : sequence of str
        Those who were started.
    said : sequence of str or None
        What each of them said before it ended; None if it goes on.
    meet : int
        How many others were to come by themselves.
    came : int
        How many have come in all.

    Examples
    --------
    >>> found = absent(["node7"], ["ssh: no such host"], 0, 0)
    >>> [(one.what, one.level.name) for one in found]
    [('node7', 'WARNING')]
    """
    for who, why in zip(asked, said, strict=True):
        if why is not None:
            advice = "ssh to it has to work, and this program be at the same path"
            yield Finding(who, "takes no part", why, advice, Level.WARNING)
    silent = [who for who, why in zip(asked, said, strict=True) if why is None]
    if len(silent) > came:
        yield Finding(
            "others",
            f"{len(silent)} run, {came} are seen",
            "what they write is not seen here: they look at another place of the same "
            "name, or see it late",
            "choose a store that all machines share",
            Level.UNFIT,
        )
    if meet and came < len(silent) + meet:
        yield Finding(
            "meeting",
            f"{max(0, came - len(silent))} of {meet} came",
            "the others were not started in time, or do not see this place",
            "start `tg doctor --meet` on each machine with the same --store",
            Level.WARNING,
        )


def clocks(told: Told, hosts: Mapping[str, str]) -> Iterator[Finding]:
    """Yield how far clocks of hosts are from the store's, and from each other.

    Examples
    --------
    >>> told = {"w": {"offset": -60.0, "exact": 0.01}}
    >>> [one.measured for one in clocks(told, {"w": "node7"})]
    ["node7 is 60.00 s ahead of the store's, to within 0.01 s"]
    """
    by_host = {}
    for name, about in told.items():
        if "offset" in about:
            by_host[hosts[name]] = (about["offset"], about["exact"])
    if not by_host:
        return
    texts = [
        f"{host} is {abs(offset):.2f} s {'behind' if offset > 0 else 'ahead of'} the "
        f"store's, to within {max(0.01, exact):.2g} s"
        for host, (offset, exact) in sorted(by_host.items())
    ]
    worst = max(abs(offset) for offset, _ in by_host.values())
    wrong = worst > _WRONG_CLOCK
    yield Finding(
        "clocks",
        "; ".join(texts),
        "no two clocks are compared for what is decided; times that are shown differ",
        "let a time service run on each machine" if wrong else "",
        Level.WARNING if wrong else Level.FINE,
    )


def races(told: Told, seen: Told, rounds: int, hosts: Mapping[str, str]) -> Finding:
    """Judge a race: each position has one winner, and all see the same.

    Examples
    --------
    >>> both = {"won": [0], "spans": [(0.0, 1.0)]}
    >>> told, seen = {"a": both, "b": both}, {"a": {"seen": ["a"]}}
    >>> races(told, seen, 1, {"a": "x", "b": "y"}).level.name
    'UNFIT'
    """
    what, machines = "put if absent", len({hosts[name] for name in told})
    errors = [
        each["error"] for each in (*told.values(), *seen.values()) if "error" in each
    ]
    if errors:
        return Finding(what, "it failed", errors[0], "", Level.UNFIT)
    winners: dict[int, list[str]] = {k: [] for k in range(rounds)}
    for name, each in told.items():
        for k in each["won"]:
            winners[k].append(name)
    for k, names in winners.items():
        # One who did not tell in time may have won, if all say so.
        seen_at = {each["seen"][k] for each in seen.values()}
        if not names and len(seen_at) == 1 and not seen_at & {"", *told}:
            names.extend(seen_at)
    several = sum(len(names) > 1 for names in winners.values())
    none = sum(not names for names in winners.values())
    other = sum(
        each["seen"][k] not in winners[k] for each in seen.values() for k in winners
    )
    close = sum(_together([e["spans"][k] for e in told.values()]) for k in winners)
    text = (
        f"{rounds} races of {len(told)} processes on {machines} "
        f"machine{'s' * (machines > 1)}, {close} of them at the same moment"
    )
    if several or none or other:
        text += (
            f": {several} with two winners, {none} with none, {other} seen otherwise"
        )
        return Finding(what, text, _UNSAFE, "", Level.UNFIT)
    meaning = "one winner each, and all saw the same"
    if not close:
        meaning += "; nobody met, so that says little"
    if machines == 1:
        meaning += "; of other machines it says nothing (`--peer HOST`)"
    return Finding(what, text, meaning)


def _together(spans: Sequence[Sequence[float]]) -> bool:
    """Return whether two of some spans of time overlap."""
    ordered = sorted(map(tuple, spans))
    return any(b[0] < a[1] for a, b in pairwise(ordered))


def hops(told: Told, far: bool) -> Finding:
    """Judge how late another process sees what one has appended.

    Examples
    --------
    >>> hops({"a": {"took": [0.02, 0.04]}}, far=False).measured
    '15 ms (20 ms at most) to a process of this machine'
    """
    where = "another machine" if far else "a process of this machine"
    took = [seconds / 2 for each in told.values() for seconds in each.get("took", ())]
    errors = [each["error"] for each in told.values() if "error" in each]
    if errors:
        return Finding("news", "it failed", errors[0], "", Level.UNFIT)
    if not took:  # of what stays unseen for good, races tell
        why = "what one appended the other did not see in time"
        advice = "look at the options of the mount; on a busy machine, try again"
        return Finding("news", f"late on {where}", why, advice, Level.WARNING)
    text = f"{1e3 * median(took):.0f} ms ({1e3 * max(took):.0f} ms at most) to {where}"
    slow = median(took) > _LATE_HOP
    return Finding(
        "news",
        text,
        "so late a task starts after another worker has published what it needs",
        "let chains of short tasks be one task" if slow else "",
        Level.WARNING if slow else Level.FINE,
    )


def heartbeats(told: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield how old heartbeats get until others see them renewed.

    Examples
    --------
    >>> [one.level.name for one in heartbeats({"oldest": 0.3, "seen": 9})]
    ['FINE']
    """
    if "oldest" not in told:
        return
    age, limit = told["oldest"], DEFAULT_LEASE / BEATS_PER_LEASE
    lease = max(DEFAULT_LEASE, 2 * BEATS_PER_LEASE * age)
    late = not told["seen"] or age > limit
    yield Finding(
        "heartbeats",
        f"{age:.1f} s old at most, renewed each 0.1 s",
        f"workers beat each {limit:.0f} s and are dead after {DEFAULT_LEASE:.0f} s "
        "without: a lease of that length is enough"
        if not late
        else "a worker that lives could be taken for dead",
        f"`--lease {5 * lease:.0f}`" if late else "",
        Level.WARNING if late else Level.FINE,
    )


def costs(
    alone: Mapping[str, Any],
    together: Told,
    joined: Told,
    service: Service,
    latency: float,
) -> Costs:
    """Return what appends and reading cost, of what processes measured."""
    appends = sum(each["appends"] for each in together.values())
    seconds = max((each["seconds"] for each in together.values()), default=1.0)
    append = alone["append"]
    turn = seconds / appends if appends else append
    found = [each for each in joined.values() if each.get("segments")]
    read, wait = _READ, 0.0
    if found:
        read = min(each["cpu"] / each["segments"] for each in found)
        wait = min(each["seconds"] / each["segments"] for each in found) - read
    return Costs(
        append=append,
        turn=min(turn, append) if append else turn,
        read=read,
        wait=max(0.0, wait),
        read_merged=min(read, READ_MERGED),
        latency=latency,
        service=service,
    )


def appends(alone: Mapping[str, Any], found: Costs, processes: int) -> Finding:
    """Judge how fast the journal grows."""
    return Finding(
        "appends",
        f"{1e3 * alone['append']:.1f} ms each by one process, {1 / found.turn:.0f} a "
        f"second by {processes} together",
        "a worker makes two for each batch of tasks, and all wait for their turn",
    )
