"""What a pipeline made of one image."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from segkit.io.calibration import UNKNOWN_UNIT
from segkit.names import known_as

if TYPE_CHECKING:
    from pathlib import Path

    from segkit import io
    from segkit.arrays import Array, Table


@known_as("segkit.names")
@dataclass(slots=True)
class Result:
    """What a pipeline made.

    Attributes
    ----------
    array : ndarray
        The last array: a mask, labels, classes, or the image itself.
    labels : ndarray or None
        The labelled objects.
    table : dict of str to ndarray, or None
        One row per object.
    unit : str
        Of the lengths in the table; ``'pixel'`` if the image states none.
    saved : list of Path
        The files that were written, in order.
    """

    array: Array | io.Image
    labels: Array | None = None
    table: Table | None = None
    unit: str = UNKNOWN_UNIT
    saved: list[Path] = field(default_factory=list)

    def _repr_html_(self) -> str:
        """Return pictures of the array and the labels, and the table's first rows."""
        from segkit.notebook.markup import figure, in_grey, middle, paragraph, table
        from segkit.pictures.colouring import label_colours

        parts = [paragraph(repr(self))]
        plane = middle(self.array) if self.labels is None else None
        if plane is not None:
            parts.append(figure(in_grey(plane), f"array, {self.array.dtype}"))
        plane = None if self.labels is None else middle(self.labels)
        if plane is not None:
            parts.append(figure(label_colours(plane), "labels"))
        if self.table is not None:
            parts.append(table(self.table))
        return "".join(parts)

    def __repr__(self) -> str:
        """Tell what there is, not all of its voxels."""
        parts = [f"array={self.array.dtype}{list(self.array.shape)}"]
        if self.labels is not None:
            parts.append(f"labels={self.labels.dtype}{list(self.labels.shape)}")
        if self.table is not None:
            rows = len(next(iter(self.table.values()), ()))
            parts.append(f"table={rows} objects, {len(self.table)} columns")
        parts += [f"saved={[str(path) for path in self.saved]}"] if self.saved else []
        return f"Result({', '.join(parts)})"
