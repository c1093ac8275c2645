"""What a stage of a plan does with one array, table or path: pure functions.

Arrays in one process (`segkit.pipeline.in_memory`) and stored tasks use the same ones.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.io.formats import format_of
from segkit.io.tables import TABLE_SUFFIXES
from segkit.pipeline.steps import PipelineError, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def run_steps(steps: Sequence[Step], array: NDArray[Any]) -> NDArray[Any]:
    """Return the result of array steps, one after the other.

    Raises
    ------
    PipelineError
        If a step fails; it is named, with its own error as the cause. If the last
        result has another shape than the array.
    """
    shape = array.shape
    for step in steps:
        try:
            array = np.asarray(step(array))
        except Exception as error:
            raise PipelineError(
                f"{step.function} failed on an array of shape {np.shape(array)}:"
                f" {error}"
            ) from error
    if array.shape != shape:
        raise PipelineError(
            f"{steps[-1].function} made an array of shape {array.shape} of one of"
            f" shape {shape}; a step returns one value for each voxel"
        )
    return array


def require_objects(array: NDArray[Any], *, by_value: bool = False) -> None:
    """Raise `PipelineError` if an array to be labelled is no mask but grey values."""
    if by_value or array.dtype.kind != "f" or array.size == 0:
        return
    filled = array != 0
    if (filled & (array != array.flat[np.argmax(filled)])).any():
        raise PipelineError(
            f"label() was given grey values ({array.dtype}), of which all but 0 would"
            " be one object; put a step that makes a mask before it: binarize(),"
            " ndnt(), hysteresis(...)"
        )


FILTER_PROPERTIES = {
    "remove_small_objects": ("label", "count"),
    "keep_largest": ("label", "count"),
    "clear_border": ("label", "touches_border"),
}


def filter_options(step: Step, spacing: tuple[float, ...]) -> dict[str, Any]:
    """Return how to measure the objects among which a filter step chooses.

    For `region_properties` or `properties_table`.

    Examples
    --------
    >>> from segkit.pipeline import keep_within
    >>> filter_options(keep_within(centroid_0=(5, None)), (1.0, 1.0))
    {'spacing': (1.0, 1.0), 'properties': ['label', 'centroid']}
    """
    if step.function in FILTER_PROPERTIES:
        return {"properties": FILTER_PROPERTIES[step.function]}
    bounded = [re.sub(r"(_\d+)+$", "", n) for n in step.keywords if n != "spacing"]
    return {
        "spacing": step.keywords.get("spacing", spacing),
        "properties": list(dict.fromkeys(["label", *bounded])),
    }


def kept_ids(step: Step, table: dict[str, NDArray[Any]]) -> NDArray[np.int64]:
    """Return the labels that a filter step keeps, for `segkit.keep_ids`.

    Parameters
    ----------
    step : Step
        ``remove_small_objects``, ``clear_border``, ``keep_largest``, ``keep_within``.
    table : dict of str to ndarray
        Of all objects, measured with `filter_options`.

    Examples
    --------
    >>> from segkit.pipeline import remove_small_objects
    >>> table = {"label": np.array([1, 3]), "count": np.array([5, 50])}
    >>> kept_ids(remove_small_objects(20), table)
    array([3])
    """
    from segkit.measurement import selection

    options = step.keywords
    if step.function == "keep_largest":
        return selection.largest_ids(table, options["number"])
    if step.function == "keep_within":
        bounds = {name: v for name, v in options.items() if name != "spacing"}
        return selection.ids_within(table, **bounds)
    labels = np.asarray(table["label"], np.int64)
    if step.function == "clear_border":
        dropped = selection.border_ids(table)
    else:
        dropped = selection.small_ids(table, options["min_size"])
    return np.setdiff1d(labels, dropped, assume_unique=True)


def keep_lookup(step: Step, table: dict[str, NDArray[Any]]) -> NDArray[np.int64]:
    """Return what `kept_ids` keeps as a table for `relabel_tile`: 0 for the others.

    Examples
    --------
    >>> from segkit.pipeline import remove_small_objects
    >>> table = {"label": np.array([1, 3]), "count": np.array([5, 50])}
    >>> keep_lookup(remove_small_objects(20), table)
    array([0, 0, 0, 3])
    """
    lookup = np.zeros(int(np.max(table["label"], initial=0)) + 1, np.int64)
    kept = kept_ids(step, table)
    lookup[kept] = kept
    return lookup


def measure_options(step: Step, spacing: tuple[float, ...]) -> dict[str, Any]:
    """Return the options of a measuring step, the image's spacing filled in."""
    options: dict[str, Any] = {"spacing": spacing, **step.keywords}
    if options.get("properties") is not None:
        wanted = list(options["properties"])
        # Painting and joining need the label of each row.
        options["properties"] = wanted if "label" in wanted else ["label", *wanted]
    return options


def needs_intensity(step: Step) -> bool:
    """Say whether a measuring or filter step needs the image's intensity."""
    names = step.keywords.get("properties") or step.keywords
    return any(str(name).startswith("intensity") for name in names)


def image_name(path: str | Path) -> str:
    """Return a file's name without its suffixes, for ``{name}`` in paths.

    Examples
    --------
    >>> image_name("data/cells.ome.tif"), image_name("a.h5::raw/volume")
    ('cells', 'a-raw-volume')
    """
    where, _, inside = str(path).partition("::")
    name = Path(where).name
    for suffix in (".ome.tif", ".ome.tiff", ".ome.zarr", Path(name).suffix):
        if suffix and name.lower().endswith(suffix):
            name = name[: -len(suffix)]
            break
    return "-".join([name, *filter(None, inside.split("/"))])


def save_path(step: Step, out: Path, name: str) -> Path:
    """Return where a save step writes; ``{name}`` is the image's name.

    Raises
    ------
    PipelineError
        If a relative path leaves the folder `out`.
    ImageRequestError
        If its suffix means no format.

    Examples
    --------
    >>> from segkit.pipeline import save
    >>> save_path(save("masks/{name}.tif"), Path("out"), "a").as_posix()
    'out/masks/a.tif'
    """
    written = str(step.arguments[0])
    relative = Path(written.replace("{name}", name))
    if not relative.is_absolute() and ".." in relative.parts:
        raise PipelineError(
            f"save({written!r}) leaves the folder for results, {out}; name another"
            " folder (-o, out=), or write the whole path"
        )
    if relative.suffix.lower() not in TABLE_SUFFIXES:
        format_of(str(relative).partition("::")[0])
    return out / relative
