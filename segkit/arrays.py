"""Names of types that all of segkit uses."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
"""An array of any dtype, axes (..., z, y, x)."""
Mask: TypeAlias = NDArray[np.bool_]
"""An array of booleans: what belongs to an object, or is chosen."""
