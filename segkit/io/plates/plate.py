"""A plate: its fields and wells, and what is said of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from segkit.io.plates.fields import Field

Place = tuple["str | int | float", ...]


@dataclass(frozen=True, slots=True)
class Plate:
    """A plate.

    Attributes
    ----------
    path : Path
        Of the plate.
    names : tuple of str
        What columns of places are called, those of the well first.
    fields : tuple of Field
        All fields, in the order of the plate.
    wells : tuple of tuple
        The places of all wells, with those that have no field.
    notes : tuple of str
        What is to be told of the plate.
    conditions : tuple of str
        Which columns say what was done to a well; they are after those of the well.
    by : tuple of str
        Those by which wells are compared; the others number their repetitions.
    """

    path: Path
    names: tuple[str, ...]
    fields: tuple[Field, ...]
    wells: tuple[Place, ...]
    notes: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    by: tuple[str, ...] = ()

    @property
    def of_well(self) -> int:
        """How many of the columns say which well it is, and what was done to it."""
        own = ("well", "row", "column", *self.conditions)
        return sum(name in own for name in self.names)
