"""How often a task may be tried, how long it may take, what it needs of a machine."""

from __future__ import annotations

import operator
from numbers import Real
from typing import TYPE_CHECKING, Any

from taskgraph.errors import OptionError
from taskgraph.resources import Resources

if TYPE_CHECKING:
    from taskgraph.results.causes import Causes

MOST_RETRIES = 1_000_000
LONGEST = 366 * 86400.0
"""Seconds; timers of the system take little more than that."""


def checked_retries(retries: Any, name: str) -> int:
    """Return `retries` if it is a count.

    Examples
    --------
    >>> checked_retries(3, "f")
    3
    >>> checked_retries(-1, "f")
    Traceback (most recent call last):
    taskgraph.OptionError: f: retries=-1; give a whole number from 0 to 1000000
    """
    try:
        count = operator.index(retries)
    except TypeError:
        count = -1
    if isinstance(retries, bool) or not 0 <= count <= MOST_RETRIES:
        raise OptionError(
            f"{name}: retries={retries!r}; give a whole number from 0 to {MOST_RETRIES}"
        )
    return count


def checked_causes(causes: Any, name: str) -> Causes | None:
    """Return causes as a tuple if they are such, None if they are.

    Parameters
    ----------
    causes : None, str, type or sequence of these
        One or several; a text may name several, parted by commas.
    name : str
        Whose they are, for what is said of mistakes.

    Examples
    --------
    >>> checked_causes("timeout, OSError", "f"), checked_causes(None, "f")
    (('timeout', 'OSError'), None)
    >>> checked_causes(3, "f")
    Traceback (most recent call last):
    taskgraph.OptionError: f: retries_on=3; give exceptions or their names, timeout, ...
    """
    if causes is None:
        return None
    alone = isinstance(causes, str | type)
    found: list[str | type[BaseException]] = []
    for one in [causes] if alone or not hasattr(causes, "__iter__") else causes:
        if isinstance(one, str):
            words = [word.strip() for word in one.split(",")]
            good = all(word.replace(".", "_").isidentifier() for word in words)
            found += words
        else:
            good = isinstance(one, type) and issubclass(one, BaseException)
            found.append(one)
        if not good:
            raise OptionError(
                f"{name}: retries_on={causes!r}; give exceptions or their names, "
                "timeout, killed or unstorable"
            )
    return tuple(found)


def checked_timeout(timeout: Any, name: str) -> float | None:
    """Return `timeout` if it is a time that can be waited for, or None.

    Examples
    --------
    >>> checked_timeout(0.5, "f"), checked_timeout(None, "f")
    (0.5, None)
    >>> checked_timeout(0, "f")
    Traceback (most recent call last):
    taskgraph.OptionError: f: timeout=0; give seconds, more than 0 and at most...
    """
    if timeout is None:
        return None
    number = isinstance(timeout, Real) and not isinstance(timeout, bool)
    if not number or not 0 < timeout <= LONGEST:
        raise OptionError(
            f"{name}: timeout={timeout!r}; give seconds, more than 0 and at most "
            f"{LONGEST:.0f} (a year), or leave it away for no limit"
        )
    return timeout  # type: ignore[no-any-return] # a number: it was looked at


def checked_resources(given: Any, name: str) -> Resources:
    """Return `given` if it says which resources are asked for, or there.

    Examples
    --------
    >>> print(checked_resources({"gpu": 1, "mem": "8G"}, "f"))
    gpu=1,mem=8G
    >>> checked_resources({"gpu": -1}, "f")
    Traceback (most recent call last):
    taskgraph.OptionError: f: resources={'gpu': -1}: gpu=-1 is no amount; write a ...
    """
    try:
        return Resources.of(given)
    except ValueError as error:
        raise OptionError(f"{name}: resources={given!r}: {error}") from None


def checked_workers(workers: Any) -> int:
    """Return `workers` if it is a number of processes.

    Examples
    --------
    >>> checked_workers(0)
    0
    >>> checked_workers(2.5)
    Traceback (most recent call last):
    taskgraph.OptionError: workers=2.5; give a whole number: of processes, ...
    """
    try:
        count = operator.index(workers)
    except TypeError:
        count = -1
    if isinstance(workers, bool) or count < 0:
        raise OptionError(
            f"workers={workers!r}; give a whole number: of processes, or 0 to run the "
            "tasks in this one"
        )
    return count
