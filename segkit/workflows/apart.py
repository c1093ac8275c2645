"""From the plan of a pipeline to tasks for each frame, and files of all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segkit.pipeline.stages import SaveOverlayStage, SaveTableStage
from segkit.workflows import tasks
from segkit.workflows.building import Builder, Settings
from segkit.workflows.frames import StackedArray
from segkit.workflows.stored import later

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from segkit.pipeline.stages import Stage
    from segkit.workflows.frames import InputFrames
    from segkit.workflows.inputs import Readable
    from taskgraph import Task

_SHOWN = (2, 3)
"""Axes of an image of which an overlay shows a plane."""


class ApartBuilder:
    """Writes down the tasks of stages for each frame; what is saved has all frames.

    Parameters
    ----------
    settings : Settings
        Of one frame.
    found : InputFrames
        All of them.

    Attributes
    ----------
    saved, files
        As of `Builder`, of all frames.
    """

    def __init__(self, settings: Settings, found: InputFrames) -> None:
        self._found = found
        self._frames = [
            Builder(replace(settings, source=one.image, channels=one.channels))
            for one in found.frames
        ]
        self._apart = len(found.whole.shape) - len(settings.block)
        block = (1,) * self._apart + settings.block
        self._whole = Builder(replace(settings, source=found.whole, block=block))
        self.saved: list[Task] = []
        self.files: list[Path] = []

    def add(self, stage: Stage) -> None:
        """Write down the tasks of a stage."""
        if stage.kind.startswith("save"):
            self._save(stage)
            return
        for frame in self._frames:
            frame.add(stage)

    @property
    def array(self) -> Readable:
        """The last array."""
        return self._stacked([frame.array for frame in self._frames])

    @property
    def labels(self) -> StackedArray | None:
        """The labelled objects."""
        found = [one.labels for one in self._frames if one.labels is not None]
        return self._stacked(found) if found else None

    @property
    def table(self) -> Task | None:
        """The last table of objects; asking for it writes its task down."""
        found = [one.table for one in self._frames if one.table is not None]
        return self._joined(found) if found else None

    def _save(self, stage: Any) -> None:
        builder = self._whole
        if isinstance(stage, SaveTableStage):
            tables = [frame.tables[stage.table] for frame in self._frames]
            builder.tables[stage.table] = self._joined(tables)
        elif isinstance(stage, SaveOverlayStage) and self._too_many:
            builder = self._frames[len(self._frames) // 2]  # a plane of it is shown
        else:
            for number in {stage.array, getattr(stage, "image", stage.array)}:
                arrays = [frame.arrays[number] for frame in self._frames]
                builder.arrays[number] = self._stacked(arrays)
            builder.colours |= self._frames[0].colours
        builder.add(stage)
        self.saved.append(builder.saved[-1])
        self.files.append(builder.files[-1])

    @property
    def _too_many(self) -> bool:
        return len(self._found.whole.shape) not in _SHOWN

    def _stacked(self, arrays: Sequence[Readable]) -> StackedArray:
        lengths = self._found.whole.shape
        shape = lengths[: self._apart] + arrays[0].shape
        per, axes = self._found.taken.per, self._found.taken.whole.axes
        known = [place for place, name in enumerate(per) if name in axes]
        places = [
            tuple(frame.at[place] for place in known)
            for frame in self._found.taken.frames
        ]
        return StackedArray(shape, tuple(zip(places, arrays, strict=True)))

    def _joined(self, tables: Sequence[Task]) -> Task:
        places = tuple(frame.at for frame in self._found.taken.frames)
        task: Task = tasks.JOIN_TABLES(
            tuple(self._found.taken.per), places, later(tables)
        )
        return task
