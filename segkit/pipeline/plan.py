"""How a pipeline runs over an image: which steps go together, and what they read.

`plan` is pure: it looks at the steps and at the image's shape, and returns stages
(`segkit.pipeline.stages`). Both ways of running use it, arrays in one process
(`segkit.pipeline.in_memory`) and stored tasks (`segkit.workflows`), so that both give
the same voxels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from segkit.io.axes import by_number
from segkit.pipeline.draft import Draft
from segkit.pipeline.spacings import Spacings, spacings
from segkit.pipeline.special_steps import SPECIAL
from segkit.pipeline.step_checks import (
    axes_said,
    channel_of_others,
    require_axes,
    require_named,
    require_properties,
)
from segkit.pipeline.steps import PipelineError, Step, numbered, place_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.pipeline.spacings import ImageSpec
    from segkit.pipeline.stages import Stage

# Voxels up to which a tile grows for the sake of its halo.
TILE_BUDGET = 1 << 24


def plan(
    steps: Sequence[Step],
    spec: ImageSpec,
    *,
    tile: int | Sequence[int] | None = None,
    budget: int = TILE_BUDGET,
    unit: str | None = None,
) -> list[Stage]:
    """Return the stages in which steps run over an image.

    Neighbouring array steps are fused into one pass over the tiles with the sum of
    their reaches as halo. Tiles of exact stages (join 'own') may be larger than named,
    by whole multiples, where the halo would cost more than the tile.

    A pipeline has one spacing: that of the image, or the one that a step is given.
    Array steps that take a spacing, and are not given one, get it in units of the
    finest axis: lengths stay in voxels of that axis. What measures gets it as it is.

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
    unit : str, optional
        Of the lengths in the table; by default that of the image.

    Raises
    ------
    PipelineError
        If a step lacks what it works on, or is given another spacing than the image
        has, or another step; it is named. If the image is a file of three axes or more
        and nobody says which they are, or a step would join along an axis of which
        another one says that it is none of space.

    Examples
    --------
    >>> from segkit.pipeline import Pipeline, label, ndnt, tile
    >>> from segkit.pipeline.spacings import ImageSpec
    >>> spec = ImageSpec((64, 512, 512), "uint8", (1.0,) * 3, ("pixel",) * 3)
    >>> steps = Pipeline(tile(256), ndnt(shape=8), label()).steps
    >>> load, masked, labelled = plan(steps, spec)
    >>> masked.halo, labelled.array == masked.number
    ((4, 4, 4), True)
    """
    draft = begun(steps, spec, tile=tile, budget=budget, unit=unit)
    for number, step in numbered(steps):
        place(draft, number, step)
    return draft.stages


def begun(
    steps: Sequence[Step],
    spec: ImageSpec,
    *,
    tile: int | Sequence[int] | None = None,
    budget: int = TILE_BUDGET,
    unit: str | None = None,
) -> Draft:
    """Return a plan in which no step has its place yet, once all of them may be in it.

    Parameters and errors are those of `plan`.
    """
    known = _spacings(steps, spec, unit)
    draft = Draft(
        spec,
        budget,
        tile,
        spacings=known,
        said=axes_said(steps),
        channel=channel_of_others(steps),
    )
    require_properties(steps, axes=spec.axes or by_number(len(spec.shape)))
    require_axes(steps, spec.axes, len(spec.shape))
    if spec.unnamed:
        require_named(steps, len(spec.shape), known.known)
    return draft


def place(draft: Draft, number: int, step: Step) -> None:
    """Give a step, whose number is for the error, its place after those before it.

    Raises
    ------
    PipelineError
        If it lacks what it works on.
    """
    try:
        step = draft.reading(step)
        if step.function in SPECIAL:
            SPECIAL[step.function].place(draft, step)
        else:
            draft.apply(step)
    except (ValueError, TypeError) as error:
        raise PipelineError(f"{place_name(number, step)}: {error}") from error


def _spacings(steps: Sequence[Step], spec: ImageSpec, unit: str | None) -> Spacings:
    try:
        return spacings(steps, spec, unit)
    except ValueError as error:
        raise PipelineError(str(error)) from error
