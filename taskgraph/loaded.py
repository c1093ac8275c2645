"""Modules that are imported already: what is of them can only be there if they are."""

from __future__ import annotations

import sys
from typing import Any

_whole: dict[str, Any] = {}


def loaded(name: str) -> Any:
    """Return a module that is imported, None if it is not, or not yet to its end.

    Another thread may be importing it just now: then nobody has anything of it.

    Examples
    --------
    >>> loaded("sys").maxsize > 0, loaded("no.such.module")
    (True, None)
    """
    found = _whole.get(name)
    if found is None:
        module = sys.modules.get(name)
        spec = getattr(module, "__spec__", None)
        if module is None or getattr(spec, "_initializing", False):
            return None
        found = _whole[name] = module
    return found
