"""Write OME-Zarr: the empty image, its chunks by many writers, its pyramid."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from segkit.io.errors import ImageRequestError, missing_extra
from segkit.io.image import SPATIAL, Image
from segkit.io.ome_zarr.reading import multiscales, open_array, require_ome_axes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

OmeVersion = Literal["0.4", "0.5"]
Downscale = Literal["mean", "nearest", "mode"]
# Zstd at level 1 is at the disk's speed on grey voxels and shrinks labels 100x.
_LEVEL = 1
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


def create_zarr(
    path: Path,
    image: Image,
    *,
    chunks: tuple[int, ...],
    version: OmeVersion,
    labels: bool,
) -> None:
    """Write the metadata of an image with one level and no chunk."""
    require_ome_axes(image)
    try:
        import zarr
    except ImportError as error:
        raise missing_extra(path, "zarr", "zarr") from error
    if version not in ("0.4", "0.5"):
        raise ImageRequestError(path, f"OME-Zarr {version!r} is neither 0.4 nor 0.5")
    zarr.create_group(store=str(path), zarr_format=2 if version == "0.4" else 3)
    _create_level(path, "0", image, image.shape, chunks)
    _describe(path, image, [(1,) * image.ndim], labels=labels, shift=False)


def _create_level(
    path: Path,
    name: str,
    image: Image,
    shape: tuple[int, ...],
    chunks: tuple[int, ...],
) -> Any:
    import zarr

    group = zarr.open_group(str(path), mode="r+")
    options: dict[str, Any] = {"config": {"write_empty_chunks": True}}
    if group.metadata.zarr_format == 2:
        from numcodecs import Zstd  # type: ignore[import-untyped]  # has no stubs

        options["compressors"] = [Zstd(level=_LEVEL)]
        options["chunk_key_encoding"] = {"name": "v2", "separator": "/"}
    else:
        from zarr.codecs import ZstdCodec

        # The checksum turns a flipped bit into an error instead of other voxels.
        options["compressors"] = [ZstdCodec(level=_LEVEL, checksum=True)]
        options["dimension_names"] = list(image.axes)
    return group.create_array(
        name, shape=shape, chunks=chunks, dtype=image.dtype, fill_value=0, **options
    )


def _describe(
    path: Path,
    image: Image,
    factors: list[tuple[int, ...]],
    *,
    labels: bool,
    shift: bool,
) -> None:
    """Write the multiscales metadata, in the place of the format's version."""
    old = (path / ".zgroup").is_file()
    version = "0.4" if old else "0.5"
    found: dict[str, Any] = {
        "multiscales": multiscales(
            image_name(path), image, version=version, factors=factors, shift=shift
        )
    }
    if labels:
        found["image-label"] = {"version": version}
    if old:
        (path / ".zattrs").write_text(json.dumps(found, indent=1))
        return
    file = path / "zarr.json"
    metadata = json.loads(file.read_bytes())
    metadata["attributes"] = {"ome": {"version": version, **found}}
    file.write_text(json.dumps(metadata, indent=1))


def image_name(path: Path) -> str:
    """Return the name of an image without what marks it as unfinished.

    Examples
    --------
    >>> from pathlib import Path
    >>> image_name(Path("a.zarr.partial")), image_name(Path(".0123456789ab.a.zarr"))
    ('a', 'a')
    """
    name = re.sub(r"^\.[0-9a-f]{12}\.|(\.[0-9a-f]{12})?\.partial$", "", path.name)
    return name.removesuffix(".zarr")


def write_levels(
    path: Path, image: Image, *, levels: int, downscale: Downscale, labels: bool
) -> None:
    """Write the coarser levels of a pyramid from the written base, chunk by chunk.

    Each level halves the axes of space of the one before; memory is that of 2^d
    chunks.

    Raises
    ------
    ImageRequestError
        If `downscale` is not known.
    """
    if downscale not in ("mean", "nearest", "mode"):
        raise ImageRequestError(
            path, f"downscale={downscale!r} must be 'mean', 'nearest' or 'mode'"
        )
    for left in range(1, 64):  # by a process that died here
        shutil.rmtree(path / str(left), ignore_errors=True)
    finer = open_array(path / "0", "r")
    chunks = tuple(finer.chunks)
    factors = [(1,) * image.ndim]
    for number in range(1, levels):
        step = tuple(
            2 if name in SPATIAL and length > 1 else 1
            for name, length in zip(image.axes, finer.shape, strict=True)
        )
        if set(step) == {1}:
            break
        shape = tuple(-(-n // s) for n, s in zip(finer.shape, step, strict=True))
        coarser = _create_level(path, str(number), image, shape, chunks)
        for box in _chunk_boxes(shape, chunks):
            coarser[box] = _reduced(finer, box, step, downscale)
        factors.append(tuple(f * s for f, s in zip(factors[-1], step, strict=True)))
        finer = coarser
    _describe(path, image, factors, labels=labels, shift=downscale != "nearest")


def _chunk_boxes(
    shape: tuple[int, ...], chunks: tuple[int, ...]
) -> Iterator[tuple[slice, ...]]:
    spans = [
        [slice(start, min(start + size, length)) for start in range(0, length, size)]
        for length, size in zip(shape, chunks, strict=True)
    ]
    yield from itertools.product(*spans)


def _reduced(
    finer: Any, box: tuple[slice, ...], step: tuple[int, ...], downscale: Downscale
) -> NDArray[Any]:
    """Return one box of the coarser level."""
    wanted = tuple(
        slice(part.start * s, min(part.stop * s, length))
        for part, s, length in zip(box, step, finer.shape, strict=True)
    )
    voxels = np.asarray(finer[wanted])
    if downscale == "nearest":
        return voxels[tuple(slice(None, None, s) for s in step)]
    missing = [
        (0, (part.stop - part.start) * s - n)
        for part, s, n in zip(box, step, voxels.shape, strict=True)
    ]
    if any(after for _, after in missing):
        voxels = np.pad(voxels, missing, mode="edge")
    return downscaled(voxels, step, downscale)


def downscaled(
    voxels: NDArray[Any], step: Sequence[int], downscale: Downscale
) -> NDArray[Any]:
    """Return an array reduced by integer steps that divide its shape.

    Parameters
    ----------
    voxels : ndarray
        Any dtype.
    step : sequence of int
        How many voxels of each axis become one.
    downscale : {'mean', 'nearest', 'mode'}
        Their mean (rounded for integers), the first of them, or the most frequent
        (of equally frequent values the smallest): the one for labels.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.array([[7, 7, 0, 0], [7, 9, 0, 5]])
    >>> downscaled(labels, (2, 2), "mode"), downscaled(labels, (2, 2), "nearest")
    (array([[7, 0]]), array([[7, 0]]))
    """
    if downscale == "nearest":
        return voxels[tuple(slice(None, None, s) for s in step)]
    split = [
        n for axis, s in zip(voxels.shape, step, strict=True) for n in (axis // s, s)
    ]
    blocks = voxels.reshape(split)
    order = [*range(0, len(split), 2), *range(1, len(split), 2)]
    blocks = blocks.transpose(order).reshape(*split[::2], -1)
    if downscale == "mean":
        mean = blocks.mean(-1, dtype=np.float64)
        if voxels.dtype.kind in "iub":
            mean = np.rint(mean)
        return np.asarray(mean, voxels.dtype)
    return _most_frequent(np.sort(blocks, axis=-1))


def _most_frequent(blocks: NDArray[Any]) -> NDArray[Any]:
    """Return the mode along the last axis of sorted blocks."""
    counts = np.zeros(blocks.shape, np.int8)
    for number in range(blocks.shape[-1]):
        counts[..., number] = (blocks == blocks[..., number : number + 1]).sum(-1)
    best = counts.argmax(-1)
    most: NDArray[Any] = np.take_along_axis(blocks, best[..., None], axis=-1)
    return most[..., 0]
