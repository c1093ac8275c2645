"""ARCHITECTURE.md says where everything is; here it is held to that."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("taskgraph", "backends", "segkit")
BUILT = ("_build", "gallery", "reference")
"""Folders below `docs` that building the site makes."""
PAGES = [
    ROOT / "ARCHITECTURE.md",
    *(
        p
        for p in ROOT.glob("docs/**/*.md")
        if p.parts[len(ROOT.parts) + 1] not in BUILT
    ),
]
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")

pytestmark = pytest.mark.skipif(
    not (ROOT / "ARCHITECTURE.md").exists(), reason="tested away from the checkout"
)


def modules(folder: Path) -> set[str]:
    return {p.name for p in folder.glob("*.py") if p.name != "__init__.py"}


def folders() -> list[str]:
    """Return the folders of code, by their paths."""
    found = [
        path
        for package in PACKAGES
        for path in (ROOT / package, *(ROOT / package).rglob("*/"))
        if modules(path)
    ]
    return sorted({str(path.relative_to(ROOT)) for path in found})


def sections() -> dict[str, list[str]]:
    """Return the files that each folder's section links, in the order of the page."""
    found: dict[str, list[str]] = {}
    for part in re.split(
        r"^#+ ", (ROOT / "ARCHITECTURE.md").read_text(), flags=re.MULTILINE
    ):
        heading = re.match(r"`([\w/]+)/`", part)
        if heading:
            found[heading[1]] = LINK.findall(part)
    return found


def first_line(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]


def test_every_folder_has_one_section_and_no_other_has_any() -> None:
    assert sorted(sections()) == folders()


@pytest.mark.parametrize("folder", folders())
def test_a_section_names_each_module_of_its_folder_once(folder: str) -> None:
    links = sections().get(folder, [])
    named = [
        Path(link).name
        for link in links
        if link.endswith(".py") and str(Path(link).parent) == folder
    ]
    lacking = modules(ROOT / folder) - set(named) - {"__init__.py"}
    lines = [
        f"- [`{name}`]({folder}/{name}): {first_line(ROOT / folder / name)}"
        for name in sorted(lacking)
    ]
    assert not lacking, "\n".join(["write down:", *lines])
    assert len(named) == len(set(named)), "named twice"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_links_exists(page: Path) -> None:
    links = LINK.findall(page.read_text())
    kept = [link for link in links if link.partition("/")[0] not in BUILT]
    gone = [link for link in kept if not (page.parent / link).exists()]
    assert not gone


def test_a_section_says_what_belongs_there_and_what_does_not() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    for part in re.split(r"^#+ ", text, flags=re.MULTILINE):
        heading = re.match(r"`([\w/]+)/`", part)
        if heading:
            prose = part.split("\n- [", 1)[0]
            assert "Belongs here:" in prose, heading[1]
            assert "Not here:" in prose, heading[1]
