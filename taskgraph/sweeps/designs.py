"""Points for sweeps over ranges: drawn at random, or spread evenly (Latin hypercube).

A space is a mapping of names to what a parameter may be: a tuple of two numbers is a
range, both ends included, in which two whole numbers give whole numbers; a list is a
choice of its items. With `log` a range is drawn so that each tenfold is as likely.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from blake3 import blake3

from taskgraph.errors import UsageError
from taskgraph.names import known_as
from taskgraph.sweeps.points import Point, plain

_BITS = 53
_RANGE = 2


@known_as("taskgraph")
def random_points(
    space: Mapping[str, Any], count: int, *, seed: int = 0, log: Iterable[str] = ()
) -> list[Point]:
    """Return points drawn at random from a space, for `sweep`.

    Each is drawn by itself, each parameter by its name: with a larger `count` or one
    more parameter the other numbers stay, so that only what is new is computed.

    Parameters
    ----------
    space : mapping of str to tuple or list
        A range ``(low, high)`` or a choice ``[...]`` for each parameter.
    count : int
        How many.
    seed : int, optional
        Other numbers for another one; the same everywhere.
    log : iterable of str, optional
        Parameters whose ranges are drawn by their logarithms.

    Raises
    ------
    UsageError
        It is no such space.

    Examples
    --------
    >>> points = random_points({"sigma": (0.5, 8.0), "method": ["otsu", "mean"]}, 20)
    >>> sorted(points[0]), random_points({"sigma": (0.5, 8.0)}, 1)[0]["sigma"] == (
    ...     points[0]["sigma"]
    ... )
    (['method', 'sigma'], True)
    """
    axes = _axes(space, log)
    require_count(count, "count")
    return [
        {name: axis(_uniform(seed, name, number)) for name, axis in axes.items()}
        for number in range(count)
    ]


@known_as("taskgraph")
def latin_points(
    space: Mapping[str, Any],
    count: int,
    *,
    rounds: int = 1,
    seed: int = 0,
    log: Iterable[str] = (),
) -> list[Point]:
    """Return points spread evenly over a space (Latin hypercube), for `sweep`.

    Of the `count` equal parts of each range, each holds one point. More points come
    with more `rounds`, each such a design: those of the first rounds stay.

    Parameters
    ----------
    space, seed, log
        As for `random_points`.
    count : int
        How many in each round. Another number gives other points.
    rounds : int, optional
        How many designs.

    Raises
    ------
    UsageError
        It is no such space.

    References
    ----------
    M. D. McKay, R. J. Beckman, W. J. Conover: A comparison of three methods for
    selecting values of input variables in the analysis of output from a computer code.
    Technometrics 21 (1979), 239-245.

    Examples
    --------
    >>> points = latin_points({"sigma": (0.0, 4.0)}, 4)
    >>> sorted(int(point["sigma"]) for point in points)
    [0, 1, 2, 3]
    """
    import numpy
    from scipy.stats import qmc

    axes = _axes(space, log)
    require_count(count, "count")
    require_count(rounds, "rounds")
    points = []
    for number in range(rounds):
        rng = numpy.random.default_rng([seed, number])
        for row in qmc.LatinHypercube(len(axes), rng=rng).random(count).tolist():
            places = zip(axes.items(), row, strict=True)
            points.append({name: axis(place) for (name, axis), place in places})
    return points


def require_count(number: Any, what: str) -> None:
    """Refuse what is no positive whole number.

    Raises
    ------
    UsageError
        It is none.
    """
    if type(number) is not int or number < 1:
        raise UsageError(f"{what} is a whole number from 1 on, not {number!r:.40}")


def _uniform(seed: int, name: str, number: int) -> float:
    """Return a number in [0, 1) that depends on nothing else."""
    text = f"{seed}:{number}:{name}".encode(errors="surrogatepass")
    digits = int.from_bytes(blake3(text).digest(length=8), "big")
    place: float = (digits >> (64 - _BITS)) / (1 << _BITS)
    return place


def _axes(space: Any, log: Iterable[str]) -> dict[str, Any]:
    if not isinstance(space, Mapping) or not space:
        raise UsageError(
            "a space is a mapping as {'sigma': (0.5, 8.0), 'method': ['otsu', 'mean']}"
        )
    by_log = {log} if isinstance(log, str) else set(log)
    if unknown := by_log - set(space):
        raise UsageError(f"log names {', '.join(sorted(unknown))}, not in the space")
    return {name: _axis(name, of, log=name in by_log) for name, of in space.items()}


def _axis(name: Any, of: Any, *, log: bool) -> Any:
    """Return what makes a value of a number in [0, 1)."""
    if isinstance(of, list) and of and not log:
        choices = [plain(one) for one in of]
        return lambda place: choices[int(place * len(choices))]
    ends = [plain(end) for end in of] if isinstance(of, tuple) else []
    if len(ends) != _RANGE or {type(end) for end in ends} - {int, float}:
        raise UsageError(
            f"{name!r} is a range (low, high), or a list of choices; not {of!r:.60}"
        )
    low, high = ends
    if not (low <= high and math.isfinite(low) and math.isfinite(high)):
        raise UsageError(f"the range of {name!r} is from low to high, not {of!r:.60}")
    if log and low <= 0:
        raise UsageError(
            f"the range of {name!r} has no logarithm: it begins at {low!r}"
        )
    whole = type(low) is int and type(high) is int
    if whole and not log:
        return lambda place: low + int(place * (high - low + 1))
    if not log:
        return lambda place: min(float(low + place * (high - low)), float(high))
    first, last = math.log(low), math.log(high + 1 if whole else high)

    def by_log(place: float) -> Any:
        found = math.exp(first + place * (last - first))
        if whole:
            return min(int(found), high)
        return float(min(max(found, low), high))

    return by_log
