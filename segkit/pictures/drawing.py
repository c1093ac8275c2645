"""Pictures of images and their labels: overlays, comparisons, contact sheets.

Every function returns an RGB array, (y, x, 3) uint8; `save_png` writes it, and
`Picture` shows it in a notebook. Volumes are shown by one plane.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks
from segkit.names import known_as
from segkit.overlaps.contingency_table import labels as checked_labels
from segkit.pictures import painting, sheets
from segkit.pictures.colouring import PALETTE, chosen_colours
from segkit.pictures.grey_values import stretched

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from segkit.thresholding.methods import Trial
    from segkit.tiling.boxes import Box


@known_as("segkit")
@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An RGB array that a notebook shows as a picture.

    Examples
    --------
    >>> Picture(np.zeros((4, 4, 3), np.uint8))._repr_png_()[1:4]
    b'PNG'
    """

    rgb: NDArray[np.uint8]

    def _repr_png_(self) -> bytes:
        return _png(self.rgb)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the picture as PNG; see `save_png`."""
        save_png(path, self.rgb, overwrite=overwrite)


@known_as("segkit")
def save_png(
    path: str | Path,
    rgb: ArrayLike,
    *,
    overwrite: bool = False,
    workers: int | None = None,
) -> None:
    """Write an RGB or grey uint8 array as PNG, whole or not at all.

    Parameters
    ----------
    path : str or Path
        A name that ends in ``.png``; its folder is made if it is not there.
    rgb : (y, x, 3) or (y, x) uint8 array
        What to write.
    overwrite : bool
        Replace a file that lies there.
    workers : int, optional
        Number of threads; see `segkit.tiling.threads`. The bytes are the same.

    Raises
    ------
    ValueError
        If the array is no picture, or the name is not that of a PNG file.
    FileExistsError
        If the file exists and `overwrite` is not set.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "pictures", "a.png")
    >>> save_png(path, np.zeros((4, 4, 3), np.uint8))
    >>> save_png(path, np.zeros((4, 4, 3), np.uint8))
    Traceback (most recent call last):
    FileExistsError: ...a.png: exists already; choose another name or say
    overwrite=True
    """
    from segkit.io.publishing import published
    from segkit.io.replacing import require_free

    data = _png(np.asarray(rgb), workers)
    target = Path(path)
    if target.suffix.lower() != ".png":
        raise ValueError(
            f"{target}: is no name of a PNG file; end it in .png, or save other formats"
            " by segkit.save"
        )
    require_free(target, overwrite=overwrite, folder=False)
    with published(target, overwrite=overwrite) as private:
        private.write_bytes(data)


@known_as("segkit")
def grey_picture(
    image: ArrayLike, *, plane: int | None = None, workers: int | None = None
) -> NDArray[np.uint8]:
    """Return a grey image as RGB, stretched between its dark and bright percentiles.

    Parameters
    ----------
    image : (y, x) or (z, y, x) real array, or (y, x, 3) uint8
        An RGB picture is returned as it is. Of one value only, it is drawn black if
        that is 0 or less, else white, as a mask is. NaN is black.
    plane : int, optional
        The plane of a volume that is shown; the middle one by default.
    workers : int, optional
        Number of threads; see `segkit.tiling.threads`.

    Raises
    ------
    TypeError
        If the image is not of real numbers, or masked.
    ValueError
        If it is empty, has no such plane, or is neither a plane nor a volume.

    Examples
    --------
    >>> grey_picture([[0, 50], [100, 100]])[..., 0].tolist()
    [[0, 180], [255, 255]]
    """
    array = _voxels(image)
    checks.require_real(array)
    checks.require_nonempty(array)
    if _is_rgb(array):
        return array
    grey = stretched(_plane(array, plane), workers)
    rgb = np.empty((*grey.shape, 3), np.uint8)
    rgb[...] = grey[..., None]
    return rgb


def _voxels(image: Any) -> NDArray[Any]:
    """Return the voxels of an image, of which an opened one may be in colour."""
    if getattr(image, "axes", None) == "yxs":
        return np.asarray(image)
    return checks.as_array(image)


def _is_rgb(array: NDArray[Any]) -> bool:
    return array.ndim == 3 and array.shape[-1] == 3 and array.dtype == np.uint8


@known_as("segkit")
def overlay(
    image: ArrayLike,
    labels: ArrayLike,
    *,
    contours: bool = True,
    fill: float = 0.25,
    plane: int | None = None,
    workers: int | None = None,
) -> NDArray[np.uint8]:
    """Paint labels over an image: a tint inside, a contour, neighbours different.

    Parameters
    ----------
    image : (y, x) or (z, y, x) real array, or (y, x, 3) uint8
        What is segmented.
    labels : integer array
        Of the image's shape (without colour), 0 = background; a mask is one object.
    contours : bool
        Draw the rim of each object in its full colour.
    fill : float
        Strength of the tint, 0 (none) to 1 (opaque).
    plane : int, optional
        The plane of a volume that is shown; the middle one by default.
    workers : int, optional
        Number of threads; see `segkit.tiling.threads`.

    Returns
    -------
    (y, x, 3) uint8 array

    Raises
    ------
    TypeError
        If the image is not of real numbers, the labels not of integers, or one is
        masked.
    ValueError
        If shapes differ or are empty, a label is negative, `fill` is not from 0 to 1,
        or there is no such plane.

    Examples
    --------
    >>> picture = overlay(np.zeros((5, 5)), np.pad([[7]], 2), fill=0)
    >>> picture.any(axis=-1).astype(int).sum()  # the contour of a single pixel
    np.int64(1)
    """
    checks.require_fraction(fill, name="fill")
    under = _voxels(image)
    checks.require_real(under)
    checks.require_nonempty(under)
    coloured = _is_rgb(under)
    given = checked_labels(labels, "labels")
    shape = under.shape[:2] if coloured else under.shape
    if given.shape != shape:
        raise ValueError(
            f"labels of shape {given.shape} do not lie on an image of {shape}; give"
            " the same part of both"
        )
    if not coloured:
        under = stretched(_plane(under, plane), workers)[..., None]
    numbers, last = painting.numbered(_plane(given, plane), workers)
    chosen = chosen_colours(numbers, last, workers)
    full = np.array([(0, 0, 0), *PALETTE], np.uint8)
    rims = full if contours else full[:0]
    under = np.ascontiguousarray(under)
    return painting.painted(under, numbers, chosen, _tints(full, fill), rims, workers)


def _tints(colours: NDArray[np.uint8], fill: float) -> NDArray[np.uint8]:
    """Return what becomes of each value, by colour (0 is none) and channel."""
    values = np.arange(256, dtype=np.uint8)
    tints = ((1 - fill) * values + fill * colours[..., None]).astype(np.uint8)
    tints[0] = values
    return tints


@known_as("segkit")
def side_by_side(
    pictures: Mapping[Any, ArrayLike],
    *,
    zoom: Box | None = None,
    magnify: int = 4,
) -> NDArray[np.uint8]:
    """Set pictures of one scene next to each other, with the same detail below each.

    Parameters
    ----------
    pictures : mapping of captions to images
        Grey or RGB, all of the same height and width.
    zoom : Box, optional
        The detail, (y, x): marked in each picture and shown magnified below it.
    magnify : int
        How much larger the detail is shown at most; it never is wider than a picture.

    Returns
    -------
    (y, x, 3) uint8 array

    Raises
    ------
    TypeError
        If the pictures come without captions.
    ValueError
        If there is no picture, the sizes differ or the box lies outside.

    Examples
    --------
    >>> side_by_side({"left": np.zeros((40, 60)), "right": np.ones((40, 60))}).shape
    (64, 126, 3)
    """
    _require_mapping(pictures)
    rgbs = {str(caption): grey_picture(p) for caption, p in pictures.items()}
    sizes = {rgb.shape[:2] for rgb in rgbs.values()}
    if len(sizes) != 1:
        raise ValueError(
            f"pictures have the sizes {sorted(sizes)}; cut them to one, at least one"
        )
    if zoom is None:
        return sheets.grid([sheets.captioned(r, c) for c, r in rgbs.items()], len(rgbs))
    box = sheets.inside(zoom, sizes.pop())
    marked = [sheets.captioned(sheets.marked(r, box), c) for c, r in rgbs.items()]
    details = [sheets.enlarged(r[box], magnify, r.shape[1]) for r in rgbs.values()]
    return sheets.grid(marked + details, len(rgbs))


@known_as("segkit")
def contact_sheet(
    images: Mapping[Any, ArrayLike] | Mapping[Any, Trial],
    *,
    columns: int | None = None,
    width: int = 320,
    captions: bool = True,
) -> NDArray[np.uint8]:
    """Lay out many pictures in a grid, shrunk to one width, each with its caption.

    Parameters
    ----------
    images : mapping of captions to images
        Grey or RGB, of any size; for a sweep, say, from parameters to overlays. What
        `segkit.try_all` returns is shown by its masks.
    columns : int, optional
        As many as make the grid about square, by default.
    width : int
        Of each picture, in pixels; smaller pictures are not enlarged.
    captions : bool
        Write the keys above the pictures.

    Returns
    -------
    (y, x, 3) uint8 array

    Raises
    ------
    TypeError
        If the images come without captions.
    ValueError
        If there are none, or `columns` or `width` is less than 1.

    Examples
    --------
    >>> sheet = contact_sheet({f"t={t}": np.eye(50) > t for t in (0.1, 0.2, 0.3)})
    >>> sheet.shape
    (154, 106, 3)
    """
    from segkit.thresholding.methods import Trial

    _require_mapping(images)
    checks.as_integer(width, name="width", least=1)
    if not images:
        raise ValueError("there are no pictures to lay out; give one at least")
    if columns is None:
        columns = int(np.ceil(np.sqrt(len(images))))
    cells = []
    for caption, image in images.items():
        shown = image.mask if isinstance(image, Trial) else image
        rgb = sheets.shrunk(grey_picture(shown), width)
        cells.append(sheets.captioned(rgb, str(caption)) if captions else rgb)
    return sheets.grid(cells, columns)


def _require_mapping(pictures: Any) -> None:
    if not isinstance(pictures, Mapping):
        raise TypeError(
            f"pictures came as {type(pictures).__name__}; give a mapping of captions to"
            ' pictures, such as {"image": image, "labels": overlay(image, labels)}'
        )


def _plane(array: NDArray[Any], plane: int | None) -> NDArray[Any]:
    if array.ndim == 2:
        return array
    if array.ndim == 3:
        planes = array.shape[0]
        if plane is None:
            plane = planes // 2
        if not -planes <= plane < planes:
            raise ValueError(
                f"plane is {plane}, but an array of shape {array.shape} has planes 0 to"
                f" {planes - 1}"
            )
        return np.asarray(array[plane])
    raise ValueError(
        f"an array of shape {array.shape} is no picture; give (y, x), (z, y, x) or "
        "(y, x, 3) uint8"
    )


def _png(rgb: NDArray[Any], workers: int | None = None) -> bytes:
    from segkit.io.pictures.png import encoded_png

    shaped = rgb.ndim == 2 or (rgb.ndim == 3 and rgb.shape[2] in (2, 3, 4))
    if rgb.dtype != np.uint8 or not shaped or rgb.size == 0:
        raise ValueError(
            f"an array of shape {rgb.shape} and dtype {rgb.dtype} is no picture; "
            "give uint8 (y, x, 3) or (y, x), for instance from grey_picture()"
        )
    return encoded_png(rgb, workers)
