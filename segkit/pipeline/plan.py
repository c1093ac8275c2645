"""How a pipeline runs over an image: which steps go together, and what they read.

`plan` is pure: it looks at the steps and at the image's shape, and returns stages
(`segkit.pipeline.stages`). Both ways of running use it, arrays in one process
(`segkit.pipeline.in_memory`) and stored tasks (`segkit.workflows`), so that both give
the same voxels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.io.image import as_image
from segkit.names import known_as
from segkit.pipeline.draft import Draft
from segkit.pipeline.special_steps import SPECIAL
from segkit.pipeline.step_checks import require_properties
from segkit.pipeline.steps import PipelineError, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.pipeline.stages import Stage

# Voxels up to which a tile grows for the sake of its halo.
TILE_BUDGET = 1 << 24


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class ImageSpec:
    """What a plan must know of an image.

    Attributes
    ----------
    shape : tuple of int
        Length of each axis.
    dtype : str
        Name of the voxel type.
    spacing : tuple of float
        Physical distance of voxels along each axis.
    units : tuple of str
        Their units.
    axes : str
        One letter per axis; '' if nobody says which they are, as of a bare array.
    """

    shape: tuple[int, ...]
    dtype: str
    spacing: tuple[float, ...]
    units: tuple[str, ...]
    axes: str = ""

    @classmethod
    def of(cls, image: Any) -> ImageSpec:
        """Return the description of an array or a lazy image."""
        shape = tuple(int(n) for n in image.shape)
        spacing = tuple(getattr(image, "spacing", (1.0,) * len(shape)))
        units = tuple(getattr(image, "units", ("pixel",) * len(shape)))
        dtype = np.dtype(image.dtype).name
        axes = image.axes if getattr(image, "stated", False) else ""
        return cls(shape, dtype, spacing, units, axes)

    def physical_spacing(self) -> tuple[float, ...]:
        """Return the spacing, to measure with.

        Raises
        ------
        ValueError
            If it is known along some axes of space only, as by an opened image.
        """
        voxels = np.broadcast_to(np.uint8(0), self.shape)
        return as_image(
            voxels, axes=self.axes, spacing=self.spacing, units=self.units, path="image"
        ).physical_spacing()


def plan(
    steps: Sequence[Step],
    spec: ImageSpec,
    *,
    tile: int | Sequence[int] | None = None,
    budget: int = TILE_BUDGET,
) -> list[Stage]:
    """Return the stages in which steps run over an image.

    Neighbouring array steps are fused into one pass over the tiles with the sum of
    their reaches as halo. Tiles of exact stages (join 'own') may be larger than named,
    by whole multiples, where the halo would cost more than the tile.

    Steps that take a spacing, and are not given one, get that of an image whose axes
    are known, in units of its finest axis: lengths stay in voxels of that axis.

    Parameters
    ----------
    steps : sequence of Step
        Of a pipeline.
    spec : ImageSpec
        The image.
    tile : int or sequence of int, optional
        Tiles for a pipeline that names none.
    budget : int
        Voxels that a tile may grow to.

    Raises
    ------
    PipelineError
        If a step lacks what it works on; it is named.

    Examples
    --------
    >>> from segkit.pipeline import Pipeline, label, ndnt, tile
    >>> spec = ImageSpec((64, 512, 512), "uint8", (1.0,) * 3, ("pixel",) * 3)
    >>> steps = Pipeline(tile(256), ndnt(shape=8), label()).steps
    >>> load, masked, labelled = plan(steps, spec)
    >>> masked.halo, labelled.array == masked.number
    ((4, 4, 4), True)
    """
    draft = Draft(
        spec.shape,
        budget,
        tile,
        spacing=spec.physical_spacing if spec.axes else None,
    )
    require_properties(steps, ndim=len(spec.shape))
    for number, step in enumerate(steps, start=1):
        try:
            if step.function in SPECIAL:
                SPECIAL[step.function].place(draft, step)
            else:
                draft.apply(step)
        except (ValueError, TypeError) as error:
            raise PipelineError(f"step {number} ({step.function}): {error}") from error
    return draft.stages
