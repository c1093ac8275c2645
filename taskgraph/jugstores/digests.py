"""The digests by which jug knows calls: SHA-1 over a name and the arguments.

As jug 2.7 makes them, without jug: containers and arrays piece by piece, anything else
as pickle's protocol 4 has it. They are of a call as it was written, so that calls which
are one task here may be several there.
"""

from __future__ import annotations

import functools
import os
import pickle
import sys
from hashlib import sha1
from operator import getitem
from typing import TYPE_CHECKING, Any

import numpy as np

from taskgraph.errors import TaskgraphError, UnhashableError
from taskgraph.hash import digests_made_by
from taskgraph.identity.parameters import Parameters
from taskgraph.io import NoLoad
from taskgraph.jugstores.pickles import PROTOCOL, checked_item, pickled
from taskgraph.mapreduce.building import manner_of
from taskgraph.mapreduce.mapped import Mapped
from taskgraph.tasks.task import Task, TaskGenerator
from taskgraph.tasks.tasklet import Tasklet
from taskgraph.tasks.unpacking import item_of
from taskgraph.tasks.values import tasks_in
from taskgraph.unsafe import NoHash
from taskgraph.utils.hashed import CustomHash, hash_with_mtime_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from hashlib import _Hash

_NAMES = {
    "taskgraph.utils.identity": "identity",
    "taskgraph.utils.jug_execute": "jug.utils.jug_execute",
    "taskgraph.utils.glob_sort": "jug.utils.glob_sort",
    "taskgraph.io.write_task_out": "jug.io._do_write_task_out",
}
"""What our functions of jug's names are called there."""
_MAPS = {"map": "_jug_map", "currymap": "_jug_map_curry"}


class JugDigests:
    """The digests of tasks in jug, each made once.

    Parameters
    ----------
    has : callable
        Returns whether there is a result by a digest: what a block of `reduce` was
        made of is told from that.

    Examples
    --------
    >>> JugDigests().of(Task(divmod, 7, 2))
    '560ecae63aabc30f365a211b511df8e54a1ed51a'
    """

    def __init__(self, has: Callable[[str], bool] = lambda _: False) -> None:
        self._has = has
        self._known: dict[Task, bytes | UnhashableError] = {}

    def of(self, task: Task) -> str:
        """Return the digest of a task, in hexadecimal digits.

        Raises
        ------
        UnhashableError
            It, or a task that it needs, has an argument that jug cannot have had.
        """
        left = [task]
        while left:  # no recursion: chains may be long
            last = left[-1]
            if last in self._known:
                left.pop()
                continue
            needs = dict.fromkeys(tasks_in((last.args, last.kwargs)))
            lacking = [need for need in needs if need not in self._known]
            left += lacking
            if not lacking:
                self._known[last] = self._tried(last)
        return self._of_task(task).decode()

    def of_value(self, value: Any) -> str:
        """Return the digest of a value, as ``jug.hash.hash_one`` does."""
        return self._one(value).decode()

    def _of_task(self, task: Task) -> bytes:
        known = self._known[task]
        if isinstance(known, UnhashableError):
            raise known
        return known

    def _tried(self, task: Task) -> bytes | UnhashableError:
        try:
            return self._made(task)
        except UnhashableError as error:
            return error
        except (TaskgraphError, OSError, RecursionError) as error:
            return UnhashableError("", str(error))

    def _made(self, task: Task) -> bytes:
        function: Any = task.f
        manner = manner_of(function)
        if manner is not None:
            return self._of_many(task, manner, function.__wrapped__)
        args, kwargs = _as_written(task)
        if hasattr(function, "__taskgraph_compound__"):
            function = function.__wrapped__
        name = task.name if task.generator.named_by_hand else _name(function)
        return self._call(_NAMES.get(name, name), args, kwargs)

    def _call(self, name: str, args: Any, kwargs: Any = None) -> bytes:
        parts = ("name", name.encode()), ("args", args), ("kwargs", kwargs or {})
        return self._digest(parts)

    def _of_many(self, task: Task, manner: str, plain: Any) -> bytes:
        """Return the digest of a block of `map`, `currymap` or `reduce`."""
        *given, items = task.args
        written = _as_generator(plain) or plain
        if given or task.kwargs:
            written = functools.partial(plain, *given, **task.kwargs)
        module = "jug.mapreduce"
        if manner in _MAPS:
            mapper = _Known(self._one(written))
            chosen = mapper if isinstance(written, TaskGenerator) else written
            return self._call(f"{module}.{_MAPS[manner]}", (chosen, items))
        later = self._call(f"{module}._jug_reduce", (written, items))
        if self._has(later.decode()):
            return later
        return self._call(f"{module}._jug_map_reduce", (written, None, items))

    def _digest(self, pairs: Iterable[tuple[Any, Any]], start: bytes = b"") -> bytes:
        digest = sha1(start, usedforsecurity=False)
        self._feed(digest, pairs)
        return digest.hexdigest().encode()

    def _one(self, value: Any) -> bytes:
        return self._digest([("hash1", value)])

    def _feed(self, digest: _Hash, pairs: Iterable[tuple[Any, Any]]) -> None:
        for label, value in pairs:
            digest.update(pickle.dumps(label, PROTOCOL))
            self._feed_value(digest, value)

    def _feed_value(self, digest: _Hash, value: Any) -> None:
        kind = type(value)
        own = self._own(value)
        if own is not None:
            digest.update(own)
        elif kind is list or kind is tuple:
            digest.update(repr(kind).encode())
            self._feed(digest, enumerate(value))
        elif kind is set or kind is frozenset:
            digest.update(kind.__name__.encode())
            self._feed(digest, enumerate(sorted(map(self._one, value))))
        elif kind is dict:
            digest.update(b"dict")
            entries = [(self._one(key), entry) for key, entry in value.items()]
            self._feed(digest, sorted(entries, key=lambda entry: entry[0]))
        elif kind is np.ndarray:
            self._feed_array(digest, value)
        else:
            digest.update(pickled(value))

    def _feed_array(self, digest: _Hash, array: np.ndarray[Any, Any]) -> None:
        digest.update(b"np.ndarray")
        digest.update(pickle.dumps(array.dtype, PROTOCOL))
        digest.update(pickle.dumps(array.shape, PROTOCOL))
        if array.dtype.hasobject:
            self._feed(digest, enumerate(array.ravel().tolist()))
            return
        try:
            digest.update(array.data)
        except (BufferError, ValueError):
            digest.update(array.copy().data)

    def _own(self, value: Any) -> bytes | None:
        """Return what a value says itself of its digest, None if nothing."""
        if isinstance(value, Task):
            return self._of_task(value)
        if isinstance(value, Tasklet):
            return self._of_tasklet(value)
        if isinstance(value, Mapped):
            return self._of_mapped(value)
        if isinstance(value, NoHash):
            return b"nohash"
        if isinstance(value, _Known):
            return value.digest
        if isinstance(value, CustomHash):
            return self._custom(value)
        if hasattr(value, "__jug_hash__"):
            with digests_made_by(self._one):
                return _bytes(value.__jug_hash__())
        return None

    def _custom(self, value: CustomHash) -> bytes:
        if value.hash_function is hash_with_mtime_size:
            about = os.stat_result(os.stat(value.obj))  # noqa: PTH116 - jug's, in seconds
            return self._one((value.obj, about.st_mtime, about.st_size))
        with digests_made_by(self._one):
            return _bytes(value.hash_function(value.obj))

    def _of_tasklet(self, tasklet: Tasklet) -> bytes:
        step: Any = tasklet.f
        if isinstance(tasklet, NoLoad):
            step = "NoLoad"
        elif step is getitem:
            step = _Known(self._one(("jug.task._getitem", tasklet.step[1])))
        elif step is item_of:
            step = checked_item(*tasklet.step[1:])
        return self._digest([("base", tasklet.base), ("f", step)], b"Tasklet")

    def _of_mapped(self, mapped: Mapped) -> bytes:
        whole = mapped.base or mapped
        about = {
            "type": "map-access",
            "len": len(whole),
            "blocks": list(whole.blocks),
            "block_size": whole.size,
        }
        if mapped.base is None:
            return self._one(about)
        places = mapped.places
        return self._one(
            {
                "type": "map-access-slice",
                "base": _Known(self._one(about)),
                "start": places.start,
                "stop": places.stop,
                "stride": places.step,
            }
        )


class _Known:
    """Stands for a value whose digest is known."""

    def __init__(self, digest: bytes) -> None:
        self.digest = digest


def _as_written(task: Task) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of a task without the defaults that are passed like some.

    Examples
    --------
    >>> def f(x, options={"a": 1}): return x
    >>> Task(f, 1).kwargs, _as_written(Task(f, 1))
    ({'options': {'a': 1}}, ((1,), {}))
    """
    known = Parameters.of(task.f)
    passed = {default.name: default.value for default in known.live}
    args, kwargs = task.args, task.kwargs
    if not passed:
        return args, kwargs
    nothing, count = object(), len(args)
    places = dict(enumerate(known.names))
    while count and passed.get(places.get(count - 1, ""), nothing) is args[count - 1]:
        count -= 1
    left = {k: x for k, x in kwargs.items() if passed.get(k, nothing) is not x}
    return args[:count], left


def _name(function: Any) -> str:
    return f"{function.__module__}.{function.__name__}"


def _as_generator(function: Any) -> TaskGenerator | None:
    """Return the generator that a module has by the name of a function, if it has."""
    module = sys.modules.get(str(function.__module__))
    found = getattr(module, function.__name__, None)
    return found if isinstance(found, TaskGenerator) else None


def _bytes(said: Any) -> bytes:
    if not isinstance(said, bytes):
        raise UnhashableError("", f"its digest is {type(said).__name__}, not bytes")
    return said
