"""Doctests of what is known by another module than the one that it lies in."""

from __future__ import annotations

import doctest
import inspect
from typing import Any


class _ByFile(doctest.DocTestFinder):
    """Finds functions and classes in their files, whatever `known_as` calls them.

    `doctest` goes by `__module__`, and would pass them over without a word.
    """

    def _from_module(self, module: Any, thing: Any) -> bool:
        if module is None:
            return True
        parts = vars(thing).values() if inspect.isclass(thing) else [thing]
        for part in map(inspect.unwrap, parts):
            if inspect.isfunction(part):
                return part.__globals__ is vars(module)
        return bool(super()._from_module(module, thing))  # type: ignore[misc]


doctest.DocTestFinder = _ByFile  # type: ignore[misc]
