"""Open an image of any format: the first bytes decide, not the name."""

from __future__ import annotations

import os
import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from segkit.argument_kinds import require_types
from segkit.io.arranged.views import at_channel, with_names
from segkit.io.calibration import SPATIAL, doubts_noted
from segkit.io.elsewhere.address import is_address, local_path, parse_address
from segkit.io.elsewhere.place import Place
from segkit.io.errors import (
    ImageRequestError,
    SpacingWarning,
    UnfinishedImageError,
    imports_explained,
)
from segkit.io.formats import format_at, format_of_place
from segkit.io.options import OpenOptions
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segkit.io.elsewhere.place import Node
    from segkit.io.formats import Format
    from segkit.io.image import Image
    from segkit.io.options import Missing

_TYPED = (
    *("path", "key", "channel", "to_grey", "select", "axes", "series", "level"),
    *("well", "pattern", "channels"),
)


@known_as("segkit")
def open_image(
    path: str | Path,
    *,
    key: str | None = None,
    channel: int | str | None = None,
    to_grey: bool = False,
    select: Mapping[str, int] | None = None,
    channels: Sequence[str] | None = None,
    spacing: Sequence[float] | None = None,
    units: str | Sequence[str] | None = None,
    axes: str | None = None,
    series: int | None = None,
    level: int = 0,
    mip: int | Sequence[float] | None = None,
    well: str | None = None,
    pattern: str | None = None,
    missing: Missing = "error",
    nodata: float | Literal["keep"] | None = None,
) -> Image:
    """Return an image on disk as a lazy image that is read by box.

    TIFF, BigTIFF, OME-TIFF (also in several files), stacks of ImageJ and microscopes,
    folders of pictures (in natural order of their names), Zarr, OME-Zarr 0.1 to 0.6,
    plates, HDF5 (also of ilastik), npy, npz, pictures; with the extra ``volumes``
    precomputed volumes of Neuroglancer and N5, and these and OME-Zarr in buckets and on
    web servers. The first bytes of the file
    decide, not its name. What it states is kept, and what is given here replaces it;
    ``docs/formats.md`` has a table of what is read of each format.

    Parameters
    ----------
    path : str or Path
        The file or folder; ``file.h5::dataset`` and ``image.zarr::labels/nuclei``
        name what is inside. An address of a volume elsewhere is ``s3://bucket/path``,
        ``gs://bucket/path`` or ``https://host/path``, perhaps with ``precomputed://``,
        ``n5://`` or ``zarr://`` before it.
    key : str, optional
        The same: the dataset of an HDF5 file, the array of an npz file, the array or
        group of a Zarr folder.
    channel : int or str, optional
        Choose one sample of a colour picture, or one channel by number or name.
    to_grey : bool
        Mix the samples of a colour picture to its luminance (Rec. 709).
    select : mapping, optional
        Choose one index of other axes, such as ``{'t': 0}``.
    channels : sequence of str, optional
        Names of the channels, in their order; replaces what the file says.
    spacing : sequence of float, optional
        One value per axis or per axis of space; replaces what the file says. What a
        file says and cannot be, such as a step of 0 or ``"0,5"``, counts as unknown,
        of which a `SpacingWarning` tells where none is given.
    units : str or sequence of str, optional
        Unit of the spacing.
    axes : str, optional
        One letter per axis; replaces what the file says.
    series : int, optional
        Which image of a TIFF or of a converted file with several, or which field of a
        well; it has to be said where there are several.
    level : int
        Resolution of a pyramid, 0 = full.
    mip : int or sequence of float, optional
        The same, as Neuroglancer and FLoRIN call it; or the level that has this
        spacing along the axes of space, in the unit of the image.
    well : str, optional
        Well of a plate, such as ``'B/3'``.
    pattern : str, optional
        Which files of a folder, such as ``'*.png'``.
    missing : {'error', 'fill'}
        A Zarr chunk that is not there: refuse to read it, or read the fill value.
    nodata : int, float or 'keep', optional
        What takes the place of voxels that hold no data, where the file says which do
        (``GDAL_NODATA``, ``_FillValue``); 'keep' takes them for measurements. Without
        it, whoever computes with such a voxel is refused.

    Returns
    -------
    Image
        Opened lazily; only metadata have been read (a picture is decoded whole).

    Raises
    ------
    FileNotFoundError, PermissionError
        If there is nothing, or no permission.
    NotAnImageError
        If the format is not known.
    DamagedImageError
        If the file is cut short or contradicts itself; some damage is seen only when
        the box that it lies in is read.
    ImageRequestError
        If a choice has to be made, or an option does not fit.
    UnfinishedImageError
        If the image was created and its writers have not finished.
    UnreachableError
        If nobody answers at an address.
    MissingExtraError
        If a library is missing or broken; the message says how to install it.
    TypeError
        If an option is of another kind than it says.

    Examples
    --------
    >>> import tempfile, pathlib, numpy as np, segkit
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> volume = np.zeros((4, 32, 32), np.uint16)
    >>> _ = segkit.save(folder / "a.tif", volume, spacing=(2, 1, 1), units="micrometer")
    >>> segkit.open_image(folder / "a.tif").spacing
    (2.0, 1.0, 1.0)
    >>> segkit.open_image(folder / "b.tif")
    Traceback (most recent call last):
    FileNotFoundError: ...b.tif: no image there
    """
    require_types(open_image, locals(), _TYPED)
    level, wanted = _level_of(path, level, mip)
    where, inside = _found(path)
    options = OpenOptions(key or inside, series, level, axes, well, pattern, missing)
    format_ = _format_of(where, options)
    with imports_explained(str(where)), doubts_noted() as doubts:
        image = _opened(where, format_, options)
        if wanted is not None:
            image = _with_spacing(where, format_, options, image, wanted)
    if doubts and spacing is None:
        _warn(path, doubts)
    if spacing is not None or units is not None:
        image = image.respaced(spacing, units)
    if nodata is not None:
        image = (
            replace(image, nodata=None) if nodata == "keep" else image.measured(nodata)
        )
    if channels is not None:
        image = with_names(image, channels)
    return _chosen(image, channel, to_grey, select)


def _warn(path: str | Path, doubts: list[str]) -> None:
    warnings.warn(
        f"{path}: states a step of {', '.join(doubts)}, which none can be; it counts as"
        " unknown (1 pixel), so give spacing= if you know it",
        SpacingWarning,
        stacklevel=3,
    )


def _level_of(
    path: str | Path, level: int, mip: int | Sequence[float] | None
) -> tuple[int, tuple[float, ...] | None]:
    """Return which level is meant, or the spacing that it has."""
    if mip is None:
        return level, None
    if level != 0:
        raise ImageRequestError(path, "level= and mip= are the same; give one of them")
    if isinstance(mip, (int, np.integer)) and not isinstance(mip, bool):
        return int(mip), None
    numbers = np.asarray(mip, object).ravel().tolist()
    if not numbers or not all(isinstance(n, (int, float)) and n > 0 for n in numbers):
        raise ImageRequestError(
            path, f"mip={mip!r} is neither a level nor a spacing, such as (40, 8, 8)"
        )
    return 0, tuple(float(n) for n in numbers)


def _found(path: str | Path) -> tuple[Node, str | None]:
    """Return where an image lies, and what is meant in it."""
    path = local_path(path)
    if is_address(path):
        place = Place.of(path)
        return _whole(place), place.address.key or None
    require_readable(path)
    return _split(path)


def _whole(place: Place) -> Place:
    """Return the place of a whole volume, of which a part is meant."""
    return Place(place.address.at(place.address.path))


def _format_of(where: Node, options: OpenOptions) -> Format:
    if isinstance(where, Path):
        format_ = format_at(where)
        _require_options(where, format_, options)
        return format_
    found = format_of_place(where, options.key)
    if found is None:
        raise where.refused or _nothing_at(where)
    _require_options(where, found, options)
    return found


def _nothing_at(place: Place) -> Exception:
    from segkit.io.elsewhere.constructing import is_under_construction

    if is_under_construction(place):
        return UnfinishedImageError(
            str(place),
            "is not finished: its writers are at it; call finish() when all boxes are"
            " written",
        )
    return FileNotFoundError(
        f"{place}: no image there, neither precomputed, nor N5, nor Zarr; other files"
        " are read from a folder, so copy them here"
    )


def _opened(where: Node, format_: Format, options: OpenOptions) -> Image:
    return replace(format_.open(where, options), asked=options)


def _with_spacing(
    where: Node,
    format_: Format,
    options: OpenOptions,
    first: Image,
    wanted: tuple[float, ...],
) -> Image:
    """Return the level whose axes of space have a spacing."""
    image, seen = first, []
    for level in range(first.levels):
        if level:
            image = _opened(where, format_, replace(options, level=level))
        steps = [
            step
            for name, step in zip(image.axes, image.spacing, strict=True)
            if name in SPATIAL
        ]
        if len(steps) == len(wanted) and np.allclose(steps, wanted, rtol=1e-3, atol=0):
            return image
        seen.append("(" + ", ".join(f"{step:g}" for step in steps) + ")")
    raise ImageRequestError(
        str(where),
        f"has no level with the spacing {wanted}; there are"
        f" {', '.join(seen)} in {first.unit}",
    )


def _split(path: str | Path) -> tuple[Path, str | None]:
    text = os.fspath(path)
    if "::" in text and not Path(text).exists():
        text, _, inside = text.partition("::")
        return Path(text), inside or None
    return Path(text), None


def require_readable(image: str | Path) -> None:
    """Raise what the operating system says of an image's file, in words.

    Of an address only what it says itself is looked at.
    """
    image = local_path(image)
    if is_address(image):
        parse_address(image)
        return
    if not os.fspath(image).partition("::")[0]:
        raise ImageRequestError(image, "the path is empty; name a file or folder")
    path, _ = _split(image)
    try:
        path.stat()  # is_file() would be False of what is not there
        if path.is_dir():
            os.scandir(path).close()
            return
        if not path.is_file():  # to open a pipe waits for who writes into it
            raise ImageRequestError(
                path,
                "is neither a file nor a folder, but a pipe, a socket or a device;"
                " write what comes out of it to a file, and give that",
            )
        path.open("rb").close()
    except FileNotFoundError as error:
        unfinished = _unfinished(path)
        if unfinished is not None:
            raise UnfinishedImageError(
                path,
                f"is not finished: its writers work on {unfinished};"
                " call finish() when all boxes are written",
            ) from error
        raise FileNotFoundError(f"{path}: no image there") from error
    except PermissionError as error:
        raise PermissionError(
            f"{path}: no permission to read the image; ask its owner"
        ) from error
    except OSError as error:  # links in a circle, a name that is too long, a bad disk
        raise ImageRequestError(
            path, f"cannot be read: {error.strerror or error}"
        ) from error


def _unfinished(path: Path) -> str | None:
    """Return the name of an image under construction, of tasks or of writers."""
    own = re.compile(re.escape(path.name) + r"(\.[0-9a-f]{12})?\.partial")
    try:
        names = [other.name for other in path.parent.iterdir()]
    except OSError:
        return None
    return min(filter(own.fullmatch, names), default=None)


def partial_path(path: Path) -> Path:
    """Return where an image lies until its writers have finished it."""
    return path.with_name(f"{path.name}.partial")


def _require_options(path: Node, format_: Format, options: OpenOptions) -> None:
    """Refuse a choice among images where the format has one image only."""
    known = format_.open_options
    chosen = (options.series, options.level, options.well) != (None, 0, None)
    if chosen and not known & {"series", "level", "well"}:
        raise ImageRequestError(
            str(path),
            "has neither series, nor pyramid levels, nor wells; leave them out",
        )
    for name in ("series", "well"):
        if getattr(options, name) is not None and name not in known:
            raise ImageRequestError(
                str(path), f"{format_.title} has no {name}; leave {name}= out"
            )
    if options.key is not None and not known:
        raise ImageRequestError(
            str(path), f"holds one image only; key={options.key!r} means none"
        )


def _chosen(
    image: Image,
    channel: int | str | None,
    to_grey: bool,
    select: Mapping[str, int] | None,
) -> Image:
    image = image.select(**(select or {}))
    if channel is not None:
        image = at_channel(image, channel)
    return image.to_grey() if to_grey else image
