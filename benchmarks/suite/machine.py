"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

PEERS = (
    "numpy",
    "scipy",
    "scikit-image",
    "mahotas",
    "opencv-python-headless",
    "connected-components-3d",
    "edt",
    "fastremap",
    "jug",
    "joblib",
    "dask",
    "dask-image",
    "tifffile",
    "zarr",
    "pandas",
    "numba",
)


def machine(root: Path) -> dict[str, Any]:
    """Return what is known of this machine, and of the checkout in a folder."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "commit": commit(root),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        "disk": file_system(root, mounts()),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PEERS},
    }


def commit(root: Path) -> str:
    """Return the commit of a checkout, and whether its packages differ from it."""
    name = git(root, "rev-parse", "--short=12", "HEAD")
    packages = ("taskgraph", "segkit", "backends")
    changed = git(root, "status", "--porcelain", "--", *packages)
    return (name or "unknown") + (" and changes" if changed else "")


def git(root: Path, *words: str) -> str:
    """Return what git says, nothing if it fails."""
    command = ["git", "-C", str(root), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def processor() -> str:
    """Return the name of the processor."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except FileNotFoundError:
        return platform.processor() or "unknown"
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"


def mounts() -> str:
    try:
        return Path("/proc/mounts").read_text()
    except FileNotFoundError:
        return ""


def file_system(folder: Path, mounted: str) -> str:
    r"""Return the kind of file system that a folder is on, given what is mounted.

    >>> file_system(Path("/a/b"), "x / ext4 rw\ny /a xfs rw\nz /a/bc nfs rw\n")
    'xfs'
    """
    found = [line.split()[1:3] for line in mounted.splitlines()]
    above = [(place, kind) for place, kind in found if folder.is_relative_to(place)]
    return max(above, key=lambda one: len(one[0]), default=("", "unknown"))[1]
