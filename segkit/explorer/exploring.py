"""An image and a pipeline made ready to be explored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from segkit.explorer.cache import Cache
from segkit.explorer.computing import Computer
from segkit.explorer.exploration import Exploration
from segkit.explorer.levels import Levels
from segkit.explorer.opening import open_reference, opened
from segkit.explorer.presets import PRESETS
from segkit.explorer.running import WholeRun, free_name
from segkit.explorer.site import Explorer
from segkit.pipeline.pipeline import Pipeline
from segkit.pipeline.steps import PipelineError

if TYPE_CHECKING:
    from segkit import io
    from segkit.arrays import Array

CACHE = 512
"""Megabytes of results that are kept, by default."""


def explorer_of(
    image: Array | io.Image | str | Path | None,
    pipeline: Pipeline | str | Path | None = None,
    *,
    reference: Array | str | Path | None = None,
    preset: str | None = None,
    axes: str | None = None,
    out: str | Path = ".",
    cache: int = CACHE,
    workers: int = 1,
    trust: bool = False,
) -> Explorer:
    """Return what answers the page of an image.

    Parameters
    ----------
    image
        What to explore; None takes the file that the pipeline loads.
    pipeline
        Its steps, or a file of them; a preset by default.
    reference
        Labels to compare with.
    preset
        A pipeline to begin with.
    axes
        Those of a file that does not say.
    out
        Folder for what a run over the whole image saves.
    cache
        Megabytes of results that are kept.
    workers
        Processes that run over the whole image.
    trust
        Whether a file of steps may run functions that are none of segkit's.

    Raises
    ------
    PipelineError, ImageError, OSError
        If one of them cannot be used.
    """
    if preset is not None and preset not in PRESETS:
        raise PipelineError(f"there is no preset {preset!r}; take {', '.join(PRESETS)}")
    file = Path(pipeline) if isinstance(pipeline, (str, Path)) else None
    steps = Pipeline.load(file, trust=trust).steps if file else ()
    if isinstance(pipeline, Pipeline):
        steps = pipeline.steps
    found = opened(image, steps, axes=axes)
    levels = Levels.of(found.image)
    labels = reference
    if isinstance(labels, (str, Path)):
        labels = open_reference(labels, found.image.shape)
    exploration = Exploration.of(
        found, Computer(levels, Cache(cache * 10**6)), preset=preset, reference=labels
    )
    run = None
    if found.path is not None:
        place = file or free_name(Path())
        run = WholeRun(place, found.path, Path(out), workers, trust, file is None)
    return Explorer(exploration, run)
