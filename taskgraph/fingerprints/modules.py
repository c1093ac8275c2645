"""Where modules are, whether they were imported or not; none is imported for it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from backends.interface.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgraph.fingerprints.syntax import Chain


@frozen
class Module:
    """A module by name.

    Attributes
    ----------
    name : str
        Its own, with those of its packages.
    path : str
        Its file; empty if that is not known.
    """

    name: str
    path: str

    @property
    def package(self) -> str:
        """What its relative imports begin at."""
        if Path(self.path).name == "__init__.py":
            return self.name
        return self.name.rpartition(".")[0]


def module_of(name: str) -> Module:
    """Return a module that can be imported by a name.

    Examples
    --------
    >>> Path(module_of("importlib.util").path).name, module_of("no.such").path
    ('util.py', '')
    """
    loaded = sys.modules.get(name)
    if loaded is not None:
        found = getattr(loaded, "__dict__", {}).get("__file__")
        return Module(name, found if isinstance(found, str) else "")
    top, *parts = name.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError, AttributeError):
        spec = None
    origin = spec.origin if spec is not None and spec.origin else ""
    folder = Path(origin).parent
    for place, part in enumerate(parts):
        last = place == len(parts) - 1
        tries = [folder / f"{part}.py"] if last else []
        tries.append(folder / part / "__init__.py")
        there = [path for path in tries if path.is_file()]
        if not there:
            return Module(name, "")
        origin, folder = str(there[0]), folder / part
    return Module(name, origin)


def imported_modules(chain: Chain, package: str) -> Iterator[str]:
    """Yield the names of the modules that an import may mean.

    Parameters
    ----------
    chain : tuple of str
        As `taskgraph.fingerprints.syntax` has it: a mark, where from, what.
    package : str
        What relative imports begin at.

    Examples
    --------
    >>> list(imported_modules(("import", "..filters", "median"), "kit.methods"))
    ['kit.filters', 'kit.filters.median']
    >>> list(imported_modules(("import", "os.path"), ""))
    ['os.path']
    """
    origin, *names = chain[1:]
    level = len(origin) - len(origin.lstrip("."))
    if level:
        parts = package.split(".")
        base = parts[: len(parts) - level + 1]
        origin = ".".join(part for part in (*base, origin[level:]) if part)
    if origin:
        yield origin
        yield from (f"{origin}.{name}" for name in names if name != "*")
