"""Save a whole image: it appears under its name complete, or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from segkit import checks
from segkit.argument_kinds import require_types
from segkit.io.arranged.views import with_names
from segkit.io.axes import require_axes
from segkit.io.described import described
from segkit.io.elsewhere.address import is_address, local_path
from segkit.io.elsewhere.constructing import Construction
from segkit.io.elsewhere.layout import Layout
from segkit.io.errors import ImageRequestError, imports_explained
from segkit.io.formats import (
    format_of,
    formats,
    formats_with,
    require_levels,
    require_stated,
)
from segkit.io.image import Image
from segkit.io.options import Compression, SaveOptions
from segkit.io.publishing import published
from segkit.io.replacing import require_free
from segkit.io.writing import ImageWriter, copy
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from segkit.io.formats import Format
    from segkit.io.options import Downscale, OmeVersion

_TYPED = ["path", "axes", "channels", "labels", "overwrite", "durable"]


@known_as("segkit")
def save(
    path: str | Path,
    image: NDArray[Any] | Image,
    *,
    axes: str | None = None,
    spacing: Sequence[float] | None = None,
    units: str | Sequence[str] | None = None,
    channels: Sequence[str] | None = None,
    compression: Compression | None = None,
    chunks: int | Sequence[int] | None = None,
    labels: bool = False,
    levels: int = 1,
    downscale: Downscale | None = None,
    ome_version: OmeVersion = "0.5",
    offset: Sequence[int] | None = None,
    overwrite: bool = False,
    durable: bool = True,
) -> Path:
    """Save an image whole or not at all; the suffix says the format.

    ``.tif``, ``.ome.tif``, ``.zarr`` (OME-Zarr, zstd), ``.npy``, ``.npz`` and ``.h5``
    (also ``file.h5::dataset``), ``.png`` and other pictures; a name without suffix
    becomes a folder of PNG files, one per plane. With the extra ``volumes``
    ``.precomputed`` and ``.n5``, and these and ``.zarr`` at ``s3://bucket/path`` and
    ``gs://bucket/path``, where an image that is replaced is gone until the new one is
    there. What is read back has the voxels, axes
    and spacing that were saved, or saving is refused; JPEG changes voxels, and takes
    no masks and labels. A lazy image is copied in slabs, so that it may
    be larger than memory (Zarr, npy, uncompressed TIFF).

    Parameters
    ----------
    path : str or Path
        Where.
    image : ndarray or Image
        Any real dtype; an Image brings axes, spacing, units and names of channels
        along. Booleans are kept as such, but become 0 and 255 in PNG.
    axes, spacing, units, channels : optional
        As in `open_image`. Three axes or more that nobody names are not named in the
        file either, so that pipelines ask what they are. Pictures, npy and npz cannot
        hold a spacing, nor these, N5 and precomputed names of channels: what is given
        is refused, what an Image brings along is dropped.
    compression : str, optional
        For TIFF zlib, or with the extra ``tiff`` zstd and lzw; uncompressed voxels can
        be memory-mapped. For N5 raw, gzip, zstd or blosc; for precomputed raw, png, or
        compressed_segmentation, as labels are.
    chunks : int or sequence of int, optional
        For Zarr, N5 and precomputed.
    labels : bool
        The image holds labels: marked so in OME-Zarr, and never averaged; of a
        precomputed volume a segmentation, whose numbers have no sign.
    levels : int
        Resolutions in an OME-Zarr, a precomputed volume or an N5, the full one
        included.
    downscale : {'mean', 'nearest', 'mode'}, optional
        How coarser voxels are made: the mean, for labels the mode by default.
    ome_version : {'0.5', '0.4'}
        For OME-Zarr.
    offset : sequence of int, optional
        For precomputed: which voxel of the volume it belongs to its first one is; by
        default what the image that it was opened from says.
    overwrite : bool
        Replace the file that lies there, or the folder if it holds an image as
        segkit writes it and nothing else; of HDF5, a file without other datasets.
    durable : bool
        Wait for the disk before the file gets its name.

    Returns
    -------
    Path
        The file or folder; for an address a path that means it, which all functions
        of segkit take for it.

    Raises
    ------
    FileExistsError
        If something lies there and `overwrite` is not set, or a folder that holds
        what segkit did not write, or HDF5 that holds other datasets.
    ImageRequestError
        If the format cannot hold the image, or an option is none that it has.
    TypeError
        If the array is masked, or an option of another kind than it says.

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
    require_types(save, locals(), _TYPED)
    path, key = _split(local_path(path))
    format_ = format_of(path)
    options = SaveOptions(
        key, compression, chunks, labels, levels, downscale, ome_version, offset
    )
    _require_options(path, format_, options)
    source = _as_source(path, image, axes, spacing, units)
    source = source if channels is None else with_names(source, channels)
    spaced, named = spacing is not None or units is not None, channels is not None
    require_stated(path, format_, source, spaced=spaced, named=named)
    if is_address(path):
        return _save_elsewhere(path, format_, source, options, overwrite=overwrite)
    file = Path(path)
    require_free(file, overwrite=overwrite, folder=format_.folder)
    format_.require_replaceable(file, key)
    with (
        imports_explained(file),
        published(file, overwrite=overwrite, durable=durable) as private,
    ):
        format_.save(private, source, options)
    return file


def _split(path: str) -> tuple[str, str]:
    """Return a path, and what is meant in it; an address is taken whole."""
    if is_address(path):
        return path, ""
    where, _, key = path.partition("::")
    return where, key


def _save_elsewhere(
    path: str, format_: Format, image: Image, options: SaveOptions, *, overwrite: bool
) -> Path:
    """Write an image at an address, where it is found when all of it is there."""
    if format_.layout is None:
        raise ImageRequestError(path, f"{format_.title} is not written at addresses")
    construction = Construction.at(path)
    one = replace(options, levels=1)
    layout = Layout.of(format_.layout, image, one)
    construction.create(layout, overwrite=overwrite)
    writer = ImageWriter(path, construction=construction)
    try:
        copy(writer, image)
    except BaseException:
        writer.abandon()
        raise
    downscale = options.downscale or ("mode" if options.labels else "mean")
    return writer.finish(levels=options.levels, downscale=downscale)


def _require_options(path: str, format_: Format, options: SaveOptions) -> None:
    """Refuse what the format does not have, before anything is written."""
    known = format_.save_options
    if options.key and "key" not in known:
        raise ImageRequestError(
            path,
            f"holds one image; leave out '::{options.key}', which is for"
            f" {formats_with('key')}",
        )
    if options.compression is not None:
        _require_compression(path, format_, options.compression)
    if options.offset is not None and "offset" not in known:
        raise ImageRequestError(
            path, f"offset= is for {formats_with('offset')}; leave it out"
        )
    levels = checks.as_integer(options.levels, name="levels", least=1)
    require_levels(path, format_, levels)


def _require_compression(path: str, format_: Format, wanted: str) -> None:
    if str(wanted).lower() in format_.compressions:
        return
    others = [one.title for one in formats() if wanted in one.compressions]
    if others:
        why = f"is for {' and '.join(dict.fromkeys(others))}; leave it out"
    else:
        known = format_.compressions or get_args(Compression)
        why = f"is unknown; use one of {', '.join(known)}, or leave it out"
    raise ImageRequestError(path, f"compression={wanted!r} {why}")


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
    image = image.measured()
    names = axes or image.axes
    require_axes(path, names, image.shape)
    stated = image.stated or axes is not None
    named = replace(image, path=path, axes=names, stated=stated)
    return named.respaced(spacing, units)
