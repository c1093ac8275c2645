"""An image in parts, as tasks take it: frames and channels; what is made of all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.io.arranged.side_by_side import SideBySide
from segkit.io.sources import view_of
from segkit.names import known_as
from segkit.pipeline.parts.taken_image import taken
from segkit.tiling.boxes import Box
from segkit.workflows.inputs import ArrayInput, FileInput, opened_whole, stamp_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segkit.arrays import Array
    from segkit.io import Image
    from segkit.pipeline.parts.taken_image import Channel, Taken
    from segkit.pipeline.steps import Step
    from segkit.workflows.inputs import (
        AddressStamp,
        BoxReader,
        FileStamp,
        KnownBy,
        Readable,
    )

    Input = FileInput | ArrayInput


@dataclass(frozen=True, slots=True)
class FrameInput:
    """A frame of an image, and the channels of it that steps say."""

    image: Input
    channels: Mapping[Channel, Input]


@dataclass(frozen=True, slots=True)
class InputFrames:
    """An image as the tasks of a pipeline take it.

    Attributes
    ----------
    taken : Taken
        Which frames there are.
    whole : FileInput or ArrayInput
        All of them, as what is saved of all.
    frames : tuple of FrameInput
        One for each.
    """

    taken: Taken
    whole: Input
    frames: tuple[FrameInput, ...]


def open_frames(
    image: Any, options: dict[str, Any], known_by: KnownBy, steps: Sequence[Step]
) -> InputFrames:
    """Return an image as tasks take it, in the frames and channels that steps take.

    Parameters
    ----------
    image : path, Image or ndarray
        Where it is.
    options : dict
        Of `segkit.open_image`, for a path.
    known_by : {'stamp', 'content'}
        By what a file is known.
    steps : sequence of Step
        Of the pipeline.
    """
    opened = opened_whole(image, options)
    found = taken(steps, opened)
    parts = _Parts(image, opened, options, known_by, apart=_is_apart(found))
    frames = tuple(
        FrameInput(
            parts.of(frame.image),
            {channel: parts.of(one) for channel, one in frame.channels.items()},
        )
        for frame in found.frames
    )
    whole = parts.of(found.whole) if found.per else frames[0].image
    return InputFrames(found, whole, frames)


def open_input(
    image: Any, options: dict[str, Any], known_by: KnownBy, steps: Sequence[Step] = ()
) -> Input:
    """Return an image as tasks take it; of several frames the first.

    Parameters
    ----------
    image, options, known_by, steps
        Of `open_frames`.
    """
    return open_frames(image, options, known_by, steps).frames[0].image


def _is_apart(found: Taken) -> bool:
    return bool(found.per or found.frames[0].channels)


class _Parts:
    """Parts of one image as arguments of tasks; its files are looked at once."""

    def __init__(
        self,
        given: Any,
        opened: Image,
        options: dict[str, Any],
        known_by: KnownBy,
        *,
        apart: bool,
    ) -> None:
        self._given, self._opened = given, opened
        self._options = tuple(sorted(options.items()))
        self._known_by = known_by
        self._apart = apart
        self._stamps: dict[tuple[str, ...], tuple[FileStamp | AddressStamp, str]] = {}

    def of(self, part: Image) -> Input:
        """Return a part of the image."""
        if not self._is_file:
            array = part.read() if self._apart else np.asarray(self._voxels)
            return ArrayInput(part, array)
        path = self._given_path(part)
        files = (str(path), *part.files)
        if files not in self._stamps:
            several = isinstance(self._opened.source, SideBySide)
            image = part if several else self._opened
            self._stamps[files] = stamp_of(path, image, self._known_by)
        stamp, inside = self._stamps[files]
        view = view_of(part.source) if self._apart else ()
        return FileInput(stamp, inside, self._options, part, view)

    @property
    def _is_file(self) -> bool:
        return isinstance(self._given, (str, Path)) or self._opened.asked is not None

    @property
    def _voxels(self) -> Any:
        return self._opened.read()

    def _given_path(self, part: Image) -> Any:
        return self._given if isinstance(self._given, (str, Path)) else part.path


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class StackedArray:
    """Arrays of frames as one, with the axes along which they were taken apart first.

    Attributes
    ----------
    shape : tuple of int
        Of all together.
    layers : tuple of (tuple of int, Readable)
        The place of each along these axes, and its array.
    """

    shape: tuple[int, ...]
    layers: tuple[tuple[tuple[int, ...], Readable], ...]

    def __taskgraph_hash__(self) -> object:
        """Return what a key knows of it."""
        return self.shape, self.layers

    def __taskgraph_value__(self) -> StackedArray:
        """Return itself: arrays are loaded when they are read."""
        return self

    def __repr__(self) -> str:
        return f"StackedArray({self.shape}, {len(self.layers)} frames)"

    @property
    def _apart(self) -> int:
        return len(self.layers[0][0])

    def cut(self, box: Box) -> StackedArray:
        """Return the same array with only what holds voxels of a box."""
        inner = _behind(box, self._apart)
        kept = [(at, layer.cut(inner)) for at, layer in self.layers if _holds(box, at)]
        return StackedArray(self.shape, tuple(kept))

    def read(self, box: Box | None = None) -> Array:
        """Return the voxels of a box, all by default."""
        return self.reader().read(box or Box((0,) * len(self.shape), self.shape))

    def reader(self) -> StackedReader:
        """Return what reads many boxes of it."""
        return StackedReader(self, self._apart)

    def boxes(self) -> list[Box]:
        """Return boxes that are read one after the other: one for each frame."""
        inner = self.shape[self._apart :]
        stops = [tuple(k + 1 for k in at) for at, _ in self.layers]
        return [
            Box(at + (0,) * len(inner), stop + inner)
            for (at, _), stop in zip(self.layers, stops, strict=True)
        ]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        voxels = self.read()
        return voxels if dtype is None else voxels.astype(dtype)


class StackedReader:
    """Reads boxes of a `StackedArray`."""

    def __init__(self, array: StackedArray, apart: int) -> None:
        self._layers = dict(array.layers)
        self._apart = apart
        self._readers: dict[tuple[int, ...], BoxReader] = {}

    def _reader(self, at: tuple[int, ...]) -> BoxReader:
        if at not in self._readers:
            self._readers[at] = self._layers[at].reader()
        return self._readers[at]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the voxels: one that holds those of all frames."""
        return np.result_type(*(self._reader(at).dtype for at in self._layers))

    def read(self, box: Box) -> Array:
        """Return the voxels of a box."""
        inner = _behind(box, self._apart)
        kept = [at for at in self._layers if _holds(box, at)]
        read = [np.asarray(self._reader(at).read(inner)) for at in kept]
        return np.stack(read).reshape(box.shape)


def _holds(box: Box, at: tuple[int, ...]) -> bool:
    bounds = zip(box.start, at, box.stop, strict=False)
    return all(start <= place < stop for start, place, stop in bounds)


def _behind(box: Box, apart: int) -> Box:
    return Box(box.start[apart:], box.stop[apart:])
