"""TIFF and OME-TIFF as formats; they are read alike."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from segkit.io.formats import Format
from segkit.io.mapped import MappedTarget
from segkit.io.options import OpenOptions
from segkit.io.tiff.reading import open_tiff
from segkit.io.tiff.writing import create_tiff, save_tiff

if TYPE_CHECKING:
    from pathlib import Path

    from segkit.io.image import Image
    from segkit.io.targets import Target


def _reopen(path: Path) -> tuple[Image, Target]:
    image = open_tiff(path, OpenOptions())
    return image, MappedTarget(image)


TIFF = Format(
    name="tiff",
    title="TIFF",
    suffixes=(".tif", ".tiff", ".btf"),
    magic=(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    open_options=frozenset({"series", "level"}),
    save_options=frozenset({"compression"}),
    compressions=("zlib", "zstd", "lzw"),
    open=open_tiff,
    save=partial(save_tiff, ome=False),
    create=partial(create_tiff, ome=False),
    reopen=_reopen,
)
OME_TIFF = replace(
    TIFF,
    name="ome-tiff",
    suffixes=(".ome.tif", ".ome.tiff"),
    save=partial(save_tiff, ome=True),
    create=partial(create_tiff, ome=True),
)
