"""Save a whole image: it appears under its name complete, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from segkit import checks
from segkit.io import hdf5
from segkit.io.errors import ImageRequestError
from segkit.io.formats import format_of
from segkit.io.image import Image, complete_spacing, described
from segkit.io.publishing import published
from segkit.io.replacing import require_free
from segkit.io.sources import InMemory
from segkit.io.targets import fitted
from segkit.io.tiff import writing as tiff_writing
from segkit.io.tiff.writing import Compression
from segkit.io.writing import ImageWriter, create_at
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from segkit.io.ome_zarr.writing import Downscale, OmeVersion

_SLAB_BYTES = 64 << 20
_GREY, _COLOUR = 2, 3


@known_as("segkit")
def save(
    path: str | Path,
    image: NDArray[Any] | Image,
    *,
    axes: str | None = None,
    spacing: Sequence[float] | None = None,
    units: str | Sequence[str] | None = None,
    compression: Compression | None = None,
    chunks: int | Sequence[int] | None = None,
    labels: bool = False,
    levels: int = 1,
    downscale: Downscale | None = None,
    ome_version: OmeVersion = "0.5",
    overwrite: bool = False,
    durable: bool = True,
) -> Path:
    """Save an image whole or not at all; the suffix says the format.

    ``.tif``, ``.ome.tif``, ``.zarr`` (OME-Zarr, zstd), ``.npy``, ``.h5`` (also
    ``file.h5::dataset``), ``.png`` and other pictures; a name without suffix becomes a
    folder of PNG files, one per plane. A lazy image is copied in slabs, so that it may
    be larger than memory (Zarr, npy, uncompressed TIFF).

    Parameters
    ----------
    path : str or Path
        Where.
    image : ndarray or Image
        Any real dtype; an Image brings axes, spacing and units along. Booleans are
        kept as such, but become 0 and 255 in PNG.
    axes, spacing, units : optional
        As in `open_image`; npy and pictures cannot hold a spacing.
    compression : {'zlib', 'zstd', 'lzw'}, optional
        For TIFF; uncompressed voxels can be memory-mapped. zstd and lzw want the
        extra ``tiff``.
    chunks : int or sequence of int, optional
        For Zarr.
    labels : bool
        The image holds labels: marked so in OME-Zarr, and never averaged.
    levels : int
        Resolutions in an OME-Zarr, the full one included.
    downscale : {'mean', 'nearest', 'mode'}, optional
        How coarser voxels are made: the mean, for labels the mode by default.
    ome_version : {'0.5', '0.4'}
        For OME-Zarr.
    overwrite : bool
        Replace the file that lies there, or the folder if it holds an image as
        segkit writes it and nothing else; of HDF5, a file without other datasets.
    durable : bool
        Wait for the disk before the file gets its name.

    Returns
    -------
    Path
        The file or folder.

    Raises
    ------
    FileExistsError
        If something lies there and `overwrite` is not set, or a folder that holds
        what segkit did not write, or HDF5 that holds other datasets.
    ImageRequestError
        If the format cannot hold the image, or an option is none that it has.
    TypeError
        If the array is masked, or `levels` is no integer.

    Examples
    --------
    >>> import tempfile, pathlib, numpy as np, segkit
    >>> path = pathlib.Path(tempfile.mkdtemp(), "labels.tif")
    >>> _ = save(path, np.arange(12, dtype=np.int32).reshape(3, 4), spacing=(0.3, 0.3))
    >>> segkit.open_image(path).dtype, segkit.open_image(path).spacing
    (dtype('int32'), (0.3, 0.3))
    >>> save(path, np.zeros((3, 4)))
    Traceback (most recent call last):
    FileExistsError: ...labels.tif: exists already; choose another name or say
    overwrite=True
    """
    where, _, inside = str(path).partition("::")
    path = Path(where)
    kind = format_of(path)
    _require_options(path, kind, inside, compression, levels)
    require_free(path, overwrite=overwrite, folder=kind in ("zarr", "folder"))
    if kind == "hdf5":
        hdf5.require_only(path, inside)
    source = _as_source(str(path), image, axes, spacing, units)
    with published(path, overwrite=overwrite, durable=durable) as private:
        if kind == "picture":
            _write_picture(private, path, source)
        elif kind == "folder":
            _write_folder(private, path, source)
        elif kind == "hdf5":
            hdf5.write_hdf5(private, source.read(), source, inside)
        elif "tiff" in kind and (compression is not None or source.dtype == bool):
            tiff_writing.write_tiff(
                private,
                source.read(),
                source,
                ome=kind == "ome-tiff",
                compression=compression,
            )
        else:
            create_at(
                private,
                source,
                kind=kind,
                chunks=chunks,
                labels=labels,
                version=ome_version,
            )
            _copy(private, source)
            if levels > 1:
                _add_levels(private, source, levels, downscale, labels=labels)
    return path


def _require_options(
    path: Path, kind: str, inside: str, compression: Compression | None, levels: int
) -> None:
    """Refuse what the format does not have, before anything is written."""
    if inside and kind != "hdf5":
        raise ImageRequestError(
            path, f"holds one image; leave out '::{inside}', which is for HDF5"
        )
    if compression is not None and "tiff" not in kind:
        raise ImageRequestError(
            path, f"compression={compression!r} is for TIFF; leave it out"
        )
    if compression is not None and compression.lower() not in get_args(Compression):
        raise ImageRequestError(
            path,
            f"compression={compression!r} is unknown; use one of"
            f" {', '.join(get_args(Compression))}, or leave it out",
        )
    if checks.as_integer(levels, name="levels", least=1) > 1 and kind != "zarr":
        raise ImageRequestError(path, "only OME-Zarr has levels; leave it out")


def _as_source(
    path: str,
    image: NDArray[Any] | Image,
    axes: str | None,
    spacing: Sequence[float] | None,
    units: str | Sequence[str] | None,
) -> Image:
    if not isinstance(image, Image):
        checks.require_unmasked(image)
        array = np.asarray(image)
        if array.dtype.kind not in "biufc":
            raise ImageRequestError(path, f"cannot save {array.dtype}; give numbers")
        if array.ndim == 0:
            raise ImageRequestError(path, "a single number is no image; give it axes")
        return described(path, array, axes=axes, spacing=spacing, units=units)
    names = axes or image.axes
    steps = image.spacing if spacing is None else spacing
    return described(
        path,
        image.source,
        axes=names,
        spacing=complete_spacing(path, names, steps),
        units=image.units if units is None else units,
    )


def _copy(target: Path, source: Image) -> None:
    writer = ImageWriter(target, target=target)
    if isinstance(source.source, InMemory):
        writer.write(..., source.read())
        return
    step = writer.chunks[0] if writer.chunks else 1
    for box in _slabs(source, step):
        writer.write(box, source.read(box))


def _slabs(image: Image, step: int) -> Iterator[tuple[slice, ...]]:
    """Yield boxes over the first axis, of some megabytes and whole chunks."""
    row = image.nbytes // max(image.shape[0], 1)
    count = max(1, _SLAB_BYTES // max(row * step, 1)) * step
    rest = tuple(slice(0, n) for n in image.shape[1:])
    for start in range(0, image.shape[0], count):
        yield (slice(start, min(start + count, image.shape[0])), *rest)


def _add_levels(
    target: Path,
    source: Image,
    levels: int,
    downscale: Downscale | None,
    *,
    labels: bool,
) -> None:
    from segkit.io.ome_zarr.writing import write_levels

    write_levels(
        target,
        source,
        levels=levels,
        downscale=downscale or ("mode" if labels else "mean"),
        labels=labels,
    )


def _write_picture(private: Path, path: Path, source: Image) -> None:
    wanted = _COLOUR if source.axes.endswith("s") else _GREY
    if source.ndim != wanted:
        raise ImageRequestError(
            path,
            f"a picture cannot hold shape {source.shape}; save a volume as .tif, .zarr"
            " or a folder",
        )
    private.write_bytes(_encoded(path, source.read()))


def _write_folder(private: Path, path: Path, source: Image) -> None:
    if source.ndim != _GREY + 1 + source.axes.endswith("s"):
        raise ImageRequestError(
            path, f"a folder of pictures holds a volume, not shape {source.shape}"
        )
    private.mkdir()
    digits = len(str(source.shape[0] - 1))
    for number in range(source.shape[0]):
        name = f"{source.axes[0]}{number:0{digits}d}.png"
        (private / name).write_bytes(_encoded(path / name, source.read(number)))


def _encoded(path: Path, array: NDArray[Any]) -> bytes:
    """Return the bytes of a picture file; imageio prints what fails at its files."""
    import imageio.v3

    pixels = picture_pixels(path, array)
    found: bytes = imageio.v3.imwrite("<bytes>", pixels, extension=path.suffix.lower())
    return found


def picture_pixels(path: Path, array: NDArray[Any]) -> NDArray[Any]:
    """Return pixels as a picture file holds them: uint8 or uint16.

    Raises
    ------
    ImageRequestError
        If values would be lost: floats, or integers beyond the format's range.
    """
    lossy = path.suffix.lower() in (".jpg", ".jpeg", ".webp")
    if array.dtype == bool:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind not in "iu":
        raise ImageRequestError(
            path, f"a picture cannot hold {array.dtype}; scale to uint8, or save .tif"
        )
    if lossy and array.dtype != np.uint8:
        raise ImageRequestError(
            path, f"this format loses details of {array.dtype}; save .png or .tif"
        )
    if array.dtype == np.uint8:
        return array
    if array.ndim > _GREY or path.suffix.lower() != ".png":
        return fitted(str(path), array, np.dtype(np.uint8))
    return fitted(str(path), array, np.dtype(np.uint16))
