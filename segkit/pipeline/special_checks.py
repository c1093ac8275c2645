"""What special steps cannot take, known before any voxel is read.

A run may take hours; a misspelt suffix, option or property must not end it. All raise
`TypeError` or `ValueError`; who calls them names the step.
"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

from segkit import checks
from segkit.argument_kinds import require_kinds
from segkit.io.axes import by_number
from segkit.labelling.connectivity import structure_of
from segkit.measurement.classification import BoundsClassifier
from segkit.other_names import misfit, nearest, other_property
from segkit.pipeline.stage_work import (
    channel_columns,
    measure_options,
    needs_intensity,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from segkit.pipeline.steps import Step

# How to ask for what an argument was given for.
_GIVEN = {
    "intensity": ', and ask for brightness by properties = ["label", "area", ...,'
    ' "intensity_mean"]'
}
PER = "tcz"
"""Axes that a pipeline may take apart, in the order that they have in what is saved."""
_READS_NONE = (
    *("tile", "classify", "reconstruct", "save"),
    *("remove_small_objects", "clear_border", "keep_largest"),
)
# Images have hardly more axes than these.
ANY_AXES = tuple(map(by_number, range(1, 7)))


# Options: what a step takes by itself.


def require_channel(step: Step) -> Any:
    """Return which channel a step says that it reads, None if it says none.

    Raises
    ------
    TypeError, ValueError
        If that is no channel, or the step reads no image.

    Examples
    --------
    >>> from segkit.pipeline import regionprops, tile
    >>> mean = ["label", "intensity_mean"]
    >>> require_channel(regionprops(properties=mean, channel=["DAPI", 1]))
    ('DAPI', 1)
    >>> require_channel(tile(8).having(channel=0))
    Traceback (most recent call last):
    ValueError: reads no image, so leave channel out
    """
    said = step.channel
    if said is None:
        return None
    if step.function in _READS_NONE:
        raise ValueError("reads no image, so leave channel out")
    several = said if isinstance(said, tuple) else (said,)
    for one in several:
        if isinstance(one, bool) or not isinstance(one, (str, int)) or one == "":
            raise TypeError(
                f"channel is {one!r}, but must be a name or a number from 0"
            )
        if isinstance(one, int) and one < 0:
            raise ValueError(
                f"channel is {one}, but must be a name or a number from 0; none is"
                " counted from the last one"
            )
    if isinstance(said, tuple) and step.function != "regionprops":
        raise TypeError(f"channel is {said!r}; only regionprops reads several")
    if not several or len({*map(str, several)}) < len(several):
        raise ValueError(f"channel is {[*several]}; name each channel once")
    if step.function == "regionprops" and not needs_intensity(step):
        raise ValueError(
            "measures no brightness, so channel means nothing; ask for it by"
            ' properties = ["label", "area", ..., "intensity_mean"]'
        )
    return said


def require_opening(step: Step) -> None:
    """Look at the options of `load`.

    Examples
    --------
    >>> from segkit.pipeline import load
    >>> require_opening(load(per="t", channel="DAPI"))
    >>> require_opening(load(per="time"))
    Traceback (most recent call last):
    ValueError: per is 'time', but must be letters of axes that are taken apart: "t",
    "c", "z", or several, such as "tz"
    """
    options = {**step.keywords}
    per = options.pop("per", "t")
    if not isinstance(per, str) or not {*per} <= {*PER} or len({*per}) < len(per):
        raise ValueError(
            f"per is {per!r}, but must be letters of axes that are taken apart:"
            ' "t", "c", "z", or several, such as "tz"'
        )
    options_of("open_image", after=1)(step.without("per"))


def options_of(name: str, *, after: int) -> Callable[[Step], None]:
    """Return a check that a public function of segkit takes the options of a step.

    Parameters
    ----------
    name
        Of the function.
    after
        How many arguments it takes before them.

    Examples
    --------
    >>> from segkit.pipeline import label
    >>> options_of("label", after=1)(label(conectivity=2))
    Traceback (most recent call last):
    TypeError: got an unexpected keyword argument 'conectivity' (did you mean ...
    """

    def check(step: Step) -> None:
        import segkit

        _require_bound(getattr(segkit, name), after, step.keywords)

    return check


def require_connectivity(step: Step, axes: Iterable[int] = range(1, 7)) -> None:
    """Look at the options of `label`, for an image of one of some numbers of axes.

    Examples
    --------
    >>> from segkit.pipeline import label
    >>> require_connectivity(label(connectivity=3))
    >>> require_connectivity(label(connectivity=3), [2])
    Traceback (most recent call last):
    ValueError: connectivity is 3, but an image of 2 axes has 1 (faces) to 2 (corners)
    """
    options_of("label", after=1)(step)
    said = step.keywords.get("connectivity")
    if said is None:
        return
    refusals = {}
    for ndim in axes:
        try:
            structure_of(ndim, said)
        except ValueError as error:
            refusals[ndim] = error
        else:
            return
    raise refusals.get(3) or refusals[max(refusals)]


def require_min_size(step: Step) -> None:
    """Look at the options of `remove_small_objects`."""
    options_of("remove_small_objects", after=1)(step)
    checks.as_integer(step.keywords["min_size"], name="min_size", least=0)


def require_number(step: Step) -> None:
    """Look at the options of `keep_largest`."""
    checks.as_integer(step.keywords["number"], name="number", least=0)


def require_target(step: Step) -> None:
    """Look at the path and the options of `save`.

    Examples
    --------
    >>> from segkit.pipeline import save
    >>> require_target(save("labels.tif"))
    >>> require_target(save("labels.tif", levls=2))
    Traceback (most recent call last):
    TypeError: got an unexpected keyword argument 'levls' (did you mean levels?); ...
    """
    import segkit
    from segkit.io.elsewhere.address import is_address
    from segkit.io.errors import ImageRequestError
    from segkit.io.formats import format_of
    from segkit.io.tables import TABLE_SUFFIXES

    path = _path(step)
    if path.lower().endswith(TABLE_SUFFIXES):
        _require_bound(segkit.save_table, 2, step.keywords)
    else:
        try:
            format_of(path if is_address(path) else path.partition("::")[0])
        except ImageRequestError as error:
            tables = ", ".join(TABLE_SUFFIXES)
            raise ValueError(f"{error}; of a table {tables}") from error
        _require_bound(segkit.save, 2, step.keywords)


def require_picture(step: Step) -> None:
    """Look at the path and the options of `save_overlay`.

    Examples
    --------
    >>> from segkit.pipeline import save_overlay
    >>> require_picture(save_overlay("{name}.jpg"))
    Traceback (most recent call last):
    ValueError: {name}.jpg: pictures are saved as PNG; end the name in .png
    """
    import segkit

    path = _path(step)
    if not path.lower().endswith(".png"):
        raise ValueError(f"{path}: pictures are saved as PNG; end the name in .png")
    options = {**step.keywords}
    require_kinds(segkit.save_png, {"overwrite": options.pop("overwrite", False)})
    _require_bound(segkit.overlay, 2, options)


def _path(step: Step) -> str:
    """Return where a step saves, once no word in it is unknown."""
    path = str(step.arguments[0])
    for word in re.findall(r"\{.*?\}", path):
        if word != "{name}":
            raise ValueError(
                f"{word} is not known; {{name}} stands for the image's name"
            )
    return path


def _require_bound(
    function: Callable[..., Any], positional: int, options: dict[str, Any]
) -> None:
    signature = inspect.signature(function)
    names = list(signature.parameters)
    takes = ", ".join(names[positional:])
    for name in names[:positional]:
        if name in options:
            raise TypeError(
                f"{name} is what the pipeline gives; leave it out"
                f"{_GIVEN.get(name, '')}; it takes {takes}"
            )
    try:
        signature.bind(*[None] * positional, **options)
    except TypeError as error:
        raise TypeError(misfit(error, names[positional:], options)) from error
    require_kinds(function, options)


# Columns: what the table of objects holds after a step, of which it held before. The
# axes are those that the image may have, a letter for each.


def same_columns(
    step: Step,  # noqa: ARG001 - it says nothing about the table
    columns: Sequence[str],
    axes: Iterable[str],  # noqa: ARG001
) -> Sequence[str]:
    """Return the columns as they are."""
    return columns


def measured_columns(
    step: Step,
    columns: Sequence[str],  # noqa: ARG001 - a new table
    axes: Iterable[str],
) -> Sequence[str]:
    """Return the columns that `regionprops` measures."""
    from segkit.measurement import properties as object_properties

    asked = measure_options(step.bare, ()).get("properties")
    intensity = needs_intensity(step)
    names: dict[str, None] = {}
    refusals = []
    for letters in [step.keywords["axes"]] if step.keywords.get("axes") else axes:
        try:
            wanted = object_properties.wanted(asked, letters, intensity)
        except ValueError as error:  # an image of another number of axes may have them
            refusals.append(error)
            continue
        names |= dict.fromkeys(object_properties.column_names(wanted, len(letters)))
    if not names and refusals:
        raise refusals[0]
    return [column for name in names for column in channel_columns(name, step.channel)]


def classified_columns(
    step: Step,
    columns: Sequence[str],
    axes: Iterable[str],  # noqa: ARG001 - the columns are known
) -> Sequence[str]:
    """Look at the classes of `classify`; return the columns with that of the class."""
    if not step.arguments:
        raise TypeError("no class is given; give bounds_classifier(name, ...)")
    names: set[str] = set()
    for classifier in step.arguments:
        if not isinstance(classifier, BoundsClassifier):
            raise TypeError(
                f"{classifier!r} is no class; give bounds_classifier(name, ...), in a"
                ' file { class = "name", area = [1, 2] }'
            )
        if classifier.name in names:
            raise ValueError(f"several classes are called {classifier.name}")
        names.add(classifier.name)
        if columns:
            _require_columns(classifier, columns)
    return [*columns, "class"] if columns else []


def _require_columns(classifier: BoundsClassifier, columns: Sequence[str]) -> None:
    for name, _, _ in classifier.bounds:
        if name not in columns:
            measured = dict.fromkeys(column.partition("-")[0] for column in columns)
            ask = f"; ask for it: regionprops(properties=[..., {name!r}])"
            raise ValueError(
                f"class {classifier.name!r} bounds {name!r}{_meant(name, columns)},"
                " which the object table will not have; it has"
                f" {', '.join(measured)}{ask if _can_be_measured(name) else ''}"
            )


def _meant(name: str, columns: Sequence[str]) -> str:
    return other_property(name).partition(";")[0] or nearest(name, columns)


def _can_be_measured(column: str) -> bool:
    from segkit.measurement import properties as object_properties

    return any(
        column
        in object_properties.column_names(
            object_properties.wanted(None, letters, True), len(letters)
        )
        for letters in ANY_AXES
    )


def bounded_columns(
    step: Step, columns: Sequence[str], axes: Iterable[str]
) -> Sequence[str]:
    """Look at the bounds of `keep_within`; return the columns as they are."""
    from segkit.measurement import properties as object_properties
    from segkit.measurement.selection import require_limits

    known: dict[str, None] = {}
    for letters in [step.keywords["axes"]] if step.keywords.get("axes") else axes:
        every = object_properties.wanted(None, letters, True)
        every = [*every, *object_properties.by_name_only(letters)]
        names = object_properties.column_names(every, len(letters))
        known |= dict.fromkeys(name.replace("-", "_") for name in names)
    for name, limits in step.bare.keywords.items():
        if name in ("spacing", "axes"):
            continue
        if name not in known:
            meant = object_properties.meant(name, list(known))
            raise ValueError(f"no property {name!r}{meant}")
        require_limits(name, limits)
    return columns
