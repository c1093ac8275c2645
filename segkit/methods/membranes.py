"""Learning-free segmentation of cells that membranes part, as in electron microscopy.

A membrane is a dark line, thin and long, broken in places; a cell is what it encloses.
So membranes are made visible as ridges averaged along lines of every direction, the
image is cut into basins of that map, and basins are joined across their weakest common
boundaries until the weakest left is strong: gaps in a membrane do not merge two cells,
since a boundary is judged by its mean strength.
"""

from __future__ import annotations

import heapq
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from segkit import checks
from segkit.arrays import in_space
from segkit.filters.smoothing import gaussian
from segkit.io.axes import require_named
from segkit.labelling.labels import label
from segkit.methods.splitting import renumbered
from segkit.morphology.operations import erosion
from segkit.names import known_as
from segkit.regions.region_growing import watershed
from segkit.windows.rule import Polarity

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from segkit.io import Image

_DIRECTIONS = 16
# Pixels; the kernels of all directions then take 128 MB, and the square for more.
_TOO_WIDE = 256


@known_as("segkit")
def segment_cells(
    image: ArrayLike | Image,
    *,
    polarity: Polarity = "dark",
    width: float = 6.0,
    strength: float = 0.85,
    min_size: int = 100,
    lines: bool = False,
) -> NDArray[np.int32]:
    """Partition a section into the cells that membranes enclose.

    Parameters
    ----------
    image : (y, x) or (z, y, x) array or Image, real
        Grey image. The sections of a stack are segmented one by one (serial sections
        are far apart), and so are the frames of a movie; labels are unique in the
        stack.
    polarity : {'dark', 'bright'}
        Whether membranes are darker or brighter than cells: dark in electron
        microscopy, bright where they are stained to glow.
    width : float
        Width of a membrane, in pixels: above 0 and below 256 (shrink the image for
        wider ones).
    strength : float
        Mean boundary strength at which joining stops, where 1 is the 95th percentile
        of the membrane map: smaller cuts more. Finite.
    min_size : int
        Regions below this size, in pixels, join the neighbour behind the weakest
        boundary.
    lines : bool
        Put background, one to two pixels wide, between the cells.

    Returns
    -------
    int32 array
        Labels 1..n of every pixel; with `lines` 0 between cells.

    Raises
    ------
    TypeError, ValueError
        If the image has neither two nor three axes, no voxels, is not of real numbers,
        looks like a colour picture, or holds NaN or infinity; if an option is no number
        in its range.

    Examples
    --------
    >>> y, x = np.mgrid[:96, :96]
    >>> membrane = (abs(x - 40) < 3) | (abs(y - 60) < 3)
    >>> section = np.where(membrane, 40.0, 200.0)
    >>> section[20:26] = 200  # a gap
    >>> int(segment_cells(section).max())
    4
    """
    require_named(in_space(image))
    array = checks.as_array(image)
    checks.require_grey(array)
    strength = checks.as_finite(strength, name="strength")
    min_size = checks.as_integer(min_size, name="min_size")
    if array.ndim == 3:
        section = partial(
            segment_cells,
            polarity=polarity,
            width=width,
            strength=strength,
            min_size=min_size,
        )
        cells = _stack(array, section)
    else:
        boundary = membrane_map(array, polarity=polarity, width=width)
        cells = merge_regions(_basins(boundary), boundary, strength, min_size=min_size)
    return _with_lines(cells) if lines else cells


@known_as("segkit")
def membrane_map(
    image: ArrayLike | Image, *, polarity: Polarity = "dark", width: float = 6.0
) -> NDArray[np.float64]:
    """Return how much each pixel looks like a line; 1 is the 95th percentile.

    The image is made even (local mean 0, local deviation 1); its ridges (the largest
    eigenvalue of the Hessian at the scale of a membrane) are averaged along lines of
    sixteen directions, four widths long, and the best direction is kept; darkness
    itself is added, so that thick dark bodies are boundary too. With `polarity` bright
    lines are taken for dark ones. It and the width are as for `segment_cells`.

    Examples
    --------
    >>> section = np.full((64, 64), 200.0)
    >>> section[:, 30:34] = 40
    >>> int(membrane_map(section)[32].argmax()) in (31, 32)
    True
    """
    checks.one_of(polarity, get_args(Polarity), name="polarity")
    width = checks.as_positive(width, name="width", below=_TOO_WIDE)
    section = _section(image)
    even = _evened(-section if polarity == "bright" else section, 5 * width)
    ridge = _ridges(even, width / 2)
    line = np.full(even.shape, -np.inf)
    for kernel in _line_kernels(round(4 * width) | 1):
        np.maximum(line, _correlated(ridge, kernel), out=line)
    peak = float(np.percentile(line, 95))
    dark = np.clip(-gaussian(even, width / 3) / 2, -1, 1)
    total: NDArray[np.float64] = line / (peak if peak > 0 else 1.0) + 0.4 * dark
    return total


def merge_regions(
    regions: NDArray[Any],
    boundary: NDArray[np.float64],
    strength: float,
    *,
    min_size: int = 0,
) -> NDArray[np.int32]:
    """Join neighbouring regions, the weakest common boundary first.

    A common boundary is as strong as the mean of the boundary map over the pairs of
    pixels that face each other (of each pair the stronger); joined regions have the
    boundaries of both. It is the mean-boundary agglomeration of image segmentation.

    Parameters
    ----------
    regions : integer array of any number of dimensions
        Labels 0..n; 0 takes no part.
    boundary : array of the same shape
    strength : float
        Boundaries at least this strong stay. Finite.
    min_size : int
        Regions smaller than this join a neighbour whatever the strength.

    Returns
    -------
    int32 array
        Labels 1..m in the order of the smallest region joined.

    Examples
    --------
    >>> regions, wall = np.array([[1, 1, 2, 2, 3]]), np.array([[0, 0.2, 0, 0, 0.9]])
    >>> merge_regions(regions, wall, 0.5)
    array([[1, 1, 1, 1, 2]], dtype=int32)
    """
    strength = checks.as_finite(strength, name="strength")
    min_size = checks.as_integer(min_size, name="min_size")
    sizes = np.bincount(regions.ravel()).tolist()
    graph = _Agglomeration(sizes, _boundaries(regions, boundary), min_size)
    graph.run(strength)
    return renumbered(graph.roots()[regions])


class _Agglomeration:
    """A graph of regions whose weakest edge can be contracted again and again."""

    def __init__(
        self,
        sizes: list[int],
        edges: list[tuple[int, int, float, int]],
        min_size: int,
    ) -> None:
        self.sizes = sizes
        self.min_size = min_size
        self.parent = list(range(len(sizes)))
        # neighbour -> (sum of the boundary map, number of pairs of pixels)
        self.edges: list[dict[int, tuple[float, int]]] = [{} for _ in sizes]
        for first, second, total, pairs in edges:
            self.edges[first][second] = self.edges[second][first] = (total, pairs)
        self.queue = [self._entry(first, second) for first, second, *_ in edges]
        heapq.heapify(self.queue)

    def run(self, strength: float) -> None:
        """Contract edges until none that is weaker than `strength` is left."""
        while self.queue:
            entry = heapq.heappop(self.queue)
            small, mean, first, second = entry
            if second not in self.edges[first] or entry != self._entry(first, second):
                continue  # one of them was joined, or grew: another entry is newer
            if small and mean >= strength:
                return
            self._contract(first, second)

    def roots(self) -> NDArray[np.int64]:
        """Return the region that stands for each."""
        roots = np.array(self.parent)
        while (roots[roots] != roots).any():
            roots = roots[roots]
        return roots

    def _entry(self, first: int, second: int) -> tuple[bool, float, int, int]:
        """Return what orders an edge: crumbs before all others, then by strength."""
        first, second = min(first, second), max(first, second)
        total, pairs = self.edges[first][second]
        large = min(self.sizes[first], self.sizes[second]) >= self.min_size
        return large, total / pairs, first, second

    def _contract(self, kept: int, joined: int) -> None:
        self.parent[joined] = kept
        self.sizes[kept] += self.sizes[joined]
        del self.edges[kept][joined]
        for other, (total, pairs) in self.edges[joined].items():
            if other == kept:
                continue
            del self.edges[other][joined]
            old_total, old_pairs = self.edges[kept].get(other, (0.0, 0))
            edge = (old_total + total, old_pairs + pairs)
            self.edges[kept][other] = self.edges[other][kept] = edge
        self.edges[joined] = {}
        for other in self.edges[kept]:
            heapq.heappush(self.queue, self._entry(kept, other))


def _boundaries(
    regions: NDArray[Any], boundary: NDArray[np.float64]
) -> list[tuple[int, int, float, int]]:
    """Return (region, region, sum over the facing pairs, pairs) of each contact."""
    pairs, strengths = [np.zeros((0, 2), np.int64)], [np.zeros(0)]
    for axis in range(regions.ndim):
        label, wall = np.moveaxis(regions, axis, 0), np.moveaxis(boundary, axis, 0)
        here, there = label[:-1], label[1:]
        facing = (here != there) & (here > 0) & (there > 0)
        both = np.stack([here[facing], there[facing]], axis=1).astype(np.int64)
        pairs.append(np.sort(both, axis=1))
        strengths.append(np.maximum(wall[:-1][facing], wall[1:][facing]))
    contacts, inverse = np.unique(np.concatenate(pairs), axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    totals = np.bincount(inverse, np.concatenate(strengths), minlength=len(contacts))
    counts = np.bincount(inverse, minlength=len(contacts))
    return [
        (a, b, total, count)
        for (a, b), total, count in zip(
            contacts.tolist(), totals.tolist(), counts.tolist(), strict=True
        )
    ]


def _basins(boundary: NDArray[np.float64]) -> NDArray[Any]:
    smooth = gaussian(boundary, 1)
    minima = label(smooth <= erosion(smooth, 3, shape="box"))
    return watershed(smooth, minima)


def _section(image: ArrayLike | Image) -> NDArray[np.float64]:
    array = checks.as_array(image)
    checks.require_grey(array)
    if array.ndim != 2 or array.size == 0 or array.dtype.kind not in "biuf":
        raise ValueError(
            f"image has shape {array.shape} and dtype {array.dtype}; a section is a "
            "grey image (y, x) of numbers (take one channel)"
        )
    section = array.astype(np.float64)
    if not np.isfinite(section).all():
        raise ValueError("image holds NaN or infinity; replace them first")
    return section


def _evened(image: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Return the image with local mean 0 and local standard deviation 1."""
    centred = image - gaussian(image, sigma)
    deviation = np.sqrt(gaussian(centred**2, sigma))
    even: NDArray[np.float64] = centred / np.maximum(
        deviation, 1e-9 + 1e-6 * np.abs(image).max()
    )
    return even


def _ridges(image: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Return the larger eigenvalue of the Hessian: positive on dark lines."""
    from scipy import ndimage  # for derivatives, which `segkit.gaussian` has not

    yy, xx, xy = (
        ndimage.gaussian_filter(image, sigma, order=order)
        for order in ((2, 0), (0, 2), (1, 1))
    )
    ridges = (xx + yy) / 2 + np.hypot((xx - yy) / 2, xy)
    return np.asarray(ridges, np.float64)


def _line_kernels(length: int) -> list[NDArray[np.float64]]:
    """Return the means along lines of every direction through a pixel."""
    half = length // 2
    along = np.linspace(-half, half, 4 * length)
    kernels = []
    for angle in np.arange(_DIRECTIONS) * np.pi / _DIRECTIONS:
        y = np.rint(half + along * np.sin(angle)).astype(int)
        x = np.rint(half + along * np.cos(angle)).astype(int)
        kernel = np.zeros((length, length))
        kernel[y, x] = 1
        kernels.append(kernel / kernel.sum())
    return kernels


def _correlated(
    image: NDArray[np.float64], kernel: NDArray[np.float64]
) -> NDArray[np.float64]:
    from scipy.signal import fftconvolve

    half = kernel.shape[0] // 2
    padded = np.pad(image, half, mode="symmetric")
    result: NDArray[np.float64] = fftconvolve(padded, kernel[::-1, ::-1], mode="valid")
    return result


def _stack(
    stack: NDArray[Any], segment: Callable[[NDArray[Any]], NDArray[np.int32]]
) -> NDArray[np.int32]:
    labels = np.zeros(stack.shape, np.int32)
    offset = 0
    for z, section in enumerate(stack):
        cells = segment(section)
        labels[z] = cells + offset
        offset += int(cells.max())
    return labels


def _with_lines(cells: NDArray[np.int32]) -> NDArray[np.int32]:
    """Clear the pixels that face another cell of their own section."""
    edge = np.zeros(cells.shape, bool)
    for axis in (-2, -1):
        label, marked = np.moveaxis(cells, axis, 0), np.moveaxis(edge, axis, 0)
        change = label[:-1] != label[1:]
        marked[:-1] |= change
        marked[1:] |= change
    return np.where(edge, np.int32(0), cells)
