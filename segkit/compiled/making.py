"""Make the object files that come with the package.

``python -m segkit.compiled.making`` makes those of this processor, as the build does
(``hatch_build.py``); with ``all``, or names of levels, those of others that this one
runs. What is there already and still right stays; what nobody asks for any more goes.
"""

from __future__ import annotations

import ast
import importlib
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from segkit.compiled import machine_code, shipped
from segkit.compiled.kernels import Kernel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segkit.compiled.entry_points import ArgumentType
    from segkit.compiled.shipped import Target

_MOST_WORKERS = 8
"""Of 200 MB each; more would wait for the one that takes longest."""
_USES = Path(__file__).with_name("uses.txt")


class Use(NamedTuple):
    """A kernel and the types of its arguments: what one object file is made of."""

    kernel: str
    arguments: tuple[ArgumentType, ...]


def uses() -> list[Use]:
    """Return what is made: the lines of ``uses.txt``, in their order.

    Each holds the full name of a kernel, and the types of its arguments as Python
    writes them.
    """
    lines = _USES.read_text().splitlines()
    pairs = [line.partition(" ") for line in lines]
    return [Use(kernel, ast.literal_eval(types)) for kernel, _, types in pairs]


def make(target: Target) -> int:
    """Make what is lacking for a target, and remove what is no more; return how many.

    Raises
    ------
    RuntimeError
        If a kernel needs numba when it runs, or its sources are not what was imported.
    OSError
        If files cannot be written.
    """
    # Large kernels, which have long lists of arguments, begin first.
    longest = sorted(uses(), key=lambda use: len(repr(use.arguments)), reverse=True)
    wanted = [(target, use) for use in longest]
    folder = shipped.file_for(target, "").parent
    folder.mkdir(parents=True, exist_ok=True)
    lacking = [pair for pair in wanted if machine_code.load(*_file(*pair)) is None]
    if lacking:
        # Numba reads it when it is imported; a forked process may have it already.
        os.environ |= {
            "NUMBA_CPU_NAME": target.processor.name,
            "NUMBA_CPU_FEATURES": target.processor.features,
        }
        workers = min(len(lacking), os.cpu_count() or 1, _MOST_WORKERS)
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=spawn) as pool:
            list(pool.map(_make_one, *zip(*lacking, strict=True)))
    names = {_file(*pair)[0].name for pair in wanted}
    for path in folder.glob("*.o"):  # and no files that another build is writing
        if path.name not in names:
            path.unlink(missing_ok=True)
    return len(lacking)


def _make_one(target: Target, use: Use) -> None:
    code = _kernel(use).compiled_for(use.arguments, target.processor)
    if not code.name:
        raise RuntimeError(f"{use.kernel} needs numba when it runs: {use.arguments}")
    path, made_of = _file(target, use)
    machine_code.keep(path, code, made_of)


def _file(target: Target, use: Use) -> tuple[Path, str]:
    """Return the file of a use, and what it is made of."""
    sources = _kernel(use).sources()
    if not sources:
        raise RuntimeError(f"nothing tells what {use.kernel} is made of")
    made_of = shipped.describe(target, use.kernel, repr(use.arguments), sources)
    return shipped.file_for(target, made_of), made_of


def _kernel(use: Use) -> Kernel:
    module, _, name = use.kernel.rpartition(".")
    found = getattr(importlib.import_module(module), name)
    if not isinstance(found, Kernel):
        raise TypeError(f"{use.kernel} is no kernel")
    return found


def _asked_for(names: Sequence[str]) -> Iterator[Target]:
    """Yield targets by the names of their processors; without any, this one's."""
    runs_here = shipped.targets()
    if not names:
        yield from runs_here[-1:]
    for target in runs_here:
        if names == ["all"] or target.processor.name in names:
            yield target


if __name__ == "__main__":
    for one in _asked_for(sys.argv[1:]):
        made = make(one)
        print(f"{one.system} {one.processor.name}: made {made} object files")  # noqa: T201 - the build shows it
