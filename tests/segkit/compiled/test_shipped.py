"""Object files that come with the package: run if they are right, else left alone."""

from __future__ import annotations

import importlib.util
import os
import sys

import numpy as np
import pytest
from llvmlite import binding
from scipy import ndimage

from segkit.compiled import kernels, machine_code, making, shipped, sources
from segkit.compiled.fallback import can_compile
from segkit.compiled.kernels import Kernel
from segkit.labelling import union_find

pytestmark = pytest.mark.skipif(not can_compile(), reason="numba is off")

FLATTEN = making.Use("segkit.labelling.union_find.flatten", (("i8", 1, True),))
NUMBERS = making.Use(
    "segkit.labelling.union_find.number_sets", (("i4", 1, True), ("i4", 1, True))
)
TARGET = shipped.targets()[-1]


@pytest.fixture
def objects(tmp_path, monkeypatch):
    """A folder of object files with that of `flatten`, in place of the package's."""
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "objects")
    for name in [one for one in os.environ if one.startswith("NUMBA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(shipped, "_targets", shipped.targets)
    making._file(TARGET, FLATTEN)[0].parent.mkdir(parents=True)
    making._make_one(TARGET, FLATTEN)
    return shipped.FOLDER


def find():
    kernel = union_find.flatten
    return shipped.find(kernel.full_name, repr(FLATTEN.arguments), kernel.sources())


def flattened():
    """Run a kernel as a process that has just begun."""
    parent = np.array([0, 1, 1, 2, 3])
    Kernel(union_find.flatten._function)(parent)
    return parent.tolist()


def test_what_comes_with_the_package_is_run_and_nothing_is_compiled(
    objects, monkeypatch
):
    monkeypatch.setattr(Kernel, "compiled_for", None)
    assert flattened() == [0, 1, 1, 1, 1]
    assert find().name


@pytest.mark.parametrize("part", range(10))
def test_a_file_that_is_cut_or_changed_anywhere_is_left_alone(objects, part):
    (path,) = objects.glob("*/*.o")
    whole = path.read_bytes()
    place = part * len(whole) // 10
    path.write_bytes(whole[:place])
    assert find() is None
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    assert find() is None
    assert flattened() == [0, 1, 1, 1, 1]


@pytest.mark.parametrize("content", [b"[]\n", b"7\n", b'{"code": 1}\n', b"\xff\n"])
def test_a_file_of_something_else_is_left_alone(objects, content):
    (path,) = objects.glob("*/*.o")
    path.write_bytes(content)
    assert find() is None


def test_a_file_of_another_kernel_or_processor_is_left_alone(objects):
    (path,) = objects.glob("*/*.o")
    making._make_one(TARGET, NUMBERS)
    other = making._file(TARGET, NUMBERS)[0]
    path.write_bytes(other.read_bytes())
    assert find() is None

    slow = shipped.Target(TARGET.system, shipped.Processor("another"))
    making._file(slow, FLATTEN)[0].parent.mkdir()
    making._make_one(TARGET, FLATTEN)
    path.rename(making._file(slow, FLATTEN)[0])
    assert find() is None


def test_a_processor_runs_what_its_features_allow(monkeypatch):
    if TARGET.processor.name == "generic":
        pytest.skip("this machine has one level")
    has = binding.get_host_cpu_features()
    monkeypatch.setattr(binding, "get_host_cpu_features", lambda: has)
    for lacking, levels in [("avx2", ["x86-64-v2"]), ("popcnt", [])]:
        has[lacking] = False
        assert [one.processor.name for one in shipped.targets()] == levels


@pytest.mark.parametrize("name", ["NUMBA_OPT", "NUMBA_BOUNDSCHECK", "NUMBA_CPU_NAME"])
def test_who_tells_numba_how_to_compile_gets_it_compiled(objects, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    assert find() is None


def test_a_folder_of_caches_is_nothing_that_numba_is_told(objects, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", "elsewhere")
    assert find() is not None


def test_what_a_use_no_longer_asks_for_goes(objects, monkeypatch):
    (path,) = objects.glob("*/*.o")
    old, unfinished = path.with_name("old.o"), path.with_name("new.o.12345678")
    old.touch()
    unfinished.touch()
    monkeypatch.setattr(making, "uses", lambda: [FLATTEN])

    assert making.make(TARGET) == 0

    assert sorted(path.parent.iterdir()) == sorted([path, unfinished])


KERNELS = """
from segkit.compiled.kernels import kernel
NUMBER = 1
def plain(a):
    return a
@kernel
def plus(a):
    return a + NUMBER
@kernel
def calls(a):
    return plus(a)
@kernel
def calls_plain(a):
    return plain(a)
"""


@pytest.fixture
def imported(tmp_path):
    """A function that imports a text as a module."""

    def load(text):
        (tmp_path / "ours.py").write_text(text)
        spec = importlib.util.spec_from_file_location("ours", tmp_path / "ours.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules["ours"] = module
        spec.loader.exec_module(module)
        return module

    yield load
    sys.modules.pop("ours", None)


def test_sources_are_all_that_is_called_and_the_values_of_constants(imported):
    ours = imported(KERNELS)
    found = {ours.calls.sources()}
    ours.NUMBER = 3  # as if it came from another file
    found.add(Kernel(ours.plus._function).sources())
    found.add(imported(KERNELS.replace("NUMBER = 1", "NUMBER = 2")).calls.sources())
    assert len(found) == 3
    assert "" not in found


def test_who_edits_a_file_gets_what_was_imported_compiled(imported, tmp_path):
    ours = imported(KERNELS)
    (tmp_path / "ours.py").write_text(KERNELS.replace("NUMBER = 1", "NUMBER = 2"))
    assert ours.plus.sources() == ""


def test_functions_in_python_have_no_sources_that_tell_all(imported):
    ours = imported(KERNELS)
    assert ours.calls.sources()
    assert ours.calls_plain.sources() == ""


@pytest.mark.parametrize(
    ("one", "other"), [(1, 2), (1, 1.0), (1, True), ("a", "b"), ((1, 2), (1, 3))]
)
def test_different_constants_have_different_texts(one, other):
    assert sources.constant(one) != sources.constant(other)
    assert sources.constant(np.array(one)) != sources.constant(np.array(other))


@pytest.mark.parametrize("one", [lambda: 1, sys, object(), [1], (1, [1])])
def test_what_may_stand_for_more_has_no_text(one):
    assert sources.constant(one) == ""


def test_processors_of_all_levels_give_the_same_bits(objects):
    """Products are rounded before they are added: no level fuses the two."""
    rng = np.random.default_rng(0)
    image, weights = rng.random((3, 40, 50)), rng.random(7)
    out = np.empty_like(image)
    given = (image, weights, (0, 3 * 40), np.empty(50), out)
    use = making.Use(
        "segkit.filters.gaussian_kernel.correlate_rows",
        tuple(kernels._take(one, []) for one in given),
    )
    whole = np.concatenate((weights[:0:-1], weights))
    expected = ndimage.correlate1d(image, whole, axis=1)
    for target in shipped.targets():
        path, made_of = making._file(target, use)
        path.parent.mkdir(exist_ok=True)
        making._make_one(target, use)
        run = machine_code.Function(machine_code.load(path, made_of))
        out[:] = 0
        numbers = []
        for one in given:
            kernels._take(one, numbers)
        run(numbers)
        assert np.array_equal(out, expected), target
