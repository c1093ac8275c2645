"""The shape of the code: small folders, files and functions, and what is installed."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
PACKAGES = ("taskgraph", "backends", "segkit")
FACES = ("taskgraph", "segkit", "segkit.io", "segkit.pipeline", "segkit.workflows")
DISTRIBUTIONS = {  # that have another name than what is imported
    "PIL": "pillow",
    "backports": "backports.zstd",
    "cc3d": "connected-components-3d",
    "cv2": "opencv-python-headless",
    "lazy_loader": "lazy-loader",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
}

pytestmark = pytest.mark.skipif(
    not (ROOT / "segkit").exists(), reason="tested away from the checkout"
)


def files(*folders: str) -> list[Path]:
    return sorted(path for name in folders for path in (ROOT / name).rglob("*.py"))


CODE = files(*PACKAGES)
ALL = [*CODE, *files("tests", "jugfiles", "benchmarks"), *ROOT.glob("*.py")]


def test_a_folder_has_at_most_twenty_files() -> None:
    counts = Counter(path.parent for path in ALL)
    assert {str(k): n for k, n in counts.items() if n > 20} == {}


def test_a_file_has_at_most_four_hundred_lines() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in ALL}
    assert {str(k): n for k, n in lengths.items() if n > 400} == {}


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function but its docstring; comments and blanks count."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        lines -= (first.end_lineno or 0) - first.lineno + 1
    return lines


class Outline(NamedTuple):
    """What tests here ask of a file: to parse all takes seconds."""

    lengths: list[tuple[str, int]]
    names: set[str]
    imported: set[str]


@cache
def outline(path: Path) -> Outline:
    found = Outline([], set(), set())
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.lengths.append((node.name, length(node)))
        found.names.update(names_in(node))
        found.imported.update(imported_by(node))
    return found


def test_a_function_has_at_most_forty_lines() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {name}, {lines}"
        for path in ALL
        for name, lines in outline(path).lengths
        if lines > 40
    ]
    assert long == []


MODULE_OR_MEMBER = re.compile(rf"`((?:{'|'.join(PACKAGES)})(?:\.\w+)+)[`(]")
PRIVATE = re.compile(r"`(_[a-z]\w+(?:\.\w+)*)[`(]")


def prose() -> Iterator[tuple[Path, str]]:
    """Yield what is written about the code as it is: pages, and the code's own words.

    Decisions may name what was not taken, and the list of changes what is no more.
    """
    pages = [
        *ROOT.glob("*.md"),
        *(p for n in PACKAGES for p in (ROOT / n).rglob("*.md")),
    ]
    for path in [*pages, *ALL]:
        if path.name != "CHANGELOG.md" and path != Path(__file__):
            yield path.relative_to(ROOT), path.read_text()


def stands_for_something(name: str) -> bool:
    """Return whether a dotted name is a module, or a member of one or of a class."""
    parts = name.split(".")
    for k in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:k]))
        except ModuleNotFoundError:
            continue
        for part in parts[k:]:
            if part in getattr(found, "__annotations__", {}):
                return True  # a field of a class
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


def test_what_is_named_in_backticks_exists() -> None:
    known = set().union(*(outline(path).names for path in ALL))
    stale = [
        f"{path}: {name}"
        for path, text in prose()
        for pattern in (MODULE_OR_MEMBER, PRIVATE)
        for name in pattern.findall(text)
        if not (
            stands_for_something(name)
            if pattern is MODULE_OR_MEMBER
            else known.issuperset(name.split("."))
        )
    ]
    assert stale == []


@cache
def naming_fields(kind: type[ast.AST]) -> list[str]:
    return [name for name in ("id", "attr", "arg", "name") if name in kind._fields]


def names_in(node: ast.AST) -> Iterator[str]:
    """Yield the names that a piece of code defines or uses."""
    for field in naming_fields(type(node)):
        if isinstance(name := getattr(node, field), str):
            yield name


@pytest.mark.parametrize("face", FACES)
def test_all_names_of_a_face_can_be_imported_at_once(face: str) -> None:
    script = (
        f"from {face} import *; import {face} as face; "
        "lacking = [n for n in face.__all__ if n not in globals()]; "
        "assert face.__all__ and not lacking, lacking"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def imported_by(node: ast.AST) -> Iterator[str]:
    """Yield the top-level names that a piece of code imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module.partition(".")[0]


def required_by_users() -> set[str]:
    """Return what is installed for the code, by default or by an extra."""
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = known["optional-dependencies"]
    lists = [
        extras[name] for name in extras if name not in ("test", "docs", "dev", "bench")
    ]
    names = {
        re.split(r"[\[<>=;! ]", one)[0]
        for required in [known["dependencies"], *lists]
        for one in required
    }
    return names - {known["name"]}


def test_what_is_required_is_what_the_code_imports() -> None:
    used = set().union(*(outline(path).imported for path in CODE))
    # `compression` is in the standard library since 3.14.
    foreign = used - sys.stdlib_module_names - {*PACKAGES, "compression"}
    needed = {DISTRIBUTIONS.get(name, name) for name in foreign}
    assert required_by_users() == needed
