"""Sizes that are given: of images, of voxels, and of what memory has to hold."""

from __future__ import annotations

import math
import os
import resource
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks

if TYPE_CHECKING:
    from collections.abc import Sequence

# Of which squares and their inverses are numbers.
_MOST_DISTANCE = 1e50


def as_shape(shape: Any, ndim: int | None = None) -> tuple[int, ...]:
    """Return the shape of an image, of so many axes if that is known, as integers."""
    if isinstance(shape, (str, bytes)) or np.ndim(shape) != 1:
        raise TypeError(f"shape is {shape!r}, but must be a length for each axis")
    axes = len(shape) if ndim is None else ndim
    return checks.per_axis(tuple(shape), axes, name="shape")


def as_spacing(spacing: Any, ndim: int) -> tuple[float, ...]:
    """Return the distance of voxel centres on each axis; raise unless above 0."""
    distances = checks.per_axis_real(spacing, ndim, name="spacing", least=-math.inf)
    if min(distances) <= 0:
        raise ValueError(f"spacing is {spacing}; give positive distances")
    if not (min(distances) > 1 / _MOST_DISTANCE and max(distances) < _MOST_DISTANCE):
        raise ValueError(
            f"spacing is {spacing}, of which squares and ratios cannot be computed;"
            " give it in another unit"
        )
    return distances


@cache
def memory_limit(system: Path = Path("/")) -> int:
    """Return how many bytes of memory this process may have.

    That is what the machine has, or less where a control group (of a container, of a
    batch system) or a limit of the process (``ulimit -v``) says so.

    Parameters
    ----------
    system
        Where ``proc`` and ``sys`` are.
    """
    found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    own = resource.getrlimit(resource.RLIMIT_AS)[0]
    if own != resource.RLIM_INFINITY:
        found.append(own)
    try:
        lines = (system / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # no Linux
        lines = []
    for line in lines:
        _, kind, path = line.split(":", 2)
        if kind == "":
            found += _limits(system / "sys/fs/cgroup", path, "memory.max")
        elif "memory" in kind.split(","):
            folder = system / "sys/fs/cgroup/memory"
            found += _limits(folder, path, "memory.limit_in_bytes")
    return min(found)


def _limits(folder: Path, path: str, name: str) -> list[int]:
    """Return the limits of a control group and of those that it lies in.

    A container may see the path of its group and not the folder: its root is the group.
    """
    inner = Path(path.lstrip("/"))
    found = []
    for group in (inner, *inner.parents):
        try:
            said = (folder / group / name).read_text().strip()
        except OSError:
            continue
        found += [int(said)] if said.isdecimal() else []
    return found


def require_memory(
    shape: Sequence[int], per_voxel: int, *, name: str, instead: str
) -> None:
    """Raise `MemoryError` if a whole image takes more than this process may have.

    Parameters
    ----------
    shape
        Of the image.
    per_voxel
        How many bytes are needed for each voxel at once.
    name
        What needs them.
    instead
        What to do.

    Examples
    --------
    >>> require_memory((10**7, 10**7), 80, name="f", instead="crop it")
    Traceback (most recent call last):
    ...
    MemoryError: f works on the whole image at once, and takes about 8e+15 bytes for
    10000000 x 10000000 voxels, more than the memory that this process may have (...
    GB); crop it
    """
    need = math.prod(map(int, shape)) * per_voxel
    limit = memory_limit()
    if need > limit:
        voxels = " x ".join(map(str, shape))
        raise MemoryError(
            f"{name} works on the whole image at once, and takes about {need:.2g} bytes"
            f" for {voxels} voxels, more than the memory that this process may have"
            f" ({limit / 1e9:.3g} GB); {instead}"
        )


def require_room(sizes: Sequence[float], *, name: str, most: float = 2.0**28) -> None:
    """Raise `ValueError` if an array of some sizes is more than memory will hold.

    Examples
    --------
    >>> require_room((3, 10**30), name="radius")
    Traceback (most recent call last):
    ...
    ValueError: radius asks for an array of 3 x 1e+30 numbers; give a smaller one
    """
    if not math.prod(map(float, sizes)) <= most:
        shape = " x ".join(f"{size:g}" for size in sizes)
        raise ValueError(
            f"{name} asks for an array of {shape} numbers; give a smaller one"
        )
