"""Write an image by boxes, from many processes at once, without locks.

Safe by construction, not by locking: in Zarr every box must own whole chunks, since a
chunk is rewritten as a whole and two writers of one chunk lose each other's voxels
without an error. In a contiguous TIFF or npy file any disjoint boxes are safe between
the processes of one machine, since each voxel has its own bytes (machines that share
a network folder exchange whole pages: use OME-Zarr there). HDF5 is refused: several
writers corrupt it.

Until `finish` the image lies under ``<name>.partial`` and cannot be taken for a
finished one.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks
from segkit.argument_kinds import require_types
from segkit.io.arranged.views import with_names
from segkit.io.described import blank, described
from segkit.io.elsewhere.address import is_address, local_path
from segkit.io.elsewhere.constructing import Construction
from segkit.io.elsewhere.layout import Layout
from segkit.io.errors import (
    ImageRequestError,
    MisalignedWriteError,
    UnfinishedImageError,
    full_disk_explained,
)
from segkit.io.formats import (
    format_of,
    require_levels,
    require_stated,
)
from segkit.io.opening import partial_path
from segkit.io.options import SaveOptions
from segkit.io.publishing import publish, remove, sync
from segkit.io.replacing import require_free
from segkit.io.sources import InMemory, resolve
from segkit.io.targets import Begun, Closed, fitted
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from numpy.typing import DTypeLike, NDArray

    from segkit.io.image import Image
    from segkit.io.options import Downscale, OmeVersion
    from segkit.io.sources import Region
    from segkit.io.targets import Target


_SLAB_BYTES = 64 << 20

_TYPED = ["path", "axes", "channels", "labels", "overwrite"]


@known_as("segkit")
def create_image(
    path: str | Path,
    shape: Sequence[int],
    dtype: DTypeLike,
    *,
    chunks: int | Sequence[int] | None = None,
    axes: str | None = None,
    spacing: Sequence[float] | None = None,
    units: str | Sequence[str] | None = None,
    channels: Sequence[str] | None = None,
    labels: bool = False,
    ome_version: OmeVersion = "0.5",
    overwrite: bool = False,
) -> ImageWriter:
    """Create an image of zeros on disk, to be written box by box by many processes.

    Parameters
    ----------
    path : str or Path
        ``.zarr`` (OME-Zarr, zstd), ``.tif``, ``.ome.tif`` (contiguous, BigTIFF beyond
        4 GB) or ``.npy``; with the extra ``volumes`` ``.precomputed`` and ``.n5``, and
        these and ``.zarr`` at ``s3://bucket/path`` and ``gs://bucket/path``.
    shape : sequence of int
        Length of each axis.
    dtype : dtype
        Integers, floats, booleans.
    chunks : int or sequence of int, optional
        For Zarr, N5 and precomputed: boxes must be aligned with it. Give the shape of
        the tiles, or a divisor of it.
    axes : str, optional
        One letter per axis; by their number if left out, and the file does not say
        then what three or more are.
    spacing, units : optional
        Physical size of a voxel, one value per axis or per axis of space; refused for
        an npy file, which cannot hold it.
    channels : sequence of str, optional
        Names of the channels, in their order; for TIFF and OME-Zarr.
    labels : bool
        Mark an OME-Zarr as a label image, and make a precomputed volume a segmentation
        of numbers without sign.
    ome_version : {'0.5', '0.4'}
        0.4 is read by older programs (Zarr format 2).
    overwrite : bool
        Replace an image at `path` when the new one is finished, but no folder that
        holds anything else. An unfinished image there is always replaced.

    Returns
    -------
    ImageWriter
        Give it to other processes as it is (it pickles), or open one there by
        `open_writer`.

    Raises
    ------
    FileExistsError
        If there is an image already and `overwrite` is not set, or a folder that
        holds what segkit did not write.
    ImageRequestError
        If the format cannot be written by box or cannot hold this image.
    TypeError
        If an option is of another kind than it says.

    Examples
    --------
    >>> import tempfile, pathlib, numpy as np, segkit
    >>> path = pathlib.Path(tempfile.mkdtemp(), "labels.zarr")
    >>> with create_image(path, (4, 6), np.int32, chunks=(4, 3)) as writer:
    ...     writer.write((slice(0, 4), slice(0, 3)), np.ones((4, 3), np.int32))
    ...     writer.write((slice(0, 4), slice(3, 6)), np.zeros((4, 3), np.int32))
    >>> int(np.asarray(segkit.open_image(path)).sum())
    12
    """
    require_types(create_image, locals(), _TYPED)
    path = local_path(path)
    format_ = format_of(path)
    about = {"axes": axes, "spacing": spacing, "units": units, "channels": channels}
    image = _described(path, blank(path, shape, np.dtype(dtype)), about)
    options = SaveOptions(chunks=chunks, labels=labels, ome_version=ome_version)
    if format_.layout is not None and is_address(path):
        layout = Layout.of(format_.layout, image, options)
        Construction.at(path).create(layout, overwrite=overwrite)
        return open_writer(path)
    path = Path(path)
    require_free(
        path, overwrite=overwrite, folder=format_.folder and not format_.no_boxes
    )
    remove(partial_path(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        if format_.create is None:
            raise ImageRequestError(path, format_.no_boxes)
        with full_disk_explained(path):
            format_.create(partial_path(path), image, options)
    except BaseException:
        remove(partial_path(path))
        raise
    return open_writer(path, overwrite=overwrite)


def _described(path: str, zeros: NDArray[Any], about: dict[str, Any]) -> Image:
    """Return the image that is begun; refuse what its file would not say of it."""
    names = about.pop("channels")
    image = described(path, zeros, **about)
    image = image if names is None else with_names(image, names)
    spaced = about["spacing"] is not None or about["units"] is not None
    named = names is not None
    require_stated(path, format_of(path), image, spaced=spaced, named=named)
    return image


@known_as("segkit")
def open_writer(path: str | Path, *, overwrite: bool = False) -> ImageWriter:
    """Return a writer of an image that `create_image` made, perhaps elsewhere.

    Raises
    ------
    UnfinishedImageError
        If there is no image under construction.
    """
    path = local_path(path)
    if is_address(path):
        return ImageWriter(path, construction=Construction.at(path))
    path = Path(path)
    partial = partial_path(path)
    if not partial.exists():
        raise UnfinishedImageError(
            path, "is not under construction; call create_image first"
        )
    return ImageWriter(path, overwrite=overwrite)


@known_as("segkit")
class ImageWriter:
    """Writes boxes of an image under construction; each process has its own.

    Attributes
    ----------
    path : Path
        Where the image will be when it is finished; a path that means its address if
        that is elsewhere.
    shape : tuple of int
        Length of each axis.
    dtype : dtype
        Type of a voxel.
    chunks : tuple of int or None
        Boxes must be aligned with it; None if any disjoint boxes are safe.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        target: Path | None = None,
        overwrite: bool = False,
        construction: Construction | None = None,
    ) -> None:
        self.path = Path(path)
        self._shown = str(construction.address if construction else path)
        self._overwrite = overwrite
        self._target: Target
        self._construction = construction
        self._format = format_of(path)
        self._begun: Begun | None = None
        if construction is not None:
            image, self._target = construction.reopen(self._format.layout)
        else:
            self._partial = target or partial_path(Path(path))
            if self._format.reopen is None:
                raise ImageRequestError(path, self._format.no_boxes)
            self._begun = Begun(self._partial)
            image, self._target = self._format.reopen(self._partial)
        self.shape = image.shape
        self.dtype = image.dtype
        self.chunks = self._target.chunks

    def __reduce__(self) -> tuple[Any, ...]:
        if self._construction is not None:
            begun = self._construction
            return reopen_elsewhere, (str(begun.address), begun.owner)
        return reopen_writer, (self.path, self._partial, self._overwrite)

    def write(self, box: Region, array: NDArray[Any]) -> None:
        """Write the voxels of a box.

        Parameters
        ----------
        box : Box or slices
            Where. In Zarr it must begin at a chunk and end at one, or at the
            image's edge.
        array : ndarray
            Of the box's shape; its values must fit the image's dtype.

        Raises
        ------
        MisalignedWriteError
            If a chunk would be shared with another box.
        ImageRequestError
            If shape or values do not fit.
        OSError
            If the disk is full.
        """
        slices, _ = resolve(self._shown, box, self.shape)
        checks.require_unmasked(array, name="array")
        array = np.asarray(array)
        expected = tuple(part.stop - part.start for part in slices)
        if array.shape != expected:
            raise ImageRequestError(
                self._shown, f"array of shape {array.shape} for a box of {expected}"
            )
        self._require_aligned(slices)
        if self._begun is not None:
            self._begun.require_same(self._shown)
        with full_disk_explained(self._shown):
            self._target.write(slices, fitted(self._shown, array, self.dtype))

    def aligned(self, box: Region) -> bool:
        """Say whether a box owns all chunks that it touches."""
        slices, _ = resolve(self._shown, box, self.shape)
        return self.chunks is None or all(
            part.start % size == 0 and (part.stop % size == 0 or part.stop == length)
            for part, size, length in zip(slices, self.chunks, self.shape, strict=True)
        )

    def _require_aligned(self, slices: tuple[slice, ...]) -> None:
        if not self.aligned(slices):
            box = "[" + ", ".join(f"{p.start}:{p.stop}" for p in slices) + "]"
            raise MisalignedWriteError(
                self._shown,
                f"box {box} shares chunks of shape {self.chunks} with its neighbours,"
                " whose writers would lose voxels; write boxes of whole chunks, or"
                " create the image with chunks= that divide the tiles",
            )

    def finish(
        self,
        *,
        levels: int = 1,
        downscale: Downscale = "nearest",
        durable: bool = True,
    ) -> Path:
        """Declare the image complete and give it its name; call once, after all writes.

        Parameters
        ----------
        levels : int
            Resolutions of the pyramid of an OME-Zarr, a precomputed volume or an N5,
            the full one included.
        downscale : {'nearest', 'mode', 'mean'}
            How a coarser voxel is made; ``'mode'`` or ``'nearest'`` for labels.
        durable : bool
            Wait until the disk has it, so that it survives a power failure.

        Raises
        ------
        DamagedImageError
            If chunks of a Zarr have not been written; the message counts them.
        """
        checks.as_integer(levels, name="levels", least=1)
        require_levels(self._shown, self._format, levels)
        if self._begun is not None:
            self._begun.require_same(self._shown)
        if self._construction is not None:
            self._target.finish(self.path, levels, downscale)
        else:
            with full_disk_explained(self.path):
                self._target.finish(self.path, levels, downscale)
            if durable:
                sync(self._partial)
            publish(self._partial, self.path, overwrite=self._overwrite)
        self._target, self._begun = Closed(), None
        return self.path

    def abandon(self) -> None:
        """Remove what has been written."""
        begun, self._target, self._begun = self._begun, Closed(), None
        if self._construction is not None:
            self._construction.abandon()
        elif begun is not None:
            with suppress(UnfinishedImageError):  # what another began is not ours
                begun.require_same(self._shown)
                remove(self._partial)

    def __enter__(self) -> ImageWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.finish()
        else:
            self.abandon()


@known_as("segkit.names")
def reopen_writer(path: Path, target: Path, overwrite: bool) -> ImageWriter:
    """Return the writer that another process began with."""
    return ImageWriter(path, target=target, overwrite=overwrite)


@known_as("segkit.names")
def reopen_elsewhere(address: str, owner: str) -> ImageWriter:
    """Return the writer that another process began with, of an image elsewhere."""
    return ImageWriter(address, construction=Construction.at(address, owner))


def copy_into(target: Path, image: Image) -> None:
    """Write all voxels of an image into the empty one at the very path `target`."""
    copy(ImageWriter(target, target=target), image)


def copy(writer: ImageWriter, image: Image) -> None:
    """Write all voxels of an image by a writer, in slabs of whole chunks."""
    if isinstance(image.source, InMemory):
        writer.write(..., image.read())
        return
    step = writer.chunks[0] if writer.chunks else 1
    for box in _slabs(image, step):
        writer.write(box, image.read(box))


def _slabs(image: Image, step: int) -> Iterator[tuple[slice, ...]]:
    """Yield boxes over the first axis, of some megabytes and whole chunks."""
    row = image.nbytes // max(image.shape[0], 1)
    count = max(1, _SLAB_BYTES // max(row * step, 1)) * step
    rest = tuple(slice(0, n) for n in image.shape[1:])
    for start in range(0, image.shape[0], count):
        yield (slice(start, min(start + count, image.shape[0])), *rest)
