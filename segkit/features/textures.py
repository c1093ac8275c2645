"""Textures of regions: how grey values lie beside each other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from segkit.features.families import Patch

_FINEST = 2**24
_HARALICK = (
    *("angular_second_moment", "contrast", "correlation", "variance"),
    *("inverse_difference_moment", "sum_average", "sum_variance", "sum_entropy"),
    *("entropy", "difference_variance", "difference_entropy"),
    *("information_correlation1", "information_correlation2"),
)


@known_as("segkit.features")
@dataclass(frozen=True, slots=True)
class Haralick:
    """Haralick's thirteen texture features, averaged over directions.

    By `mahotas.features.haralick` [1]_, of the pairs of voxels that both belong to the
    region, in grey levels of the whole image's range. NaN for a region in which no two
    voxels are so far apart.

    Attributes
    ----------
    distances : tuple of int
        Of the pairs, in voxels.
    levels : int
        How many grey levels, at most 255. Fewer are faster, and less at the mercy of
        noise in small regions.

    References
    ----------
    .. [1] Haralick, Shanmugam and Dinstein, "Textural features for image
       classification", IEEE Trans. Systems, Man and Cybernetics 3 (1973), pp. 610-621.

    Examples
    --------
    >>> Haralick((1, 3)).names()[:2]
    ('haralick_angular_second_moment_1', 'haralick_contrast_1')
    """

    distances: tuple[int, ...] = (1, 2, 4)
    levels: int = 32

    def __post_init__(self) -> None:
        if not self.distances:
            raise ValueError("distances are empty; give one or more, as (1, 2)")
        for distance in self.distances:
            checks.as_integer(distance, name="distance", least=1)
        _require_levels(self.levels)

    def names(self) -> tuple[str, ...]:
        """Return feature and distance: ``haralick_contrast_2``."""
        return tuple(
            f"haralick_{name}_{distance}"
            for distance in self.distances
            for name in _HARALICK
        )

    def of_region(self, region: Patch) -> Sequence[float]:
        """Return the features of a region, distance by distance."""
        from mahotas.features import haralick

        # 0 is outside: no pair with it is counted.
        levels = np.where(region.inside, region.levels(self.levels) + 1, 0)
        found: list[float] = []
        for distance in self.distances:
            try:
                numbers = haralick(
                    levels.astype(np.uint8),
                    ignore_zeros=True,
                    distance=distance,
                    return_mean=True,
                )
            except ValueError:  # no pair in some direction
                numbers = np.full(len(_HARALICK), np.nan)
            found += np.asarray(numbers, np.float64).tolist()
        return found


@known_as("segkit.features")
@dataclass(frozen=True, slots=True)
class BinaryPatterns:
    """Shares of the local binary patterns: which of the points around are brighter.

    By `skimage.feature.local_binary_pattern`, the uniform patterns that do not change
    with rotation [1]_: `points` + 1 of them, and one for all others. Grey values are
    rounded to steps of the image's range first, so that the numbers differ a little
    from those of the image as it is: what is equal is to compare so.

    Attributes
    ----------
    radius : float
        Of the circle of points, in pixels.
    points : int
        How many.

    References
    ----------
    .. [1] Ojala, Pietikainen and Maenpaa, "Multiresolution gray-scale and rotation
       invariant texture classification with local binary patterns", IEEE PAMI 24
       (2002), pp. 971-987.

    Examples
    --------
    >>> len(BinaryPatterns(radius=1, points=8).names())
    10
    """

    radius: float = 2.0
    points: int = 8

    def __post_init__(self) -> None:
        checks.as_positive(self.radius, name="radius")
        checks.as_integer(self.points, name="points", least=2)

    def reach(self) -> int:
        """Return how far points lie, interpolation included."""
        return math.ceil(self.radius) + 1

    def names(self) -> tuple[str, ...]:
        """Return the patterns by how many points are brighter, and the rest."""
        uniform = [f"{count}of{self.points}" for count in range(self.points + 1)]
        return tuple(f"lbp_{name}_{self.radius:g}" for name in [*uniform, "other"])

    def codes(
        self, grey: NDArray[np.float64], low: float, high: float
    ) -> NDArray[np.integer[Any]]:
        """Return the pattern at each pixel."""
        from skimage.feature import local_binary_pattern

        _require_plane(grey, "local binary patterns")
        # scikit-image warns of floats, in which what is equal may not compare so.
        scale = _FINEST / (high - low) if high > low else 0.0
        whole = np.rint((grey - low) * scale).astype(np.int64)
        found = local_binary_pattern(  # type: ignore[no-untyped-call] # no types
            whole, self.points, self.radius, method="uniform"
        )
        return np.asarray(found).astype(np.int64)


@known_as("segkit.features")
@dataclass(frozen=True, slots=True)
class ThresholdAdjacency:
    """Threshold adjacency statistics: how many neighbours of a foreground pixel are.

    By `mahotas.features.pftas`, the form that is free of parameters [1]_ of what was
    introduced by [2]_: foreground is by Otsu's threshold of the region's box, and by
    its mean and deviation. The whole box is seen. NaN for boxes of one grey level.

    References
    ----------
    .. [1] Coelho, Ahmed, Arnold, Kangas, Sheikh, Xing, Cohen and Murphy, "Structured
       literature image finder", Linking Literature, Information and Knowledge for
       Biology, 2010, pp. 23-32.
    .. [2] Hamilton, Pantelic, Hanson and Teasdale, "Fast automated cell phenotype image
       classification", BMC Bioinformatics 8 (2007), 110.

    Examples
    --------
    >>> ThresholdAdjacency().names()[0], len(ThresholdAdjacency().names())
    ('tas_0', 54)
    """

    def names(self) -> tuple[str, ...]:
        """Return a number for each statistic, in the order of mahotas."""
        return tuple(f"tas_{k}" for k in range(54))

    def of_region(self, region: Patch) -> Sequence[float]:
        """Return the statistics of the box of a region."""
        from mahotas.features import pftas

        _require_plane(region.grey, "threshold adjacency statistics")
        levels = region.levels(255)
        if levels.min() == levels.max():
            return [math.nan] * 54
        with np.errstate(invalid="ignore", divide="ignore"):
            found = np.asarray(pftas(levels), np.float64)
        return [float(number) for number in found]


@known_as("segkit.features")
@dataclass(frozen=True, slots=True)
class Zernike:
    """Zernike moments of a region's grey values, about their centre of mass.

    By `mahotas.features.zernike_moments` [1]_; the circle reaches half of the diagonal
    of the region's box. NaN for regions that are black.

    Attributes
    ----------
    degree : int
        Up to which moments are taken.

    References
    ----------
    .. [1] Teague, "Image analysis via the general theory of moments", J. Optical
       Society of America 70 (1980), pp. 920-930.

    Examples
    --------
    >>> Zernike(2).names()
    ('zernike_0_0', 'zernike_1_1', 'zernike_2_0', 'zernike_2_2')
    """

    degree: int = 8

    def __post_init__(self) -> None:
        checks.as_integer(self.degree, name="degree", least=0)

    def names(self) -> tuple[str, ...]:
        """Return degree and order of each moment: ``zernike_4_2``."""
        return tuple(
            f"zernike_{n}_{m}"
            for n in range(self.degree + 1)
            for m in range(n + 1)
            if (n - m) % 2 == 0
        )

    def of_region(self, region: Patch) -> Sequence[float]:
        """Return the moments of a region."""
        from mahotas.features import zernike_moments

        _require_plane(region.grey, "Zernike moments")
        values = np.where(region.inside, region.grey - region.low, 0.0)
        if values.sum() <= 0:
            return [math.nan] * len(self.names())
        radius = max(1.0, math.hypot(*values.shape) / 2)
        found = zernike_moments(values, radius, degree=self.degree)
        return [float(number) for number in found]


def _require_plane(grey: Any, what: str) -> None:
    if grey.ndim != 2:
        raise ValueError(f"{what} are for images of two axes, not of {grey.ndim}")


def _require_levels(levels: int) -> None:
    if checks.as_integer(levels, name="levels", least=2) > 255:
        raise ValueError(f"levels is {levels}, but must be at most 255")
