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


def place(module):
    return str(module.relative_to(HOME))


@pytest.mark.parametrize("module", MODULES, ids=place)
def test_the_design_names_every_module_once(module):
    design = (HOME / "DESIGN.md").read_text()
    of_that_name = sum(other.name == module.name for other in MODULES)
    assert design.count(f"\n| `{module.name}` |") == of_that_name
