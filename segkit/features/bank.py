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
    "gaussian", "contrast", "gradient", "laplacian", "hessian", "structure", "gabor"
]
_TRUNCATE = 4.0
_GABOR = 3
"""Where a Gabor filter ends, in sigmas; it has a pixel to each side at least."""


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
        - "gradient": the length of its gradient;
        - "laplacian": the sum of its second derivatives, times the square of sigma;
        - "hessian": the eigenvalues of the matrix of its second derivatives, times the
          square of sigma, from the largest on: the largest is high on dark lines;
        - "structure": the eigenvalues of the structure tensor, which is the products of
          first derivatives, smoothed by sigma; those are taken at half of it [1]_;
        - "gabor" (images of two axes): the length of the response to Gabor filters of
          `directions` directions, of wave length 4 sigma, whose mean and largest over
          the directions are taken [2]_.
    directions : int
        Of the Gabor filters.

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
        if "gabor" in self.filters and self.axes != 2:
            raise ValueError(
                f"Gabor filters are for images of two axes, not of {self.axes}; leave"
                " 'gabor' out of the filters"
            )

    def reach(self) -> int:
        """Return how far the filters look, in voxels."""
        largest = max(self.sigmas)
        once = int(_TRUNCATE * largest + 0.5)
        tensor = once + int(_TRUNCATE * largest / 2 + 0.5)
        hessian = reach(
            hessian_eigenvalues, self.axes, sigma=largest, truncate=_TRUNCATE
        )
        return max(
            once,
            tensor if "structure" in self.filters else 0,
            max(hessian or ()) if "hessian" in self.filters else 0,
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
                f" {grey.ndim}; make it with axes={grey.ndim}"
            )
        out = np.empty((len(self.names()), *grey.shape))
        finest, place = gaussian(grey, min(self.sigmas)), 0
        for sigma in self.sigmas:
            smooth = gaussian(grey, sigma)
            for one in self.filters:
                if one == "contrast":
                    images = iter([finest - smooth])
                else:
                    images = self._images(one, grey, smooth, sigma)
                for image in images:
                    out[place] = image
                    place += 1
        return out

    def _parts(self, one: Filter) -> Iterator[str]:
        if one in ("hessian", "structure"):
            yield from (f"{one}{k + 1}" for k in range(self.axes))
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
