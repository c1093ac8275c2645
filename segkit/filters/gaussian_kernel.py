"""Compiled kernel of `segkit.gaussian`: correlation along one axis.

The additions of `scipy.ndimage.correlate1d` with symmetric weights, in its order
(centre, then pairs from the outermost inwards, in doubles), so that the two give the
same bits; here whole rows are added at a time, which the compiler vectorises, and four
pairs of them at once, as the sums would else be fetched and stored for each.
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
def _rows_at(image, i, k):
    """Return the two rows of a plane (n, inner) that are `k` away from row `i`."""
    length = len(image)
    return image[_reflected(i - k, length)], image[_reflected(i + k, length)]


@kernel
def _parts_at(line, reach, k):
    """Return a line from `k` before its own first value on, and from `k` after it."""
    return line[reach - k :], line[reach + k :]


@kernel
def _add(pair, weight, total):
    """Add a pair of rows, times a weight, to a row of sums."""
    before, after = pair
    for x in range(total.size):
        total[x] += (np.float64(before[x]) + np.float64(after[x])) * weight


@kernel
def _add_four(first, second, third, fourth, weights, total):
    """Add four pairs of rows, one after the other; the first has the last weight."""
    a, b = first
    c, d = second
    e, f = third
    g, h = fourth
    last, later, earlier, begin = weights[3], weights[2], weights[1], weights[0]
    for x in range(total.size):
        here = total[x]
        here += (np.float64(a[x]) + np.float64(b[x])) * last
        here += (np.float64(c[x]) + np.float64(d[x])) * later
        here += (np.float64(e[x]) + np.float64(f[x])) * earlier
        here += (np.float64(g[x]) + np.float64(h[x])) * begin
        total[x] = here


@kernel
def correlate_rows(image, weights, rows, total, out):
    """Correlate a volume (outer, n, inner) along n with ``weights[|distance|]``.

    Only some rows are written, from ``rows[0]`` to before ``rows[1]`` of all
    ``outer * n``. `total` is scratch of doubles, of length inner.
    """
    length, inner = image.shape[1:]
    for row in range(rows[0], rows[1]):
        plane, i = image[row // length], row % length
        centre = plane[i]
        for x in range(inner):
            total[x] = np.float64(centre[x]) * weights[0]
        k = weights.size - 1
        while k >= 4:
            first, second = _rows_at(plane, i, k), _rows_at(plane, i, k - 1)
            third, fourth = _rows_at(plane, i, k - 2), _rows_at(plane, i, k - 3)
            _add_four(first, second, third, fourth, weights[k - 3 :], total)
            k -= 4
        while k > 0:
            _add(_rows_at(plane, i, k), weights[k], total)
            k -= 1
        target = out[row // length, i]
        for x in range(inner):
            target[x] = total[x]


@kernel
def correlate_along_rows(image, weights, line, total, out):
    """Correlate each row of an array (rows, n) along n with ``weights[|distance|]``.

    `line` and `total` are scratch, of the array's dtype and length n + 2 * reach, and
    of n doubles; `out` may be the array itself.
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
            total[x] = np.float64(line[reach + x]) * weights[0]
        k = reach
        while k >= 4:
            first, second = _parts_at(line, reach, k), _parts_at(line, reach, k - 1)
            third, fourth = _parts_at(line, reach, k - 2), _parts_at(line, reach, k - 3)
            _add_four(first, second, third, fourth, weights[k - 3 :], total)
            k -= 4
        while k > 0:
            _add(_parts_at(line, reach, k), weights[k], total)
            k -= 1
        target = out[a]
        for x in range(length):
            target[x] = total[x]
