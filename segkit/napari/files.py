"""Files as napari opens and saves them. It is not imported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from segkit import io
from segkit.napari.layer_data import image_of, layers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from segkit.napari.layer_data import LayerData


def reader_of(
    path: str | Sequence[str],
) -> Callable[[str | Sequence[str]], list[LayerData]] | None:
    """Return what reads a path; None to leave it to other plug-ins.

    That is what is no image, and several paths, which are to be stacked: a folder of
    planes is one path. Of an image that cannot be opened as it is, such as one of
    several in a file, `read` says why.

    Examples
    --------
    >>> reader_of("nothing.tif"), reader_of(["a.tif", "b.tif"])
    (None, None)
    """
    paths = [path] if isinstance(path, str) else [*path]
    return read if len(paths) == 1 and _is_image(paths[0]) else None


def _is_image(path: str) -> bool:
    try:
        io.open_image(path)
    except (io.NotAnImageError, FileNotFoundError):
        return False
    except (io.ImageError, OSError):
        return True
    return True


def read(path: str | Sequence[str]) -> list[LayerData]:
    """Return the layers of what `segkit.open_image` reads, each opened lazily.

    Raises
    ------
    ImageError, OSError
        As `segkit.open_image`: napari shows the sentence.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> file = Path(tempfile.mkdtemp(), "cells.tif")
    >>> _ = io.save(file, np.eye(9, dtype=np.uint8), spacing=(2, 2))
    >>> [(data, options, kind)] = read(str(file))
    >>> options["name"], options["scale"], data[3, 3:5]
    ('cells', (2.0, 2.0), array([1, 0], dtype=uint8))
    """
    (one,) = [path] if isinstance(path, str) else path
    image = io.open_image(one)
    coarser = [io.open_image(one, level=k) for k in range(1, image.levels)]
    return layers_of([image, *coarser], Path(one).name.partition(".")[0] or one)


def write_labels(path: str, data: Any, options: Mapping[str, Any]) -> list[str]:
    """Save a layer of labels by `segkit.save`, with its spacing, and say where.

    What lies there is replaced, as napari has asked for that; a folder only if it is
    an image as segkit writes it. Pictures and npy hold no spacing.

    Raises
    ------
    ImageError, FileExistsError
        As `segkit.save`.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> file = Path(tempfile.mkdtemp(), "labels.tif")
    >>> _ = write_labels(str(file), np.eye(9, dtype=np.int32), {"scale": (2, 2)})
    >>> io.open_image(file).spacing
    (2.0, 2.0)
    """
    image = image_of(data, options)
    return [str(io.save(path, image, labels=True, overwrite=True))]
