"""Precomputed volumes and N5 in folders of this machine, written by many processes."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segkit import checks
from segkit.io.elsewhere.layout import Layout
from segkit.io.elsewhere.place import require_libraries
from segkit.io.elsewhere.voxels import place_of
from segkit.io.errors import DamagedImageError, parsing
from segkit.io.image import Image
from segkit.io.writing import copy_into

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from segkit.io.elsewhere.layout import Make
    from segkit.io.formats import Entries
    from segkit.io.options import Downscale, SaveOptions
    from segkit.io.targets import Target

_LAYOUT = ".layout.json"
_OURS = re.compile(r"info|attributes\.json|s\d+|[0-9.e+-]+(_[0-9.e+-]+){2}")


def chunks_of(
    image: Image, options: SaveOptions, spatial: Sequence[int]
) -> tuple[int, ...]:
    """Return the chunks that were asked for, or some of a quarter of a million voxels.

    Examples
    --------
    >>> import numpy as np
    >>> from segkit.io import as_image
    >>> from segkit.io.options import SaveOptions
    >>> chunks_of(as_image(np.zeros((2, 9, 80, 80))), SaveOptions(), (64, 64, 64))
    (1, 9, 64, 64)
    """
    if options.chunks is None:
        sizes = (1,) * image.ndim + tuple(spatial)
        wanted = sizes[len(sizes) - image.ndim :]
        return tuple(
            max(1, min(n, m)) for n, m in zip(image.shape, wanted, strict=True)
        )
    return checks.per_axis(options.chunks, image.ndim, name="chunks", least=1)


def create_here(
    layout: Callable[[Image, SaveOptions], Layout],
) -> Callable[[Path, Image, SaveOptions], None]:
    """Return what makes an image without chunks in a folder."""

    def create(path: Path, image: Image, options: SaveOptions) -> None:
        require_libraries(path)
        _begin(path, Layout.of(layout, image, replace(options, levels=1)))

    return create


def save_here(
    layout: Callable[[Image, SaveOptions], Layout],
) -> Callable[[Path, Image, SaveOptions], None]:
    """Return what writes a whole image into a folder."""

    def save(path: Path, image: Image, options: SaveOptions) -> None:
        create_here(layout)(path, image, options)
        copy_into(path, image)
        downscale = options.downscale or ("mode" if options.labels else "mean")
        reopen_here(layout)(path)[1].finish(path, options.levels, downscale)

    return save


def _begin(path: Path, layout: Layout) -> None:
    _write_documents(path, layout)
    (path / _LAYOUT).write_bytes(layout.to_json())


def _write_documents(path: Path, layout: Layout) -> None:
    for name, text in layout.documents:
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def reopen_here(
    layout: Callable[[Image, SaveOptions], Layout],
) -> Callable[[Path], tuple[Image, Target]]:
    """Return what finds an image under construction, and where its boxes go."""

    def reopen(path: Path) -> tuple[Image, Target]:
        with parsing(path, _LAYOUT):
            begun = Layout.from_json((path / _LAYOUT).read_bytes())
        target = _Chunks(path, begun, layout)
        axes = (begun.axes, begun.spacing, begun.units)
        return Image(str(path), target.voxels, *axes), target

    return reopen


class _Chunks:
    """Chunks in a folder."""

    def __init__(self, folder: Path, layout: Layout, make: Make) -> None:
        self._folder = folder
        self._make = make
        self._layout = layout
        self.voxels = layout.voxels(str(folder), *place_of(folder))
        self.chunks: tuple[int, ...] | None = layout.chunks

    def write(self, box: tuple[slice, ...], array: NDArray[Any]) -> None:
        """Write whole chunks, each of them a file."""
        self.voxels.write(box, array)

    def finish(self, path: Path, levels: int, downscale: Downscale) -> None:
        """Check that all chunks have been written, and write the coarser levels."""
        missing = [n for n in self._layout.chunk_names() if not self._has(n)]
        if missing:
            raise DamagedImageError(
                path,
                f"{len(missing)} chunks have not been written, the first is"
                f" {missing[0]!r}; write them, then finish",
            )
        layout = self._layout.with_levels(self._make, levels, downscale)
        layout.write_coarser(str(path), *place_of(self._folder), downscale)
        _write_documents(self._folder, layout)
        (self._folder / _LAYOUT).unlink()

    def _has(self, name: str) -> bool:
        return os.path.exists(f"{self._folder}/{name}")  # noqa: PTH110 - of thousands


def ours(folder: Path, entries: Entries) -> Container[str]:  # noqa: ARG001 - a field's
    """Return the names of metadata and of scales."""
    return {name for name in entries if _OURS.fullmatch(name)}
