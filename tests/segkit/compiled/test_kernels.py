"""Kernels: the same results as plain Python, and machine code that needs no numba."""

from __future__ import annotations

import importlib.util
import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from segkit.compiled import fallback, machine_code
from segkit.compiled.fallback import NotCompiledError

if TYPE_CHECKING:
    from pathlib import Path

KERNELS = """
import math
import numpy as np
from segkit.compiled.kernels import kernel

@kernel
def plus(a, b):
    return a + b

@kernel
def add(rows, values, about, out):
    (scale, offset), negative = about
    for y in range(rows.shape[0]):
        for x in range(rows.shape[1]):
            out[y, x] = plus(rows[y, x] * scale, values[x] + offset)
            if negative:
                out[y, x] = -out[y, x]
    return out[0, 0] > 0

@kernel
def total(values, start):
    for value in values:
        start += value
    return start

@kernel
def fill(values, number):
    values[:] = number

@kernel
def doubled(values):
    return np.concatenate((values, values))

@kernel
def quotient(a, b):
    return a // b

@kernel
def angle(y, x):
    return math.atan2(y, x)
"""
USE = """
import sys
import numpy as np
sys.path.insert(0, sys.argv[1])
import kernels
values = np.arange(5, dtype=np.uint16)
print(kernels.total(values, 0), "numba" in sys.modules)
"""

USE_OF_EACH = """
import sys
from pathlib import Path
import numpy as np
folder, *texts = sys.argv[1:]
sys.path.insert(0, folder)
for text in texts:
    Path(folder, "sums.py").write_text(text)
    import kernels
    print(kernels.total(np.arange(5, dtype=np.uint16), 0))
    del sys.modules["kernels"], sys.modules["sums"]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the source of some kernels, where their code is kept, too."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "code"))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    machine_code._folder.cache_clear()
    (tmp_path / "kernels.py").write_text(KERNELS)
    yield tmp_path
    machine_code._folder.cache_clear()


@pytest.fixture
def kernels(folder):
    spec = importlib.util.spec_from_file_location("kernels", folder / "kernels.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["kernels"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["kernels"]


def use(folder: Path, call: str = "total(values, 0)") -> list[str]:
    """Return the total of 0 to 4 by a new process, and whether it imported numba."""
    script = USE.replace("total(values, 0)", call)
    call = [sys.executable, "-c", script, str(folder)]
    done = subprocess.run(call, check=True, capture_output=True, text=True)
    return done.stdout.split()


@pytest.mark.parametrize("dtype", ["u1", "i8", "f4"])
@pytest.mark.parametrize("step", [1, 2])
def test_arrays_of_any_type_and_stride_numbers_and_tuples_are_arguments(
    kernels, dtype, step
):
    rows = np.arange(60, dtype=dtype).reshape(6, 10)[::step, ::step]
    values = np.arange(rows.shape[1], dtype=np.int64)
    out = np.zeros(rows.shape, np.float64)

    positive = kernels.add(rows, values, ((3, 0.5), True), out)

    assert np.array_equal(out, -(rows * np.float64(3) + values + 0.5))
    assert positive is False
    assert all(f is not None for f in kernels.add._functions.values())


def test_where_arrays_are_not_in_memory_as_expected_numba_runs_kernels(
    kernels, monkeypatch
):
    monkeypatch.setattr(machine_code, "HEAD", machine_code.HEAD + 8)
    monkeypatch.setattr(
        machine_code, "sees_arrays", machine_code.sees_arrays.__wrapped__
    )
    assert kernels.total(np.array([1, 2]), 0) == 3
    assert [*kernels.total._functions.values()] == [None]


@pytest.mark.parametrize("start", [2, 2.5, np.uint8(2), np.float32(2.5), True])
def test_what_is_returned_is_a_number_of_python_as_numba_returns_it(kernels, start):
    values = np.array([1, 2, 3], np.int64)

    found = kernels.total(values, start)

    expected = kernels.total.jitted()(values, start)
    assert (found, type(found)) == (expected, type(expected))


def test_nothing_is_returned_as_none(kernels):
    values = np.zeros(3, np.bool_)
    assert kernels.fill(values, True) is None
    assert values.all()


def test_code_that_makes_arrays_is_left_to_numba(kernels):
    assert kernels.doubled(np.array([1, 2])).tolist() == [1, 2, 1, 2]
    assert list(kernels.doubled._functions.values()) == [None]


def test_arguments_that_machine_code_cannot_take_are_left_to_numba(kernels):
    assert kernels.total(np.array([1j, 2j]), 0j) == 3j
    assert list(kernels.total._functions.values()) == [None]


def test_arguments_that_numba_cannot_take_either_are_told(kernels, monkeypatch):
    monkeypatch.setattr(fallback, "_told", set())
    swapped = np.arange(3, dtype=">i4")
    with pytest.raises(NotCompiledError, match="Unsupported array dtype"):
        kernels.total(swapped, 0)


def test_an_error_in_a_kernel_is_raised_as_by_numba(kernels):
    assert kernels.quotient(7, 2) == 3
    with pytest.raises(ZeroDivisionError):
        kernels.quotient(7, 0)


def test_threads_share_one_kernel(kernels):
    arrays = [np.full(1000, k, np.int32) for k in range(40)]
    with ThreadPoolExecutor(4) as pool:
        totals = list(pool.map(lambda values: kernels.total(values, 0), arrays))
    assert totals == [1000 * k for k in range(40)]


def test_a_second_process_runs_kernels_without_numba(folder):
    assert use(folder) == ["10", "True"]
    assert use(folder) == ["10", "False"]


def test_functions_of_c_are_found_without_numba(folder):
    for imported in ("True", "False"):
        found, numba = use(folder, "angle(3.0, 4.0)")
        assert (float(found), numba) == (math.atan2(3, 4), imported)


def test_code_that_calls_what_is_nowhere_is_not_run():
    assert machine_code._resolved(["atan2", "memset"])
    assert not machine_code._resolved(["atan2", "no_function_of_any_library"])


def test_changed_source_is_compiled_anew(folder):
    use(folder)
    source = folder / "kernels.py"
    source.write_text(KERNELS.replace("start += value", "start += 2 * value"))
    assert use(folder) == ["20", "True"]


@pytest.mark.parametrize("kept_by_numba", [False, True])
def test_a_change_of_what_another_file_holds_is_compiled_anew(
    tmp_path, folder, kept_by_numba
):
    """Neither the code kept without numba nor what numba itself keeps is stale."""
    other = """
from segkit.compiled.kernels import kernel
SCALE = 1
@kernel
def plus(a, b):
    return a + b
"""
    caller = """
import sums
from sums import SCALE, plus
from segkit.compiled.kernels import kernel
@kernel
def total(values, start):
    for value in MAKE(values):
        start = plus(start, value * SCALE * sums.SCALE)
    return start
"""
    made = "values.copy()" if kept_by_numba else "values"
    (tmp_path / "kernels.py").write_text(caller.replace("MAKE(values)", made))
    more = other.replace("a + b", "a + b + 1")
    texts = [other, more, more.replace("SCALE = 1", "SCALE = 2")]
    call = [sys.executable, "-c", USE_OF_EACH, str(folder), *texts]
    done = subprocess.run(call, check=True, capture_output=True, text=True)

    assert done.stdout.split() == ["10", "15", "45"]
    assert use(folder) == ["45", str(kept_by_numba)]


@pytest.fixture
def kept(folder, kernels):
    """The file of a kernel that was compiled, which the next call looks for."""
    assert kernels.total(np.arange(5), 0) == 10
    kernels.total._functions.clear()
    (file,) = (folder / "code").glob("*.o")
    return file


def is_whole(file, kernel):
    made_of = machine_code.made_here(kernel.content())
    return machine_code.load(file, made_of) is not None


@pytest.mark.parametrize("content", [b"", None])
def test_damaged_code_is_never_run(kernels, kept, content):
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-1] + b"?" if content is None else content)
    assert not is_whole(kept, kernels.total)

    assert kernels.total(np.arange(5), 0) == 10
    assert is_whole(kept, kernels.total)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"i8"', b'"i1"'),
        (b'"returns": "i8"', b'"returns": "f8"'),
        (b"entry", b"exits"),
    ],
)
def test_code_whose_description_is_damaged_is_never_run(kernels, kept, before, after):
    head, line, data = kept.read_bytes().partition(b"\n")
    assert before in head
    kept.write_bytes(head.replace(before, after) + line + data)
    assert not is_whole(kept, kernels.total)

    assert kernels.total(np.arange(5), 0) == 10
    assert is_whole(kept, kernels.total)


def test_where_the_named_folder_cannot_be_made_code_is_kept_elsewhere(
    folder, monkeypatch
):
    monkeypatch.setenv("NUMBA_CACHE_DIR", f"{os.devnull}/folder")
    assert use(folder) == ["10", "True"]
    assert use(folder) == ["10", "False"]


def test_numba_switched_off_is_respected_without_importing_it(folder, monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    assert not fallback.can_compile()


def test_a_thread_that_comes_while_another_imports_numba_waits_for_it(tmp_path):
    package = """
import threading, time, types, waiting
waiting.began.set()
time.sleep(0.3)
config = types.SimpleNamespace(DISABLE_JIT=True)
"""
    waiting = "import threading; began = threading.Event()"
    script = """
import sys, threading
sys.path.insert(0, sys.argv[1])
import waiting
from segkit.compiled.fallback import can_compile
other = threading.Thread(target=__import__, args=("numba",))
other.start()
waiting.began.wait()
print(can_compile())
"""
    (tmp_path / "numba.py").write_text(package)
    (tmp_path / "waiting.py").write_text(waiting)
    call = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(call, check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"


FLOATS = """
import sys
import numpy as np
from segkit.thresholding import ndnt
image = np.random.default_rng(0).random((40, 50), np.float32)
ndnt(image, 5)
print("numba" in sys.modules)
"""


def test_ndnt_of_floats_runs_without_numba_once_it_is_compiled():
    call = [sys.executable, "-c", FLOATS]
    subprocess.run(call, check=True)
    done = subprocess.run(call, check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"
