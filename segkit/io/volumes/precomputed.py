"""Neuroglancer's precomputed volumes, read by box at one of their scales.

Their axes are stored as x, y, z, channel, and are turned round here; a single channel
is left out. `resolution` is in nanometers. A volume may begin at another voxel than 0
(`voxel_offset`); its image begins at 0 all the same, and what is saved of it as
precomputed begins where it does.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks
from segkit.io.arranged.coarser import coarser_levels
from segkit.io.axes import require_axes
from segkit.io.calibration import in_unit, is_length, physical
from segkit.io.elsewhere.layout import Layout
from segkit.io.elsewhere.voxels import StoredVoxels
from segkit.io.elsewhere.zipped import is_zipped
from segkit.io.errors import ImageRequestError, NotAnImageError, parsing
from segkit.io.formats import Format
from segkit.io.image import Image
from segkit.io.sources import offset_of
from segkit.io.volumes.here import chunks_of, create_here, ours, reopen_here, save_here

if TYPE_CHECKING:
    from segkit.io.elsewhere.place import Node
    from segkit.io.options import OpenOptions, SaveOptions

INFO = "info"
DRIVER = "neuroglancer_precomputed"
_BLOCK = [8, 8, 8]
"""Of compressed segmentations: what Neuroglancer's documentation takes."""
_HELD = {
    "png": ("uint8", "uint16"),
    "compressed_segmentation": ("uint32", "uint64"),
}
_UNSIGNED = ["uint8", "uint16", "uint32", "uint64"]
_TYPES = {
    "image": [*_UNSIGNED, "int8", "int16", "int32", "float32"],
    "segmentation": _UNSIGNED,
}


def open_precomputed(node: Node, options: OpenOptions) -> Image:
    """Return one scale of a precomputed volume.

    Raises
    ------
    ImageRequestError
        If there is no such scale.
    NotAnImageError
        If it is precomputed, but of meshes or skeletons.
    DamagedImageError
        If `info` contradicts the format.
    """
    where = node / options.key if options.key else node
    shown = str(where)
    if options.key and not (where / INFO).is_file():
        raise ImageRequestError(str(node), f"has no volume {options.key!r}")
    with parsing(shown, INFO):
        info = json.loads((where / INFO).read_bytes())
        scales = info.get("scales")
        if not scales:
            kind = info.get("@type", "no scales")
            raise NotAnImageError(shown, f"is precomputed without voxels ({kind})")
        require_level(shown, options.level, len(scales))
        scale = scales[options.level]
        steps = dict(zip("xyz", scale["resolution"], strict=True))
        offset = tuple(int(n) for n in scale.get("voxel_offset", (0, 0, 0)))[::-1]
        single = int(info.get("num_channels", 1)) == 1
    spec: dict[str, Any] = {"driver": DRIVER, "scale_index": options.level}
    if isinstance(where, Path) and is_zipped(where / str(scale["key"])):
        spec["zipped"] = str(scale["key"])
    voxels = StoredVoxels.at(
        where,
        spec,
        (where / INFO,),
        turned=True,
        squeezed=single,
        missing=options.missing,
        offset=offset if single else (0, *offset),
    )
    axes = options.axes or ("zyx" if single else "czyx")
    require_axes(shown, axes, voxels.shape)
    spacing, units = physical(axes, {n: (step, "nm") for n, step in steps.items()})
    return Image(shown, voxels, axes, spacing, units, len(scales))


def require_level(shown: str, level: int, count: int) -> None:
    """Raise `ImageRequestError` if a volume has no such level."""
    if not 0 <= level < count:
        raise ImageRequestError(
            shown, f"has {count} scales; level={level} is none of them"
        )


def is_precomputed(node: Node) -> bool:
    """Say whether a folder has an `info` of a volume, or of what belongs to one."""
    file = node / INFO
    if not file.is_file():
        return False
    try:
        found: Any = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and bool({"@type", "scales"} & found.keys())


def precomputed_layout(image: Image, options: SaveOptions) -> Layout:
    """Return how an image becomes a precomputed volume.

    Labels become a segmentation of 32 or 64 bits without sign, compressed as such.

    Raises
    ------
    ImageRequestError
        If it cannot hold the image.
    """
    _require_axes(image)
    single = image.axes == "zyx"
    whole = _described(image, options.labels)
    scale = _scale(image, whole, options)
    chunks = chunks_of(image, options, (64, 64, 64))
    stored = list(chunks[-1:-4:-1])
    found = list(coarser_levels(image.axes, image.shape, options.levels))
    coarser = [_coarser(image, scale, factors[-3:], shape) for factors, shape in found]
    scales = [{**one, "chunk_sizes": [stored]} for one in (scale, *coarser)]
    info = {"@type": "neuroglancer_multiscale_volume", **whole, "scales": scales}
    spec = {
        "driver": DRIVER,
        "multiscale_metadata": whole,
        "scale_metadata": {**scale, "chunk_size": stored},
    }
    offset = tuple(scale["voxel_offset"][::-1])
    base = Layout(
        format="precomputed",
        spec=spec,
        folder="",
        documents=((INFO, json.dumps(info, indent=1)),),
        prefix=f"{scale['key']}/",
        named="-",
        shape=image.shape,
        dtype=np.dtype(whole["data_type"]).str,
        chunks=chunks if single else (image.shape[0], *chunks[1:]),
        axes=image.axes,
        spacing=image.spacing,
        units=image.units,
        turned=True,
        squeezed=single,
        offset=offset if single else (0, *offset),
    )
    levels = [
        _at_level(base, {**one, "chunk_size": stored}, shape)
        for one, (_, shape) in zip(coarser, found, strict=True)
    ]
    return replace(base, coarser=tuple(levels))


def _at_level(base: Layout, scale: dict[str, Any], shape: tuple[int, ...]) -> Layout:
    """Return how a coarser scale lies beside the finest one."""
    return replace(
        base,
        spec={**base.spec, "scale_metadata": scale},
        prefix=f"{scale['key']}/",
        shape=shape,
        offset=(0,) * (not base.squeezed) + tuple(scale["voxel_offset"][::-1]),
    )


def _coarser(
    image: Image,
    scale: dict[str, Any],
    factors: tuple[int, ...],
    shape: tuple[int, ...],
) -> dict[str, Any]:
    """Return what `info` says of a coarser scale, of the finest one."""
    steps = [s * f for s, f in zip(scale["resolution"], factors[::-1], strict=True)]
    offset = scale["voxel_offset"]
    if any(n % f for n, f in zip(offset, factors[::-1], strict=True)):
        raise ImageRequestError(
            image.path,
            f"begins at voxel {tuple(offset[::-1])} of its volume, which no voxel of a"
            f" level {factors} times as coarse does; give an offset= that does, or"
            " fewer levels",
        )
    return {
        **scale,
        "key": "_".join(f"{step:g}" for step in steps),
        "size": list(shape[:-4:-1]),
        "resolution": steps,
        "voxel_offset": [n // f for n, f in zip(offset, factors[::-1], strict=True)],
    }


def _require_axes(image: Image) -> None:
    if image.axes not in ("zyx", "czyx"):
        raise ImageRequestError(
            image.path,
            f"axes {image.axes!r} cannot be held by a precomputed volume, which wants"
            " 'zyx' or 'czyx'; move or select axes first",
        )


def _described(image: Image, labels: bool) -> dict[str, Any]:
    """Return what `info` says of all scales."""
    kind = "segmentation" if labels else "image"
    dtype = _unsigned(image.dtype) if labels else image.dtype
    if str(dtype) not in _TYPES[kind]:
        raise ImageRequestError(
            image.path,
            f"a precomputed {kind} holds no {dtype}; convert it to one of"
            f" {', '.join(_TYPES[kind])}",
        )
    channels = 1 if image.axes == "zyx" else image.shape[0]
    return {"type": kind, "data_type": str(dtype), "num_channels": channels}


def _scale(image: Image, whole: dict[str, Any], options: SaveOptions) -> dict[str, Any]:
    """Return what `info` says of the scale, but for its chunks."""
    shape, steps = image.shape[-3:], _nanometers(image)
    given = offset_of(image.source)[-3:] if options.offset is None else options.offset
    offset = checks.per_axis(given, len(shape), name="offset", least=-(1 << 40))
    encoding = str(options.compression or _encoding(whole)).lower()
    held = _HELD.get(encoding, (whole["data_type"],))
    if whole["data_type"] not in held:
        raise ImageRequestError(
            image.path,
            f"compression={encoding!r} is for {', '.join(held)}, not for"
            f" {whole['data_type']}; leave it out",
        )
    scale = {
        "key": "_".join(f"{step:g}" for step in steps[::-1]),
        "size": list(shape[::-1]),
        "resolution": list(steps[::-1]),
        "voxel_offset": [int(n) for n in offset[::-1]],
        "encoding": encoding,
    }
    if encoding == "compressed_segmentation":
        scale["compressed_segmentation_block_size"] = _BLOCK
    return scale


def _unsigned(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type of a segmentation that holds labels of a type.

    Examples
    --------
    >>> import numpy as np
    >>> _unsigned(np.dtype("int32")), _unsigned(np.dtype("uint8"))
    (dtype('uint32'), dtype('uint8'))
    """
    return np.dtype(f"u{dtype.itemsize}") if dtype.kind == "i" else dtype


def _encoding(whole: dict[str, Any]) -> str:
    wide = whole["data_type"] in _HELD["compressed_segmentation"]
    fits = wide and whole["type"] == "segmentation"
    return "compressed_segmentation" if fits else "raw"


def _nanometers(image: Image) -> tuple[float, ...]:
    """Return the step of each axis of space; of pixels as if one were a nanometer."""
    return tuple(
        float(in_unit(step, unit, "nanometer") if is_length(unit) else step)
        for step, unit in list(zip(image.spacing, image.units, strict=True))[-3:]
    )


PRECOMPUTED = Format(
    name="precomputed",
    title="precomputed",
    suffixes=(".precomputed",),
    marks=(INFO,),
    is_marked=is_precomputed,
    folder=True,
    elsewhere=True,
    open_options=frozenset({"key", "level", "missing"}),
    save_options=frozenset(
        {"chunks", "labels", "compression", "offset", "levels", "downscale"}
    ),
    compressions=("raw", "png", "compressed_segmentation"),
    library="tensorstore",
    unstated=frozenset({"channels"}),
    open=open_precomputed,
    save=save_here(precomputed_layout),
    create=create_here(precomputed_layout),
    reopen=reopen_here(precomputed_layout),
    layout=precomputed_layout,
    ours=ours,
)
