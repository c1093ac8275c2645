"""Compiled kernel of `segkit.gaussian`: correlation along one axis.

The additions of `scipy.ndimage.correlate1d` with symmetric weights, in its order
(centre, then pairs from the outermost inwards, in doubles), so that the two give the
same bits; here whole rows are added at a time, which the compiler vectorises.
"""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

import numpy as np

from segkit.compiled.kernels import kernel


@kernel
def _reflected(i, length):
    """Return the index that mirrors `i` at the array's edges (d c b a | a b c d)."""
    i = i % (2 * length)
    return i if i < length else 2 * length - 1 - i


@kernel
def correlate_rows(image, weights, rows, total, out):
    """Correlate a volume (outer, n, inner) along n with ``weights[|distance|]``.

    Only some rows are written, from ``rows[0]`` to before ``rows[1]`` of all
    ``outer * n``. `total` is scratch of doubles, of length inner.
    """
    length, inner = image.shape[1:]
    for row in range(rows[0], rows[1]):
        a, i = row // length, row % length
        centre = image[a, i]
        for x in range(inner):
            total[x] = np.float64(centre[x]) * weights[0]
        for k in range(weights.size - 1, 0, -1):
            before = image[a, _reflected(i - k, length)]
            after = image[a, _reflected(i + k, length)]
            weight = weights[k]
            for x in range(inner):
                total[x] += (np.float64(before[x]) + np.float64(after[x])) * weight
        target = out[a, i]
        for x in range(inner):
            target[x] = total[x]


@kernel
def correlate_along_rows(image, weights, line, total, out):
    """Correlate each row of an array (rows, n) along n with ``weights[|distance|]``.

    `line` and `total` are scratch of doubles, of lengths n + 2 * reach and n; `out` may
    be the array itself.
    """
    rows, length = image.shape
    reach = weights.size - 1
    for a in range(rows):
        for i in range(-reach, 0):
            line[i + reach] = image[a, _reflected(i, length)]
        for i in range(length):
            line[i + reach] = image[a, i]
        for i in range(length, length + reach):
            line[i + reach] = image[a, _reflected(i, length)]
        for x in range(length):
            total[x] = line[reach + x] * weights[0]
        for k in range(reach, 0, -1):
            before, after = line[reach - k :], line[reach + k :]
            weight = weights[k]
            for x in range(length):
                total[x] += (before[x] + after[x]) * weight
        target = out[a]
        for x in range(length):
            target[x] = total[x]
