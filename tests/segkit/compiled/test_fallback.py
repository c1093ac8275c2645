"""Whatever fails in compiled code, the result is the same and one warning tells."""

from __future__ import annotations

import errno
import gc
import subprocess
import sys

import numpy as np
import pytest

from segkit.compiled import fallback, kernels, machine_code, shipped
from segkit.compiled.fallback import NotCompiledError, falls_back_on
from segkit.compiled.kernels import Kernel
from segkit.labelling.labels import label
from segkit.measurement.measure import region_properties
from segkit.thresholding.nearby import ndnt

IMAGE = np.random.default_rng(0).integers(0, 50, (12, 15), np.uint8)


def labelled():
    return label(IMAGE > 20)


def thresholded():
    return ndnt(IMAGE, 5)


def measured():
    labels = (np.arange(180).reshape(12, 15) // 30).astype(np.int32)
    table = region_properties(labels, IMAGE)
    return np.stack([np.asarray(column, float) for column in table.values()])


FAMILIES = {"label": labelled, "ndnt": thresholded, "regionprops": measured}


@pytest.fixture(params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


@pytest.fixture
def expected(family, monkeypatch):
    """What NumPy finds."""
    with monkeypatch.context() as patch:
        patch.setattr(fallback, "can_compile", lambda: False)
        return family()


@pytest.fixture
def fresh(expected, monkeypatch):
    """Forget what was loaded and told; what numba has compiled, it keeps."""
    monkeypatch.setattr(fallback, "_told", set())
    monkeypatch.setattr(shipped, "find", lambda *use: None)
    for one in [found for found in gc.get_objects() if type(found) is Kernel]:
        monkeypatch.setattr(one, "_functions", {})
        monkeypatch.setattr(one, "_by_numba", {})


def failing(error):
    def fail(*args, **kwargs):
        raise error

    return fail


def told(caplog):
    return [found.getMessage() for found in caplog.records if found.name == "segkit"]


@pytest.fixture
def nothing_kept(monkeypatch):
    """No machine code is found, and none is left behind."""
    monkeypatch.setattr(machine_code, "load", lambda path, content: None)
    monkeypatch.setattr(machine_code, "keep", lambda path, code, content: None)


@pytest.mark.parametrize(
    ("part", "error"),
    [
        ("machine_code.emit", RuntimeError("LLVM assembly parsing error")),
        ("entry_points.compiled", AttributeError("no llvm_func_name")),
        ("machine_code.load", RuntimeError("cannot parse")),
        ("machine_code.Function", ValueError("not an object file")),
        ("machine_code._environment", ImportError("No module named 'llvmlite'")),
    ],
)
@pytest.mark.usefixtures("fresh", "nothing_kept")
def test_numba_runs_what_machine_code_does_not(
    family, expected, part, error, monkeypatch, caplog
):
    monkeypatch.setattr(f"segkit.compiled.{part}", failing(error))

    for _ in range(2):
        np.testing.assert_array_equal(family(), expected)

    (warning,) = told(caplog)
    assert f"machine code of kernels failed ({type(error).__name__}" in warning
    assert "numba runs them, which gives the same results and only" in warning


@pytest.mark.usefixtures("fresh", "nothing_kept")
def test_on_a_full_disk_machine_code_runs_unkept(family, expected, monkeypatch, caplog):
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(machine_code, "keep", failing(full))

    np.testing.assert_array_equal(family(), expected)

    (warning,) = told(caplog)
    assert "keeping machine code failed (OSError: [Errno 28]" in warning


@pytest.mark.parametrize(
    ("part", "error"),
    [
        ("Kernel.jitted", ImportError("Numba needs NumPy 2.9 or less")),
        ("_compiled_for", TypeError("Failed in nopython mode pipeline")),
    ],
)
@pytest.mark.usefixtures("fresh", "nothing_kept")
def test_numpy_does_what_numba_does_not(
    family, expected, part, error, monkeypatch, caplog
):
    monkeypatch.setattr("segkit.compiled.entry_points.compiled", failing(error))
    monkeypatch.setattr(f"segkit.compiled.kernels.{part}", failing(error))

    for _ in range(2):
        np.testing.assert_array_equal(family(), expected)

    assert [message.split(" failed")[0] for message in told(caplog)] == [
        "machine code of kernels",
        "numba",
    ]
    assert "kernels are replaced by NumPy and SciPy" in told(caplog)[1]


@pytest.mark.usefixtures("nothing_kept")
def test_a_fault_of_numbas_cache_lets_it_compile_without(monkeypatch, caplog):
    @kernels.kernel
    def plus(a, b):
        return a + b

    compiled_for = kernels._compiled_for

    def full(jitted, arguments):
        if jitted is plus.jitted():
            raise OSError(errno.ENOSPC, "No space left on device")
        return compiled_for(jitted, arguments)

    monkeypatch.setattr(fallback, "_told", set())
    monkeypatch.setattr(kernels, "_compiled_for", full)
    monkeypatch.setattr(machine_code, "emit", failing(RuntimeError("cannot")))

    assert plus(2, 3) == 5
    assert told(caplog)[1].startswith("numba's cache failed (OSError")


def test_code_for_another_processor_is_not_loaded(tmp_path, monkeypatch):
    path = tmp_path / "code.o"
    code = machine_code.Code("entry", ["i8"], "i8", [], b"code")
    machine_code.keep(path, code, machine_code.made_here("content"))
    assert machine_code.load(path, machine_code.made_here("content")) == code

    monkeypatch.setattr(machine_code, "_environment", lambda: ("another", "processor"))
    assert machine_code.load(path, machine_code.made_here("content")) is None


def test_an_error_of_the_plain_function_is_raised():
    def plain(number):
        raise ZeroDivisionError

    @falls_back_on(plain)
    def fast(number):
        raise NotCompiledError

    with pytest.raises(ZeroDivisionError):
        fast(1)


SCRIPT = """
import resource, sys
import numpy as np
sys.path.insert(0, sys.argv[1])
if sys.argv[2] == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
import kernels
from segkit.labelling.labels import label
print(kernels.total(np.arange(5), 0) if sys.argv[2] == "full" else label([1, 0, 1]))
"""
TOTAL = """
from segkit.compiled.kernels import kernel
@kernel
def total(values, start):
    for value in values:
        start += value
    return start
"""


def run(folder, fault, monkeypatch):
    monkeypatch.setenv("NUMBA_OPT", "3")  # what comes compiled would need no numba
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(folder / "code"))
    (folder / "kernels.py").write_text(TOTAL)
    call = [sys.executable, "-B", "-c", SCRIPT, str(folder), fault]
    return subprocess.run(call, check=True, capture_output=True, text=True)


def test_where_nothing_can_be_written_kernels_run(tmp_path, monkeypatch):
    done = run(tmp_path, "full", monkeypatch)
    assert done.stdout == "10\n"
    assert "(OSError: [Errno 27] File too large)" in done.stderr


def test_a_numba_that_cannot_be_imported_is_none(tmp_path, monkeypatch):
    (tmp_path / "numba.py").write_text("raise ImportError('needs another NumPy')")
    done = run(tmp_path, "broken", monkeypatch)
    assert done.stdout == "[1 0 2]\n"
    assert "numba failed (ImportError: needs another NumPy)" in done.stderr


SLOW = """
import time
time.sleep(0.5)
raise ImportError("needs another NumPy")
"""
MEANWHILE = """
import importlib, sys, threading, time
sys.path.insert(0, sys.argv[1])
def attempt():
    try:
        importlib.import_module("numba")
    except ImportError:
        pass
thread = threading.Thread(target=attempt)
thread.start()
while "numba" not in sys.modules:
    time.sleep(0.01)
from segkit.compiled.fallback import can_compile
print(can_compile())
thread.join()
"""


def test_a_numba_that_fails_in_another_thread_is_none(tmp_path):
    (tmp_path / "numba.py").write_text(SLOW)
    call = [sys.executable, "-B", "-c", MEANWHILE, str(tmp_path)]
    done = subprocess.run(call, check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"
