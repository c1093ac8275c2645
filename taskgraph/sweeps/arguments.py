"""The arguments of tasks as columns of their parameters' names."""

from __future__ import annotations

import inspect
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from taskgraph.displays.cells import free_name, spread
from taskgraph.identity.defaults import Default
from taskgraph.identity.parameters import Parameters

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from taskgraph.tasks.task import Task, TaskGenerator

_GENERATOR = attrgetter("generator")


def argument_columns(tasks: Sequence[Task]) -> dict[str, list[Any]]:
    """Return a column of cells for each parameter of the functions of some tasks.

    Defaults are filled in. What ``*args`` took is in one column, what ``**kwargs``
    took in one for each name. Of a function without a signature the columns are
    called by position.

    Examples
    --------
    >>> from taskgraph import Task
    >>> argument_columns([Task(divmod, 7, 2), Task(divmod, 9, 4)])
    {'x': [7, 9], 'y': [2, 4]}
    """
    found: dict[str, list[Any]] = {}
    start = 0
    for generator, group in groupby(tasks, _GENERATOR):
        part = list(group)
        for name, values in _of_generator(generator, part).items():
            if name not in found:
                found[name] = [None] * len(tasks)
            found[name][start : start + len(part)] = values
        start += len(part)
    columns: dict[str, list[Any]] = {}
    for name, values in found.items():
        for title, cells in spread(values, name, name).items():
            columns[free_name(title, columns)] = cells
    return columns


def _of_generator(
    generator: TaskGenerator, tasks: Sequence[Task]
) -> Mapping[str, Sequence[Any]]:
    """Return the values of each parameter, those of calls of one function."""
    parameters = Parameters.of(generator.function)
    signature = parameters.signature
    kinds = [] if signature is None else list(signature.parameters.values())
    rest = next(
        (p.name for p in kinds if p.kind is inspect.Parameter.VAR_POSITIONAL), None
    )
    names = parameters.names
    rows = [parameters.bind(generator.name, task.args, task.kwargs) for task in tasks]
    if rest is None and all(len(a) == len(names) and not k for a, k in rows):
        columns = zip(*(args for args, _ in rows), strict=True)
        return {
            name: list(map(_given, column))
            for name, column in zip(names, columns, strict=True)
        }
    found: dict[str, list[Any]] = {name: [None] * len(rows) for name in names}
    for row, (args, kwargs) in enumerate(rows):
        values = dict(zip(names, args, strict=False))
        more = args[len(names) :]
        if rest is not None:
            values[rest] = list(more)
        else:
            values |= {f"[{len(names) + n}]": value for n, value in enumerate(more)}
        for name, value in kwargs.items():
            values[free_name(name, values)] = value
        for name, value in values.items():
            if name not in found:
                found[name] = [None] * len(rows)
            found[name][row] = _given(value)
    return found


def _given(value: Any) -> Any:
    return value.value if type(value) is Default else value
