"""Banks of filters: images made of an image, for regions and for single pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from segkit import checks
from segkit.filters.derivatives import (
    eigenvalues,
    hessian,
    hessian_eigenvalues,
    laplacian_of_gaussian,
)
from segkit.filters.smoothing import gaussian
from segkit.names import known_as
from segkit.tiling.reaches import reach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

Filter: TypeAlias = Literal[
    "gaussian",
    "contrast",
    "standardised",
    "gradient",
    "laplacian",
    "hessian",
    "structure",
    "lines",
    "gabor",
]
_TRUNCATE = 4.0
_GABOR = 3
"""Where a Gabor filter ends, in sigmas; it has a pixel to each side at least."""
_LINE = 8
"""How far a line goes on from its middle, in sigmas, or pixels if sigma is smaller."""
_PLANES = ("lines", "gabor")


@known_as("segkit.features")
@dataclass(frozen=True, slots=True)
class FilterBank:
    """Filters at several scales, of which regions get mean and standard deviation.

    Attributes
    ----------
    sigmas : tuple of float
        Scales, in voxels.
    filters : tuple of str
        Of these, in any order:

        - "gaussian": the smooth image;
        - "contrast": the image smoothed by the smallest sigma, less the smooth image,
          which is 0 for the smallest sigma itself;
        - "standardised": the image smoothed by the smallest sigma, less its mean within
          a Gaussian of sigma, divided by its standard deviation there; 0 where it does
          not vary;
        - "gradient": the length of its gradient;
        - "laplacian": the sum of its second derivatives, times the square of sigma;
        - "hessian": the eigenvalues of the matrix of its second derivatives, times the
          square of sigma, from the largest on: the largest is high on dark lines;
        - "structure": the eigenvalues of the structure tensor, which is the products of
          first derivatives, smoothed by sigma; those are taken at half of it [1]_;
        - "lines" (images of two axes): the mean along a line of 16 sigma of the second
          derivative across it, times the square of sigma. The largest over `directions`
          directions, which is high on dark lines, the smallest, low on bright ones, and
          that across the direction of the largest, by which lines differ from spots;
        - "gabor" (images of two axes): the length of the response to Gabor filters of
          `directions` directions, of wave length 4 sigma, whose mean and largest over
          the directions are taken [2]_.
    directions : int
        Of the Gabor filters and lines.

    Notes
    -----
    Derivatives are those of Gaussians, by scipy.ndimage, and eigenvalues those of
    `segkit.hessian_eigenvalues`; Gabor filters are those of
    `skimage.filters.gabor_kernel`. At the border, the image is mirrored.

    References
    ----------
    .. [1] Bigun and Granlund, "Optimal orientation detection of linear symmetry", ICCV
       1987, pp. 433-438.
    .. [2] Jain and Farrokhnia, "Unsupervised texture segmentation using Gabor filters",
       Pattern Recognition 24 (1991), pp. 1167-1186.

    Examples
    --------
    >>> bank = FilterBank((1, 2), ("gaussian", "hessian"))
    >>> bank.names()
    ('gaussian_1', 'hessian1_1', 'hessian2_1', 'gaussian_2', 'hessian1_2', 'hessian2_2')
    >>> bank.maps(np.zeros((8, 9))).shape
    (6, 8, 9)
    """

    sigmas: tuple[float, ...] = (1.0, 2.0, 4.0)
    filters: tuple[Filter, ...] = ("gaussian", "gradient", "laplacian", "hessian")
    directions: int = 6
    axes: int = 2

    def __post_init__(self) -> None:
        if not self.sigmas or not self.filters:
            raise ValueError("a bank of filters needs sigmas and filters; one is empty")
        for sigma in self.sigmas:
            checks.as_positive(sigma, name="sigma")
        for one in self.filters:
            checks.one_of(one, get_args(Filter), name="filter")
        checks.as_integer(self.directions, name="directions", least=1)
        if self.axes not in (2, 3):
            raise ValueError(f"axes is {self.axes}, but must be 2 or 3")
        for kind in _PLANES:
            if kind in self.filters and self.axes != 2:
                raise ValueError(
                    f"{kind!r} is for images of two axes, not of {self.axes}; leave it"
                    " out of the filters"
                )

    def reach(self) -> int:
        """Return how far the filters look, in voxels."""
        largest = max(self.sigmas)
        once = int(_TRUNCATE * largest + 0.5)
        tensor = once + int(_TRUNCATE * largest / 2 + 0.5)
        hessian = reach(
            hessian_eigenvalues, self.axes, sigma=largest, truncate=_TRUNCATE
        )
        curved = max(hessian or ())
        return max(
            once,
            tensor if "structure" in self.filters else 0,
            curved if "hessian" in self.filters else 0,
            curved + _line_margin(largest) if "lines" in self.filters else 0,
            max(1, math.ceil(_GABOR * largest)) if "gabor" in self.filters else 0,
        )

    def names(self) -> tuple[str, ...]:
        """Return filter and scale of each image: ``hessian1_2.5``."""
        return tuple(
            f"{name}_{sigma:g}"
            for sigma in self.sigmas
            for one in self.filters
            for name in self._parts(one)
        )

    def maps(self, grey: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the image of each filter, along a new first axis."""
        if grey.ndim != self.axes:
            raise ValueError(
                f"the bank of filters is for {self.axes} axes, the image has"
                f" {grey.ndim}; make it with axes={grey.ndim}, and learn from such"
                " images"
            )
        out = np.empty((len(self.names()), *grey.shape))
        finest, place = gaussian(grey, min(self.sigmas)), 0
        for sigma in self.sigmas:
            smooth = gaussian(grey, sigma)
            for one in self.filters:
                if one == "contrast":
                    images = iter([finest - smooth])
                elif one == "standardised":
                    images = iter([_standardised(finest, grey, smooth, sigma)])
                else:
                    images = self._images(one, grey, smooth, sigma)
                for image in images:
                    out[place] = image
                    place += 1
        return out

    def _parts(self, one: Filter) -> Iterator[str]:
        if one in ("hessian", "structure"):
            yield from (f"{one}{k + 1}" for k in range(self.axes))
        elif one == "lines":
            yield from ("lines_max", "lines_min", "lines_across")
        elif one == "gabor":
            yield from ("gabor_mean", "gabor_max")
        else:
            yield one

    def _images(
        self, one: Filter, grey: Any, smooth: Any, sigma: float
    ) -> Iterator[NDArray[np.float64]]:
        if one == "gaussian":
            yield smooth
        elif one == "gradient":
            yield np.sqrt(np.sum([d * d for d in _slopes(grey, sigma)], axis=0))
        elif one == "laplacian":
            yield laplacian_of_gaussian(grey, sigma, truncate=_TRUNCATE) * sigma**2
        elif one == "hessian":
            values = hessian_eigenvalues(grey, sigma, truncate=_TRUNCATE)
            yield from values * sigma**2
        elif one == "structure":
            yield from eigenvalues(_products(grey, sigma), threads=1)
        elif one == "lines":
            yield from _lines(grey, sigma, self.directions)
        else:
            yield from _gabor(grey, sigma, self.directions)


def _slopes(grey: Any, sigma: float) -> list[NDArray[np.float64]]:
    """Return the derivative along each axis, by a Gaussian."""
    from scipy import ndimage

    return [
        ndimage.gaussian_filter(grey, sigma, order=tuple(row), truncate=_TRUNCATE)
        for row in np.eye(grey.ndim, dtype=int)
    ]


def _products(grey: Any, sigma: float) -> list[NDArray[np.float64]]:
    """Return the smoothed products of first derivatives, in the order of pairs."""
    pairs = combinations_with_replacement(_slopes(grey, sigma / 2), 2)
    return [gaussian(a * b, sigma, truncate=_TRUNCATE) for a, b in pairs]


def _standardised(
    finest: Any, grey: Any, mean: Any, sigma: float
) -> NDArray[np.float64]:
    """Return the smooth image less its mean nearby, by the deviation nearby."""
    deviation = np.sqrt(np.maximum(gaussian(grey * grey, sigma) - mean * mean, 0))
    some = deviation > 1e-6 * np.abs(mean)  # what is less is rounding
    found: NDArray[np.float64] = np.zeros(grey.shape)
    np.divide(finest - mean, deviation, out=found, where=some)
    return found


def _line_margin(sigma: float) -> int:
    return math.ceil(_LINE * max(1.0, sigma))


def _lines(grey: Any, sigma: float, directions: int) -> Iterator[NDArray[np.float64]]:
    """Yield the largest mean along a line of each direction, the least, that across."""
    margin = _line_margin(sigma)
    yy, yx, xx = (
        np.pad(part * sigma**2, margin, mode="symmetric")
        for part in hessian(grey, sigma, None, _TRUNCATE, 1)
    )
    along = np.empty((directions, *grey.shape))
    for number in range(directions):
        angle = number * math.pi / directions
        y, x = math.sin(angle), math.cos(angle)
        across = xx * (y * y) - yx * (2 * y * x) + yy * (x * x)
        total = np.zeros(grey.shape)
        for k in range(-_LINE, _LINE + 1):
            rows, columns = (
                margin + round(k * max(1.0, sigma) * part) for part in (y, x)
            )
            total += across[rows:, columns:][: grey.shape[0], : grey.shape[1]]
        along[number] = total / (2 * _LINE + 1)
    best = along.argmax(axis=0)[None]
    yield along.max(axis=0)
    yield along.min(axis=0)
    yield np.take_along_axis(along, (best + directions // 2) % directions, 0)[0]


def _gabor(grey: Any, sigma: float, directions: int) -> Iterator[NDArray[np.float64]]:
    """Yield mean and largest length of the responses over all directions."""
    from scipy import ndimage
    from skimage.filters import gabor_kernel

    total, most = np.zeros(grey.shape), np.zeros(grey.shape)
    for k in range(directions):
        kernel = gabor_kernel(  # type: ignore[no-untyped-call] # skimage has no types
            0.25 / sigma,
            theta=k * math.pi / directions,
            sigma_x=sigma,
            sigma_y=sigma,
            n_stds=_GABOR,
        )
        # Without its mean, a filter does not respond to even grey.
        real = kernel.real - kernel.real.mean()
        length = np.hypot(
            ndimage.correlate(grey, real), ndimage.correlate(grey, kernel.imag)
        )
        total += length
        np.maximum(most, length, out=most)
    yield total / directions
    yield most
