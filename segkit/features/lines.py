"""How much pixels look like vessels of several widths, as a family of maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from segkit.methods.vessels import vessel_map
from segkit.names import known_as
from segkit.tiling.reaches import reach

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segkit.windows.rule import Polarity


@known_as("segkit.features")
@dataclass(frozen=True, slots=True)
class VesselMaps:
    """`segkit.vessel_map` at several widths, for images of two axes.

    Attributes
    ----------
    widths : tuple of float
        In pixels.
    polarity : {'dark', 'bright'}
        Of the lines.

    Examples
    --------
    >>> VesselMaps((3, 5)).names()
    ('vessel_3', 'vessel_5')
    """

    widths: tuple[float, ...] = (3.0, 5.0, 8.0)
    polarity: Polarity = "dark"

    def __post_init__(self) -> None:
        if not self.widths:
            raise ValueError("widths are empty; give one or more, as (3, 5)")

    def reach(self) -> int:
        """Return how far the maps look, in pixels."""
        found = [reach(vessel_map, 2, width=width) for width in self.widths]
        return max(max(one) for one in found if one is not None)

    def names(self) -> tuple[str, ...]:
        """Return the width of each map: ``vessel_5``."""
        return tuple(f"vessel_{width:g}" for width in self.widths)

    def maps(self, grey: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the map of each width."""
        return np.stack(
            [
                vessel_map(grey, width=width, polarity=self.polarity)
                for width in self.widths
            ]
        ).astype(np.float64)
