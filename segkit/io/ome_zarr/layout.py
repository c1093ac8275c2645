"""What an OME-Zarr is made of when it is written elsewhere."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segkit import checks
from segkit.io.arranged.coarser import coarser_levels
from segkit.io.axes import BY_NUMBER, is_nameless
from segkit.io.elsewhere.layout import Layout
from segkit.io.errors import ImageRequestError
from segkit.io.ome_zarr.levels import image_name
from segkit.io.ome_zarr.metadata import multiscales, require_ome_axes
from segkit.io.ome_zarr.shown import shown_channels
from segkit.io.ome_zarr.writing import default_chunks

if TYPE_CHECKING:
    from segkit.io.image import Image
    from segkit.io.options import SaveOptions

_ZSTD_LEVEL = 1
_BASE = "0"


def zarr_layout(image: Image, options: SaveOptions) -> Layout:
    """Return how an image becomes an OME-Zarr, compressed as it is here.

    Raises
    ------
    ImageRequestError
        If it cannot hold the image.
    """
    version = options.ome_version
    if version not in ("0.4", "0.5"):
        raise ImageRequestError(
            image.path, f"OME-Zarr {version!r} is neither 0.4 nor 0.5"
        )
    require_ome_axes(image)
    chunks = options.chunks
    if chunks is None:
        chunks = default_chunks(image.axes, image.shape)
    chunks = checks.per_axis(chunks, image.ndim, name="chunks", least=1)
    new = version == "0.5"
    array = (_array_3 if new else _array_2)(image, chunks)
    found = list(coarser_levels(image.axes, image.shape, options.levels))
    factors = [(1,) * image.ndim, *(own for own, _ in found)]
    group = (_group_3 if new else _group_2)(_described(image, options, factors))
    name = "zarr.json" if new else ".zarray"
    base = Layout(
        "zarr",
        {"driver": "zarr3" if new else "zarr", "metadata": array},
        _BASE,
        ((f"{_BASE}/{name}", json.dumps(array, indent=1)), *group),
        f"{_BASE}/c/" if new else f"{_BASE}/",
        "/",
        image.shape,
        image.dtype.str,
        chunks,
        image.axes,
        image.spacing,
        image.units,
    )
    coarser = [
        _coarser(base, str(number), shape)
        for number, (_, shape) in enumerate(found, start=1)
    ]
    arrays = [document for level in coarser for document in level.documents]
    documents = (base.documents[0], *arrays, *group)
    return replace(base, coarser=tuple(coarser), documents=documents)


def _coarser(base: Layout, name: str, shape: tuple[int, ...]) -> Layout:
    """Return how a coarser level lies beside the finest one."""
    array = {**base.spec["metadata"], "shape": list(shape)}
    document = base.documents[0][0].removeprefix(_BASE)
    return replace(
        base,
        spec={**base.spec, "metadata": array},
        folder=name,
        documents=((name + document, json.dumps(array, indent=1)),),
        prefix=name + base.prefix.removeprefix(_BASE),
        shape=shape,
    )


def _fill(image: Image) -> Any:
    return {"b": False, "f": 0.0, "c": [0.0, 0.0]}.get(image.dtype.kind, 0)


def _array_3(image: Image, chunks: tuple[int, ...]) -> dict[str, Any]:
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(image.shape),
        "data_type": str(image.dtype),
        "chunk_grid": {
            "name": "regular",
            "configuration": {"chunk_shape": list(chunks)},
        },
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": _fill(image),
        "codecs": [
            {"name": "bytes", "configuration": {"endian": "little"}},
            {"name": "zstd", "configuration": {"level": _ZSTD_LEVEL, "checksum": True}},
        ],
        "attributes": {},
        "dimension_names": list(image.axes),
    }


def _array_2(image: Image, chunks: tuple[int, ...]) -> dict[str, Any]:
    if image.dtype.kind == "c":
        raise ImageRequestError(
            image.path, "OME-Zarr 0.4 holds no complex numbers elsewhere; take 0.5"
        )
    return {
        "zarr_format": 2,
        "shape": list(image.shape),
        "chunks": list(chunks),
        "dtype": image.dtype.str,
        "compressor": {"id": "zstd", "level": _ZSTD_LEVEL},
        "fill_value": _fill(image),
        "order": "C",
        "filters": None,
        "dimension_separator": "/",
    }


def _described(
    image: Image, options: SaveOptions, factors: list[tuple[int, ...]]
) -> dict[str, Any]:
    """Return the attributes of the image, those of OME under that name."""
    version = options.ome_version
    name = image_name(image.path.partition("?")[0].rpartition("/")[2])
    shift = options.downscale not in (None, "nearest")
    levels = multiscales(name, image, version=version, factors=factors, shift=shift)
    ome: dict[str, Any] = {
        "version": version,
        "multiscales": levels,
        **shown_channels(image),
    }
    if options.labels:
        ome["image-label"] = {"version": version}
    return {"ome": ome, **({BY_NUMBER: True} if is_nameless(image) else {})}


def _group_3(described: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    whole = {"zarr_format": 3, "node_type": "group", "attributes": described}
    return (("zarr.json", json.dumps(whole, indent=1)),)


def _group_2(described: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    ome = described.pop("ome")
    del ome["version"]
    return (
        (".zgroup", json.dumps({"zarr_format": 2})),
        (".zattrs", json.dumps(ome | described, indent=1)),
    )
