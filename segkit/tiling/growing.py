"""Tiles made larger, where their halo would cost more than they do."""

from __future__ import annotations

import math

# A tile grows until its halo costs no more than this many times its own voxels.
_HALO_SHARE = 0.5


def grown(
    size: tuple[int, ...],
    halo: tuple[int, ...],
    shape: tuple[int, ...],
    budget: int,
) -> tuple[int, ...]:
    """Return a multiple of a tile for which the halo is cheap, within a budget.

    Parameters
    ----------
    size
        Of the tile that is named.
    halo
        Margin that a tile reads around its own box.
    shape
        Of the image.
    budget
        Voxels that a tile may grow to.

    Examples
    --------
    >>> grown((16, 16), (4, 4), (512, 512), 1 << 10)
    (32, 32)
    """
    grown = [max(1, min(n, length)) for n, length in zip(size, shape, strict=True)]
    unit = list(grown)
    while True:
        read = math.prod(
            min(n + 2 * margin, length) if length else 0
            for n, margin, length in zip(grown, halo, shape, strict=True)
        )
        if read <= (1 + _HALO_SHARE) * math.prod(grown):
            return tuple(grown)
        axes = [a for a, n in enumerate(grown) if n < shape[a]]
        # Grow where the halo weighs most, slowest axis last among equals.
        axes.sort(key=lambda a: (-halo[a] / grown[a], -a))
        for axis in axes:
            longer = min(-(-2 * grown[axis] // unit[axis]) * unit[axis], shape[axis])
            if math.prod(grown) // grown[axis] * longer <= budget:
                grown[axis] = longer
                break
        else:
            return tuple(grown)
