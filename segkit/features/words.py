"""A bag of visual words: which of a vocabulary of small pieces a region is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks
from segkit.extents import require_memory
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from segkit.features.families import Patch

_BYTES = 16


@known_as("segkit.features")
def surf_descriptors(
    image: ArrayLike, *, spacing: int = 8, scales: Sequence[float] = (1.0, 2.0)
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return SURF descriptors on a regular grid of points, and where they are.

    Parameters
    ----------
    image : (y, x) array, real
        Grey image. It is summed up as a whole, in about 16 bytes a pixel: an Image
        larger than memory is a `MemoryError`. A region's descriptors (`WordCounts`) see
        its box only.
    spacing : int
        Distance of the points, in pixels. The first are half of it from the border.
    scales : sequence of float
        At each point, a descriptor of each scale; those that would see beyond the
        border, about 15 scales away, are left out.

    Returns
    -------
    descriptors : float64 array, shape (n, 64)
    points : int64 array, shape (n, 2)

    References
    ----------
    Bay et al., "Speeded-up robust features (SURF)", Computer Vision and Image
    Understanding 110 (2008), pp. 346-359; by `mahotas.features.surf.descriptors`.

    Examples
    --------
    >>> image = np.random.default_rng(0).random((40, 40))
    >>> descriptors, points = surf_descriptors(image, spacing=10, scales=(1.0,))
    >>> descriptors.shape, points[0].tolist()
    ((1, 64), [15, 15])
    """
    from mahotas.features import surf

    instead = "give parts that overlap by 30 scales"
    require_memory(np.shape(image), _BYTES, name="SURF", instead=instead)
    grey = checks.as_image(image).astype(np.float64)
    if grey.ndim != 2:
        raise ValueError(f"SURF takes an image of two axes, not {grey.ndim}")
    step = checks.as_integer(spacing, name="spacing", least=1)
    sizes = [checks.as_positive(scale, name="scale") for scale in scales]
    y, x = (range(step // 2, n, step) for n in grey.shape)
    rows = [(a, b, size, 1.0, 1.0) for size in sizes for a in y for b in x]
    if not rows:
        return np.empty((0, 64)), np.empty((0, 2), np.int64)
    # Position, scale, score, sign and angle stand before the descriptor.
    found = np.asarray(surf.descriptors(grey, np.array(rows, np.float64)))
    return found[:, 6:].copy(), np.rint(found[:, :2]).astype(np.int64)


@known_as("segkit.features")
def vocabulary(
    descriptors: Iterable[ArrayLike], n_words: int = 64, *, seed: int
) -> NDArray[np.float64]:
    """Return words: the centres of clusters of descriptors, by k-means.

    Parameters
    ----------
    descriptors : iterable of arrays (n, 64)
        Of several images. For numbers that are to be compared with those of images not
        seen, give those of the training images only.
    n_words : int
        At most; clusters that lose all their members are dropped.
    seed : int
        Of the random numbers from which k-means starts: the same seed, the same words.

    Returns
    -------
    float64 array, shape (words, 64)

    Raises
    ------
    ValueError
        If there are fewer descriptors than words.

    References
    ----------
    Sivic and Zisserman, "Video Google: a text retrieval approach to object matching in
    videos", ICCV 2003, pp. 1470-1477; k-means by `scipy.cluster.vq.kmeans2`, started
    by k-means++.

    Examples
    --------
    >>> vocabulary([np.eye(64)[:2], np.eye(64)[:2]], 2, seed=0).sum()
    np.float64(2.0)
    """
    from scipy.cluster.vq import kmeans2

    rows = [checks.as_image(one, name="descriptors") for one in descriptors]
    if {one.ndim for one in rows} != {2} or len({one.shape[1] for one in rows}) != 1:
        shapes = sorted({one.shape for one in rows})
        raise ValueError(
            f"descriptors have shapes {shapes}; give at least one table of rows (n, 64)"
            " as surf_descriptors returns them"
        )
    found = np.concatenate(rows).astype(np.float64)
    words = checks.as_integer(n_words, name="n_words", least=1)
    if len(found) < words:
        raise ValueError(
            f"there are {len(found)} descriptors for {words} words; give more images,"
            " points that are closer, or fewer words"
        )
    rng = np.random.default_rng(checks.as_integer(seed, name="seed"))
    centres, which = kmeans2(found, words, minit="++", rng=rng, missing="warn")
    kept: NDArray[np.float64] = centres[np.unique(which)]
    return kept


@known_as("segkit.features")
@dataclass(frozen=True, slots=True, eq=False)
class WordCounts:
    """Shares of visual words among the SURF descriptors within a region's box.

    A descriptor counts if its point lies in the region; it sees the box only, so that
    small boxes have none: then all shares are NaN.

    Attributes
    ----------
    words : float64 array, shape (n, 64)
        Of `vocabulary`.
    spacing, scales
        As for `surf_descriptors`.

    Examples
    --------
    >>> WordCounts(np.eye(64)[:3]).names()
    ('word_0', 'word_1', 'word_2')
    """

    words: NDArray[np.float64]
    spacing: int = 8
    scales: tuple[float, ...] = (1.0, 2.0)

    def names(self) -> tuple[str, ...]:
        """Return a number for each word."""
        return tuple(f"word_{k}" for k in range(len(self.words)))

    def of_region(self, region: Patch) -> Sequence[float]:
        """Return the share of each word in a region."""
        found, points = surf_descriptors(
            region.grey, spacing=self.spacing, scales=self.scales
        )
        found = found[region.inside[tuple(points.T)]]
        if len(found) == 0:
            return [math.nan] * len(self.words)
        counts = np.bincount(self._nearest(found), minlength=len(self.words))
        return [float(share) for share in counts / len(found)]

    def _nearest(self, found: NDArray[np.float64]) -> NDArray[Any]:
        from scipy.cluster.vq import vq

        return np.asarray(vq(found, self.words)[0])
