"""Compile kernels, where that is possible, and remember the compiled code."""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
import threading
import types
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from segkit.compiled import machine_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from segkit.compiled.machine_code import Code, Function

Kind: TypeAlias = Any
"""Of an array (type, axes, whether its elements lie in order), type of a number,
or those of a tuple's parts in a list."""
_TYPES = {"b1", *machine_code.NUMBERS}
_LARGEST = 2**63
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


def can_compile() -> bool:
    """Return whether kernels run compiled: numba is there and not switched off."""
    if sys.modules.get("numba") is not None:
        # An import waits if another thread is still at it; sys.modules does not.
        numba: Any = importlib.import_module("numba")
        return not numba.config.DISABLE_JIT
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        return False
    return _is_installed("numba")


@cache
def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


class Kernel:
    """A function that is compiled when it is first called; `kernel` makes it.

    Called from Python, arrays, numbers and tuples of them are its arguments; kernels
    may call each other. It does not hold the interpreter. What it writes to, the
    caller has to own: read-only arrays are not told from others.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__
        self._function = function
        self._jitted: Callable[..., Any] | None = None
        self._known: dict[str, Any] | None = None
        self._content = ""
        self._functions: dict[Kind, Function | None] = {}
        self._compiling = threading.Lock()

    def __call__(self, *arguments: Any) -> Any:
        """Run the function."""
        kinds = tuple(map(_kind, arguments))
        try:
            function = self._functions[kinds]
        except KeyError:
            function = self._prepare(kinds)
        if function is not None:
            try:
                return function([n for one in arguments for n in _numbers(one)])
            except ArithmeticError:
                pass  # numba tells which
        return self.jitted()(*arguments)

    def jitted(self) -> Callable[..., Any]:
        """Return the function as numba compiles it.

        Its compiled code is kept beside the source, else in numba's folder for the
        user (``NUMBA_CACHE_DIR`` names another); where neither can be written, each
        process compiles anew.
        """
        if self._jitted is None:
            from numba import njit

            function = self._function
            known = {
                name: value.jitted() if isinstance(value, Kernel) else value
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
            try:
                self._jitted = njit(cache=True, nogil=True)(own)
            except RuntimeError:  # "cannot cache function: no locator available"
                self._jitted = njit(nogil=True)(own)
        return self._jitted

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

    def _globals(self) -> dict[str, Any]:
        """Return the globals that the code uses, as they were when first asked for."""
        if self._known is None:
            known = self._function.__globals__
            names = _names(self._function.__code__)
            self._known = {name: known[name] for name in names if name in known}
        return self._known

    def _prepare(self, kinds: tuple[Kind, ...]) -> Function | None:
        """Return machine code for arguments of some kinds; None to leave it to numba.

        It is loaded if it was kept, else made and kept.
        """
        with self._compiling:
            if kinds not in self._functions:
                plain = None not in kinds and can_compile()
                found = self._code(kinds) if plain else machine_code.Code()
                function = machine_code.Function(found) if found.name else None
                self._functions[kinds] = function
            return self._functions[kinds]

    def _code(self, kinds: tuple[Kind, ...]) -> Code:
        where = Path(self._function.__code__.co_filename)
        path = machine_code.file_for(where, self.__name__, repr(kinds))
        found = machine_code.load(path, self.content())
        if found is None:
            found = _compiled(self.jitted(), kinds)
            machine_code.keep(path, found, self.content())
        return found


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function when it is first called; see `Kernel`.

    Its machine code is loaded without numba, which takes milliseconds instead of a
    second, if it allocates no arrays and returns a number or nothing.
    """
    return Kernel(function)


def _names(code: types.CodeType) -> set[str]:
    """Return names of globals and attributes in code, and in functions within it."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _names(constant)
    return names


def _described(value: Any, names: frozenset[str]) -> str:
    """Return a text that is another one for code that computes something else.

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


def _kind(argument: Any) -> Kind:
    """Return what code is compiled for; None for what is left to numba."""
    if isinstance(argument, np.ndarray):
        dtype, flags = argument.dtype, argument.flags
        name = dtype.str[1:]
        if name not in _TYPES or not (dtype.isnative and flags.aligned):
            return None
        return name, argument.ndim, flags.c_contiguous
    if isinstance(argument, (bool, np.bool_)):
        return "b"
    if isinstance(argument, np.number):
        name = argument.dtype.str[1:]
        return name if name in _TYPES else None
    if isinstance(argument, int):
        return "i8" if -_LARGEST <= argument < _LARGEST else None
    if isinstance(argument, float):
        return "f8"
    if isinstance(argument, tuple):
        kinds = tuple(map(_kind, argument))
        return None if None in kinds else ("tuple", kinds)
    return None


def _numbers(argument: Any) -> Iterator[Any]:
    """Yield what machine code is called with: addresses, lengths, numbers."""
    if isinstance(argument, np.ndarray):
        yield argument.ctypes.data
        yield from argument.shape
        if not argument.flags.c_contiguous:
            yield from argument.strides
    elif isinstance(argument, tuple):
        for part in argument:
            yield from _numbers(part)
    else:
        yield argument.item() if isinstance(argument, np.generic) else argument


def _compiled(jitted: Callable[..., Any], kinds: Sequence[Kind]) -> Code:
    """Return machine code of a function for arguments of some kinds, made by numba.

    A function of numbers and addresses is put around it: what numba passes on to that
    one is plain C.
    """
    numba: Any = importlib.import_module("numba")
    writer = _Wrapper()
    call = ", ".join([writer.argument(kind) for kind in kinds])
    lines = f"def entry({', '.join(writer.names)}):\n    return jitted({call})\n"
    known = {
        "jitted": jitted,
        "carray": numba.carray,
        "as_strided": np.lib.stride_tricks.as_strided,
    }
    exec(lines, known)
    entry = numba.njit(nogil=True)(known["entry"])
    signature = tuple(map(_numba_type, writer.types))
    entry.compile(signature)
    made = entry.overloads[signature]
    returns = _returned(made.signature.return_type)
    if returns is None:
        return machine_code.Code()
    parameters = ["p" if kind.startswith("*") else kind for kind in writer.types]
    text, name = entry.inspect_llvm(signature), made.fndesc.llvm_func_name
    return machine_code.emit(text, name, parameters, returns)


class _Wrapper:
    """Writes the parameters of plain C, and arguments made of them."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.types: list[str] = []

    def argument(self, kind: Kind) -> str:
        """Return an expression for an argument."""
        if kind == "b":
            return f"({self._new('i8')} != 0)"
        if isinstance(kind, str):
            return self._new(kind)
        if kind[0] == "tuple":
            return "".join(
                ["(", *(f"{self.argument(part)}, " for part in kind[1]), ")"]
            )
        dtype, ndim, in_order = kind
        address = self._new(f"*{dtype}")
        shape = self._new_tuple(ndim)
        array = f"carray({address}, {shape})"
        if in_order:
            return array
        return f"as_strided({array}, {shape}, {self._new_tuple(ndim)})"

    def _new(self, kind: str) -> str:
        self.names.append(f"a{len(self.names)}")
        self.types.append(kind)
        return self.names[-1]

    def _new_tuple(self, length: int) -> str:
        parts = [f"{self._new('i8')}, " for _ in range(length)]
        return f"({''.join(parts)})"


def _numba_type(kind: str) -> Any:
    numba: Any = importlib.import_module("numba")
    if kind.startswith("*"):
        return numba.types.CPointer(numba.from_dtype(np.dtype(kind[1:])))
    return numba.from_dtype(np.dtype(kind))


def _returned(found: Any) -> str | None:
    """Return the type of a returned number; None for anything else."""
    types: Any = importlib.import_module("numba.types")
    plain = types.unliteral(found)
    if plain == types.none:
        return ""
    if plain == types.boolean:
        return "b"
    if isinstance(plain, (types.Integer, types.Float)):
        letter = "f" if isinstance(plain, types.Float) else "iu"[not plain.signed]
        return f"{letter}{plain.bitwidth // 8}"
    return None
