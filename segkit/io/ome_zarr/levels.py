"""The levels of an OME-Zarr on disk: empty arrays, and the metadata that list them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from segkit.io.axes import BY_NUMBER, is_nameless
from segkit.io.ome_zarr.metadata import multiscales
from segkit.io.ome_zarr.shown import shown_channels

if TYPE_CHECKING:
    from pathlib import Path

    from segkit.io.image import Image

# Zstd at level 1 is at the disk's speed on grey voxels and shrinks labels 100x.
_ZSTD_LEVEL = 1


def create_level(
    path: Path,
    name: str,
    image: Image,
    shape: tuple[int, ...],
    chunks: tuple[int, ...],
) -> Any:
    """Create the empty array of one level."""
    import zarr

    group = zarr.open_group(path, mode="r+")
    options: dict[str, Any] = {"config": {"write_empty_chunks": True}}
    if group.metadata.zarr_format == 2:
        from numcodecs import Zstd  # type: ignore[import-untyped]  # has no stubs

        options["compressors"] = [Zstd(level=_ZSTD_LEVEL)]
        options["chunk_key_encoding"] = {"name": "v2", "separator": "/"}
    else:
        from zarr.codecs import ZstdCodec

        # The checksum turns a flipped bit into an error instead of other voxels.
        options["compressors"] = [ZstdCodec(level=_ZSTD_LEVEL, checksum=True)]
        options["dimension_names"] = list(image.axes)
    return group.create_array(
        name, shape=shape, chunks=chunks, dtype=image.dtype, fill_value=0, **options
    )


def describe(
    path: Path,
    image: Image,
    factors: list[tuple[int, ...]],
    *,
    labels: bool,
    shift: bool,
) -> None:
    """Write the multiscales metadata, in the place of the format's version."""
    old = (path / ".zgroup").is_file()
    version = "0.4" if old else "0.5"
    found: dict[str, Any] = {
        "multiscales": multiscales(
            image_name(path.name), image, version=version, factors=factors, shift=shift
        )
    }
    own = {BY_NUMBER: True} if is_nameless(image) else {}
    found |= shown_channels(image)
    if labels:
        found["image-label"] = {"version": version}
    if old:
        (path / ".zattrs").write_text(json.dumps(found | own, indent=1))
        return
    file = path / "zarr.json"
    metadata = json.loads(file.read_bytes())
    metadata["attributes"] = {"ome": {"version": version, **found}, **own}
    file.write_text(json.dumps(metadata, indent=1))


def image_name(name: str) -> str:
    """Return the name of an image without what marks it as unfinished.

    Examples
    --------
    >>> image_name("a.zarr.partial"), image_name(".0123456789ab.a.zarr")
    ('a', 'a')
    """
    name = re.sub(r"^\.[0-9a-f]{12}\.|(\.[0-9a-f]{12})?\.partial$", "", name)
    return name.removesuffix(".zarr")
