"""Modules that are imported already: what is of them can only be there if they are."""

from __future__ import annotations

import os
import sys
from typing import Any

_whole: dict[str, Any] = {}
_MAIN = ("__main__", "__mp_main__")
"""What a script is called that Python runs, and in processes that it starts."""


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


def main_script(name: str = _MAIN[0]) -> str:
    """Return the path of the script that Python runs; empty in a notebook, or with -m.

    A script that a notebook runs (``%run``) has the names of the notebook. A process
    that it spawns reads it under the other name, before that is the main one.

    Examples
    --------
    >>> main_script().endswith(".py")
    False
    """
    main = sys.modules.get(name)
    path = getattr(main, "__file__", None) or ""
    read = getattr(main, "__loader__", None) or main is sys.modules.get(_MAIN[1])
    script = path.endswith(".py") and getattr(main, "__spec__", None) is None
    return path if read and script else ""


def home_of(module: str) -> str:
    """Return what a module is known by: a script that Python runs by its own name.

    So its tasks are those that `tg execute` finds in it. From then on it is found under
    that name, unless another module has it.

    Examples
    --------
    >>> home_of("json"), home_of("__main__")
    ('json', '__main__')
    """
    if module not in _MAIN or not (path := main_script(module)):
        return module
    name = os.path.basename(path).removesuffix(".py").replace(".", "_")  # noqa: PTH119 - for each function
    if name in sys.stdlib_module_names:
        return module
    other = sys.modules.setdefault(name, sys.modules[module])
    file = getattr(other, "__file__", None) or ""
    return name if os.path.realpath(file) == os.path.realpath(path) else module
