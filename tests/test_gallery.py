"""The gallery is built, and no public function is missing from it."""

import inspect
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import segkit

ROOT = Path(__file__).parents[1]
TG = Path(sys.executable).with_name("tg")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return built(tmp_path_factory.mktemp("gallery"))


def built(folder, **environment):
    jugfile = ROOT / "jugfiles" / "gallery.py"
    command = [str(TG), "execute", str(jugfile), "-q", "-j", "2", "--store", "store"]
    subprocess.run(command, cwd=folder, check=True, env=os.environ | environment)
    return folder / "gallery-out" / "index.html"


def public_functions():
    """Return the names of those that make something; `explore` shows a page."""
    named = {name: getattr(segkit, name) for name in segkit.__all__}
    functions = {name for name, thing in named.items() if inspect.isfunction(thing)}
    return functions - {"explore"}


def test_every_public_function_is_shown_and_called(page):
    entry = re.compile(r"<h3 id=(\w+)>.*?<pre>(.*?)</pre>", re.DOTALL)
    shown = entry.findall(page.read_text())
    called = {name for name, source in shown if f"segkit.{name}(" in source}
    assert public_functions() - called == set()


def test_every_example_has_a_picture(page):
    text = page.read_text()
    pictures = [path for path in page.parent.glob("*.png") if path.stat().st_size > 500]
    assert len(pictures) == text.count("<img") > 50


EXTRAS = ("cc3d", "cv2", "h5py", "imagecodecs", "pyarrow", "zarr")


@pytest.fixture
def no_extras(tmp_path):
    """The environment in which no optional library can be imported."""
    hidden = f"import sys\nsys.modules.update(dict.fromkeys({EXTRAS}))\n"
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "sitecustomize.py").write_text(hidden)
    return {"PYTHONPATH": str(tmp_path / "hidden")}


def test_without_optional_libraries_there_is_a_page_that_names_what_it_lacks(
    page, tmp_path, no_extras
):
    whole = page.read_text()
    folder = shutil.copytree(page.parents[1], tmp_path / "again")
    text = built(folder, **no_extras).read_text()
    shown = re.findall(r"<h3 id=(\w+)>", text)
    named = re.findall(r"<p>(\w+) needs zarr, not installed here", text)
    assert named == ["save", "create_image", "open_plate"]
    assert sorted(shown + named) == sorted(re.findall(r"<h3 id=(\w+)>", whole))
    assert "Left out" not in whole


def test_examples_with_files_that_are_not_left_out_run_without_optional_libraries(
    tmp_path, no_extras
):
    code = """
import numpy as np
from examples import files
from gallery import examples_of, missing_for
for example in examples_of(files):
    if not missing_for(example):
        example(np.arange(120000, dtype="uint16").reshape(300, 400) % 251)
        print(example.__name__)
"""
    jugfiles = str(ROOT / "jugfiles")
    path = os.pathsep.join([no_extras["PYTHONPATH"], jugfiles])
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    shown = done.stdout.split()
    assert shown == ["open_image", "open_writer", "save_png", "save_table"]
