"""How far tiles agree at their seams, and what happens where they do not."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from segkit.names import known_as

if TYPE_CHECKING:
    from segkit.tiling.boxes import Box

OnDisagreement: TypeAlias = Literal["raise", "warn", "ignore"]


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class SeamCheck:
    """How far two tiles agree where both have computed the same voxels."""

    first: Box
    """What the one tile owns."""
    second: Box
    """What the other tile owns."""
    compared: int
    """Voxels that at least one of the two holds for an object."""
    differing: int
    """Of these, voxels that the two hold for different objects."""
    merged: int
    """Pairs of objects, one of each tile, that were taken for one."""
    identical: int
    """Of these, pairs of exactly the same voxels."""
    cut: int
    """Objects that one tile sees on both sides of the seam, and the other does not."""


@known_as("segkit")
@dataclass(frozen=True, slots=True)
class SeamReport:
    """How far the tiles of an image agree, seam by seam.

    Tiles that agree everywhere are no proof that the result is that of the whole image,
    but where tiles disagree it is not.
    """

    seams: tuple[SeamCheck, ...]

    @property
    def compared(self) -> int:
        """Voxels that were compared; at edges of tiles more than once."""
        return sum(seam.compared for seam in self.seams)

    @property
    def differing(self) -> int:
        """Of these, voxels on which two tiles disagree."""
        return sum(seam.differing for seam in self.seams)

    @property
    def merged(self) -> int:
        """Pairs of objects that were taken for one."""
        return sum(seam.merged for seam in self.seams)

    @property
    def identical(self) -> int:
        """Of these, pairs of exactly the same voxels."""
        return sum(seam.identical for seam in self.seams)

    @property
    def cut(self) -> int:
        """Objects that end at a seam because the other tile does not see them."""
        return sum(seam.cut for seam in self.seams)

    @property
    def disagreement(self) -> float:
        """Fraction of the compared voxels on which two tiles disagree."""
        return self.differing / self.compared if self.compared else 0.0

    @property
    def worst(self) -> SeamCheck | None:
        """The seam with the most differing voxels, None where all agree."""
        worst = max(self.seams, key=lambda seam: seam.differing, default=None)
        return worst if worst and worst.differing else None

    def __str__(self) -> str:
        text = (
            f"{len(self.seams)} seams: {self.merged} pairs of objects joined "
            f"({self.identical} identical), {self.cut} objects cut, "
            f"{self.differing} of {self.compared} compared voxels differ"
        )
        if self.worst is None:
            return text
        return f"{text}, most between {self.worst.first} and {self.worst.second}"


@known_as("segkit")
class SeamWarning(UserWarning):
    """Tiles disagree where they meet."""


@known_as("segkit")
class SeamError(Exception):
    """Tiles disagree where they meet, and that was not to be accepted."""

    def __init__(self, message: str, report: SeamReport) -> None:
        super().__init__(message, report)
        self.report = report

    def __str__(self) -> str:
        return str(self.args[0])


def enforce(
    report: SeamReport,
    on_disagreement: OnDisagreement,
    *,
    tolerance: float = 0.0,
    stacklevel: int = 3,
) -> None:
    """Raise, warn or do nothing if tiles disagree on more than a fraction of voxels.

    A warning points `stacklevel` calls up: by default to the caller of the caller.

    Raises
    ------
    SeamError
        If `on_disagreement` is "raise" and tiles disagree; it carries the report.
    ValueError
        If `on_disagreement` is unknown.
    """
    if on_disagreement not in ("raise", "warn", "ignore"):
        raise ValueError(
            f"on_disagreement is {on_disagreement!r}; use 'raise', 'warn' or 'ignore'"
        )
    if report.disagreement <= tolerance or on_disagreement == "ignore":
        return
    message = f"tiles disagree at {report}; a larger halo may help"
    if on_disagreement == "raise":
        raise SeamError(message, report)
    warnings.warn(message, SeamWarning, stacklevel=stacklevel)
