"""`map`, `currymap`, `reduce` and `mapreduce`: functions over sequences as tasks."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from itertools import starmap
from numbers import Integral
from typing import TYPE_CHECKING, Any

from taskgraph.errors import UsageError
from taskgraph.identity.functions import refuse_unfinished
from taskgraph.identity.parameters import Parameters
from taskgraph.mapreduce.mapped import Mapped
from taskgraph.tasks.task import Task, TaskGenerator
from taskgraph.unsafe import NoHash
from taskgraph.utils.identical import identity

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

MAP_STEP = 4
REDUCE_STEP = 8


def map(  # noqa: A001 - jug's name
    mapper: Callable[..., Any], sequence: Any, map_step: int = MAP_STEP
) -> Any:
    """Return what `mapper` makes of each item of a sequence: several in each task.

    The tasks have the name of `mapper`, so that ``tg invalidate --name`` finds them.

    Parameters
    ----------
    mapper : function or TaskGenerator
        Takes one item.
    sequence : list, tuple or Mapped
        The items; there may be tasks among them.
    map_step : int, optional
        How many items one task takes.

    Returns
    -------
    Mapped or list of Task
        As long as the sequence. A list of tasks if the step is 1.

    Raises
    ------
    UsageError
        The step is no whole number, or below 1, or the function has no name.

    Examples
    --------
    >>> from taskgraph import Task
    >>> letters = map(chr, list(range(97, 107)))
    >>> len(letters), len(letters.blocks), letters.blocks[0].name
    (10, 3, 'builtins.chr')
    """
    if _checked(map_step) == 1:
        written = _generator(mapper)
        return [written(item) for item in sequence]
    blocks = _blocks(_variant(mapper, _each, "map"), sequence, map_step)
    return Mapped(blocks, map_step, range(len(sequence)))


def currymap(
    mapper: Callable[..., Any], sequence: Any, map_step: int = MAP_STEP
) -> list[Any]:
    """Return what `mapper` makes of each tuple of arguments: several in each task.

    Parameters
    ----------
    mapper : function or TaskGenerator
        Takes as many arguments as the items have.
    sequence : list of tuple
        The arguments of each call.
    map_step : int, optional
        How many calls one task makes.

    Returns
    -------
    list of Tasklet or of Task
        As long as the sequence; of tasks if the step is 1.

    Examples
    --------
    >>> len(currymap(divmod, [(7, 2), (9, 4)]))
    2
    """
    if _checked(map_step) == 1:
        written = _generator(mapper)
        return [written(*item) for item in sequence]
    written = _variant(mapper, _each_spread, "currymap")
    blocks = _blocks(written, _spread_items(mapper, sequence), map_step)
    return list(Mapped(blocks, map_step, range(len(sequence))))


def reduce(
    reducer: Callable[..., Any], inputs: Any, reduce_step: int = REDUCE_STEP
) -> Any:
    """Return a task that comes to ``functools.reduce(reducer, inputs)``.

    Parameters
    ----------
    reducer : function or TaskGenerator
        Takes two items, or what two came to. It has to be associative; the order of
        the items stays.
    inputs : list, tuple or Mapped
        The items; there may be tasks among them.
    reduce_step : int, optional
        How many tasks' results one task reduces; the first ones take 4 items each.

    Returns
    -------
    Task
        Of no inputs, that of an empty list.

    Examples
    --------
    >>> import operator
    >>> from taskgraph import open_store, run
    >>> total = reduce(operator.add, list(range(100)))
    >>> _ = run(total, store=(store := open_store("memory://")))
    >>> store.load(total.key)
    4950
    """
    return mapreduce(reducer, None, inputs, reduce_step=reduce_step)


def mapreduce(
    reducer: Callable[..., Any],
    mapper: Callable[..., Any] | None,
    inputs: Any,
    map_step: int = MAP_STEP,
    reduce_step: int = REDUCE_STEP,
) -> Any:
    """Return a task that comes to ``functools.reduce(reducer, map(mapper, inputs))``.

    Parameters
    ----------
    reducer, mapper : function or TaskGenerator
        As `reduce` and `map` take them; no mapper hands the items on.
    inputs : list, tuple or Mapped
        The items; there may be tasks among them.
    map_step, reduce_step : int, optional
        How many items one task maps, or reduces if none are mapped; so many of these
        lists, or of what they came to, one task reduces.

    Examples
    --------
    >>> import operator
    >>> from taskgraph import open_store, run
    >>> total = mapreduce(operator.add, abs, list(range(-50, 50)))
    >>> _ = run(total, store=(store := open_store("memory://")))
    >>> store.load(total.key)
    2500
    """
    if _checked(reduce_step) == 1:
        raise UsageError("reduce_step=1 would never come to an end; 2 or more")
    written, first = _reducing(reducer), _checked(map_step)
    if mapper is not None:
        inputs, first = map(mapper, inputs, map_step), first * reduce_step
    found = _blocks(written, inputs, first)
    while len(found) > 1:
        found = _blocks(written, found, reduce_step)
    return found[0] if found else identity([])


def _checked(step: Any) -> int:
    if not isinstance(step, Integral) or step < 1:
        raise UsageError(f"a step of {step!r} items; it is 1 or more")
    return int(step)


def _blocks(written: TaskGenerator, items: Any, step: int) -> list[Task]:
    has_places = hasattr(items, "__len__") and hasattr(items, "__getitem__")
    if not has_places or isinstance(items, Mapping):
        raise UsageError(
            f"{written.name} is used on a {type(items).__name__}, whose items have no "
            "places; pass a list of them, as list(...) makes one"
        )
    return [written(items[start : start + step]) for start in _starts(items, step)]


def _starts(items: Any, step: int) -> Iterator[int]:
    return iter(range(0, len(items), step))


def _generator(f: Callable[..., Any]) -> TaskGenerator:
    return f if isinstance(f, TaskGenerator) else TaskGenerator(f)


def _reducing(reducer: Callable[..., Any]) -> TaskGenerator:
    written = _variant(reducer, _reduced, "reduce")
    if written.files:  # what one item comes to is a file that another task wrote
        raise UsageError(f"{written.name} has files=True: it cannot reduce")
    return written


def _variant(
    f: Callable[..., Any], way: Callable[..., Any], what: str
) -> TaskGenerator:
    """Return a generator of the same name whose tasks use a function on many items.

    The code that results are made by is that of the function.
    """
    plain = _generator(f)
    refuse_unfinished(plain.function, plain.name)
    label = what if plain.version is None else f"{what}, version {plain.version}"
    given, named = _uncounted(plain, what)
    many = functools.partial(_Many(plain.function, way), *given, **named)
    return TaskGenerator(
        many,
        name=plain.name,
        version=label,
        retries=plain.retries,
        retries_on=plain.retries_on,
        timeout=plain.timeout,
        files=plain.files,
        resources=plain.resources,
    )


def _uncounted(
    plain: TaskGenerator, what: str
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return what a generator's partial has, what it ignores out of the key.

    Raises
    ------
    UsageError
        It ignores what the items are.
    """
    given, named = plain._given  # noqa: SLF001 - a partial's, which are in each key
    names, ignored = Parameters.of(plain.function).names, plain.ignore
    items = names[len(given) :][: {"map": 1, "reduce": 2}.get(what, 0)]
    if lost := ignored.intersection(items):
        raise UsageError(
            f"{plain.name} ignores {', '.join(sorted(lost))}, which are the items that "
            f"`{what}` uses it on: the key would say nothing of them"
        )
    args = _without(
        dict(enumerate(given)), {n for n, name in enumerate(names) if name in ignored}
    )
    return tuple(args.values()), _without(named, ignored)


def _without(arguments: dict[Any, Any], ignored: Collection[Any]) -> dict[Any, Any]:
    return {
        name: NoHash(entry) if name in ignored else entry
        for name, entry in arguments.items()
    }


def _spread_items(f: Callable[..., Any], items: Any) -> Any:
    """Return tuples of arguments, those that a generator ignores out of the key."""
    if not isinstance(f, TaskGenerator) or not f.ignore:
        return items
    start = len(f._given[0])  # noqa: SLF001 - as in `_uncounted`
    names = Parameters.of(f.function).names[start:]
    places = {place for place, name in enumerate(names) if name in f.ignore}
    return [tuple(_without(dict(enumerate(item)), places).values()) for item in items]


class _Many:
    """A function that is used on many items, in one of the ways below."""

    def __init__(self, f: Callable[..., Any], way: Callable[..., Any]) -> None:
        self.__wrapped__ = f
        self.__name__ = getattr(f, "__name__", "function")
        self.way = way

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Many):
            return NotImplemented
        return (self.__wrapped__, self.way) == (other.__wrapped__, other.way)

    def __hash__(self) -> int:
        return hash((self.__wrapped__, self.way))

    def __call__(self, /, *args: Any, **named: Any) -> Any:
        *given, items = args
        return self.way(functools.partial(self.__wrapped__, *given, **named), items)


def manner_of(function: Callable[..., Any]) -> str | None:
    """Return whether a function of a task is that of `map`, `currymap` or `reduce`.

    Examples
    --------
    >>> from taskgraph import Task
    >>> manner_of(map(abs, [1, 2]).blocks[0].f), manner_of(Task(abs, 1).f)
    ('map', None)
    """
    ways = {_each: "map", _each_spread: "currymap", _reduced: "reduce"}
    return ways[function.way] if isinstance(function, _Many) else None


def _each(f: Callable[..., Any], items: list[Any]) -> list[Any]:
    return [f(item) for item in items]


def _each_spread(f: Callable[..., Any], items: list[Any]) -> list[Any]:
    return list(starmap(f, items))


def _reduced(f: Callable[..., Any], items: list[Any]) -> Any:
    return functools.reduce(f, items)
