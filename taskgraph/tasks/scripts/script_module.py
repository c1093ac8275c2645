"""A jugfile as a module: what it is called, and what it finds when it imports."""

from __future__ import annotations

import atexit
import importlib
import importlib.util
import os
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

from backends.warning import warn
from taskgraph.errors import JugfileError
from taskgraph.loaded import main_script
from taskgraph.tasks.recording import strays

_OURS = ("taskgraph", "backends", "segkit")


def module_name(path: Path, shown: str) -> str:
    """Return the name of the module that a jugfile runs as.

    It is the one that its neighbours would import it by; a dot in it, which would
    name a package, becomes a low line.

    Raises
    ------
    JugfileError
        The name is that of another module, which Python or a library would not find
        any more: it would get the jugfile.

    Examples
    --------
    >>> module_name(Path("scripts/analysis.v2.py"), "analysis.v2.py")
    'analysis_v2'
    >>> module_name(Path("scripts/random.py"), "random.py")
    Traceback (most recent call last):
    taskgraph.JugfileError: random.py is named like a module of Python, which nobody ...
    """
    name = path.stem.replace(".", "_")
    whose = _other_module(name, path)
    if whose:
        raise JugfileError(
            f"{shown} is named like {whose}, which nobody would find any more; "
            "rename the jugfile"
        )
    if name != path.stem and path.with_name(f"{name}{path.suffix}").exists():
        raise JugfileError(
            f"{shown} has a dot in its name, and is known as {name}, as its neighbour "
            f"{name}{path.suffix} is; rename one of them"
        )
    return name


def _other_module(name: str, path: Path) -> str:
    """Return which module has a name already, in words; empty if none that counts."""
    if name in sys.stdlib_module_names or name == "__main__":
        return "a module of Python"
    loaded = sys.modules.get(name)
    origin = getattr(loaded, "__file__", None)
    if loaded is None and name.isidentifier():
        found = importlib.util.find_spec(name)
        origin = None if found is None else found.origin
    if origin is None or os.path.realpath(origin) == str(path.resolve()):
        return ""
    installed = "site-packages" in Path(origin).parts
    ours = name in _OURS
    return f"the module {name} that is installed" if installed or ours else ""


@cache
def expect_run() -> None:
    """Tell at the end if the script that Python runs has run none of its tasks."""
    if path := main_script():  # Python forgets it at its end
        atexit.register(_tell_of_strays, path)


def _tell_of_strays(path: str) -> None:
    looked = "backends.opening" in sys.modules  # for a store: somebody knows what to do
    count = next(strays)
    if count and not looked and not hasattr(sys, "last_value"):
        from shlex import quote

        path = quote(os.path.relpath(path))
        warn(
            f"{path} has written down {count} task{'s' * (count > 1)} and run none: "
            f"`tg execute {path}` runs them; with taskgraph.run() at its end, so does "
            f"`python {path}`"
        )


def circle(error: BaseException, name: str) -> str:
    """Return what to add to an error if it is of a module that imports the jugfile.

    Examples
    --------
    >>> circle(ImportError("cannot import name 'x' from 'work'", name="work"), "work")
    '; what work imports imports work, which is only half read then: move what both ...'
    >>> circle(ImportError("no module named 'numpi'", name="numpi"), "work")
    ''
    """
    asked = getattr(error, "obj", None)
    of_module = isinstance(asked, ModuleType) and asked.__name__ == name
    by_name = isinstance(error, ImportError) and error.name == name
    if not (of_module or by_name):
        return ""
    return (
        f"; what {name} imports imports {name}, which is only half read then: move "
        "what both need to a module of its own"
    )


def hiding(error: BaseException, path: Path) -> str:
    """Return what to add to an error if a file beside a jugfile hides another module.

    Examples
    --------
    >>> there = Path("scripts").resolve()
    >>> error = ImportError("no name Random", path=f"{there}/random.py")
    >>> hiding(error, there / "work.py")
    '; random.py beside it hides the module random, which others need: rename it'
    >>> hiding(ImportError("no name x", path=f"{there}/cells.py"), there / "work.py")
    ''
    """
    if not isinstance(error, ImportError | AttributeError):
        return ""
    from traceback import walk_tb  # costs time at every start

    files = [frame.f_code.co_filename for frame, _ in walk_tb(error.__traceback__)]
    files += [getattr(getattr(error, "obj", None), "__file__", None) or ""]
    files += [getattr(error, "path", None) or ""]
    for file in map(Path, files):
        name = file.stem
        if file.suffix != ".py" or name == path.stem:
            continue
        if file.resolve().parent == path.resolve().parent and _is_taken(name):
            return (
                f"; {file.name} beside it hides the module {name}, which others need: "
                "rename it"
            )
    return ""


def _is_taken(name: str) -> bool:
    """Return whether Python or a package that is installed has a module of a name."""
    if name in sys.stdlib_module_names:
        return True
    try:
        from importlib.metadata import packages_distributions

        return name in packages_distributions()
    except Exception:  # noqa: BLE001 - it imports modules that may be hidden, too
        return False


class _Beside(str):
    """An entry of ``sys.path`` because a jugfile is, or began, there."""

    __slots__ = ()


def find_neighbours(folder: str, start: str) -> None:
    """Let imports look beside a jugfile first, then in the folder where it began.

    If another jugfile ran in this process before, a module that it found beside itself
    is forgotten where this one has another of that name.

    Parameters
    ----------
    folder : str
        Where the jugfile is.
    start : str
        The working directory when it began.
    """
    others = {str(entry) for entry in sys.path if isinstance(entry, _Beside)}
    if others - {folder}:
        _forget(folder, others - {folder})
    mine = list(dict.fromkeys((folder, start)))
    rest = [entry for entry in sys.path if entry not in mine]
    sys.path[:] = [*map(_Beside, mine), *rest]


def modules_beside(folder: str) -> list[str]:
    """Return the files of imported modules that are in a folder, or deeper in it.

    What is installed in an environment there is none of them, nor are these packages.
    """
    inside = os.path.join(folder, "")  # noqa: PTH118 - for many modules
    return [
        file
        for name, module in list(sys.modules.items())
        if isinstance(file := getattr(module, "__file__", None), str)
        and file.startswith(inside)
        and "site-packages" not in file
        and name.partition(".")[0] not in _OURS
    ]


def _forget(folder: str, others: set[str]) -> None:
    """Forget the modules from other folders of which this one has its own."""
    foreign = {
        name.partition(".")[0]
        for name, module in list(sys.modules.items())
        if _home(name, module) in others
    }
    replaced = {name for name in foreign if _provides(folder, name)}
    for name in list(sys.modules):
        if name.partition(".")[0] in replaced:
            del sys.modules[name]
    if replaced:
        importlib.invalidate_caches()


def _home(name: str, module: ModuleType) -> str:
    """Return the folder in which a module at the top was found; empty if in none."""
    if "." in name:
        return ""
    paths = list(getattr(module, "__path__", None) or ())
    place = paths[0] if paths else getattr(module, "__file__", None) or ""
    return str(Path(place).parent) if isinstance(place, str) and place else ""


def _provides(folder: str, name: str) -> bool:
    there = Path(folder, name)
    return there.with_name(f"{name}.py").is_file() or there.is_dir()
