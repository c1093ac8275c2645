"""What a stage of a plan does with one array, table or path: pure functions.

Arrays in one process (`segkit.pipeline.in_memory`) and stored tasks use the same ones.
"""

from __future__ import annotations

import reprlib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks
from segkit.io.elsewhere.address import (
    foreign_scheme,
    is_address,
    local_path,
    parse_address,
)
from segkit.io.elsewhere.place import require_libraries
from segkit.io.errors import missing_extra
from segkit.io.formats import format_of
from segkit.io.plates.fields import Field
from segkit.io.sources import offset_of
from segkit.io.tables import TABLE_SUFFIXES
from segkit.measurement.intensities import of_intensity
from segkit.pipeline.steps import PipelineError, Step

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from segkit.arrays import Table
    from segkit.io.image import Image


def as_voxels(image: Any) -> NDArray[Any]:
    """Return what was given for an image, and is no file, as an array.

    Raises
    ------
    PipelineError
        If it is none, or a masked array, of which no step regards the mask.

    Examples
    --------
    >>> as_voxels({"a.tif"})
    Traceback (most recent call last):
    segkit.pipeline.PipelineError: image is {'a.tif'} (set); give a path, an opened ...
    """
    array = np.asarray(image)
    if array.dtype.kind not in "biufc":
        raise PipelineError(
            f"image is {reprlib.repr(image)} ({type(image).__name__}); give a path, an"
            " opened image or an array of numbers, or a list of them"
        )
    try:
        checks.require_unmasked(image)
    except TypeError as error:
        raise PipelineError(str(error)) from error
    return array


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


def foreground_value(array: NDArray[Any], *, by_value: bool = False) -> float | None:
    """Return the value of the foreground of an array to be labelled, or of a tile.

    None for booleans, for background, and if labels are told apart by value.

    Raises
    ------
    PipelineError
        If there are several, so that it is no mask: labels of objects that touch would
        be one object, and all grey values but 0.
    """
    if by_value or array.dtype.kind == "b" or array.size == 0:
        return None
    filled = array != 0
    value = array.flat[np.argmax(filled)].item()
    if (filled & (array != value)).any():
        require_one_value([0, 1], grey=array.dtype.kind == "f")
    return value or None


def require_one_value(values: Collection[float], *, grey: bool) -> None:
    """Raise `PipelineError` if the foreground to be labelled has several values."""
    if len(values) > 1:
        labels = "" if grey else " or labels"
        advice = "; label(by_value=True) keeps labels apart" if labels else ""
        raise PipelineError(
            f"label() was given grey values{labels}, of which all but 0 would be"
            " foreground; put a step that makes a mask before it: binarize(), ndnt(),"
            f" hysteresis(...){advice}"
        )


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
    return any(of_intensity(str(name)) for name in names)


def channel_columns(name: str, channels: Any) -> list[str]:
    """Return what a column is called of objects that are measured in channels.

    Examples
    --------
    >>> channel_columns("intensity_mean", ("DAPI", 1))
    ['intensity_mean-DAPI', 'intensity_mean-1']
    >>> channel_columns("area", ("DAPI", 1)), channel_columns("intensity_mean", "DAPI")
    (['area'], ['intensity_mean'])
    """
    if not isinstance(channels, tuple) or not of_intensity(name):
        return [name]
    return [f"{name}-{channel}" for channel in channels]


def of_channel(options: dict[str, Any], first: bool) -> dict[str, Any]:
    """Return how objects are measured in one of several channels.

    What does not depend on the channel is measured in the first.
    """
    names = [
        name
        for name in options["properties"]
        if first or name == "label" or of_intensity(name)
    ]
    return {**options, "properties": names}


def side_by_side(channels: Sequence[str], tables: Sequence[Table]) -> Table:
    """Return one table of the same objects, measured in several channels.

    Columns are in the order in which they were asked for.

    Examples
    --------
    >>> first = {"label": np.array([1]), "intensity_max": np.array([9])}
    >>> second = {"label": np.array([1]), "intensity_max": np.array([7])}
    >>> list(side_by_side(["A", "B"], [first, second]))
    ['label', 'intensity_max-A', 'intensity_max-B']
    """
    found: Table = {}
    for name, column in tables[0].items():
        if not of_intensity(name):
            found[name] = column
            continue
        for channel, table in zip(channels, tables, strict=True):
            found[f"{name}-{channel}"] = table[name]
    return found


def open_options(steps: Sequence[Step]) -> dict[str, Any]:
    """Return the options of `segkit.open_image` that a pipeline says.

    A channel is none of them if steps say which they read: it is that of the others.

    Examples
    --------
    >>> from segkit.pipeline import label, load
    >>> open_options([load(axes="tyx", per="t"), label()])
    {'axes': 'tyx'}
    """
    step = load_step(steps)
    options = dict(step.keywords) if step is not None else {}
    options.pop("per", None)
    if any(one.channel is not None for one in steps):
        options.pop("channel", None)
    return options


def load_step(steps: Sequence[Step]) -> Step | None:
    """Return the step that opens the image, None if a pipeline has none."""
    first = steps[0] if steps else None
    return first if first is not None and first.function == "load" else None


def loaded_path(steps: Sequence[Step]) -> str | None:
    """Return the path of the image that a pipeline loads itself, None if it names none.

    Examples
    --------
    >>> from segkit.pipeline import label, load
    >>> loaded_path([load("cells.tif"), label()])
    'cells.tif'
    """
    step = load_step(steps)
    return str(step.arguments[0]) if step is not None and step.arguments else None


def image_name(path: str | Path) -> str:
    """Return a file's name without its suffixes, for ``{name}`` in paths.

    Examples
    --------
    >>> image_name("data/cells.ome.tif"), image_name("a.h5::raw/volume")
    ('cells', 'a-raw-volume')
    >>> image_name("s3://lab/day/brain.zarr?region=eu-west-1::labels/nuclei")
    'brain-labels-nuclei'
    """
    if is_address(path):
        address = parse_address(path)
        name, inside = address.name, address.key
    else:
        where, _, inside = local_path(path).partition("::")
        name = Path(where).name
    for suffix in (".ome.tif", ".ome.tiff", ".ome.zarr", Path(name).suffix):
        if suffix and name.lower().endswith(suffix):
            name = name[: -len(suffix)]
            break
    return "-".join([name, *filter(None, inside.split("/"))])


def name_of(image: Any) -> str:
    """Return the name of an image, in a file or not, for ``{name}`` in paths.

    Examples
    --------
    >>> name_of("data/cells.tif"), name_of(np.zeros(3))
    ('cells', 'image')
    """
    if isinstance(image, Field):
        return image.name
    opened = hasattr(image, "spatial")
    path = image.path if opened else image if isinstance(image, (str, Path)) else ""
    return image_name(path) if path and path != "<array>" else "image"


def save_path(step: Step, out: Path, name: str) -> Path:
    """Return where a save step writes; ``{name}`` is the image's name.

    Raises
    ------
    PipelineError
        If a relative path leaves the folder `out`.
    ImageRequestError
        If its suffix means no format.
    MissingExtraError
        If what writes the format is not installed.

    Examples
    --------
    >>> from segkit.pipeline import save
    >>> save_path(save("masks/{name}.tif"), Path("out"), "a").as_posix()
    'out/masks/a.tif'
    """
    written = str(step.arguments[0])
    if is_address(written):
        return _address_path(written, name)
    relative = Path(local_path(written).replace("{name}", name))
    if not relative.is_absolute() and ".." in relative.parts:
        raise PipelineError(
            f"{step.function}({written!r}) leaves the folder for results, {out}; name"
            " another folder (-o, out=), or write the whole path"
        )
    _require_library(Path(str(relative).partition("::")[0]))
    return out / relative


def saved_at(path: Path) -> str:
    """Return a path as text; of one that means an address, that address.

    Examples
    --------
    >>> saved_at(Path("out/a.tif")), saved_at(Path("s3://lab/a.zarr"))
    ('out/a.tif', 's3://lab/a.zarr')
    """
    return str(parse_address(path)) if is_address(path) else str(path)


def as_stated(
    path: str | Path, options: tuple[tuple[str, Any], ...], image: Image
) -> tuple[tuple[str, Any], ...]:
    """Return options of `segkit.save`, with what is known of an image besides its axes.

    That is where it lies in a larger volume, if it does not begin at its first voxel,
    and what its channels are called; each is said to formats that can say it.
    """
    offset, format_ = offset_of(image.source), format_of(_where(path))
    known: dict[str, Any] = {}
    if any(offset) and "offset" in format_.save_options:
        known["offset"] = offset
    if "c" in image.axes and any(image.channels) and "channels" not in format_.unstated:
        known["channels"] = image.channels
    return tuple(sorted({**known, **dict(options)}.items()))


def _where(path: str | Path) -> str:
    """Return the path of a file without what is meant in it, or an address."""
    return str(path) if is_address(path) else str(path).partition("::")[0]


def _address_path(written: str, name: str) -> Path:
    """Return where something is saved elsewhere, as a path that means the address."""
    address = str(parse_address(written.replace("{name}", name)))
    if address.partition("?")[0].lower().endswith(TABLE_SUFFIXES):
        raise PipelineError(
            f"save({written!r}) is a table, which is saved into a folder here; name a"
            " file, such as objects.csv"
        )
    format_of(address)
    require_libraries(address)
    return Path(address)


def _require_library(path: Path) -> None:
    """Raise if a name means no format, or one whose library is not installed."""
    suffix = path.suffix.lower()
    if suffix in TABLE_SUFFIXES:
        library = "pyarrow" if suffix == ".parquet" else ""
    else:
        library = format_of(path).library
    if library and find_spec(library) is None:
        raise missing_extra(path, library)


def save_paths(
    steps: Sequence[Step], out: Path, names: Sequence[str]
) -> dict[Path, Step]:
    """Return where the save steps of a pipeline write for images of some names.

    Raises
    ------
    PipelineError
        If two of them write to one path, or `out` is no folder but an address.

    Examples
    --------
    >>> from segkit.pipeline import save
    >>> [p.as_posix() for p in save_paths([save("{name}.tif")], Path("out"), "ab")]
    ['out/a.tif', 'out/b.tif']
    """
    found: dict[Path, Step] = {}
    saving = [step for step in steps if step.saves]
    if saving and (scheme := foreign_scheme(out)):
        raise PipelineError(
            f"-o or out= is a folder on this machine, and {scheme}://... is none; give"
            " its path (of this machine, without file://), or let a step save to an"
            " address: save('s3://bucket/{name}.zarr')"
        )
    named: set[str] = set()
    for name in names:
        for step in saving:
            path = save_path(step, out, name)
            if path in found:
                alike = name in named and "{name}" in str(step.arguments[0])
                raise _written_twice(path, name if alike else None)
            found[path] = step
        named.add(name)
    return found


def _written_twice(path: Path, alike: str | None) -> PipelineError:
    """Return the error of a path with two writers; maybe two images of one name."""
    why = "; give each save another path, with {name} in it for the name of the image"
    if alike is not None:
        why = (
            f", because two images are both called {alike!r}; rename one, or run them"
            " apart, each with another folder for results (-o, out=)"
        )
    return PipelineError(f"{path} would be written twice{why}")
