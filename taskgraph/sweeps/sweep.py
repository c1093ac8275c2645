"""Sweeps: calls of one function at many points, and what came of them."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from taskgraph.context import open_store
from taskgraph.displays.cells import spread
from taskgraph.errors import UsageError
from taskgraph.identity.functions import function_name
from taskgraph.names import known_as
from taskgraph.sweeps.calls import Calls
from taskgraph.sweeps.plotting import plot
from taskgraph.sweeps.points import Point, plain, points_of
from taskgraph.sweeps.tabulating import results_of, tabulate
from taskgraph.tasks.barriers import bvalue
from taskgraph.tasks.recording import current_recording
from taskgraph.tasks.task import Task, TaskGenerator
from taskgraph.tasks.tasklet import Tasklet
from taskgraph.tasks.values import value

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

    import pandas

    from taskgraph.identity.hashing import Encoder
    from taskgraph.sweeps.tables import Table


@known_as("taskgraph")
class Sweep(Sequence[Task]):
    """The tasks of a sweep, with their parameters; made by `sweep`.

    It is a sequence of its tasks, and an argument like a list of them: a function that
    gets it gets their results.

    Attributes
    ----------
    tasks : list of Task
        One for each point.
    points : list of dict
        What each call gets, without what all of them get.
    fixed : dict
        What all of them get.
    """

    def __init__(
        self, tasks: list[Task], points: list[Point], fixed: dict[str, Any]
    ) -> None:
        self.tasks, self.points, self.fixed = tasks, points, fixed

    def __len__(self) -> int:
        return len(self.tasks)

    @overload
    def __getitem__(self, place: int) -> Task: ...
    @overload
    def __getitem__(self, place: slice) -> Sweep: ...
    def __getitem__(self, place: int | slice) -> Task | Sweep:
        """Return a task, or a sweep of some."""
        if isinstance(place, slice):
            return Sweep(self.tasks[place], self.points[place], self.fixed)
        return self.tasks[place]

    def __iter__(self) -> Iterator[Task]:
        return iter(self.tasks)

    def __repr__(self) -> str:
        name = self.tasks[0].name if self.tasks else "nothing"
        return f"Sweep({len(self)} calls of {name})"

    def _repr_html_(self) -> str:
        """Return points and states; results are read by `table`."""
        from taskgraph.sweeps.known_results import states_of_tasks
        from taskgraph.sweeps.tables import Table

        if not self.tasks:
            return Table({})._repr_html_()
        states = states_of_tasks(self.tasks, results_of(self.tasks))
        return Table({**self._arguments(), "state": states})._repr_html_()

    def table(self, *, store: Any = None) -> Table:
        """Return a row for each task: its parameters, what came out, its state.

        As `taskgraph.table` does, but only with the parameters of this sweep.

        Parameters
        ----------
        store : str, path, Backend or Results, optional
            Where the results are; by default where these tasks were run, or where
            `set_jugdir` says.
        """
        results = results_of(self.tasks) if store is None else open_store(store)
        return tabulate(self.tasks, results, arguments=self._arguments())

    def to_frame(self, *, store: Any = None) -> pandas.DataFrame:
        """Return the same as a data frame of pandas; see `Table.to_frame`."""
        return self.table(store=store).to_frame()

    def to_csv(self, path: str | os.PathLike[str]) -> Path:
        """Write the same as CSV; see `Table.to_csv`."""
        return self.table().to_csv(path)

    def to_parquet(self, path: str | os.PathLike[str]) -> Path:
        """Write the same as Parquet; see `Table.to_parquet`."""
        return self.table().to_parquet(path)

    def best(self, name: str, *, lowest: bool = False) -> dict[str, Any]:
        """Return the row with the highest, or lowest, number of a column.

        A jugfile waits here until all tasks have results, as at `bvalue`: else it would
        go on with the best of those that happen to be done. Elsewhere it is the best so
        far.

        Parameters
        ----------
        name : str
            The column.
        lowest : bool, optional
            Whether less is better.

        Raises
        ------
        BarrierError
            In a jugfile, if not all have results.
        NoResultError
            No task has a value there.
        UsageError
            There is no such column, or it holds something else than numbers.
        """
        wait_if_read(self.tasks)
        return self.table().best(name, lowest=lowest)

    def plot(self, x: str, y: str, *, by: str | None = None, ax: Any = None) -> Any:
        """Draw a column over another one; return the axes of matplotlib.

        Parameters
        ----------
        x, y : str
            Columns. Rows without a value in one of them are left out.
        by : str, optional
            A column: a line of its own for each of its values.
        ax : matplotlib.axes.Axes, optional
            Where to draw; in a new figure by default.

        Raises
        ------
        UsageError
            There is no such column, or matplotlib is not installed.
        """
        return plot(self.table(), x, y, by=by, ax=ax)

    def _arguments(self) -> dict[str, list[Any]]:
        rows = [{**point, **self.fixed} for point in self.points]
        names = dict.fromkeys(name for row in rows for name in row)
        columns: dict[str, list[Any]] = {}
        for name in names:
            columns |= spread([row.get(name) for row in rows], name, name)
        return columns

    def __taskgraph_encode__(self, encoder: Encoder) -> bytes:
        """Return what stands for it in a key: what stands for the list of its tasks."""
        return encoder.item(self.tasks)

    def __taskgraph_parts__(self) -> tuple[Any, ...]:
        """Return what it is made of."""
        return (self.tasks,)

    def __taskgraph_value__(self) -> list[Any]:
        """Return the results of its tasks."""
        found: list[Any] = value(self.tasks)
        return found


@known_as("taskgraph")
def sweep(f: Callable[..., Any] | TaskGenerator, grid: Any, /, **fixed: Any) -> Sweep:
    """Write down a call of a function for each point of a grid, or row of a frame.

    Parameters
    ----------
    f : TaskGenerator or function
        What to call, each point by the names of its parameters. Also what else writes
        tasks down: under `return_tuple`, compounds, partials of these.
    grid : mapping, frame or iterable of mappings
        A mapping of names to lists of values: each is taken with each, the last name
        first. Or a frame of pandas or polars, or dicts: each row is a point; the index
        of pandas does not count. Values may be tasks. What numpy and Python have in
        common (float64, int64, bool, text) is passed as Python has it, NA and NaT of
        pandas as None; NaN stays NaN, in which pandas turns None among numbers.
    **fixed
        What all calls get.

    Returns
    -------
    Sweep
        The tasks, in the order of the points.

    Raises
    ------
    UsageError
        There is no point in it, a name is no parameter of `f`, or one is given twice.

    Notes
    -----
    Values for a parameter ``*args`` are lists, and what stands before it goes by
    position. A sweep that gets one more value computes only the points that are new.

    Examples
    --------
    >>> from taskgraph import run, sweep
    >>> found = sweep(divmod, {"x": [7, 9]}, y=4)
    >>> _ = run(found)
    >>> found.table().columns
    {'x': [7, 9], 'y': [4, 4], 'divmod[0]': [1, 2], 'divmod[1]': [3, 1],
     'state': ['done', 'done']}
    >>> found.best("divmod[1]")["x"]
    7
    """
    points = points_of(grid)
    if twice := [name for name in fixed if any(name in point for point in points)]:
        raise UsageError(
            f"{twice[0]!r} is in the grid, and fixed as well; leave out one of the two"
        )
    fixed = {name: plain(entry) for name, entry in fixed.items()}
    write_down, calls = _written_by(f)
    calls.require([{**point, **fixed} for point in points])
    tasks = []
    for point in points:
        args, kwargs = calls.arguments({**point, **fixed})
        tasks.append(_task_of(write_down(*args, **kwargs)))
    return Sweep(tasks, points, fixed)


def _written_by(f: Any) -> tuple[Callable[..., Any], Calls]:
    """Return what writes a call down, and how points become calls of it."""
    inner: Any = f.func if isinstance(f, functools.partial) else f
    if not hasattr(inner, "__taskgraph_generator__"):
        inner = f = TaskGenerator(f)
    plain = inner.f
    name = inner.name if isinstance(inner, TaskGenerator) else function_name(plain)
    if isinstance(f, functools.partial):
        plain = functools.partial(plain, *f.args, **f.keywords)
    return f, Calls(name, plain)


def _task_of(made: Any) -> Task:
    """Return the task that was written down: that of a tuple of views of it, too."""
    if isinstance(made, tuple) and made and isinstance(made[0], Tasklet):
        made = made[0].base
    if not isinstance(made, Task):
        raise UsageError(f"a sweep is of tasks, and not of {made!r:.60}")
    return made


def wait_if_read(tasks: Sequence[Task]) -> None:
    """Let a jugfile that is being read wait until all of these have results.

    Raises
    ------
    BarrierError
        They have not.
    """
    recording = current_recording()
    if recording is not None and recording.whole:
        bvalue(list(tasks))
