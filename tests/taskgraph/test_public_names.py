"""The names that users import: they are listed, they work, and no module hides them."""

import ast
import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import segkit
import taskgraph
from taskgraph import extending

PACKAGES = (
    *("taskgraph", "taskgraph.results", "backends", "backends.filesystem"),
    *("segkit", "segkit.io", "segkit.pipeline", "segkit.workflows"),
)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_hides_a_public_name_of_its_package(package):
    found = import_module(package)
    modules = {module.name for module in pkgutil.iter_modules(found.__path__)}
    shared = modules & set(found.__all__)
    hiding = {m for m in shared if not callable(import_module(f"{package}.{m}"))}
    assert not hiding


@pytest.mark.parametrize("package", PACKAGES)
def test_dir_lists_the_public_names(package):
    found = import_module(package)
    assert set(found.__all__) <= set(dir(found))


@pytest.mark.parametrize("package", [taskgraph, segkit], ids=lambda p: p.__name__)
def test_dir_lists_nothing_else(package):
    assert not set(dir(package)) - set(package.__all__)


@pytest.mark.parametrize("package", [*PACKAGES, "taskgraph.extending"])
def test_a_star_brings_all_public_names(package):
    program = (
        f"from {package} import *\nimport {package} as package\n"
        "missing = set(package.__all__) - set(globals())\nassert not missing, missing"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_every_exception_of_the_engine_is_public():
    errors = import_module("taskgraph.errors")
    named = {name for name, found in vars(errors).items() if isinstance(found, type)}
    assert named <= set(taskgraph.__all__)


def test_the_door_says_what_each_of_its_names_is_for():
    for name in extending.__all__:
        assert f"`{name}`" in extending.__doc__


def test_type_checkers_see_the_same_door():
    tree = ast.parse(Path(extending.__file__).read_text())
    imported = {
        alias.asname: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    assert imported == extending._HOMES


def test_the_door_hides_no_public_name():
    assert not set(extending.__all__) & set(taskgraph.__all__)
