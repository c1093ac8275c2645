"""Results that were made by other code than their functions have now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from taskgraph.fingerprints.parts import changed_parts, differs, recorded
from taskgraph.upkeep.code.acceptance import accepted, is_accepted

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence

    from backends.interface import Backend, Key
    from taskgraph.tasks.graph import Graph
    from taskgraph.tasks.jugfile import Loaded
    from taskgraph.tasks.task import TaskGenerator

_FEW = 2_000
"""Tasks up to which all are looked at before a run; of more some are."""
_SOME = 200
_NAMED = 3
_NOTEBOOK = "__main__."
"""What the names of functions begin with that a notebook defines, each notebook."""


@dataclass(slots=True)
class Change:
    """The results of a function that were made by other code.

    Attributes
    ----------
    name : str
        The function's.
    keys : list of bytes
        Whose results these are.
    codes : dict
        By the code of now (more than one if tasks are given code), as it is recorded,
        the digests of the codes that made the results, with their keys.
    parts : set of str
        What is other than it was of what the function uses; empty if that is the
        function itself, too.
    itself : bool
        Whether that is so.
    """

    name: str
    keys: list[Key] = field(default_factory=list)
    codes: dict[str, dict[str, list[Key]]] = field(default_factory=dict)
    parts: set[str] = field(default_factory=set)
    itself: bool = False

    def plain(self) -> dict[str, Any]:
        """Return it as plain data, for other programs."""
        return {
            "name": self.name,
            "results": len(self.keys),
            "parts": sorted(self.parts),
            "itself": self.itself,
        }

    def add(self, key: Key, text: str, now: str, parts: Iterable[str]) -> None:
        """Add a result, the code that made it, that of now, and what is other now."""
        found = set(parts)
        self.keys.append(key)
        old, _ = recorded(text)
        self.codes.setdefault(now, {}).setdefault(old, []).append(key)
        self.itself = self.itself or not found
        self.parts = set() if self.itself else self.parts | found

    def only(self, wanted: Container[tuple[str, str]]) -> Change:
        """Return what of it was made by some codes: pairs of function and digest."""
        codes = {
            now: {old: keys for old, keys in olds.items() if (self.name, old) in wanted}
            for now, olds in self.codes.items()
        }
        left = [
            key for olds in codes.values() for keys in olds.values() for key in keys
        ]
        some = {now: olds for now, olds in codes.items() if olds}
        return Change(self.name, left, some, set(self.parts), self.itself)


def changes(
    loaded: Loaded, select: Callable[[str], bool] | None = None
) -> list[Change]:
    """Return what was made by other code, and is not accepted, by function.

    Parameters
    ----------
    loaded : Loaded
        The graph, and its results as of the last poll.
    select : callable, optional
        Says of a function's name whether it is looked at; all by default.
    """
    tasks = loaded.graph.tasks
    if select is not None:
        wanted = {g for g in loaded.graph.generators if select(g.name)}
        tasks = [task for task in tasks if task.generator in wanted]
    return _changes(loaded, [task.key for task in tasks])


def _changes(loaded: Loaded, keys: Iterable[Key]) -> list[Change]:
    graph, results = loaded.graph, loaded.results
    known = None
    found: dict[str, Change] = {}
    for key, text in results.codes(keys):
        task = graph[key]
        now = graph.codes.of(task)
        if differs(text, now):
            known = accepted(results.backend) if known is None else known
            if not is_accepted(known, task.name, text, now):
                change = found.setdefault(task.name, Change(task.name))
                change.add(key, text, now.text, changed_parts(text, now))
    return [found[name] for name in sorted(found)]


def told_changes(loaded: Loaded, *, from_python: bool = False) -> str:
    """Return what to tell of results that were made by other code, before a run.

    Empty if there are none. They are kept until the user says otherwise: a change
    may be one of style. How he says so is a command, or a call for whoever runs tasks
    `from_python`. Of a large graph some tasks of each function are looked at first.
    """
    backend = loaded.results.backend
    backend.refresh()
    if not backend.position or _made_by_code_of_now(loaded):
        return ""
    graph = loaded.graph
    if len(graph) > _FEW and not _changes(loaded, _some(graph, backend)):
        return ""
    return told_of(changes(loaded), backend.url, from_python=from_python)


def _made_by_code_of_now(loaded: Loaded) -> bool:
    """Return whether all that the store has was surely made by the code of now.

    Records say once for many by which functions they were made, so that a store where
    nothing has changed need not be asked where each of its records is.
    """
    codes = loaded.graph.codes
    if codes.are_given(loaded.graph.recordings):
        return False
    makers = loaded.results.makers(_SOME)
    if makers is None:
        return False
    texts: dict[str, list[str]] = {}
    for name, text in makers:
        texts.setdefault(name, []).append(text)
    return not any(
        differs(text, codes.of_function(generator))
        for generator in loaded.graph.generators
        for text in texts.get(generator.name, ())
    )


def _some(graph: Graph, backend: Backend) -> list[Key]:
    """Return the first and the last task with a result of each function, and others."""
    tasks, many = graph.tasks, len(graph.generators)
    found = dict.fromkeys(task.key for task in tasks[:: len(tasks) // _SOME])
    for backwards in (False, True):
        seen: set[TaskGenerator] = set()
        for generator, places in graph.runs(backwards=backwards):
            if generator in seen:
                continue
            for task in map(tasks.__getitem__, places):
                where = backend.find(task.key)
                if where is not None and not where.failure:
                    found[task.key] = None
                    seen.add(generator)
                    break
            if len(seen) == many:
                break
    return list(found)


def told_of(
    found: Sequence[Change], url: str = "", *, from_python: bool = False
) -> str:
    """Return in words what was made by other code, and what can be done about it.

    Parameters
    ----------
    found : sequence of Change
        What was.
    url : str, optional
        Of the store.
    from_python : bool, optional
        Whether calls are named, and not commands.
    """
    if not found:
        return ""
    one = len(found) == 1 and len(found[0].keys) == 1
    what = "; ".join(described(change) for change in found)
    it, them = ("it is", "it") if one else ("they are", "them")
    name = short_name(found[0].name) if len(found) == 1 else "NAME"
    ways = [f"`tg verify {name}`", f"`tg accept {name}`", "`tg invalidate --changed`"]
    if from_python:
        calls = ("verify(...)", "accept(...)", "invalidate(..., changed=True)")
        ways = [f"`taskgraph.{call}`" for call in calls]
    shared = "://" in url  # others may call theirs the same
    whose = "another project's" if shared else ""
    if all(change.name.startswith(_NOTEBOOK) for change in found):
        whose = "another notebook's"
    other = f"; if they are {whose}, take another store" if whose else ""
    return (
        f"{what}: {it} kept; {ways[0]} compares, {ways[1]} keeps {them} for good, "
        f"{ways[2]} forgets {them}{other}"
    )


def described(change: Change) -> str:
    """Return one change in words.

    Examples
    --------
    >>> change = Change("work.segment", [b""] * 112)
    >>> change.parts = {"work.grey()"}
    >>> described(change)
    'code of `segment` (its helper `grey`) changed since 112 results'
    """
    results = "1 result" if len(change.keys) == 1 else f"{len(change.keys)} results"
    name = short_name(change.name)
    return f"code of `{name}`{_because(change.parts)} changed since {results}"


def short_name(name: str) -> str:
    """Return the name of a function without its module."""
    return name.rpartition(".")[2]


def _because(parts: Iterable[str]) -> str:
    """Return what changed, in brackets; a helper that moved is named once.

    Examples
    --------
    >>> _because({"old.scale()", "new.scale()", "new.SIZE"})
    ' (its constant `SIZE`, its helper `scale`)'
    """
    named = list(dict.fromkeys(_part(name) for name in sorted(parts)))
    if not named:
        return ""
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return f" ({', '.join(named[:_NAMED])}{more})"


def _part(name: str) -> str:
    """Return what a part is, and is called.

    Examples
    --------
    >>> [_part(name) for name in ("w.g()", "w.Model:", "w.K", "w.f(k)", "w.*")]
    ['its helper `g`', 'its class `Model`', 'its constant `K`', 'its default `k`', \
'its module `w`']
    """
    for end, kind in (("()", "helper"), (":", "class"), (".*", "module")):
        if name.endswith(end):
            return f"its {kind} `{short_name(name.removesuffix(end))}`"
    if name.endswith(")"):
        return f"its default `{name.rpartition('(')[2][:-1]}`"
    return f"its constant `{short_name(name)}`"
