"""Settings from files: ``tg.toml``, or ``[tool.tg]`` in ``pyproject.toml``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from taskgraph.errors import UsageError

_ROOTS = (".git", ".hg", "pyproject.toml")


def configuration(start: Path | None = None) -> dict[str, Any]:
    """Return the settings for the commands, as `click` wants them.

    Looks from `start` up to the project's root (where ``.git`` or ``pyproject.toml``
    is); the closest file wins. A top-level setting holds for every command that has
    an option of that name, a table ``[execute]`` for that command alone.

    Raises
    ------
    UsageError
        A file is no TOML.

    Examples
    --------
    >>> configuration(Path("/proc"))
    {}
    """
    folder = Path(os.path.abspath(start or "."))  # noqa: PTH100 - links stay as typed
    merged: dict[str, Any] = {}
    for place in (folder, *folder.parents):
        merged = _merged(_settings(place), merged)
        if any((place / name).exists() for name in _ROOTS):
            break
    return _per_command(merged)


def _settings(folder: Path) -> dict[str, Any]:
    path = folder / "tg.toml"
    if path.exists():
        return _read(path)
    path = folder / "pyproject.toml"
    if path.exists():
        found: dict[str, Any] = _read(path).get("tool", {}).get("tg", {})
        return found
    return {}


def _read(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error


def _merged(far: dict[str, Any], near: dict[str, Any]) -> dict[str, Any]:
    merged = dict(far)
    for key, entry in near.items():
        before = merged.get(key)
        both = isinstance(before, dict) and isinstance(entry, dict)
        merged[key] = {**before, **entry} if both else entry  # type: ignore[dict-item] # both are
    return merged


def _per_command(settings: dict[str, Any]) -> dict[str, Any]:
    from taskgraph.cli import COMMANDS

    common = {_name(k): v for k, v in settings.items() if not isinstance(v, dict)}
    return {
        command: {
            **common,
            **{_name(k): v for k, v in settings.get(command, {}).items()},
        }
        for command in COMMANDS
        if common or settings.get(command)
    }


def _name(key: str) -> str:
    return key.replace("-", "_")
