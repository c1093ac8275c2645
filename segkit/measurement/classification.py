"""Classify objects by bounds on their properties, and paint what was found.

A classifier is a name and bounds; the first whose bounds all hold gives an object its
class. Properties are columns of an object table, in physical units where the table
was measured with a spacing.
"""

from __future__ import annotations

import colorsys
import math
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from segkit import checks
from segkit.measurement import properties
from segkit.measurement.intensities import of_intensity
from segkit.names import known_as
from segkit.other_names import nearest, other_property

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segkit.arrays import Table, TableLike

Bound: TypeAlias = float | tuple[float | None, float | None]

# The golden ratio spreads hues so that neighbouring classes differ.
_HUE_STEP = (math.sqrt(5) - 1) / 2


@known_as("segkit")
@dataclass(frozen=True, slots=True)
class BoundsClassifier:
    """A class of objects: a name, and a closed interval per property.

    Attributes
    ----------
    name : str
        What the class is called.
    bounds : tuple of (str, float, float)
        Property, least and largest value, both included.
    """

    name: str
    bounds: tuple[tuple[str, float, float], ...] = ()

    def holds(self, table: TableLike) -> NDArray[np.bool_]:
        """Return which rows of a table lie within all bounds.

        A value that is NaN lies within none.

        Raises
        ------
        KeyError
            If the table has no such property; the message lists those it has.
        """
        rows = _rows(table)
        inside = np.ones(rows, bool)
        for name, least, largest in self.bounds:
            if name not in table:
                raise KeyError(
                    f"class {self.name!r} bounds {name!r}, which the object table does"
                    f" not have{_meant(name, table)}; it has {', '.join(table)}"
                )
            values = np.asarray(table[name])
            if values.ndim != 1 or values.dtype.kind not in "biuf":
                raise TypeError(
                    f"class {self.name!r} bounds {name!r}, which is not one number per"
                    f" object but {values.dtype} of shape {values.shape}"
                )
            inside &= (values >= least) & (values <= largest)
        return inside


def _meant(name: str, table: TableLike) -> str:
    """Return how to measure a column that a table lacks, or its nearest."""
    asked = name.partition("-")[0]
    image = "labels, intensity" if of_intensity(asked) else "labels"
    if asked in properties.NAMED:
        image += f", properties=[..., {asked!r}]"
    elif image == "labels" or asked not in properties.KNOWN:
        return other_property(name) or nearest(name, [*table])
    return f" (region_properties({image}) measures it)"


@known_as("segkit")
def bounds_classifier(name: str, /, **bounds: Bound) -> BoundsClassifier:
    """Return a class of objects given by bounds on properties.

    Parameters
    ----------
    name : str
        What the class is called.
    **bounds : (least, largest) or float
        For each property the closed interval; None leaves a side open, and a single
        number is the largest value. Without bounds every object belongs to the class,
        which makes it the default when it comes last.

    Returns
    -------
    BoundsClassifier

    Raises
    ------
    TypeError
        If the name is no text.
    ValueError
        If an interval is empty or not a pair of numbers.

    Examples
    --------
    >>> bounds_classifier("cell", area=(100, 300), extent=0.9)
    BoundsClassifier(name='cell', bounds=(('area', 100.0, 300.0),
                                          ('extent', -inf, 0.9)))
    >>> bounds_classifier("cell", area=(300, 100))
    Traceback (most recent call last):
    ValueError: class 'cell': bounds (300, 100) of 'area' hold for nothing; give
    (least, largest)
    """
    if not isinstance(name, str):
        raise TypeError(f"a class is called by text, not {name!r}; name it first")
    if not name:
        raise ValueError(f"a class needs a name, not {name!r}")
    pairs = tuple((key, *_interval(name, key, bound)) for key, bound in bounds.items())
    return BoundsClassifier(name, pairs)


def _interval(name: str, key: str, bound: Any) -> tuple[float, float]:
    several = isinstance(bound, (tuple, list)) or np.ndim(bound) > 0
    sides = tuple(bound) if several else (None, bound)
    if len(sides) != 2:
        raise ValueError(
            f"class {name!r}: bounds {bound} of {key!r} must be (least, largest)"
        )
    for side in sides:
        if isinstance(side, (str, bytes)) or np.ndim(side) != 0:
            raise ValueError(
                f"class {name!r}: bounds {bound!r} of {key!r} are no numbers; give"
                " (least, largest), in the units of the object table"
            )
    least = -math.inf if sides[0] is None else float(sides[0])
    largest = math.inf if sides[1] is None else float(sides[1])
    if not least <= largest:
        raise ValueError(
            f"class {name!r}: bounds {bound} of {key!r} hold for nothing; give"
            " (least, largest)"
        )
    return least, largest


@known_as("segkit")
def classify(table: TableLike, *classifiers: BoundsClassifier) -> Table:
    """Return an object table with the class of each object.

    Parameters
    ----------
    table : mapping of str to array
        One column per property, one row per object, as `region_properties` gives it.
        It is not changed.
    *classifiers : BoundsClassifier
        Tried in this order; the first whose bounds all hold gives the class.

    Returns
    -------
    dict of str to ndarray
        The columns of the table, and ``class`` (1 for the first classifier and so on,
        0 for none; the smallest unsigned type that holds them) and ``class_name``
        (empty for none).

    Raises
    ------
    KeyError
        If a bounded property is not in the table.
    TypeError
        If a classifier is something else.
    ValueError
        If there is no classifier, or two have the same name.

    Examples
    --------
    >>> import numpy as np
    >>> table = {"label": np.array([1, 2, 3]), "area": np.array([50, 150, 900])}
    >>> found = classify(
    ...     table,
    ...     bounds_classifier("cell", area=(100, 300)),
    ...     bounds_classifier("vasculature", area=(301, None)),
    ... )
    >>> found["class"], found["class_name"].tolist()
    (array([0, 1, 2], dtype=uint8), ['', 'cell', 'vasculature'])
    """
    if not classifiers:
        raise ValueError("no classes; give at least one bounds_classifier(name, ...)")
    for classifier in classifiers:
        if not isinstance(classifier, BoundsClassifier):
            raise TypeError(f"{classifier!r} is no class; give bounds_classifier(...)")
    source = "segkit.region_properties(labels)"
    checks.require_kind(table, Mapping, name="table", source=source)
    names = [classifier.name for classifier in classifiers]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"several classes are called {', '.join(repeated)}")
    classes = np.zeros(_rows(table), np.min_scalar_type(len(names)))
    for number, classifier in reversed(list(enumerate(classifiers, start=1))):
        classes[classifier.holds(table)] = number
    columns = {name: np.asarray(column) for name, column in table.items()}
    return {
        **columns,
        "class": classes,
        "class_name": np.array(["", *names])[classes],
    }


def _rows(table: TableLike) -> int:
    lengths = {name: len(np.asarray(column)) for name, column in table.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns of the object table differ in length: {lengths}")
    return next(iter(lengths.values()), 0)


def class_lookup(classified: TableLike) -> NDArray[np.unsignedinteger[Any]]:
    """Return an array that gives the class of a label as ``lookup[label]``.

    It is all that painting a tile needs to know of the whole table.

    Parameters
    ----------
    classified : mapping of str to array
        A table with the columns ``label`` and ``class``.

    Raises
    ------
    KeyError
        If a column is missing.
    TypeError, ValueError
        If labels or classes are not integers from 0 on.

    Examples
    --------
    >>> class_lookup({"label": [2, 5], "class": np.array([1, 300], np.uint16)})
    array([  0,   0,   1,   0,   0, 300], dtype=uint16)
    """
    for name in ("label", "class"):
        if name not in classified:
            raise KeyError(
                f"the object table has no column {name!r}, only"
                f" {', '.join(classified)}; measure and classify first"
            )
    labels = _numbers(classified["label"], "label")
    classes = _numbers(classified["class"], "class")
    size = int(labels.max(initial=0)) + 1
    lookup = np.zeros(size, np.min_scalar_type(int(classes.max(initial=0))))
    lookup[labels] = classes
    return lookup


def _numbers(values: Any, name: str) -> NDArray[Any]:
    """Return an array, checked to hold integers from 0 on unless it is empty."""
    array = checks.as_array(values, name=name)
    if array.size == 0:
        return array.astype(np.intp)
    return checks.require_labels(array, name=name)


@known_as("segkit")
def reconstruct(
    labels: NDArray[Any], classes: TableLike | NDArray[np.unsignedinteger[Any]]
) -> NDArray[Any]:
    """Return the image of classes: each object painted with the number of its class.

    Parameters
    ----------
    labels : ndarray of integers
        Any shape; 0 is background.
    classes : table or array
        A classified table, or the lookup that `class_lookup` makes of it.

    Returns
    -------
    ndarray
        Shape of `labels`, the smallest unsigned type that holds all classes; 0 for the
        background, for objects without a class and for labels not in the table.

    Raises
    ------
    TypeError
        If `labels` are not integers.
    ValueError
        If a label is negative.

    Examples
    --------
    >>> labels = np.array([[0, 1, 1], [2, 2, 0]])
    >>> reconstruct(labels, {"label": [1, 2], "class": [2, 0]})
    array([[0, 2, 2],
           [0, 0, 0]], dtype=uint8)
    """
    labels = checks.as_array(labels, name="labels")
    if labels.dtype.kind not in "iu":
        raise TypeError(
            f"labels have dtype {labels.dtype}; give integers, as segkit.label does"
        )
    from segkit.labelling.labels import relabel_tile

    lookup = class_lookup(classes) if isinstance(classes, Mapping) else classes
    if np.asarray(lookup).dtype.kind not in "iu" or np.ndim(lookup) != 1:
        raise TypeError(
            f"classes is {reprlib.repr(classes)}; give the table of classify(...), or"
            " the number of each label's class, from label 0 on"
        )
    lookup = np.asarray(lookup)
    if labels.size == 0:
        return np.zeros(labels.shape, lookup.dtype)
    lookup = lookup if len(lookup) else np.zeros(1, lookup.dtype)
    known = np.where(labels < len(lookup), labels, labels.dtype.type(0))
    return relabel_tile(known, lookup)


@known_as("segkit")
def class_colours(count: int) -> NDArray[np.uint8]:
    """Return one bright colour per class, 0 (background) black.

    Returns
    -------
    ndarray of uint8, shape (count + 1, 3)
        Red, green, blue; each colour has a channel of at least 190.

    Examples
    --------
    >>> class_colours(2)
    array([[  0,   0,   0],
           [255,  89,  89],
           [ 13,  83, 255]], dtype=uint8)
    """
    colours = np.zeros((count + 1, 3), np.uint8)
    for number in range(1, count + 1):
        hue = ((number - 1) * _HUE_STEP) % 1.0
        # Saturation and value take turns, so that close hues differ in brightness.
        saturation = (0.65, 0.95, 0.4)[(number - 1) % 3]
        value = (1.0, 0.9, 0.75)[(number - 1) // 3 % 3]
        rgb = colorsys.hsv_to_rgb(hue, saturation, value)
        colours[number] = [round(255 * part) for part in rgb]
    return colours


def _palette(colours: Any) -> NDArray[np.uint8]:
    try:
        palette = np.asarray(colours)
    except ValueError:  # of rows of several lengths
        palette = np.zeros(0)
    whole = palette.ndim == 2 and palette.dtype.kind in "iu"
    if not whole or palette.shape[1] != 3 or palette.min() < 0 or palette.max() > 255:
        shown = reprlib.repr(colours)
        raise ValueError(f"colours are {shown}; give rows of three, from 0 to 255")
    return palette.astype(np.uint8)


@known_as("segkit")
def paint_classes(
    classes: NDArray[Any], *, colours: Sequence[Sequence[int]] | None = None
) -> NDArray[np.uint8]:
    """Return a colour picture of an image of classes.

    Parameters
    ----------
    classes : ndarray of integers from 0 on
        As `reconstruct` makes it.
    colours : sequence of (red, green, blue), optional
        One per class, the first for the background; `class_colours` by default.

    Returns
    -------
    ndarray of uint8
        Shape of `classes` and a last axis of 3.

    Raises
    ------
    TypeError, ValueError
        If classes are not integers from 0 on, or there are fewer colours than classes.

    Examples
    --------
    >>> paint_classes(np.array([[0, 1]], np.uint8))
    array([[[  0,   0,   0],
            [255,  89,  89]]], dtype=uint8)
    """
    numbers = _numbers(classes, "classes")
    largest = int(numbers.max(initial=0))
    palette = class_colours(largest) if colours is None else _palette(colours)
    if len(palette) <= largest:
        raise ValueError(
            f"{len(palette)} colours for classes up to {largest}; give {largest + 1}"
        )
    painted: NDArray[np.uint8] = palette[numbers]
    return painted
