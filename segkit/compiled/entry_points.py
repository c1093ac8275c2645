"""Entry points of machine code: kernels wrapped as functions of C numbers and pointers.

Their arguments are plain C, so that they can be called without numba; arrays and
tuples are put together again inside. An array is given by the address of what numpy's C
interface (``PyArrayObject_fields``) says of it: where its elements are, how many axes
there are, where the lengths of these are, and where its strides. Nobody has to look
these up in Python, which takes ten times as long as a small kernel runs.
"""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from segkit.compiled import machine_code

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from segkit.compiled.machine_code import Code, Processor

ArgumentType: TypeAlias = Any
"""Of an array (type, axes, whether its elements lie in order), type of a number,
or ("tuple", those of its parts); None for what machine code cannot take."""

NO_WRAPPERS = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""Options of numba for what Python never calls, which takes a fifth less to compile."""


def compiled(
    jitted: Callable[..., Any],
    arguments: Sequence[ArgumentType],
    processor: Processor | None = None,
) -> Code:
    """Return machine code of a function for arguments of some types, made by numba.

    A function of numbers and addresses is put around it: what numba passes on to that
    one is plain C. Code for another `processor` than this one is not optimised for it
    unless numba itself was told to be (``NUMBA_CPU_NAME``).
    """
    numba: Any = importlib.import_module("numba")
    writer = _Wrapper()
    call = ", ".join([writer.argument(one) for one in arguments])
    lines = f"def entry({', '.join(writer.names)}):\n    return jitted({call})\n"
    known = {
        "jitted": jitted,
        "carray": numba.carray,
        "as_strided": np.lib.stride_tricks.as_strided,
    }
    exec(lines, known)
    entry = numba.njit(nogil=True, **NO_WRAPPERS)(known["entry"])
    signature = tuple(map(_numba_type, writer.types))
    entry.compile(signature)
    made = entry.overloads[signature]
    returns = _returned(made.signature.return_type)
    if returns is None:
        return machine_code.Code()
    parameters = ["p" if one.startswith("*") else one for one in writer.types]
    text, name = entry.inspect_llvm(signature), made.fndesc.llvm_func_name
    return machine_code.emit(text, name, parameters, returns, processor)


class _Wrapper:
    """Writes the parameters of plain C, and arguments made of them."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.types: list[str] = []

    def argument(self, given: ArgumentType) -> str:
        """Return an expression for an argument."""
        if given == "b":
            return f"({self._new('i8')} != 0)"
        if isinstance(given, str):
            return self._new(given)
        if given[0] == "tuple":
            return "".join(
                ["(", *(f"{self.argument(part)}, " for part in given[1]), ")"]
            )
        dtype, ndim, in_order = given
        # One address, with its types: that of elements, and those of lengths.
        elements, lengths = self._new(f"**{dtype}"), self._new("**i8")
        shape = _parts(f"{lengths}[2]", ndim)
        array = f"carray({elements}[0], {shape})"
        if in_order:
            return array
        return f"as_strided({array}, {shape}, {_parts(f'{lengths}[3]', ndim)})"

    def _new(self, number: str) -> str:
        self.names.append(f"a{len(self.names)}")
        self.types.append(number)
        return self.names[-1]


def _parts(pointer: str, length: int) -> str:
    """Return an expression for a tuple of the first numbers at an address."""
    return f"({''.join(f'{pointer}[{axis}], ' for axis in range(length))})"


def _numba_type(name: str) -> Any:
    numba: Any = importlib.import_module("numba")
    if name.startswith("*"):
        return numba.types.CPointer(_numba_type(name[1:]))
    return numba.from_dtype(np.dtype(name))


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
