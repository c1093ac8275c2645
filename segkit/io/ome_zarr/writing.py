"""Write OME-Zarr: the empty image, its chunks by many writers, its pyramid."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from segkit import checks
from segkit.io.calibration import SPATIAL
from segkit.io.errors import DamagedImageError, ImageRequestError, missing_extra
from segkit.io.ome_zarr.chunks import missing_chunks, open_array, stored_unit
from segkit.io.ome_zarr.levels import create_level, describe
from segkit.io.ome_zarr.metadata import attributes, require_ome_axes
from segkit.io.ome_zarr.pyramid import write_levels
from segkit.io.writing import copy_into
from segkit.tiling.threads import in_threads, thread_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from segkit.io.image import Image
    from segkit.io.options import Downscale, SaveOptions

_CHUNK_3D = (64, 256, 256)
_CHUNK_2D = (1024, 1024)


def default_chunks(axes: str, shape: Sequence[int]) -> tuple[int, ...]:
    """Return the chunk shape for an image: some megabytes, 1 along time and channel.

    Examples
    --------
    >>> default_chunks("czyx", (2, 100, 1024, 1024))
    (1, 64, 256, 256)
    """
    spatial = [name for name in axes if name in SPATIAL]
    sizes = _CHUNK_3D if len(spatial) == len(_CHUNK_3D) else _CHUNK_2D
    by_name = dict(zip(spatial, sizes[-len(spatial) :], strict=False))
    return tuple(
        max(1, min(by_name.get(name, 1), length))
        for name, length in zip(axes, shape, strict=True)
    )


def save_zarr(path: Path, image: Image, options: SaveOptions) -> None:
    """Write a whole image and its pyramid."""
    create_zarr(path, image, options)
    copy_into(path, image)
    if options.levels > 1:
        write_levels(
            path,
            image,
            levels=options.levels,
            downscale=options.downscale or ("mode" if options.labels else "mean"),
            labels=options.labels,
        )


def create_zarr(path: Path, image: Image, options: SaveOptions) -> None:
    """Write the metadata of an image with one level and no chunk."""
    chunks, version = options.chunks, options.ome_version
    if chunks is None:
        chunks = default_chunks(image.axes, image.shape)
    chunks = checks.per_axis(chunks, image.ndim, name="chunks", least=1)
    require_ome_axes(image)
    try:
        import zarr
    except ImportError as error:
        raise missing_extra(path, "zarr") from error
    if version not in ("0.4", "0.5"):
        raise ImageRequestError(path, f"OME-Zarr {version!r} is neither 0.4 nor 0.5")
    zarr.create_group(store=path, zarr_format=2 if version == "0.4" else 3)
    create_level(path, "0", image, image.shape, chunks)
    describe(path, image, [(1,) * image.ndim], labels=options.labels, shift=False)


class ZarrTarget:
    """Chunks of the first level of an OME-Zarr, and at last its other levels."""

    def __init__(self, folder: Path, image: Image) -> None:
        self._folder = folder
        self._image = image
        self._array = open_array(folder / "0", "r+")
        self.chunks: tuple[int, ...] | None = stored_unit(self._array)

    def write(self, box: tuple[slice, ...], array: NDArray[Any]) -> None:
        """Write whole chunks, each by one thread; none is at it when this has ended.

        If zarr had all, it would go on with the others when one has failed, after its
        error was raised: into a folder that its owner has removed by then.
        """

        def write_chunk(part: tuple[slice, ...]) -> None:
            inside = tuple(
                slice(p.start - whole.start, p.stop - whole.start)
                for p, whole in zip(part, box, strict=True)
            )
            self._array[part] = array[inside]

        chunks = list(_pieces(box, self.chunks or self._array.shape))
        in_threads(write_chunk, chunks, thread_count(None, array.size))

    def finish(self, path: Path, levels: int, downscale: Downscale) -> None:
        """Check that all chunks have been written, and write the pyramid."""
        base = self._folder / "0"
        whole = tuple(slice(0, length) for length in self._image.shape)
        absent = list(missing_chunks(open_array(base, "r"), base, whole))
        if absent:
            raise DamagedImageError(
                path,
                f"{len(absent)} chunks have not been written, the first is"
                f" {absent[0]!r}; write them, then finish",
            )
        labels = "image-label" in attributes(self._folder)
        if levels > 1:
            write_levels(
                self._folder,
                self._image,
                levels=levels,
                downscale=downscale,
                labels=labels,
            )
        elif any(self._image.channels):  # how bright they are is known now
            factors = [(1,) * self._image.ndim]
            describe(self._folder, self._image, factors, labels=labels, shift=False)


def _pieces(
    box: tuple[slice, ...], unit: tuple[int, ...]
) -> Iterator[tuple[slice, ...]]:
    """Cut a box that begins at a chunk into its chunks."""
    spans = [
        [slice(k, min(k + size, part.stop)) for k in range(part.start, part.stop, size)]
        for part, size in zip(box, unit, strict=True)
    ]
    return itertools.product(*spans)
