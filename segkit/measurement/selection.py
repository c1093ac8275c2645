"""Keep or drop whole objects, whole or tile by tile, with the same result.

Which objects stay is decided on a table of all objects (`small_ids`, `border_ids`,
`largest_ids`, `ids_within`), never on one tile; what was decided is applied voxel by
voxel (`drop_ids`, `keep_ids`), so that tiles need not know each other. The functions of
whole images do both.

A boolean image is a mask, whose objects are its connected components, and so is one of
8 bits that holds 0 and 1, or 0 and 255, only; any other integer image holds labels,
whose objects keep their ids.
"""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from segkit import checks
from segkit.arrays import (
    Array,
    Labels,
    MaskOrLabels,
    axes_of,
    is_mask,
    require_no_mask,
    spacing_of,
)
from segkit.labelling import box as label_box
from segkit.labelling.labels import label
from segkit.measurement import properties
from segkit.measurement.intensities import of_intensity
from segkit.measurement.measure import region_properties
from segkit.names import known_as
from segkit.other_names import nearest, other_property

Ids: TypeAlias = NDArray[np.int64]
Columns: TypeAlias = Mapping[str, Array]

# Ids up to this many are looked up in a table of at most 8 bytes each.
_LARGEST_TABLE = 2**23


@known_as("segkit")
def remove_small_objects(
    image: Any, min_size: int, *, connectivity: Any = 1
) -> MaskOrLabels:
    """Return the image without objects of fewer than `min_size` voxels.

    Parameters
    ----------
    image
        Mask or labels; the result is of the same dtype.
    min_size
        In voxels; `keep_within` takes sizes in physical units.
    connectivity
        Which voxels of a mask touch, as for `segkit.label`.

    Examples
    --------
    >>> import numpy as np
    >>> remove_small_objects(np.array([1, 1, 0, 1], bool), 2)
    array([ True,  True, False, False])
    >>> remove_small_objects(np.array([7, 0, 7, 5]), 2)
    array([7, 0, 7, 0])
    """
    size = checks.as_integer(min_size, name="min_size")
    labels = _objects(image, connectivity)
    return _dropped(image, labels, small_ids(_counts(labels), size))


@known_as("segkit")
def clear_border(image: Any, *, connectivity: Any = 1) -> MaskOrLabels:
    """Return the image without objects that reach its border.

    Examples
    --------
    >>> import numpy as np
    >>> clear_border(np.array([3, 3, 0, 4, 0]))
    array([0, 0, 0, 4, 0])
    """
    labels = _objects(image, connectivity)
    table = region_properties(labels, properties=["label", "touches_border"])
    return _dropped(image, labels, border_ids(table))


@known_as("segkit")
def keep_largest(image: Any, number: int = 1, *, connectivity: Any = 1) -> MaskOrLabels:
    """Return the image with its `number` largest objects only.

    Of objects of one size, those of smaller labels count as larger.

    Examples
    --------
    >>> import numpy as np
    >>> keep_largest(np.array([2, 0, 7, 7, 0, 9]), 2)
    array([2, 0, 7, 7, 0, 0])
    """
    labels = _objects(image, connectivity)
    table = _counts(labels)
    return _kept(image, keep_ids(labels, largest_ids(table, number)))


@known_as("segkit")
def keep_within(
    labels: Any,
    intensity: Any = None,
    *,
    spacing: float | tuple[float, ...] | None = None,
    axes: str | None = None,
    **bounds: Any,
) -> Array:
    """Return the labels of the objects whose properties lie within bounds.

    Parameters
    ----------
    labels, intensity, spacing, axes
        As for `segkit.region_properties`.
    **bounds
        For each property (a column that `segkit.region_properties` may have, with ``_``
        in place of ``-``) the least and largest value that stay, None for no bound:
        ``area=(100, 300)``.

    Examples
    --------
    >>> import numpy as np
    >>> keep_within(np.array([1, 0, 2, 2, 0, 3, 3, 3]), area=(2, 2))
    array([0, 0, 2, 2, 0, 0, 0, 0])
    """
    spacing = spacing_of(spacing, labels, intensity)
    axes = axes_of(axes, labels, intensity)
    array = _labels(labels, "labels")
    for name in bounds:
        if intensity is None and of_intensity(name):
            raise ValueError(f"bounds of {name} need intensity=, an image; it is None")
    table = region_properties(array, intensity, spacing=spacing, axes=axes)
    named = sorted(properties.NAMED & {property_of(name) for name in bounds})
    if named:
        more: dict[str, Any] = {"properties": named, "spacing": spacing, "axes": axes}
        table |= region_properties(array, intensity, **more)
    return keep_ids(array, ids_within(table, **bounds))


@known_as("segkit")
def relabel_sequential(labels: Any) -> tuple[Array, Ids]:
    """Return labels 1, 2, ... in the order of the old ones, and the old ones.

    Returns
    -------
    labels
        int32 (int64 if there are more than 2**31 - 1 objects).
    old
        `old[k]` is what label k was; `old[0]` is 0.

    Examples
    --------
    >>> import numpy as np
    >>> relabel_sequential(np.array([9, 0, 4, 9]))
    (array([2, 0, 1, 2], dtype=int32), array([0, 4, 9]))
    """
    array = _labels(labels, "labels")
    largest = int(array.max())
    if largest < _LARGEST_TABLE:
        ids = label_box.labels_in(array, largest)
    else:
        ids = np.asarray(_counts(array)["label"], np.int64)
    dtype = np.int32 if len(ids) < 2**31 else np.int64
    new = np.arange(1, len(ids) + 1, dtype=dtype)
    return _translated(array, ids, new), np.insert(ids, 0, 0)


@known_as("segkit")
def small_ids(table: Columns, min_size: int) -> Ids:
    """Return the labels of objects of fewer than `min_size` voxels, an integer."""
    least = checks.as_integer(min_size, name="min_size")
    return _ids(table, _column(table, "count") < least)


@known_as("segkit")
def border_ids(table: Columns) -> Ids:
    """Return the labels of objects that reach the image's border."""
    return _ids(table, _column(table, "touches_border"))


@known_as("segkit")
def largest_ids(table: Columns, number: int = 1) -> Ids:
    """Return the labels of the `number` largest objects, rising."""
    most = checks.as_integer(number, name="number")
    order = np.argsort(-_column(table, "count"), kind="stable")[:most]
    return np.sort(np.asarray(_column(table, "label"), np.int64)[order])


@known_as("segkit")
def ids_within(table: Columns, **bounds: Any) -> Ids:
    """Return the labels of objects whose properties lie within bounds; rising.

    Examples
    --------
    >>> import numpy as np
    >>> table = {"label": np.array([1, 2, 3]), "area": np.array([5.0, 20.0, 400.0])}
    >>> ids_within(table, area=(10, None))
    array([2, 3])
    """
    inside = np.ones(len(_column(table, "label")), bool)
    columns = {name.replace("-", "_"): column for name, column in table.items()}
    for name, limits in bounds.items():
        if name not in columns:
            meant = other_property(name) or nearest(name, list(columns))
            raise ValueError(
                f"no property {name!r}{meant}; there are {', '.join(columns)}"
            )
        low, high = require_limits(name, limits)
        inside &= columns[name] >= (-math.inf if low is None else low)
        inside &= columns[name] <= (math.inf if high is None else high)
    return _ids(table, inside)


def property_of(column: str) -> str:
    """Return the property that a bound of a column is of: ``_`` is in place of ``-``.

    Examples
    --------
    >>> property_of("covariance_0_1"), property_of("intensity_q5")
    ('covariance', 'intensity_q5')
    """
    return re.sub(r"(_\d+)+$", "", column)


def _column(table: Columns, name: str) -> NDArray[Any]:
    """Return a column of a table of objects."""
    if not isinstance(table, Mapping):
        raise TypeError(
            f"table is {reprlib.repr(table)}; give what region_properties returns"
        )
    if name not in table:
        raise ValueError(
            f"the table has no column {name!r}, only {', '.join(map(str, table))}; ask"
            f" region_properties for it: properties=[..., {name!r}]"
        )
    return np.asarray(table[name])


def require_limits(name: str, limits: Any) -> tuple[float | None, float | None]:
    """Return (least, largest), None for no bound; raise `ValueError` for all else."""
    pair = tuple(limits) if np.shape(limits) == (2,) else ()
    for limit in pair:
        if limit is not None and np.asarray(limit).dtype.kind not in "biuf":
            pair = ()
    if not pair:
        raise ValueError(
            f"bounds of {name} are {limits!r}; give (least, largest), numbers or None"
        )
    return pair


@known_as("segkit")
def drop_ids(labels: Any, ids: Any) -> Labels:
    """Return the labels with those listed set to 0; an array or one tile of it.

    Ids that no object has are passed over.

    Raises
    ------
    TypeError, ValueError
        If labels or ids are not integers up to 2**63 - 1.

    Examples
    --------
    >>> import numpy as np
    >>> drop_ids(np.array([0, 1, 2, 3]), [1, 3, 8])
    array([0, 0, 2, 0])
    """
    array = checks.require_labels(labels)
    listed = _listed(ids)
    if int(array.max()) < _LARGEST_TABLE:
        table = np.arange(int(array.max()) + 1, dtype=array.dtype)
        table[listed[listed < len(table)]] = 0
        out = np.empty_like(array)
        label_box.look_up(array, table, out)
        return out
    return np.where(np.isin(checks.signed(array), listed), array.dtype.type(0), array)


@known_as("segkit")
def keep_ids(labels: Any, ids: Any) -> Labels:
    """Return the labels with all but those listed set to 0; an array or one tile of it.

    Raises as `drop_ids`.

    Examples
    --------
    >>> import numpy as np
    >>> keep_ids(np.array([0, 1, 2, 3]), [1, 3, 8])
    array([0, 1, 0, 3])
    """
    array = checks.require_labels(labels)
    listed = _listed(ids)
    listed = listed[listed <= int(array.max())]  # all that the dtype holds
    return _translated(array, listed, listed.astype(array.dtype))


def _translated(array: Array, old: Ids, new: Array) -> Array:
    """Return `array` with each of `old` replaced by `new`, all else by 0."""
    largest = int(array.max())
    out = np.empty(array.shape, new.dtype)
    if largest < _LARGEST_TABLE:
        table = np.zeros(largest + 1, new.dtype)
        known = old <= largest
        table[old[known]] = new[known]
        label_box.look_up(array, table, out)
        return out
    planes = np.atleast_2d(checks.signed(array))
    for plane, target in zip(planes, np.atleast_2d(out), strict=True):
        place = np.searchsorted(old, plane).clip(max=max(len(old) - 1, 0))
        target[...] = 0
        if len(old):
            found = old[place] == plane
            target[found] = new[place[found]]
    return out


def _listed(ids: Any) -> Ids:
    """Return the ids above 0, rising; raise for what is none."""
    array = np.asarray(ids)
    if array.size == 0:
        return np.zeros(0, np.int64)
    if array.dtype.kind not in "iu":
        raise TypeError(
            f"ids have dtype {array.dtype}; give integers up to 2^63-1, the labels of "
            "objects"
        )
    if array.max() > np.iinfo(np.int64).max:
        raise ValueError(f"ids hold {array.max()}; labels are 0 (background) to 2^63-1")
    return np.unique(array[array > 0]).astype(np.int64)


def _ids(table: Columns, chosen: Array) -> Ids:
    return np.asarray(table["label"], np.int64)[chosen]


def _counts(labels: Array) -> Columns:
    return region_properties(labels, properties=["label", "count"])


def _is_mask(image: Any) -> bool:
    checks.require_unmasked(image)
    return is_mask(checks.as_array(image))


def _objects(image: Any, connectivity: Any) -> Array:
    if _is_mask(image):
        return label(_mask(image), connectivity=connectivity)
    return _labels(image, "image")


def _labels(labels: Any, name: str) -> Array:
    """Return the labels of a whole image, which a colour picture has not."""
    array = checks.require_labels(labels, name=name)
    checks.require_no_picture(array, name=name)
    require_no_mask(array, name=name)
    return array


def _mask(mask: Any) -> NDArray[np.bool_]:
    return checks.as_mask(mask)


def _dropped(image: Any, labels: Array, ids: Ids) -> Array:
    return _kept(image, drop_ids(labels, ids))


def _kept(image: Any, kept: Labels) -> MaskOrLabels:
    """Return the labels that are kept; of a mask its own values there."""
    if not _is_mask(image):
        return kept
    mask = checks.as_array(image)
    return np.where(kept > 0, mask, mask.dtype.type(0))
