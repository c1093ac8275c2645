"""Steps of a pipeline, written down as data, and the functions that write them."""

from __future__ import annotations

import difflib
import functools
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from segkit.names import known_as

if TYPE_CHECKING:
    from segkit.measurement.classification import BoundsClassifier

Join = Literal["own", "or"]
# Steps that are not simply "array in, array out"; the plan knows what each means.
SPECIAL = (
    "load",
    "tile",
    "label",
    "remove_small_objects",
    "clear_border",
    "keep_largest",
    "keep_within",
    "regionprops",
    "classify",
    "reconstruct",
    "save",
)


@known_as("segkit.pipeline")
class PipelineError(ValueError):
    """A pipeline that cannot be run, saved or loaded; the message names the step."""


@known_as("segkit.pipeline")
@dataclass(frozen=True, slots=True)
class Step:
    """A call written down: a function and its arguments, all but the data.

    Attributes
    ----------
    function : str
        A public name of segkit, or ``'package.module:name'``.
    arguments : tuple
        What follows the data.
    options : tuple of (str, object)
        Arguments by keyword.
    reach : int or tuple of int, optional
        How far in voxels the result at a voxel depends on others, for a function that
        does not declare it itself; None if that is not known, which runs the step on
        the whole image.
    bound : callable, optional
        The function itself, where no name leads to it; such a step runs, but cannot
        be saved.
    """

    function: str
    arguments: tuple[Any, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()
    reach: int | tuple[int, ...] | None = None
    bound: Callable[..., Any] | None = field(default=None, compare=False, repr=False)

    @property
    def keywords(self) -> dict[str, Any]:
        """The options as keyword arguments."""
        return dict(self.options)

    @property
    def special(self) -> bool:
        """Whether the step means more than an array function."""
        return self.function in SPECIAL

    def resolve(self) -> Callable[..., Any]:
        """Return the function.

        Raises
        ------
        PipelineError
            If there is no such function.
        """
        if self.bound is not None:
            return self.bound
        module, _, name = self.function.rpartition(":")
        try:
            found: Any = importlib.import_module(module or "segkit")
            for part in name.split("."):
                found = getattr(found, part)
        except (ImportError, AttributeError) as error:
            why = f": {error}" if module else nearest(self.function, _known_steps())
            raise PipelineError(
                f"there is no function {self.function!r}{why}; write a public name"
                " of segkit, or 'package.module:name'"
            ) from error
        if not callable(found):
            raise PipelineError(f"{self.function!r} is not a function")
        return found  # type: ignore[no-any-return]

    def __call__(self, data: Any) -> Any:
        """Run the step on data, as an array function."""
        return self.resolve()(data, *self.arguments, **self.keywords)


def _known_steps() -> list[str]:
    import segkit

    return [*SPECIAL, *segkit.__all__]


def nearest(word: str, known: Sequence[str]) -> str:
    """Return a question whether the nearest known word is meant, or nothing.

    Examples
    --------
    >>> nearest("ndtn", ["label", "ndnt"])
    ' (did you mean ndnt?)'
    """
    found = difflib.get_close_matches(word, known, n=1)
    return f" (did you mean {found[0]}?)" if found else ""


def _step(function: str, arguments: Sequence[Any] = (), **options: Any) -> Step:
    return Step(
        function,
        tuple(frozen(value) for value in arguments),
        tuple((name, frozen(value)) for name, value in options.items()),
    )


def frozen(value: Any) -> Any:
    """Return lists as tuples and numpy numbers as Python's, at any depth."""
    if isinstance(value, (list, tuple)):
        return tuple(frozen(part) for part in value)
    if isinstance(value, Mapping):
        return {str(name): frozen(part) for name, part in value.items()}
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return value.item()
    if isinstance(value, Path):
        return str(value)
    return value


@known_as("segkit")
def florinate(
    function: Callable[..., Any], *, reach: int | tuple[int, ...] | None = None
) -> Callable[..., Step]:
    """Return a deferred version of a function: calling it writes a step down.

    Parameters
    ----------
    function : callable
        Takes the data first. To be saved it must be importable by name.
    reach : int or tuple of int, optional
        How far the result at a voxel depends on others, in voxels, so that the step
        can run tile by tile; the function's own declaration by default. Without
        either it runs on the whole image.

    Examples
    --------
    >>> import numpy as np
    >>> invert = florinate(np.subtract, reach=0)
    >>> invert(255)
    Step(function='numpy:subtract', arguments=(255,), options=(), reach=0)
    """

    @functools.wraps(function, updated=())
    def deferred(*arguments: Any, **options: Any) -> Step:
        step = step_of(function)
        written = _step(step.function, arguments, **{**step.keywords, **options})
        return Step(
            written.function,
            written.arguments,
            written.options,
            reach,
            step.bound,
        )

    return deferred


def step_of(function: Callable[..., Any]) -> Step:
    """Return the step of a bare function, by name where it has one."""
    options: dict[str, Any] = {}
    bare = function
    while isinstance(bare, functools.partial):
        if bare.args:
            raise PipelineError(
                f"{bare} binds arguments before the data; bind them by keyword"
            )
        options = {**bare.keywords, **options}
        bare = bare.func
    module = getattr(bare, "__module__", None) or _ufunc_module(bare)
    name = str(getattr(bare, "__qualname__", None) or getattr(bare, "__name__", ""))
    reference = _public_name(bare, name) or f"{module}:{name}"
    step = _step(reference, **options)
    try:
        same = step.resolve() is bare
    except (PipelineError, ValueError):
        same = False
    return step if same else Step(reference, (), step.options, None, bare)


def _ufunc_module(function: Any) -> str:
    return "numpy" if type(function).__name__ == "ufunc" else type(function).__module__


def _public_name(function: Any, name: str) -> str | None:
    import segkit

    if name in segkit.__all__ and getattr(segkit, name) is function:
        return name
    return None


@known_as("segkit.pipeline")
def load(path: str | Path | None = None, **options: Any) -> Step:
    """Open an image: `segkit.open_image`; without a path, what `run` is given."""
    return _step("load", () if path is None else (path,), **options)


@known_as("segkit.pipeline")
def tile(
    shape: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    *,
    join: Join = "own",
) -> Step:
    """Run what follows tile by tile.

    Parameters
    ----------
    shape : int or sequence of int
        Size of a tile in voxels, one number or one per axis.
    stride : int or sequence of int, optional
        Distance of neighbouring tiles, at most `shape`.
    join : {'own', 'or'}
        ``'own'``: each tile reads the halo that its steps reach and keeps its own box,
        so that every voxel is as in the whole image, whatever `shape` and `stride`.
        ``'or'``: FLoRIN's way: tiles overlap by `shape` and `stride`, see nothing
        beyond themselves, and a voxel is foreground if any tile says so. Steps near a
        tile's border then depend on the tiling.
    """
    options: dict[str, Any] = {"shape": shape}
    if stride is not None:
        options["stride"] = stride
    if join != "own":
        options["join"] = join
    return _step("tile", **options)


@known_as("segkit.pipeline")
def label(**options: Any) -> Step:
    """Label connected components across all tiles: `segkit.label`."""
    return _step("label", **options)


@known_as("segkit.pipeline")
def remove_small_objects(min_size: int = 64, **options: Any) -> Step:
    """Drop objects of fewer than `min_size` voxels; labels of the others stay.

    After `label` it chooses among the labelled objects, tile by tile; before, it
    works on the components of the mask, which takes the whole image at once.
    """
    return _step("remove_small_objects", min_size=min_size, **options)


@known_as("segkit.pipeline")
def clear_border() -> Step:
    """Drop objects that reach the image's border."""
    return _step("clear_border")


@known_as("segkit.pipeline")
def keep_largest(number: int = 1) -> Step:
    """Keep the largest objects only, with their labels."""
    return _step("keep_largest", number=number)


@known_as("segkit.pipeline")
def keep_within(**bounds: Any) -> Step:
    """Keep labelled objects whose properties lie within bounds, in physical units.

    ``area=(100, 300)``: least and largest value, None for no bound.
    """
    return _step("keep_within", **bounds)


@known_as("segkit.pipeline")
def regionprops(**options: Any) -> Step:
    """Measure all objects: `segkit.region_properties`, in physical units.

    The spacing is that of the image unless ``spacing=`` is given; properties that
    begin with ``intensity`` are those of the loaded image.
    """
    return _step("regionprops", **options)


@known_as("segkit.pipeline")
def classify(*classifiers: BoundsClassifier) -> Step:
    """Give each object the first class whose bounds hold: `segkit.classify`."""
    return _step("classify", classifiers)


@known_as("segkit.pipeline")
def reconstruct(*, colours: bool = False) -> Step:
    """Paint each object with the number of its class, or with the class's colour."""
    return _step("reconstruct", colours=True) if colours else _step("reconstruct")


@known_as("segkit.pipeline")
def save(path: str | Path, **options: Any) -> Step:
    """Save what the step before made; a table for ``.csv``, ``.tsv``, ``.parquet``.

    ``{name}`` in the path is the name of the image without its suffix.
    """
    return _step("save", (path,), **options)


# What the special steps take.
SIGNATURES: Mapping[str, Callable[..., Any]] = {
    "load": load,
    "tile": tile,
    "label": label,
    "remove_small_objects": remove_small_objects,
    "clear_border": clear_border,
    "keep_largest": keep_largest,
    "keep_within": keep_within,
    "regionprops": regionprops,
    "classify": classify,
    "reconstruct": reconstruct,
    "save": save,
}
