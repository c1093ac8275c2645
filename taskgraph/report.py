"""What came of a run: how many tasks are done, and why others are not."""

from __future__ import annotations

from collections import Counter
from dataclasses import field
from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from backends.errors import DamagedError
from backends.interface.frozen import frozen
from taskgraph.exit_codes import ExitCode
from taskgraph.names import known_as
from taskgraph.tasks.frontier import Frontier
from taskgraph.upkeep.asking import asking_of, nobody_has
from taskgraph.upkeep.status import states_of, status_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set

    from taskgraph.displays.markup import Markup
    from taskgraph.drawing.graph_shape import GraphShape
    from taskgraph.resources import Resources
    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import Loaded
    from taskgraph.upkeep.snapshot import Snapshot

_SHOWN_ERRORS = 3
_WORDS = {"open": "waiting"}
_STATES = ("done", "failed", "blocked", "open")
_Task = tuple[bytes, str, str]
"""Key, function and state."""


@known_as("taskgraph")
@frozen
class FailedTask:
    """Why a task has no result.

    Attributes
    ----------
    key : bytes
        That of the task.
    function : str
        The name of its function.
    arguments : str
        The call's arguments, in short.
    error, message : str
        The exception's class and its text.
    traceback : str
        Where it was raised, as Python prints it.
    output : str
        What the task had printed.
    """

    key: bytes
    function: str
    arguments: str
    error: str
    message: str
    traceback: str
    output: str

    def __repr__(self) -> str:
        """Return it with the digits of the key that `tg show` takes."""
        return (
            f"FailedTask(key={self.key.hex()[:12]}, function={self.function!r}, "
            f"arguments={self.arguments!r}, error={self.error!r}, "
            f"message={self.message!r})"
        )

    @property
    def sentence(self) -> str:
        """The exception's class and its text, as Python prints them."""
        return f"{self.error}: {self.message}".removesuffix(": ")

    def __str__(self) -> str:
        what = f"{self.function}({self.arguments}): {self.sentence}"
        return "\n".join(filter(None, (what, self.output, self.traceback)))


@known_as("taskgraph")
@frozen
class Report:
    """What came of a run.

    Attributes
    ----------
    done, failed, blocked, open : int
        How many tasks have a result, failed, wait for a failed one, or are neither.
    store : Results
        Where the results are.
    """

    done: int
    failed: int
    blocked: int
    open: int
    store: Results = field(repr=False)
    _tasks: Callable[[], Iterator[_Task]] = field(repr=False, compare=False)
    _asking: Mapping[str, Sequence[str]] = field(
        default_factory=dict, repr=False, compare=False
    )
    _shape: Callable[[], GraphShape] | None = field(
        default=None, repr=False, compare=False
    )

    def _repr_html_(self) -> str:
        from taskgraph.displays.markup import element, joined, standing_alone
        from taskgraph.drawing.svg import MOST_BOXES, svg

        counts = self.counts
        shape = self._shape() if self._shape is not None else None
        parts = [_table(counts) if counts else element("p", "no tasks")]
        if shape is not None and 0 < len(shape.boxes) <= MOST_BOXES:
            parts.append(element("div", svg(shape), class_="tgd-scroll", tabindex=0))
        parts += self._errors_html() if self.failed else []
        return standing_alone(joined(*parts))

    def _errors_html(self) -> list[Markup]:
        """Return the first causes, each once, and how many tasks failed of others."""
        from taskgraph.displays.markup import element
        from taskgraph.displays.texts import Text

        causes: dict[tuple[str, str, str], list[FailedTask]] = {}
        for error in self.errors:
            cause = (error.function, error.error, error.message)
            causes.setdefault(cause, []).append(error)
        shown = [*causes.values()][:_SHOWN_ERRORS]
        parts = []
        for first, *others in shown:
            parts.append(Text(str(first), first.function).html())
            if others:
                more = f"and {len(others)} more of {first.function}, in the same way"
                parts.append(element("p", more))
        left = self.failed - sum(map(len, shown))
        return [*parts, element("p", f"and {left} more failed")] if left > 0 else parts

    @property
    def exit_code(self) -> ExitCode:
        """0 if all is done, 1 if tasks failed or are blocked, 3 if some are open."""
        if self.failed or self.blocked:
            return ExitCode.NOT_DONE
        return ExitCode.GAVE_UP if self.open else ExitCode.DONE

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """How many tasks of each function are done, failed, blocked and open."""
        counted = Counter(map(itemgetter(1, 2), self._tasks()))
        names = dict.fromkeys(name for name, _ in counted)
        return {
            name: {state: counted[name, state] for state in _STATES} for name in names
        }

    def told_waiting(self, has: Resources, instead: str = "") -> str:
        """Return what to say if no worker has what open tasks ask for.

        Parameters
        ----------
        has : Resources
            What the workers of the run had.
        instead : str, optional
            What gives them more; that of the command line by default.
        """
        left = {name: row["open"] for name, row in self.counts.items()}
        return nobody_has(left, self._asking, has, instead)

    @property
    def states(self) -> dict[bytes, str]:
        """What each task is: done, failed, blocked or open, by its key."""
        return {key: state for key, _, state in self._tasks()}

    @property
    def errors(self) -> list[FailedTask]:
        """Why tasks failed, one after the other as they were written down."""
        failed = [
            (key, name) for key, name, state in self._tasks() if state == "failed"
        ]
        return [_why(self.store, key, name) for key, name in failed]


def _table(counts: Mapping[str, Mapping[str, int]]) -> Markup:
    """Return how many tasks of each function there are, by state, as a table."""
    from taskgraph.displays.numbers import counted
    from taskgraph.displays.table_view import TableView

    columns: dict[str, list[Any]] = {"function": list(counts)}
    columns |= {one: [row[one] for row in counts.values()] for one in _STATES}
    totals = {one: sum(columns[one]) for one in _STATES}
    said = [f"{totals['done']} of {counted(sum(totals.values()), 'task')} done"]
    said += [f"{totals[one]} {one}" for one in _STATES[1:] if totals[one]]
    return TableView(columns, len(counts), "functions").html(caption=", ".join(said))


def report_of(
    loaded: Loaded, gone: Set[bytes] = frozenset(), elsewhere: Set[bytes] = frozenset()
) -> Report:
    """Return how far a graph is by what the store knows now.

    Parameters
    ----------
    loaded : Loaded
        The graph, and its results.
    gone : set of bytes, optional
        What is not done although it is in the store.
    elsewhere : set of bytes, optional
        What is done although it is not: other stores have it.
    """
    backend = loaded.results.backend
    backend.poll()
    known = backend.keys()
    if gone or elsewhere:
        known = (known | elsewhere) - gone
    frontier = Frontier(loaded.graph, known, backend.failures())
    finished = frontier.finished
    done, failed = len(finished), len(frontier.failed)
    blocked = frontier.blocked() if failed else set()
    rest = len(loaded.graph) - done - failed - len(blocked)

    def tasks() -> Iterator[_Task]:
        states = dict.fromkeys(finished, "done")
        states |= dict.fromkeys(frontier.failed, "failed")
        states |= dict.fromkeys(blocked, "blocked")
        for task in loaded.graph.tasks:
            yield task.key, task.name, states.get(task.key, "open")

    more = bool(loaded.missing)
    return Report(
        len(finished),
        failed,
        len(blocked),
        rest + more,
        loaded.results,
        tasks,
        asking_of(loaded.graph.generators),
        lambda: _drawn(loaded, tasks()),
    )


def report_from(snapshot: Snapshot, results: Results) -> Report:
    """Return how far a graph is that somebody else has read."""
    backend = results.backend
    backend.refresh()
    done, failed, blocked = len(snapshot), 0, 0
    whole = results.has_all(snapshot.keys)
    if not whole:
        totals = status_in(snapshot, backend).totals
        done, failed, blocked = (totals[x] for x in ("done", "failed", "blocked"))
    rest = len(snapshot) - done - failed - blocked

    def tasks() -> Iterator[_Task]:
        if whole:
            names = map(snapshot.names.__getitem__, snapshot.functions)
            yield from zip(snapshot, names, repeat("done"), strict=False)
            return
        states = states_of(snapshot, backend.keys(), backend.failures(), ())
        for key, name in snapshot.named().items():
            yield key, name, states[key] if states[key] in _STATES else "open"

    def shape() -> GraphShape:
        from taskgraph.drawing.graph_shape import by_function

        known = status_in(snapshot, backend)
        return by_function(snapshot, known)

    more = not snapshot.complete
    asking = snapshot.asking
    return Report(done, failed, blocked, rest + more, results, tasks, asking, shape)


def _drawn(loaded: Loaded, tasks: Iterable[_Task]) -> GraphShape:
    """Return the functions of a graph that was read, with the counts of states."""
    from taskgraph.drawing.graph_shape import Box, GraphShape, short_names

    counts: dict[str, Counter[str]] = {}
    for _, name, state in tasks:
        counts.setdefault(name, Counter())[_WORDS.get(state, state)] += 1
    titles = dict(zip(counts, short_names(list(counts)), strict=True))
    boxes = [Box(name, titles[name], found) for name, found in counts.items()]
    place = {name: number for number, name in enumerate(counts)}
    arrows = Counter(
        (place[need.name], place[task.name])
        for task in loaded.graph.tasks
        for need in task.needs
    )
    return GraphShape(boxes, dict(arrows), (), bool(loaded.missing))


def _why(results: Results, key: bytes, name: str) -> FailedTask:
    """Return why a task failed, as far as it can be read."""
    try:
        record = results.record(key)
    except DamagedError as error:
        return FailedTask(key, name, "", type(error).__name__, str(error), "", "")
    if record is None or record.failure is None:
        why = "was forgotten since, or is done now"
        return FailedTask(key, name, "", "", why, "", "")
    failure = record.failure
    return FailedTask(
        key,
        name,
        record.summary,
        failure.error,
        failure.message,
        failure.traceback,
        record.output,
    )
