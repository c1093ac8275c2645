"""Compound tasks: a function that writes tasks down, and is not called once they ran.

A compound task has the key of the call of its function. As long as that has no result,
the function is called where it is written down, the tasks that it writes down join the
others, and one more keeps what they come to under the compound's own key. When that has
a result, the function is called no more: the graph has one task in the place of many.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from taskgraph.context import open_store
from taskgraph.execution.at_once import run_at_once
from taskgraph.names import known_as
from taskgraph.tasks.graph import Graph
from taskgraph.tasks.recording import Recording, recorded_in
from taskgraph.tasks.task import Task, TaskGenerator
from taskgraph.tasks.values import tasks_in, value

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CompoundTask", "CompoundTaskGenerator"]


@known_as("taskgraph")
def CompoundTask(f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Task:  # noqa: N802 - jug's name
    """Write down what a function writes down, unless the result is known.

    Parameters
    ----------
    f : function
        Returns a task, or a container of tasks; gets the arguments as they are, tasks
        as tasks. It may stop at barriers. What it returns must depend on its arguments
        only.
    *args, **kwargs
        Its arguments; tasks among them are part of the key, as in `Task`.

    Returns
    -------
    Task
        Its result is that of what `f` returned, with results in the place of tasks.

    Notes
    -----
    As long as it has no result, `f` is called each time the jugfile is read. `tg
    cleanup` takes the results of the inner tasks once the compound's is known: nothing
    names them any more.
    What it was made of is in its record: ``tg invalidate --name``, of an inner
    function, takes it along, also when the graph has it alone.

    Examples
    --------
    >>> from taskgraph import Task, run, value
    >>> def extent(numbers):
    ...     return {"from": Task(min, numbers), "to": Task(max, numbers)}
    >>> whole = CompoundTask(extent, [3, 1, 2])
    >>> [task.name for task in whole.needs]
    ['builtins.min', 'builtins.max']
    >>> _ = run(whole, store=(store := open_store("memory://")))
    >>> store.load(whole.key)
    {'from': 1, 'to': 3}
    """
    generator = f if isinstance(f, TaskGenerator) else TaskGenerator(f)
    return _written_down(_Variants(generator), args, kwargs)


@known_as("taskgraph")
def CompoundTaskGenerator(f: Callable[..., Any]) -> Callable[..., Any]:  # noqa: N802 - jug's name
    """Return a function that writes down a compound task at each call of `f`.

    Examples
    --------
    >>> from taskgraph import Task
    >>> @CompoundTaskGenerator
    ... def extent(numbers):
    ...     return Task(min, numbers), Task(max, numbers)
    >>> extent([3, 1, 2]).name.endswith("extent"), extent.f([3, 1])[0].args
    (True, ([3, 1],))
    """
    plain = f.f if isinstance(f, TaskGenerator) else f
    variants = _Variants(f if isinstance(f, TaskGenerator) else TaskGenerator(f))

    @functools.wraps(plain)
    def write_down(*args: Any, **kwargs: Any) -> Task:
        return _written_down(variants, args, kwargs)

    write_down.f = plain  # type: ignore[attr-defined] # as a generator has it
    write_down.__taskgraph_generator__ = True  # type: ignore[attr-defined]
    return write_down


def _written_down(
    variants: _Variants, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Task:
    """Write a compound task down: whole if it has a result, else with its inside."""
    task: Task = variants.generator(*args, **kwargs)
    recording, key = task.recording, task.key  # that of this call, whatever it becomes
    if recording.context().results is not None and task.can_load():
        task.generator = variants.whole
        return task
    if recording.tasks[-1] is task:
        recording.tasks.pop()
    else:  # another thread writes tasks down, too
        recording.tasks.remove(task)
    inside = variants.generator.function(*task.args, **task.kwargs)
    task.call = (inside,)
    task.key, task.generator, task.mutable = key, variants.last, False
    task.needs = tuple(dict.fromkeys(tasks_in(inside)))
    recording.tasks.append(task)
    return task


class _Variants:
    """The generators of a compound's tasks: all of one name, and so of one key.

    Attributes
    ----------
    generator : TaskGenerator
        What gives calls of the function their keys.
    last : TaskGenerator
        Of tasks that get what the function's tasks came to.
    whole : TaskGenerator
        Of tasks that have a result.
    """

    def __init__(self, generator: TaskGenerator) -> None:
        self.generator = generator
        self.last = _like(generator, _Last(generator.function))
        self.whole = _like(generator, _Whole(generator.function))


def _like(generator: TaskGenerator, function: Callable[..., Any]) -> TaskGenerator:
    """Return a generator of the same keys, of whose tasks a function is called."""
    like: TaskGenerator = object.__new__(TaskGenerator)
    vars(like).update(vars(generator), function=function)
    return like


class _Last:
    """Hands on what the tasks of a compound came to."""

    __taskgraph_compound__ = "last"

    def __init__(self, f: Callable[..., Any]) -> None:
        self.__wrapped__ = f  # its code is what results are made by

    def __call__(self, inside: Any) -> Any:
        return inside


class _Whole:
    """Makes the result of a compound anew, in one task: others have lost it meanwhile.

    A jugfile that is read after that has the inner tasks again.
    """

    __taskgraph_compound__ = "whole"

    def __init__(self, f: Callable[..., Any]) -> None:
        self.__wrapped__ = f

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        recording = Recording[Task](open_store("memory://"), run_at_once)

        def run(_missing: tuple[bytes, ...] = ()) -> bool:
            for task in Graph(recording.tasks).tasks:
                task.run_once()
            return True

        recording.wait = run
        with recorded_in(recording):
            inside = self.__wrapped__(*args, **kwargs)
            run()
            return value(inside)
