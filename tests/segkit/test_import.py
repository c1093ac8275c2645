"""`import segkit` is light, and its public names are those of its stub."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import segkit

HEAVY = {"numpy", "scipy", "skimage", "mahotas", "numba", "cv2", "zarr", "h5py"}
HEAVY |= {"tifffile", "imageio", "pandas", "pyarrow", "cc3d", "imagecodecs"}


def modules_after(code):
    script = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_import_loads_no_array_library():
    assert not modules_after("import segkit") & HEAVY


def test_opening_an_image_loads_only_its_own_library(tmp_path):
    path = segkit.save(tmp_path / "a.npy", __import__("numpy").zeros((4, 4)))
    loaded = modules_after(f"import segkit; segkit.open_image({str(path)!r}).read()")
    assert loaded & HEAVY == {"numpy"}


def test_every_public_name_exists_and_is_listed():
    for name in segkit.__all__:
        assert getattr(segkit, name) is not None
    stub = ast.parse(Path(segkit.__file__).with_suffix(".pyi").read_text())
    names = {
        alias.asname or alias.name
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert names == set(segkit.__all__)


def test_no_public_name_is_also_a_module():
    modules = {path.stem for path in Path(segkit.__file__).parent.iterdir()}
    assert not modules & set(segkit.__all__)


@pytest.mark.parametrize(
    "face", ["segkit", "segkit.io", "segkit.pipeline", "segkit.workflows", "taskgraph"]
)
def test_an_unknown_name_is_told_whatever_was_imported_before(face):
    call = [sys.executable, "-c", f"from {face} import no_such_name"]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert "ImportError: cannot import name 'no_such_name'" in done.stderr


@pytest.mark.parametrize("face", ["io", "methods", "pipeline", "workflows"])
def test_a_package_of_names_is_there_once_segkit_is_imported(face):
    script = f"import segkit; print(segkit.{face}.__name__)"
    call = [sys.executable, "-c", script]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    assert done.stdout == f"segkit.{face}\n"


def test_a_function_that_is_no_step_may_be_asked_for_first():
    script = "from segkit.pipeline import tiles, steps; print(steps.Step)"
    subprocess.run([sys.executable, "-c", script], check=True)
