"""The page about the engine's design names what is there."""

from pathlib import Path

import pytest

import taskgraph

HOME = Path(taskgraph.__file__).parent
MODULES = [
    path
    for path in sorted(HOME.rglob("*.py"))
    if path.name != "__init__.py" and "cli" not in path.parts
]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_the_design_names_every_module_once(module):
    design = (HOME / "DESIGN.md").read_text()
    assert design.count(f"\n| `{module.name}` |") == 1
