"""Type aliases that all of segkit uses, and the lowest value of a dtype."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array: TypeAlias = NDArray[Any]
"""An array of any dtype, axes (..., z, y, x)."""
Mask: TypeAlias = NDArray[np.bool_]
"""An array of booleans: what belongs to an object, or is chosen."""
PerAxis: TypeAlias = int | Sequence[int]
"""One integer for all axes, or one for each."""
RealPerAxis: TypeAlias = float | Sequence[float]
"""One number for all axes, or one for each."""
Table: TypeAlias = dict[str, Array]
"""An object table: columns by name, one row for each object."""
TableLike: TypeAlias = Mapping[str, ArrayLike]
"""What functions take for an object table: columns that can be made arrays."""


def lowest(dtype: np.dtype[Any]) -> Any:
    """Return the lowest value of a dtype, where a running maximum starts.

    Examples
    --------
    >>> lowest(np.dtype(np.int8)), lowest(np.dtype(bool)), lowest(np.dtype(float))
    (-128, False, -inf)
    """
    if dtype.kind == "b":
        return False
    return np.iinfo(dtype).min if dtype.kind in "iu" else -np.inf
