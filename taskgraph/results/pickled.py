"""Values as pickles, whole, and never one that cannot be loaded again.

What pickle writes is not always what it can read: a class may ask for arguments that
nobody kept, or raise as it is given its state. So what is not known to come back is
loaded once when it is stored, by whoever made it, not years later by whoever needs it.
"""

from __future__ import annotations

import io
import pickle
from functools import lru_cache
from operator import methodcaller
from types import BuiltinFunctionType, FunctionType
from typing import TYPE_CHECKING, Any

from taskgraph.errors import TaskgraphError
from taskgraph.identity.functions import function_at
from taskgraph.identity.naming import public_module
from taskgraph.identity.numpy_state import is_numpy_base
from taskgraph.identity.standard_types import known_type
from taskgraph.loaded import home_of, loaded
from taskgraph.names import known_as
from taskgraph.results import attributes

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEEPEST = 20
"""How far into a value is looked for what is wrong with it."""
_COMING_BACK = frozenset(("pandas", "pyarrow"))
"""Packages whose own classes are loaded as they were, and often large."""
_BY_NAME = "cython_function_or_method"
"""What pickle finds by its name, after looking whether it is there."""


@known_as("taskgraph")
class UnstorableError(TaskgraphError):
    """A result cannot be pickled, or not be loaded again."""


class _NotLoadedError(Exception):
    """What was pickled cannot be loaded again."""


def pickled(value: object, blob_size: int) -> tuple[bytes, list[Any]]:
    """Return the pickle of a value, and the buffers that are not in it.

    Parameters
    ----------
    value : object
        Anything.
    blob_size : int
        Bytes from which on a buffer stays out of the pickle.

    Raises
    ------
    UnstorableError
        It cannot be pickled, or not be loaded again; names the part and what to return
        instead.

    Examples
    --------
    >>> pickled({1: print}, 100)[1]
    []
    >>> pickled({1: [len, lambda: 1]}, 100)
    Traceback (most recent call last):
    taskgraph.UnstorableError: the result of type dict cannot be stored: its part ...
    """
    try:
        return _tried(value, blob_size)
    except MemoryError:
        raise
    except Exception as error:  # a task's own __reduce__ may raise anything
        place, part, why = _culprit(value, error)
        what = f"the result of type {type(value).__qualname__} cannot be stored"
        if place:
            what += f": its part {place} is of type {type(part).__qualname__}"
        raise UnstorableError(
            f"{what}: {why}; return plain data, arrays, or objects of classes defined "
            "at the top level"
        ) from error


def _tried(value: object, blob_size: int) -> tuple[bytes, list[Any]]:
    """Return pickle and buffers of a value, after loading it where there is doubt."""
    buffers: list[Any] = []

    def keep_in_band(buffer: pickle.PickleBuffer) -> bool:
        if memoryview(buffer).nbytes < blob_size:
            return True
        buffers.append(buffer)
        return False

    file = io.BytesIO()
    pickler = _Pickler(blob_size, file, 5, buffer_callback=keep_in_band)
    pickler.dump(value)
    data = file.getvalue()
    if pickler.doubtful:
        _try_to_load(data, buffers)
    return data, buffers


def _try_to_load(data: bytes, buffers: list[Any]) -> None:
    """Load a pickle on the memory that it was made of, which must not change."""
    views = [memoryview(buffer).toreadonly() for buffer in buffers]
    try:
        pickle.loads(data, buffers=views)  # noqa: S301 - it was made just now
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - its class may want to write there
        copies = [bytearray(view.cast("B")) for view in views]
        try:
            pickle.loads(data, buffers=copies)  # noqa: S301 - the same
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
            raise _NotLoadedError(
                f"it can be pickled, but not loaded again ({why}), for which its class "
                "needs a __reduce__ that holds"
            ) from error


def _culprit(value: object, error: Exception) -> tuple[str, object, Exception]:
    """Return the innermost part of a value that cannot be stored, and why."""
    place = ""
    for _ in range(_DEEPEST):
        found = next(_failing(value), None)
        if found is None:
            break
        name, value, error = found
        place += name
    return place, value, error


def _failing(value: object) -> Iterator[tuple[str, object, Exception]]:
    for name, part in _parts(value):
        try:
            _tried(part, 0)
        except Exception as error:  # noqa: BLE001 - as of the whole
            yield name, part, error


def _parts(value: object) -> Iterator[tuple[str, object]]:
    """Yield what a container or an object holds, and where."""
    held = getattr(type(value), "__dictoffset__", 0) and vars(value)
    if type(value) in (list, tuple):
        yield from ((f"[{at}]", part) for at, part in enumerate(value))  # type: ignore[var-annotated, arg-type] # one of these
    elif type(value) is dict:
        yield from ((f"[{key!r:.40}]", part) for key, part in value.items())
    elif type(held) is dict:
        yield from ((f".{name}", part) for name, part in held.items())


@lru_cache(maxsize=1000)
def _comes_back(kind: Any) -> bool:
    """Return whether what is pickled of a class is known to be loaded again.

    What its objects hold is asked for by itself.
    """
    if str(kind.__module__).partition(".")[0] in _COMING_BACK or known_type(kind):
        return True
    if kind.__name__ == _BY_NAME:
        return True
    dtype = getattr(loaded("numpy"), "dtype", BuiltinFunctionType)
    return is_numpy_base(kind) or issubclass(kind, (dtype, BuiltinFunctionType))


class _Pickler(pickle.Pickler):
    """Hands out every large array as a buffer, whatever its layout.

    numpy itself pickles in band what is neither C- nor Fortran-contiguous, and times:
    these go as numbers. What classes leave out of their objects goes along.
    Classes that only this Python has in a private module (paths in 3.13) go by their
    public names.

    Attributes
    ----------
    doubtful : bool
        Whether it has met what is not known to be loaded again.
    """

    def __init__(self, blob_size: int, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._blob_size = blob_size
        self._dropping = attributes.that_drop_some()
        self.doubtful = False

    def reducer_override(self, obj: Any) -> Any:
        kind: Any = type(obj)
        if isinstance(obj, (type, FunctionType)):
            return self._named(obj)
        if kind.__name__ == "ndarray":  # quick: it is asked for each object
            return self._array(obj)
        if not (self.doubtful or _comes_back(kind)):
            self.doubtful = True
        if issubclass(kind, self._dropping):
            return attributes.reduced(obj)
        if attributes.may_lose(kind):
            return attributes.whole(obj)
        return NotImplemented

    def _named(self, thing: Any) -> Any:
        """Return how a class or function is found; NotImplemented: as pickle does."""
        module, name = thing.__module__, thing.__qualname__
        if module[:2] == "__" and (home := home_of(module)) != module:
            self.doubtful = True  # unlike pickle, nobody has looked whether it is there
            return function_at, (home, name)
        if "._" in module and (public := public_module(module, name, thing)) != module:
            return function_at, (public, name)
        return NotImplemented

    def _array(self, array: Any) -> Any:
        numpy = loaded("numpy")
        if numpy is None or type(array) is not numpy.ndarray:
            self.doubtful = True
            return NotImplemented  # another library's
        if array.nbytes < self._blob_size:
            return NotImplemented
        if array.dtype.kind in "mM":
            return methodcaller("view", array.dtype), (array.view(numpy.int64),)
        if array.flags.forc or array.dtype.hasobject:
            return NotImplemented
        return numpy.ascontiguousarray(array).__reduce_ex__(5)
