"""Object files that come with the package, so that its first run compiles nothing.

`segkit.compiled.making` makes them while the package is built or installed, for each
line of ``uses.txt``, and for processors of a level that many have. One is found by its
kernel, the types of its arguments and its sources; a changed source, another processor
or an option of numba leaves all to what is compiled and kept here.
"""

# llvmlite has no types.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import hashlib
import os
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

from segkit.compiled import machine_code
from segkit.compiled.machine_code import Code, Processor

FOLDER = Path(__file__).with_name("objects")

# Levels of x86-64 as its ABI has them: each has the features of those below it, too.
_LEVELS = {
    "x86-64-v2": "cx16 popcnt sahf sse3 sse4.1 sse4.2 ssse3",
    "x86-64-v3": "avx avx2 bmi bmi2 f16c fma lzcnt movbe",
    "x86-64-v4": "avx512bw avx512cd avx512dq avx512f avx512vl",
}
# LLVM would leave half of a vector unused, for the sake of the first such processors.
_TUNING = {"x86-64-v4": "-prefer-256-bit"}
# What numba may be told that changes no code.
_HARMLESS = {
    "CACHE_DIR",
    "DISABLE_JIT",
    "NUM_THREADS",
    "THREADING_LAYER",
    "THREADING_LAYER_PRIORITY",
}


class Target(NamedTuple):
    """What object files are made for: a system, and its processors of a level."""

    system: str
    processor: Processor


def targets() -> list[Target]:
    """Return what this processor runs, the best one last."""
    from llvmlite import binding

    machine = binding.get_process_triple().partition("-")[0]
    system = f"{sys.platform}-{machine}"
    if machine != "x86_64":
        return [Target(system, Processor("generic"))]
    has = binding.get_host_cpu_features()
    found = []
    for level, features in _LEVELS.items():
        if not all(has.get(feature) for feature in features.split()):
            break
        found.append(Target(system, Processor(level, _TUNING.get(level, ""))))
    return found


def find(kernel: str, arguments: str, sources: str) -> Code | None:
    """Return the code of a kernel, the best for this processor; None if there is none.

    Parameters
    ----------
    kernel, arguments, sources : str
        Its full name, the types of its arguments, and the digest of its sources.
    """
    if _is_numba_told():
        return None
    for target in reversed(_targets()):
        made_of = describe(target, kernel, arguments, sources)
        found = machine_code.load(file_for(target, made_of), made_of)
        if found is not None:
            return found
    return None


@cache
def _targets() -> list[Target]:
    return targets() if FOLDER.is_dir() else []


def _is_numba_told() -> bool:
    """Return whether the environment says how numba is to compile."""
    told = (name.partition("_")[2] for name in os.environ if name.startswith("NUMBA_"))
    return not _HARMLESS.issuperset(told)


def describe(target: Target, kernel: str, arguments: str, sources: str) -> str:
    """Return all that an object file is made of and for."""
    return repr((machine_code.FORMAT, target, kernel, arguments, sources))


def file_for(target: Target, made_of: str) -> Path:
    """Return where an object file is."""
    name = hashlib.sha256(made_of.encode()).hexdigest()[:32]
    return FOLDER / f"{target.system}-{target.processor.name}" / f"{name}.o"
