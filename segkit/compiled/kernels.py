"""Compile kernels, where that is possible, and remember the compiled code."""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import hashlib
import importlib
import threading
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.compiled import entry_points, machine_code, shipped, sources
from segkit.compiled.fallback import NotCompiledError, can_compile, warn_once
from segkit.compiled.waiting import WAITING

if TYPE_CHECKING:
    from collections.abc import Callable

    from segkit.compiled.entry_points import ArgumentType
    from segkit.compiled.machine_code import Code, Function, Processor
    from segkit.compiled.sources import Source

_TYPES = {"b1", *machine_code.NUMBERS}
_HEAD = machine_code.HEAD
_LARGEST = 2**63
# As all kernels take arrays: looked up once, and flags in one number, of which bit 0
# says that elements lie in order, and this one that they are aligned.
_Array = np.ndarray
_ALIGNED = 0x100
# What code is made of, but for where it stands.
_OF_CODE = (
    "co_code",
    "co_consts",
    "co_names",
    "co_varnames",
    "co_freevars",
    "co_cellvars",
    "co_argcount",
    "co_kwonlyargcount",
    "co_flags",
    "co_exceptiontable",
)


class Kernel:
    """A function that is compiled when it is first called; `kernel` makes it.

    Called from Python, arrays, numbers and tuples of them are its arguments; kernels
    may call each other. It does not hold the interpreter. What it writes to, the
    caller has to own: read-only arrays are not told from others.

    Whatever goes wrong with machine code, numba runs the function; whatever goes wrong
    with numba, `NotCompiledError` tells its caller before anything is written.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__
        self.full_name = f"{function.__module__}.{function.__name__}"
        self._function = function
        self._jitted: dict[bool, Callable[..., Any]] = {}
        self._bare: Callable[..., Any] | None = None
        self._known: dict[str, Any] | None = None
        self._content = ""
        self._source = sources.Source.of(function)
        # By types of arguments: machine code, None where numba runs the function, and
        # numba's function, or why there is none.
        self._functions: dict[tuple[ArgumentType, ...], Function | None] = {}
        self._by_numba: dict[tuple[ArgumentType, ...], Callable[..., Any] | str] = {}
        self._compiling = threading.Lock()

    def __call__(self, *arguments: Any) -> Any:
        """Run the function.

        Raises
        ------
        NotCompiledError
            If neither machine code nor numba runs it.
        """
        numbers: list[Any] = []
        types = tuple([_take(one, numbers) for one in arguments])
        try:
            function = self._functions[types]
        except KeyError:
            function = self._prepare(types)
        if function is not None:
            try:
                return function(numbers)
            except ArithmeticError:
                pass  # numba tells which
        return self._ready(types, arguments)(*arguments)

    @property
    def plain(self) -> Callable[..., Any]:
        """The function as Python runs it: what to fall back on if it calls no other."""
        return self._function

    def jitted(self, *, cached: bool = True) -> Callable[..., Any]:
        """Return the function as numba compiles it.

        Its compiled code is kept beside the source, else in numba's folder for the
        user (``NUMBA_CACHE_DIR`` names another); where neither can be written, or if
        `cached` is false, each process compiles anew.
        """
        if cached not in self._jitted:
            from numba import njit

            own = self._for_numba(lambda other: other.jitted(cached=cached))
            try:
                self._jitted[cached] = njit(cache=cached, nogil=True)(own)
            except RuntimeError:  # "cannot cache function: no locator available"
                self._jitted[cached] = njit(nogil=True)(own)
        return self._jitted[cached]

    def _for_machine_code(self) -> Callable[..., Any]:
        """Return the function as numba compiles it for `entry_points` only."""
        if self._bare is None:
            numba: Any = importlib.import_module("numba")
            own = self._for_numba(Kernel._for_machine_code)
            self._bare = numba.njit(nogil=True, **entry_points.NO_WRAPPERS)(own)
        return self._bare

    def _for_numba(
        self, jitted: Callable[[Kernel], Callable[..., Any]]
    ) -> types.FunctionType:
        """Return the function with the kernels it calls as numba compiles those."""
        function = self._function
        known = {
            name: jitted(value) if isinstance(value, Kernel) else value
            for name, value in self._globals().items()
        }
        known["__name__"] = function.__module__
        own = types.FunctionType(
            function.__code__,
            known,
            function.__name__,
            function.__defaults__,
            function.__closure__,
        )
        # What numba keeps is named so; by itself, it would look at one file only.
        own.__module__ = function.__module__
        own.__qualname__ = f"{self.__name__}_{self.content()[:16]}"
        return own

    def content(self) -> str:
        """Return a digest of the code and of all that it uses, in whichever file.

        That is other kernels and constants. It is taken of what runs, not of files,
        which may have changed since.
        """
        if not self._content:
            function = self._function
            known = sorted(self._globals().items())
            cells = [cell.cell_contents for cell in function.__closure__ or ()]
            names = frozenset(_names(function.__code__))
            parts = (function.__code__, function.__defaults__, *cells, *known)
            text = _described(parts, names)
            self._content = hashlib.sha256(text.encode()).hexdigest()
        return self._content

    def sources(self) -> str:
        """Return a digest of the files that all of it stands in, for any Python.

        Empty if one of them has changed since it was imported.
        """
        return sources.digest(self.parts())

    def parts(self) -> dict[str, Source | str]:
        """Return the sources of this and of all kernels it calls, and its constants."""
        parts: dict[str, Source | str] = {self.full_name: self._source}
        for name, value in self._globals().items():
            if not isinstance(value, Kernel):
                parts[f"{self.full_name}: {name}"] = sources.constant(value)
            elif value.full_name not in parts:
                parts |= value.parts()
        return parts

    def _globals(self) -> dict[str, Any]:
        """Return the globals that the code uses, as they were at the first call."""
        if self._known is None:
            known = self._function.__globals__
            names = _names(self._function.__code__)
            self._known = {name: known[name] for name in names if name in known}
        return self._known

    def _prepare(self, types: tuple[ArgumentType, ...]) -> Function | None:
        """Return machine code for arguments of some types; None to leave it to numba.

        It is loaded if it was kept, else made and kept.
        """
        with self._compiling:
            if types not in self._functions:
                self._functions[types] = self._machine_code(types)
            return self._functions[types]

    def _machine_code(self, types: tuple[ArgumentType, ...]) -> Function | None:
        if None in types or not can_compile() or not machine_code.sees_arrays():
            return None
        try:
            code = self._code(types)
            return machine_code.Function(code) if code.name else None
        except Exception as error:  # noqa: BLE001 - it rests on internals of numba and LLVM, and is no more than a cache
            warn_once("machine code of kernels", error, "numba runs them")
            return None

    def _code(self, types: tuple[ArgumentType, ...]) -> Code:
        if sources := self.sources():
            found = shipped.find(self.full_name, repr(types), sources)
            if found is not None:
                return found
        where = Path(self._function.__code__.co_filename)
        path = machine_code.file_for(where, self.__name__, repr(types))
        made_of = machine_code.made_here(self.content())
        found = machine_code.load(path, made_of)
        if found is None:
            with WAITING.told_if_long():
                found = self.compiled_for(types)
            try:
                machine_code.keep(path, found, made_of)
            except OSError as error:
                warn_once("keeping machine code", error, "each process makes it anew")
        return found

    def compiled_for(
        self, types: tuple[ArgumentType, ...], processor: Processor | None = None
    ) -> Code:
        """Return machine code for arguments of some types, made anew by numba.

        It is for `processor`, as in `entry_points.compiled`; empty if there is none.
        """
        return entry_points.compiled(self._for_machine_code(), types, processor)

    def _ready(
        self, types: tuple[ArgumentType, ...], arguments: tuple[Any, ...]
    ) -> Callable[..., Any]:
        """Return numba's function, compiled for some arguments.

        Raises
        ------
        NotCompiledError
            If numba is missing or fails.
        """
        found = self._by_numba.get(types)
        if found is None:
            with self._compiling:
                found = self._compiled_by_numba(arguments)
            if None not in types:  # else others of these types may be different
                self._by_numba[types] = found
        if isinstance(found, str):
            raise NotCompiledError(found)
        return found

    def _compiled_by_numba(
        self, arguments: tuple[Any, ...]
    ) -> Callable[..., Any] | str:
        """Return numba's function for some arguments, or why there is none.

        It is compiled here, not by its first call, to tell what numba raises from what
        the function itself does.
        """
        try:
            return _compiled_for(self.jitted(), arguments)
        except Exception as first:  # noqa: BLE001 - a full disk, a damaged file of its cache, any fault of a new numba
            try:
                found = _compiled_for(self.jitted(cached=False), arguments)
            except Exception as error:  # noqa: BLE001 - as above, and without its cache
                warn_once("numba", error, "kernels are replaced by NumPy and SciPy")
                return f"{self.__name__}: {type(error).__name__}: {error}"
            warn_once("numba's cache", first, "each process compiles anew")
            return found


def _compiled_for(
    jitted: Callable[..., Any], arguments: tuple[Any, ...]
) -> Callable[..., Any]:
    numba: Any = importlib.import_module("numba")
    if not numba.config.DISABLE_JIT:
        types = tuple(map(numba.typeof, arguments))
        with WAITING.told_if_long():
            jitted.compile(types)  # type: ignore[attr-defined] # numba's own
    return jitted


def kernel(function: Callable[..., Any]) -> Kernel:
    """Compile a function when it is first called; see `Kernel`.

    Its machine code is loaded without numba, which takes milliseconds instead of a
    second, if it allocates no arrays and returns a number or nothing.
    """
    return Kernel(function)


def _names(code: types.CodeType) -> set[str]:
    """Return the names of globals and attributes in code, nested functions included."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _names(constant)
    return names


def _described(value: Any, names: frozenset[str]) -> str:
    """Return a text of what a value adds to the digest: it differs if the value does.

    Of modules, what counts is what the code may use by one of `names`.
    """
    if isinstance(value, Kernel):
        return value.content()
    if isinstance(value, types.CodeType):
        parts = [getattr(value, name, None) for name in _OF_CODE]
        return f"code{_described(tuple(parts), names)}"
    if isinstance(value, types.ModuleType):
        used = sorted(names & vars(value).keys())
        rest = names.difference(used)  # modules may hold each other
        own = [(name, _described(vars(value)[name], rest)) for name in used]
        return f"{value.__name__}{own}"
    if isinstance(value, (tuple, frozenset)):
        inner = [_described(part, names) for part in value]
        return repr(inner if isinstance(value, tuple) else sorted(inner))
    if isinstance(value, np.ndarray):
        return repr((value.dtype.str, value.shape, value.tobytes()))
    if hasattr(value, "py_func"):  # what numba compiles by itself
        return Kernel(value.py_func).content()
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return f"{type(value).__name__} {value!r}"


class _Names(dict[np.dtype[Any], str]):
    """What arrays of a dtype are compiled for; empty if for nothing."""

    def __missing__(self, dtype: np.dtype[Any]) -> str:
        name = dtype.str[1:]
        self[dtype] = name if name in _TYPES and dtype.isnative else ""
        return self[dtype]


_NAMES = _Names()


def _take(argument: Any, numbers: list[Any]) -> ArgumentType:
    """Add what an argument is in C; return its type, None to leave it to numba.

    Arrays are given as `entry_points` says; each is there as long as its caller waits.
    """
    if isinstance(argument, _Array):
        place = id(argument) + _HEAD
        numbers += (place, place)
        name, flags = _NAMES[argument.dtype], argument.flags.num
        return (
            (name, argument.ndim, flags & 1 > 0) if name and flags & _ALIGNED else None
        )
    if isinstance(argument, tuple):
        parts = tuple([_take(part, numbers) for part in argument])
        return None if None in parts else ("tuple", parts)
    numbers.append(argument.item() if isinstance(argument, np.generic) else argument)
    if isinstance(argument, (bool, np.bool_)):
        return "b"
    if isinstance(argument, np.number):
        name = argument.dtype.str[1:]
        return name if name in _TYPES else None
    if isinstance(argument, int):
        return "i8" if -_LARGEST <= argument < _LARGEST else None
    return "f8" if isinstance(argument, float) else None
