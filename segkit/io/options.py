"""What a format is asked for: which image of a file, and how one is to be written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Missing = Literal["error", "fill"]
Compression = Literal[
    "zlib", "zstd", "lzw", "raw", "png", "gzip", "blosc", "compressed_segmentation"
]
OmeVersion = Literal["0.4", "0.5"]
Downscale = Literal["mean", "nearest", "mode"]


@dataclass(frozen=True, slots=True)
class OpenOptions:
    """Which image of a file or folder is meant; see `segkit.open_image`."""

    key: str | None = None
    series: int | None = None
    level: int = 0
    axes: str | None = None
    well: str | None = None
    pattern: str | None = None
    missing: Missing = "error"


@dataclass(frozen=True, slots=True)
class SaveOptions:
    """How an image is written; see `segkit.save`. A key is what follows ``::``."""

    key: str = ""
    compression: Compression | None = None
    chunks: int | Sequence[int] | None = None
    labels: bool = False
    levels: int = 1
    downscale: Downscale | None = None
    ome_version: OmeVersion = "0.5"
    offset: Sequence[int] | None = None
