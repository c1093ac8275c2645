"""What a stage of a plan does with one array, table or path: pure functions.

Arrays in one process (`segkit._run`) and stored tasks use the same ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit._steps import PipelineError, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def run_steps(steps: Sequence[Step], array: NDArray[Any]) -> NDArray[Any]:
    """Return the result of array steps, one after the other.

    Raises
    ------
    PipelineError
        If a step fails; it is named, with its own error as the cause.
    """
    for step in steps:
        try:
            array = np.asarray(step(array))
        except Exception as error:
            raise PipelineError(
                f"{step.function} failed on an array of shape {np.shape(array)}:"
                f" {error}"
            ) from error
    return array


FILTER_PROPERTIES = {
    "remove_small_objects": ("label", "count"),
    "clear_border": ("label", "touches_border"),
}


def keep_lookup(step: Step, table: dict[str, NDArray[Any]]) -> NDArray[np.int64]:
    """Return the table for `relabel_tile` that drops objects as a filter step says.

    `table` holds the columns `FILTER_PROPERTIES[step.function]`; kept objects keep
    their labels.

    Examples
    --------
    >>> from segkit.pipeline import remove_small_objects
    >>> table = {"label": np.array([1, 3]), "count": np.array([5, 50])}
    >>> keep_lookup(remove_small_objects(20), table)
    array([0, 0, 0, 3])
    """
    labels = np.asarray(table["label"])
    if step.function == "clear_border":
        kept = ~np.asarray(table["touches_border"], bool)
    else:
        kept = np.asarray(table["count"]) >= step.keywords["min_size"]
    lookup = np.zeros(int(labels.max(initial=0)) + 1, np.int64)
    lookup[labels[kept]] = labels[kept]
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
    """Say whether a measuring step asks for properties of the image's intensity."""
    properties = step.keywords.get("properties") or ()
    return any(str(name).startswith("intensity") for name in properties)


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
    """Return where a save step writes; ``{name}`` is the image's name."""
    return out / str(step.arguments[0]).replace("{name}", name)
