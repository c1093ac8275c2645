"""Images that are given together: run one after the other, each of them once.

A file has many names, through links, folders and ``::``, and an image may lie in
several files, each of which opens it. Two names of one image would count its objects
twice.
"""

from __future__ import annotations

import reprlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from segkit.io.elsewhere.address import is_address, parse_address
from segkit.io.errors import ImageError
from segkit.io.formats import format_at
from segkit.io.image import Image
from segkit.io.opening import require_readable
from segkit.io.sources import Grey, Measured, Selected
from segkit.pipeline.spacings import common_unit
from segkit.pipeline.stage_work import load_step, name_of
from segkit.pipeline.steps import PipelineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from segkit.arrays import Array
    from segkit.pipeline.result import Result
    from segkit.pipeline.steps import Step

Place: TypeAlias = tuple[object, ...]
"""Where voxels lie: which file, what in it, and what is chosen of that."""


def run_each(
    steps: Sequence[Step],
    images: Sequence[Array | Image | str | Path],
    *,
    out: Path,
    overwrite: bool,
    run_one: Callable[..., Result],
) -> list[Result]:
    """Run a pipeline over several images, one after the other.

    Parameters
    ----------
    steps, images, out, overwrite
        Of `Pipeline.run`.
    run_one : callable
        Runs it over one image.

    Raises
    ------
    PipelineError
        Before any work if there is no image, one is none or given twice, files would be
        written twice, or bounds would be of several units; later the error of one
        image, which is named.
    OSError
        If an image is not there or must not be read, or a file is in the way; before
        any work, too.
    """
    from segkit.pipeline.in_memory import require_free

    if not images:
        raise PipelineError("no image: the list of images is empty")
    for number, image in enumerate(images, start=1):
        if isinstance(image, (str, Path)):
            require_readable(image)
        elif not isinstance(image, (Image, np.ndarray)):
            raise PipelineError(
                f"image {number} of the list is {reprlib.repr(image)}; give paths,"
                " opened images or arrays, and numbers as one numpy.array(...)"
            )
    opened = [(image, _opened(steps, image)) for image in images]
    require_each_once(opened)
    unit = common_unit(steps, opened)
    names = [name_of(image) for image in images]
    require_free(steps, out, names, overwrite=overwrite)
    results = []
    for number, image in enumerate(images, start=1):
        try:
            results.append(run_one(image, unit=unit))
        except PipelineError as error:
            which = getattr(image, "path", image)
            which = f"image {number}" if isinstance(image, np.ndarray) else which
            raise PipelineError(f"{which}: {error}") from error
    return results


def require_each_once(images: Iterable[tuple[object, Image | None]]) -> None:
    """Raise `PipelineError` if voxels of two images lie in one place.

    Parameters
    ----------
    images : iterable of (object, Image or None)
        What was given: a path or an opened image; anything else, such as an array, is
        passed over. Beside it the image that it opens; None if it was not opened, and
        only its path tells which one it is.

    Examples
    --------
    >>> import tempfile, pathlib, numpy as np
    >>> path = pathlib.Path(tempfile.mkdtemp(), "cells.npy")
    >>> np.save(path, np.zeros((4, 5)))
    >>> require_each_once([(path, None), (f"{path.parent}/./{path.name}", None)])
    Traceback (most recent call last):
    segkit.pipeline.PipelineError: /...cells.npy and /...cells.npy are one image, ...
    """
    seen: dict[Place, object] = {}
    for given, image in images:
        places = [*_places(given, image)]
        for place in places:
            if place in seen:
                raise PipelineError(_once(seen[place], given, image))
        seen.update(dict.fromkeys(places, given))


def _once(first: object, second: object, image: Image | None) -> str:
    first, second = (getattr(one, "path", one) for one in (first, second))
    if str(first) == str(second):
        return f"{first} is given twice; give it once, or its objects count twice"
    several = image.files if image is not None else ()
    why = f", which lies in {len(several) + 1} files" if several else ""
    return (
        f"{first} and {second} are one image{why}, or share a part of it; give one of"
        " them, or its objects count twice"
    )


def _opened(steps: Sequence[Step], image: Any) -> Image | None:
    """Return an image opened, if that tells more than its path and format do."""
    from segkit.pipeline.in_memory import open_by

    if isinstance(image, Image):
        return image
    step = load_step(steps)
    described = step is not None and {"spacing", "units"} & step.keywords.keys()
    if isinstance(image, (str, Path)) and (described or _may_say_more(image)):
        with suppress(ImageError):  # which is told when its turn comes
            return open_by(steps, image)
    return None


def _may_say_more(path: str | Path) -> bool:
    """Say whether a file may have a spacing, or its image lie in several files."""
    if is_address(path):
        return True
    where = _split(str(path))[0]
    try:
        return format_at(where).name not in ("picture", "npy")
    except (OSError, ImageError):
        return False  # who opens it says what is wrong


def _places(given: object, image: Image | None) -> Iterator[Place]:
    """Yield where the voxels of an image lie; nothing if that is in memory."""
    path = given if isinstance(given, (str, Path)) else getattr(image, "path", "")
    if is_address(path):
        of_image = _chosen(image.source)[1] if image is not None else []
        yield "elsewhere", str(parse_address(path)), *of_image
        return
    if image is None:
        if isinstance(given, (str, Path)):
            where, inside = _split(str(given))
            yield from _identity(where, inside, 0)
        return
    where, inside = _split(image.path)
    source, chosen = _chosen(image.source)
    if getattr(source, "key", None) is not None:  # HDF5: arrays with several names
        yield from _dataset(where, source.key, *chosen)
        return
    if hasattr(source, "path"):
        where, inside = Path(source.path), ""
    asked = image.asked.series if image.asked is not None else None
    which = getattr(source, "series", asked) or 0
    for file in [where, *map(Path, image.files)]:
        yield from _identity(file, inside, which, *chosen)


def _identity(file: Path, *within: object) -> Iterator[Place]:
    with suppress(OSError):  # no file: an array that was given a name
        found = file.stat()
        yield found.st_dev, found.st_ino, *within


def _dataset(path: Path, key: str, *within: object) -> Iterator[Place]:
    import h5py

    with suppress(OSError, KeyError), h5py.File(path, "r") as file:
        dataset = file[key]
        address = h5py.h5o.get_info(dataset.id).addr
        yield from _identity(Path(dataset.file.filename), address, *within)


def _chosen(source: Any) -> tuple[Any, list[object]]:
    """Return where voxels come from, and what of it; axes of length 1 are no choice."""
    steps: list[Selected | Grey] = []
    while isinstance(source, (Selected, Grey, Measured)):
        if not isinstance(source, Measured):
            steps.append(source)
        source = source.source
    left = list(range(len(source.shape)))
    chosen: list[object] = []
    for step in reversed(steps):
        axis = left.pop(step.axis)
        if source.shape[axis] > 1:
            chosen.append((axis, getattr(step, "index", "grey")))
    return source, sorted(chosen, key=repr)


def _split(text: str) -> tuple[Path, str]:
    """Return the path of a file, and what is meant in it, spelt in one way."""
    if "::" not in text or Path(text).exists():
        return Path(text), ""
    where, _, inside = text.partition("::")
    return Path(where), "/".join(filter(None, inside.split("/")))
