"""What this machine lets tests do; in CI it has to let them do everything."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

IN_CI = bool(os.environ.get("CI"))


def _works(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _can_mount() -> bool:
    return _works("unshare", "-m", "sh", "-c", "mount -t tmpfs none /mnt")


NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--mount-proc")
"""Runs a command as root of mounts and processes of its own."""

needs_namespaces = pytest.mark.skipif(
    not IN_CI and not _works(*NAMESPACES, "true"),
    reason="needs root that may have namespaces of its own",
)
needs_strace = pytest.mark.skipif(
    not IN_CI and shutil.which("strace") is None,
    reason="needs strace (apt-get install strace)",
)


def _can_have_clusters() -> bool:
    """Return whether batch systems can be started here, installed before if need be."""
    installs = shutil.which("apt-get") or shutil.which("slurmctld")
    return os.geteuid() == 0 and bool(installs) and _works(*NAMESPACES, "true")


needs_clusters = pytest.mark.skipif(
    not IN_CI and not _can_have_clusters(),
    reason="needs root on Debian, to start Slurm and Grid Engine",
)
needs_mounts = pytest.mark.skipif(
    not IN_CI and not _can_mount(),
    reason="needs root that may mount (CAP_SYS_ADMIN)",
)
