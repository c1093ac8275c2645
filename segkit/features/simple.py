"""Grey values and forms of regions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from segkit import checks
from segkit.measurement.measure import region_properties
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.features.families import Patch


@known_as("segkit.features")
@dataclass(frozen=True, slots=True)
class Intensities:
    """Mean, standard deviation and quantiles of the grey values of a region.

    Attributes
    ----------
    quantiles : tuple of float
        From 0 to 1, by linear interpolation between values, as `numpy.quantile`.

    Examples
    --------
    >>> Intensities((0, 0.5)).names()
    ('intensity_mean', 'intensity_std', 'intensity_q0', 'intensity_q0.5')
    """

    quantiles: tuple[float, ...] = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)

    def __post_init__(self) -> None:
        for quantile in self.quantiles:
            checks.require_fraction(quantile, name="quantile")

    def names(self) -> tuple[str, ...]:
        """Return what each number is."""
        quantiles = (f"intensity_q{quantile:g}" for quantile in self.quantiles)
        return ("intensity_mean", "intensity_std", *quantiles)

    def of_region(self, region: Patch) -> Sequence[float]:
        """Return the numbers of a region."""
        values = region.grey[region.inside]
        quantiles = np.quantile(values, self.quantiles).tolist()
        return [float(values.mean()), float(values.std()), *quantiles]


_FORM = (
    *("area", "axis_major_length", "axis_minor_length", "eccentricity"),
    *("equivalent_diameter", "extent", "surface"),
)


@known_as("segkit.features")
@dataclass(frozen=True, slots=True)
class Shapes:
    """Size and form of a region, by `segkit.region_properties`, in voxels.

    Of labels; boxes all have the form of boxes, but for what a mask leaves of them.

    Attributes
    ----------
    properties : tuple of str
        Names of properties of one number each.

    Examples
    --------
    >>> Shapes(("area", "extent")).names()
    ('shape_area', 'shape_extent')
    """

    properties: tuple[str, ...] = _FORM

    def names(self) -> tuple[str, ...]:
        """Return ``shape_`` and the property's name."""
        return tuple(f"shape_{name}" for name in self.properties)

    def of_region(self, region: Patch) -> Sequence[float]:
        """Return the properties of a region."""
        if not region.inside.any():
            return [math.nan] * len(self.properties)
        # As int32 it is one object, whatever its pieces; a mask of 8 bits may be none.
        table = region_properties(
            region.inside.astype(np.int32), properties=self.properties
        )
        wrong = [name for name in self.properties if name not in table]
        if wrong:
            raise ValueError(
                f"{wrong[0]} is more than one number; name properties of one each"
            )
        return [float(table[name][0]) for name in self.properties]
