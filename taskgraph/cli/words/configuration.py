"""Settings from files: ``tg.toml``, or ``[tool.tg]`` in ``pyproject.toml``."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_ROOTS = (".git", ".hg", "pyproject.toml")
_SELECT = ("name", "pattern")
OF_COMMANDS = {
    "accept": ("json",),
    "adopt": ("json", *_SELECT),
    "bundle": ("json",),
    "cancel": (),
    "chaos": ("json", "workers", "minutes", "lease", "limit", "seed"),
    "check": ("json", "also"),
    "cleanup": ("json", "alone", "max_size", "older"),
    "copy": ("json", *_SELECT),
    "count": ("json",),
    "demo": (),
    "doctor": ("json", "peer", "meet"),
    "errors": ("json", *_SELECT, "all"),
    "execute": (*_SELECT, "preload", "json"),
    "explain": ("json", "also"),
    "fsck": ("json",),
    "graph": ("tasks",),
    "import-jug": ("json", "jugdir"),
    "invalidate": ("json", *_SELECT),
    "jobs": ("json",),
    "locks": ("json",),
    "logs": ("json", "lines", *_SELECT),
    "report": ("most", "values"),
    "retry": ("json", *_SELECT),
    "shell": ("plain",),
    "show": ("json", "also"),
    "status": ("json", "also"),
    "stop": (),
    "submit": (
        *(*_SELECT, "count", "time", "directive", "export", "image", "volume"),
        *("queue", "secret", "template", "ssh", "system", "top_up"),
    ),
    "table": ("json", "also", "columns", "where", "sort", "descending"),
    "unbundle": ("json",),
    "undo": ("json",),
    "value": ("json", "all", "also"),
    "verify": ("json", "sample", "rtol", "atol"),
    "wait": ("timeout", "also", "quiet"),
    "web": ("host", "port", "open", "allow_actions"),
    "why": ("json", "also"),
}
"""What may be set for each command, so that none has to be imported to know it."""
_COMMON = ("jugfile", "store")
_PARAMETERS = {"json": "as_json", "all": "everything", "open": "opened"}
_VARIABLES = ("TG_ALSO", "TG_CPUS", "TG_ELEMENT", "TG_JUGFILE", "TG_STORE")
"""What is read from the environment, besides ``TG_COMMAND_SETTING``."""
_NEAR = 0.75


@cache
def settings() -> dict[str, tuple[str, ...]]:
    """Return what may be set for each command, besides what all of them have."""
    from taskgraph.execution.options import run_settings

    runs = ("execute", "submit")
    return OF_COMMANDS | {c: (*OF_COMMANDS[c], *run_settings()) for c in runs}


def user_commands() -> str:
    """Return the folder with commands of the user's own."""
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111 - pathlib costs start-up time
    return f"{home}/taskgraph/commands"


def configuration(
    start: str = ".", *, others: Callable[[], Iterable[str]] = tuple
) -> dict[str, Any]:
    """Return the settings for the commands, as `click` wants them.

    Looks from `start` up to the project's root (where ``.git`` or ``pyproject.toml``
    is); the closest file wins. A top-level setting holds for every command that has
    an option of that name, a table ``[execute]`` for that command alone. Options are
    spelled as on the command line; dashes and underscores are the same. Under "" is
    what commands of other people have in common with ours.

    Parameters
    ----------
    start : str, optional
        A folder.
    others : callable, optional
        Returns the names of commands of other people; asked only if a table is of none
        of ours. What is in theirs is theirs to check.

    Raises
    ------
    UsageError
        A file is no TOML, or has a key that nothing is named.

    Examples
    --------
    >>> configuration("/proc")
    {}
    """
    folder = os.path.abspath(start)  # noqa: PTH100 - pathlib costs start-up time
    merged: dict[str, Any] = {}
    while True:
        merged = _merged(_in_folder(folder, others), merged)
        parent = os.path.dirname(folder)  # noqa: PTH120 - as above
        if parent == folder or any(_exists(folder, name) for name in _ROOTS):
            return _per_command(merged) if merged else {}
        folder = parent


def misspelt_variables(environ: Iterable[str]) -> dict[str, str]:
    """Return names of variables that seem to be misspelt, and what may be meant.

    Examples
    --------
    >>> misspelt_variables(["TG_STOR", "TG_STORE", "TG_EXECUTE_JBOS", "TG_MINE"])
    {'TG_STOR': 'TG_STORE', 'TG_EXECUTE_JBOS': 'TG_EXECUTE_JOBS'}
    """
    found: dict[str, str] = {}
    for name in environ:
        if not name.startswith("TG_") or name in _VARIABLES:
            continue
        _, command, *rest = name.split("_")
        if command.lower() not in OF_COMMANDS:
            near = _nearest(name, _VARIABLES)
        else:
            known = [setting.upper() for setting in settings()[command.lower()]]
            near = _nearest("_".join(rest), known)
            near = near and f"TG_{command}_{near}"
        found |= {name: near} if near not in ("", name) else {}
    return found


def _nearest(word: str, known: Iterable[str]) -> str:
    """Return what seems to be meant, "" if nothing does."""
    import difflib

    return next(iter(difflib.get_close_matches(word, known, 1, _NEAR)), "")


def _exists(folder: str, name: str) -> bool:
    return os.path.exists(f"{folder}/{name}")  # noqa: PTH110 - as above


def _in_folder(folder: str, others: Callable[[], Iterable[str]]) -> dict[str, Any]:
    """Return the settings in a folder: common ones under "", others by command."""
    if _exists(folder, "tg.toml"):
        path = f"{folder}/tg.toml"
        return _checked(_read(path), path, others)
    if _exists(folder, "pyproject.toml"):
        path = f"{folder}/pyproject.toml"
        return _checked(_read(path).get("tool", {}).get("tg", {}), path, others)
    return {}


def _read(path: str) -> dict[str, Any]:
    import tomllib
    from pathlib import Path

    from taskgraph.errors import UsageError

    try:
        text = Path(path).read_text(encoding="utf-8-sig")  # as editors may save it
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error


def _checked(
    found: dict[str, Any], path: str, others: Callable[[], Iterable[str]]
) -> dict[str, Any]:
    """Return settings with canonical names; a relative path is meant from the file."""
    if not found:
        return {}  # as most projects have it: nothing need be known of commands
    checked: dict[str, Any] = {}
    known = {command: {*_COMMON, *names} for command, names in settings().items()}
    every = set().union(*known.values())
    for key, entry in found.items():
        if isinstance(entry, dict):
            if key == "tool":
                raise _with_heading(path)
            if key not in known and key in others():
                checked[key] = {k.replace("-", "_"): v for k, v in entry.items()}
                continue
            _refuse_unknown(key, known, f"{path}: there is no command")
            checked[key] = {
                _known(name, known[key], f"{path}: [{key}] has no setting"): value
                for name, value in entry.items()
            }
        else:
            name = _known(key, every | known.keys(), f"{path}: there is no setting")
            checked.setdefault("", {})[name] = entry
    for table in checked.values():
        for name in _COMMON:
            if name in table:
                table[name] = _meant(path, table[name], url=name == "store")
        if "also" in table:
            given = (
                table["also"] if isinstance(table["also"], list) else [table["also"]]
            )
            table["also"] = [_meant(path, place, url=True) for place in given]
    return checked


def _meant(path: str, place: object, *, url: bool) -> str:
    """Return a path as it is meant from a file of settings, or a URL as it is."""
    place = str(place)
    if url and _is_url(place):
        return place
    return _from(os.path.dirname(path), place)  # noqa: PTH120 - as above


def _with_heading(path: str) -> Exception:
    """Return what to raise if a file has the heading of ``pyproject.toml``."""
    from taskgraph.errors import UsageError

    return UsageError(
        f"{path}: [tool.tg] is the heading in pyproject.toml; a tg.toml is without it: "
        "settings stand at its top, those of one command under [execute]"
    )


def _is_url(place: str) -> bool:
    if ":" not in place:
        return False
    from backends.opening import scheme_of

    return bool(scheme_of(place))


def _from(folder: str, place: str) -> str:
    if place.startswith(("/", "~")):
        return place
    found = os.path.relpath(f"{folder}/{place}")
    return f"./{found}" if ":" in found else found  # or it would be a URL


def _known(key: str, known: Any, what: str) -> str:
    name = key.replace("-", "_")
    _refuse_unknown(name, known, what, key)
    return name


def _refuse_unknown(name: str, known: Any, what: str, key: str | None = None) -> None:
    if name in known:
        return
    import difflib

    from taskgraph.errors import UsageError

    near = difflib.get_close_matches(name, sorted(known), 1, 0.0)
    raise UsageError(f"{what} {key or name!r}; did you mean {near[0]!r}?")


def _merged(far: dict[str, Any], near: dict[str, Any]) -> dict[str, Any]:
    return {
        table: {**far.get(table, {}), **near.get(table, {})}
        for table in far.keys() | near.keys()
    }


def _per_command(found: dict[str, Any]) -> dict[str, Any]:
    common = {name: v for name, v in found.get("", {}).items() if name in _COMMON}
    theirs = found.keys() - settings().keys() - {""}
    defaults = {"": common} | {name: {**common, **found[name]} for name in theirs}
    for command, names in settings().items():
        given = {**found.get("", {}), **found.get(command, {})}
        defaults[command] = {
            _PARAMETERS.get(name, name): value
            for name, value in given.items()
            if name in names or name in _COMMON
        }
    return defaults
