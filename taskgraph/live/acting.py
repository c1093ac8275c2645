"""What a page may change: by the commands of `tg`, in processes of their own.

So the rules, previews and sentences are those of the command line, and the server never
runs the jugfile.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_WHAT = {"function": "--name", "key": "--key"}


def words_of(asked: Mapping[str, Any]) -> list[str]:
    """Return the words of the command line for what a page asks.

    Parameters
    ----------
    asked : mapping
        ``do``: invalidate, retry or undo. ``function`` or ``key``: of which tasks.
        ``number``: which of what can be undone. ``preview``: only say what it would do.

    Raises
    ------
    UsageError
        It makes no sense.

    Examples
    --------
    >>> words_of({"do": "invalidate", "function": "f", "preview": True})
    ['invalidate', '--json', '--dry-run', '--name=f']
    >>> words_of({"do": "retry"})
    ['retry', '--json']
    """
    do, preview = asked.get("do"), bool(asked.get("preview"))
    if do not in ("invalidate", "retry", "undo") or (preview and do == "retry"):
        raise UsageError(f"a page cannot ask for {do!r:.40}")
    words = [do, "--json"]
    if preview:
        words.append("--dry-run")
    elif do != "retry":
        words.append("--yes")
    for what, option in _WHAT.items():
        if value := asked.get(what):
            if do == "undo" or (do == "retry" and what == "key"):
                raise UsageError(f"{do} is not of one {what}")
            # With its option, so that no name is taken for one; no glob is meant.
            words.append(f"{option}={_plain(str(value))}")
    if do == "undo" and (number := asked.get("number")) is not None:
        if type(number) is not int:
            raise UsageError(f"{number!r:.40} is no number of what can be undone")
        words.append(str(number))
    return words


def acted(
    act: Callable[[list[str]], tuple[int, str, str]], asked: Mapping[str, Any]
) -> dict[str, Any]:
    """Do what a page asks; return what the command said.

    Parameters
    ----------
    act : callable
        Calls `tg` with some words; returns its exit code, its output, what it told.
    asked : mapping
        See `words_of`.

    Raises
    ------
    UsageError
        The command refused it.
    """
    code, said, told = act(words_of(asked))
    told = told.strip().removeprefix("tg: ")
    if code:
        raise UsageError(told or f"`tg {asked['do']}` ended with code {code}")
    try:
        plain = json.loads(said) if said.strip() else None
    except ValueError:
        plain = None
    return {"said": plain, "told": told}


def _plain(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
