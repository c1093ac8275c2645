"""Compiled code of kernels, kept in files that are loaded without numba.

To import numba takes half a second, and to load what it keeps a third of one: more
than most images take. So what it compiled is written down once more as an object file,
with a function of plain numbers and addresses, which llvmlite alone loads in
milliseconds. What such a file cannot hold (code that allocates, or returns arrays) is
marked so, and stays with numba.
"""

# llvmlite has no types, and numba's are its own to check.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
import re
import sys
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FORMAT = 5
"""Counted up when functions are called, or files written, in another way."""
# What numba calls for the last owner of an array. The arrays that the code is given
# are owned by its caller, and code that makes arrays is left to numba.
_DESTROY = re.compile(
    r"^declare void @NRT_MemInfo_call_dtor\(([^\s,)]+).*$", re.MULTILINE
)
_DESTROY_NOTHING = r"define void @NRT_MemInfo_call_dtor(\1 %0) { ret void }"
NUMBERS = {"f4": ctypes.c_float, "f8": ctypes.c_double} | {
    f"{kind}{size}": getattr(ctypes, f"c_{'u' * (kind == 'u')}int{8 * size}")
    for kind in "iu"
    for size in (1, 2, 4, 8)
}
HEAD = object.__basicsize__
"""How far into an array's object that stands which C code reads of it."""


class Processor(NamedTuple):
    """A kind of processor, as LLVM names it, and features that set it apart."""

    name: str
    features: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """The object file of one function, and how to call it.

    Attributes
    ----------
    name : str
        Of the function in it; empty if there is no such file, and numba has to run it.
    parameters : sequence of str
        ``p`` for an address, else the number's type, as in ``i8``.
    returns : str
        The number's type; ``b`` for a bool, empty for nothing.
    needs : sequence of str
        Functions of other libraries that it calls.
    data : bytes
        The object file.
    """

    name: str = ""
    parameters: Sequence[str] = ()
    returns: str = ""
    needs: Sequence[str] = ()
    data: bytes = b""


class Function:
    """A function in machine code; callable from several threads at once."""

    def __init__(self, code: Code) -> None:
        from llvmlite import binding

        _initialize()
        machine = binding.Target.from_default_triple().create_target_machine(jit=True)
        nothing = binding.parse_assembly("")
        self._engine = binding.create_mcjit_compiler(nothing, machine)
        self._engine.add_object_file(binding.ObjectFileRef.from_data(code.data))
        self._engine.finalize_object()
        parameters = [
            ctypes.c_void_p if one == "p" else NUMBERS[one] for one in code.parameters
        ]
        address = self._engine.get_function_address(code.name)
        # A function of C lets other threads run meanwhile.
        prototype = ctypes.CFUNCTYPE(
            ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *parameters
        )
        self._call = prototype(address)
        self._returns = code.returns
        self._result = NUMBERS.get(code.returns, ctypes.c_int64)

    def __call__(self, numbers: Sequence[Any]) -> Any:
        """Return what the function returns.

        Raises
        ------
        ArithmeticError
            If it raised something.
        """
        result, error = self._result(), ctypes.c_void_p()
        if self._call(ctypes.byref(result), ctypes.byref(error), *numbers):
            raise ArithmeticError("a kernel raised an error")
        if not self._returns:
            return None
        return bool(result.value) if self._returns == "b" else result.value


@cache
def sees_arrays() -> bool:
    """Return whether arrays are in memory what numpy's C interface says.

    All that is compiled with numpy relies on it; but another Python may have other
    objects.
    """
    if sys.implementation.name != "cpython":
        return False
    probe = np.empty((2, 3), np.int8)
    elements, _, *others = (ctypes.c_size_t * 4).from_address(id(probe) + HEAD)
    if elements != probe.ctypes.data:
        return False
    lengths, strides = map((ctypes.c_int64 * 2).from_address, others)
    return (*lengths, *strides) == (2, 3, 3, 1)


def emit(
    text: str,
    name: str,
    parameters: Sequence[str],
    returns: str,
    processor: Processor | None = None,
) -> Code:
    """Return the object file of one function of a module.

    Parameters
    ----------
    text : str
        The module in the assembly language of LLVM, optimised.
    name : str
        The function, of numba's kind: it takes an address for its result and one for
        an error, then its arguments, and returns a status, 0 if all went well.
    parameters, returns
        See `Code`.
    processor : Processor, optional
        That runs it, unless it is this one.

    Returns
    -------
    Code
        Without a function if it needs any that only numba has.
    """
    from llvmlite import binding

    machine = _machine(processor)
    module = binding.parse_assembly(_DESTROY.sub(_DESTROY_NOTHING, text))
    for one in (*module.functions, *module.global_variables):
        if not one.is_declaration and one.name != name:
            one.linkage = "internal"
    builder = binding.create_pass_builder(
        machine, binding.create_pipeline_tuning_options()
    )
    manager = binding.create_new_module_pass_manager()
    manager.add_global_dead_code_eliminate_pass()
    manager.run(module, builder)
    needs = [
        one.name
        for one in (*module.functions, *module.global_variables)
        if one.is_declaration and not one.name.startswith("llvm.")
    ]
    if any(_is_numbas(need) for need in needs):
        return Code()
    return Code(name, parameters, returns, needs, machine.emit_object(module))


def _is_numbas(name: str) -> bool:
    return name.startswith(("NRT_", "numba_", "Py", "_Py", "."))


def load(path: Path, made_of: str) -> Code | None:
    """Return what a file holds; None if there is none, or none that can be used.

    Parameters
    ----------
    path : Path
        The file.
    made_of : str
        All that the code was made of and for; other code is not used.
    """
    try:
        head, _, data = path.read_bytes().partition(b"\n")
        fields = json.loads(head)
        code = Code(**fields["code"], data=data)
        if fields["digest"] != _digest_of(code, made_of):
            return None
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return code if _resolved(code.needs) else None


def keep(path: Path, code: Code, made_of: str) -> None:
    """Write a file that `load` reads.

    Raises
    ------
    OSError
        If it cannot be written; then nothing is left of it.
    """
    fields = {"code": _header(code), "digest": _digest_of(code, made_of)}
    head = json.dumps(fields).encode()
    private = path.with_name(f"{path.name}.{os.urandom(4).hex()}")
    try:
        private.write_bytes(head + b"\n" + code.data)
        private.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            private.unlink()
        raise


def _header(code: Code) -> dict[str, Any]:
    return {
        "name": code.name,
        "parameters": list(code.parameters),
        "returns": code.returns,
        "needs": list(code.needs),
    }


def made_here(content: str) -> str:
    """Return what code compiled here is made of and for: `content`, on this machine.

    So a file of another processor is not used, whatever its name.
    """
    return repr((content, _environment()))


def _digest_of(code: Code, made_of: str) -> str:
    """Return a digest of all that a file holds, and of what it is made of."""
    head = json.dumps([_header(code), made_of])
    return _digest(head.encode(), b"\n", code.data)


def _resolved(names: Iterable[str]) -> bool:
    """Tell LLVM where functions of C are, or return that one of them is not known.

    It would end the process if it did not find one.
    """
    if not names:
        return True
    from llvmlite import binding

    program = ctypes.CDLL(None)  # and all libraries that it was linked to
    for name in names:
        function = getattr(program, name, None)
        if function is None:
            return False
        address = ctypes.cast(function, ctypes.c_void_p).value
        binding.add_symbol(name, address)
    return True


def file_for(source: Path, name: str, arguments: str) -> Path:
    """Return where the code of a function is kept.

    Other versions of numba and LLVM and other processors have other files: machines
    may share a folder.

    Parameters
    ----------
    source : Path
        Of the module that defines it.
    name : str
        Its name.
    arguments : str
        Their types.
    """
    known = repr((FORMAT, _environment(), str(source), arguments))
    digest = _digest(known.encode())[:24]
    return _folder(source.parent) / f"{source.stem}.{name}-{digest}.o"


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()


@cache
def _folder(sources: Path) -> Path:
    """Return the first folder that can be written: as numba does, or the user's."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    beside = sources / "__pycache__"
    user = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - Path fails without a home
    for folder in (Path(named or beside), beside, Path(user, "segkit")):
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    return beside


@cache
def _environment() -> tuple[object, ...]:
    """Return what all compiled code depends on: versions and the processor."""
    import llvmlite
    from llvmlite import binding

    numba = find_spec("numba")
    stamp = Path(numba.origin).stat() if numba is not None and numba.origin else None
    return (
        sys.implementation.cache_tag,
        llvmlite.__version__,
        (stamp.st_size, stamp.st_mtime_ns) if stamp is not None else None,
        binding.get_process_triple(),
        binding.get_host_cpu_name(),
        binding.get_host_cpu_features().flatten(),
        sorted(item for item in os.environ.items() if item[0].startswith("NUMBA_")),
    )


@cache
def _initialize() -> None:
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()


def _machine(processor: Processor | None) -> Any:
    """Return LLVM's target machine for a processor, or this one."""
    from llvmlite import binding

    _initialize()
    if processor is None:
        features = binding.get_host_cpu_features().flatten()
        processor = Processor(binding.get_host_cpu_name(), features)
    return binding.Target.from_default_triple().create_target_machine(
        cpu=processor.name, features=processor.features, opt=3, jit=True
    )
