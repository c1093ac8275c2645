"""The gallery is built, and no public function is missing from it."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import segkit

ROOT = Path(__file__).parents[1]
TG = Path(sys.executable).with_name("tg")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gallery")
    jugfile = ROOT / "jugfiles" / "gallery.py"
    command = [str(TG), "execute", str(jugfile), "-q", "-j", "2", "--store", "store"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "gallery-out" / "index.html"


def public_functions():
    named = {name: getattr(segkit, name) for name in segkit.__all__}
    return {name for name, thing in named.items() if inspect.isfunction(thing)}


def test_every_public_function_is_shown_and_called(page):
    entry = re.compile(r"<h3 id=(\w+)>.*?<pre>(.*?)</pre>", re.DOTALL)
    shown = entry.findall(page.read_text())
    called = {name for name, source in shown if f"segkit.{name}(" in source}
    assert public_functions() - called == set()


def test_every_example_has_a_picture(page):
    text = page.read_text()
    pictures = [path for path in page.parent.glob("*.png") if path.stat().st_size > 500]
    assert len(pictures) == text.count("<img") > 50
