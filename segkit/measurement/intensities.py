"""Images of intensities as they are summed, and properties computed from the sums."""

# All properties have one signature, also those that need no spacing.
# ruff: noqa: ARG001

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from segkit import checks

if TYPE_CHECKING:
    from segkit.arrays import Array
    from segkit.measurement.partial_table import PartialTable

Spacing: TypeAlias = Sequence[float]

_LARGEST_EXACT = 2**53


def of_intensity(name: str) -> bool:
    """Return whether a property, or a column of it, is one of an intensity image.

    Examples
    --------
    >>> of_intensity("intensity_mean"), of_intensity("centroid_weighted-0")
    (True, True)
    >>> of_intensity("centroid")
    False
    """
    return name.startswith("intensity") or "_weighted" in name


def checked(intensity: Any, shape: tuple[int, ...]) -> Array | None:
    """Return a checked, C-contiguous image of a dtype that can be summed."""
    if intensity is None:
        return None
    image = checks.as_image(intensity, name="intensity")
    if image.shape != shape:
        raise ValueError(f"intensity has shape {image.shape}, labels {shape}")
    if image.dtype != np.uint8:
        image = _of_few_dtypes(image)
    return np.ascontiguousarray(image)


def _of_few_dtypes(image: Array) -> Array:
    if image.dtype.kind in "iu" and image.dtype.itemsize == 8:
        _require_exact(image)
    if image.dtype == bool:
        image = image.view(np.uint8)
    if image.dtype.kind in "iu":
        if image.dtype.itemsize > 2:  # as what they are summed
            image = image.astype(np.float64)
        elif image.dtype.kind == "i" and image.min() >= 0:
            image = image.view(f"{image.dtype.byteorder}u{image.dtype.itemsize}")
        elif image.dtype.kind == "i":
            image = image.astype(np.int16)
    if image.dtype.kind == "f" and image.dtype.itemsize == 2:  # numba lacks these
        image = image.astype(np.float32)
    if image.dtype.kind == "f" and image.dtype.itemsize > 8:  # nor these
        with np.errstate(over="ignore"):
            image = image.astype(np.float64)
        checks.require_finite(image, name="intensity")
    return checks.native(image)


def _require_exact(intensity: Array) -> None:
    """Raise `ValueError` for integers that float64 does not hold exactly."""
    for extreme in (int(intensity.min()), int(intensity.max())):
        if abs(extreme) > _LARGEST_EXACT:
            raise ValueError(
                f"intensity holds {extreme}, but integers beyond 2**53 are summed as "
                "floats, which confound them; subtract an offset first"
            )


def _sum(table: PartialTable, spacing: Spacing) -> Array:
    columns = table.columns
    if "total" in columns:
        return columns["total"]
    total: Array = columns["count"] * columns["zero"] + columns["deviation"]
    return total


def _mean(table: PartialTable, spacing: Spacing) -> Array:
    columns = table.columns
    mean: Array
    if "total" in columns:
        mean = columns["total"] / columns["count"]
    else:
        mean = columns["zero"] + columns["deviation"] / columns["count"]
    return mean


def _min(table: PartialTable, spacing: Spacing) -> Array:
    return table.columns["least"]


def _max(table: PartialTable, spacing: Spacing) -> Array:
    return table.columns["most"]


def _std(table: PartialTable, spacing: Spacing) -> Array:
    columns = table.columns
    count = columns["count"]
    std: Array
    if "spread" in columns:
        std = columns["spread"] / np.sqrt(count)
        return std
    # About the rounded mean, where the sums are small, and exact in integers.
    centre = columns["total"] // count
    rest = columns["total"] - count * centre
    squares = columns["squares"] - centre * (columns["total"] + rest)
    std = np.sqrt(np.maximum(squares / count - (rest / count) ** 2, 0))
    return std


COLUMNS: Final[Mapping[str, Callable[[PartialTable, Spacing], Array]]] = {
    "intensity_sum": _sum,
    "intensity_mean": _mean,
    "intensity_min": _min,
    "intensity_max": _max,
    "intensity_std": _std,
}
