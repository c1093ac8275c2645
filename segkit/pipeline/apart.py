"""A plan run over the frames of an image, each by itself; what is saved has all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from segkit.io.described import as_image
from segkit.pipeline.parts.tables import joined
from segkit.pipeline.stages import SaveOverlayStage, SaveTableStage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.arrays import Array, Table
    from segkit.pipeline.parts.taken_image import Taken
    from segkit.pipeline.result import Result
    from segkit.pipeline.stages import Stage

_SHOWN = (2, 3)
"""Axes of an image of which an overlay shows a plane."""


class FrameRunner(Protocol):
    """Runs stages over one frame, or saves what was made of all."""

    arrays: dict[int, Any]
    tables: dict[int, Table]
    result: Result

    def run(self, stage: Stage) -> None:
        """Run one stage."""


def run_apart(
    taken: Taken,
    stages: Sequence[Stage],
    frames: Sequence[FrameRunner],
    whole: FrameRunner,
) -> Result:
    """Run a plan over each frame of an image; return what was made of all.

    Parameters
    ----------
    taken
        The image.
    stages
        Of the plan of one frame: all have the same shape.
    frames
        For each frame what runs stages over it.
    whole
        What saves, given all frames.
    """
    if not taken.per:
        for stage in stages:
            frames[0].run(stage)
        return frames[0].result
    saved = whole.result.saved
    for stage in stages:
        if not stage.kind.startswith("save"):
            for frame in frames:
                frame.run(stage)
        elif isinstance(stage, SaveOverlayStage) and _too_many(taken):
            middle = frames[len(frames) // 2]  # a plane of it is shown
            middle.run(stage)
            saved.extend(middle.result.saved[-1:])
        else:
            _gather(stage, taken, frames, whole)
            whole.run(stage)
    return _result(taken, frames, whole.result)


def _too_many(taken: Taken) -> bool:
    return taken.whole.ndim not in _SHOWN


def _gather(
    stage: Any, taken: Taken, frames: Sequence[FrameRunner], whole: FrameRunner
) -> None:
    """Give what saves the arrays, or the table, of all frames."""
    if isinstance(stage, SaveTableStage):
        tables = [frame.tables[stage.table] for frame in frames]
        whole.tables[stage.table] = _joined(taken, tables)
        return
    whole.arrays.clear()  # which may be large
    for number in {stage.array, getattr(stage, "image", stage.array)}:
        arrays = [frame.arrays[number] for frame in frames]
        stacked: Any = _stacked(taken, arrays)
        grey = hasattr(arrays[0], "spacing")
        if grey:
            source = as_image(stacked, axes=taken.whole.axes).source
            stacked = replace(taken.whole, source=source)
        whole.arrays[number] = stacked


def _stacked(taken: Taken, arrays: Sequence[Any]) -> Array:
    """Return the arrays of all frames as one, with the axes that were taken apart."""
    stack = np.stack([np.asarray(array) for array in arrays])
    apart = taken.whole.ndim - taken.frames[0].image.ndim
    return stack.reshape(taken.whole.shape[:apart] + stack.shape[1:])


def _joined(taken: Taken, tables: Sequence[Table]) -> Table:
    return joined(taken.per, [frame.at for frame in taken.frames], tables)


def _result(taken: Taken, frames: Sequence[FrameRunner], result: Result) -> Result:
    """Return what was made of all frames."""
    made = [frame.result for frame in frames]
    result.array = _stacked(taken, [one.array for one in made])
    result.unit = made[0].unit
    labels = [one.labels for one in made if one.labels is not None]
    result.labels = _stacked(taken, labels) if labels else None
    tables = [one.table for one in made if one.table is not None]
    result.table = _joined(taken, tables) if tables else None
    return result
