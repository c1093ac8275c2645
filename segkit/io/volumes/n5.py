"""N5: datasets and groups of scales, read by box.

Its axes are stored from x on, and are turned round here. Which step and unit they have
is said in several ways: by ``transform`` (COSEM), by ``pixelResolution`` times
``downsamplingFactors`` or ``scales`` (n5-viewer, BigDataViewer), by ``resolution``.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segkit.io.arranged.coarser import coarser_levels
from segkit.io.axes import by_number, is_nameless, letters_of, require_axes
from segkit.io.calibration import UNKNOWN_UNIT, doubt_length, physical
from segkit.io.elsewhere.layout import Layout
from segkit.io.elsewhere.place import folders
from segkit.io.elsewhere.voxels import StoredVoxels
from segkit.io.errors import ImageRequestError, parsing
from segkit.io.formats import Format
from segkit.io.image import Image
from segkit.io.volumes.here import chunks_of, create_here, ours, reopen_here, save_here
from segkit.io.volumes.precomputed import require_level

if TYPE_CHECKING:
    from segkit.io.elsewhere.place import Node
    from segkit.io.options import OpenOptions, SaveOptions

ATTRIBUTES = "attributes.json"
DRIVER = "n5"
_MOST_LEVELS = 32
_COMPRESSIONS: dict[str, dict[str, Any]] = {
    "raw": {"type": "raw"},
    "gzip": {"type": "gzip", "level": 1},
    "zstd": {"type": "zstd", "level": 1},
    "blosc": {"type": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1},
}


def attributes_of(node: Node) -> dict[str, Any]:
    """Return the attributes of a group or dataset; a group may have none."""
    file = node / ATTRIBUTES
    found: dict[str, Any] = json.loads(file.read_bytes()) if file.is_file() else {}
    return found


def is_dataset(found: dict[str, Any]) -> bool:
    """Say whether attributes are those of a dataset."""
    return "dimensions" in found and "dataType" in found


def is_n5(node: Node) -> bool:
    """Say whether a folder is a group or dataset of N5 by its attributes."""
    if not (node / ATTRIBUTES).is_file():
        return False
    with parsing(str(node), ATTRIBUTES):
        found = attributes_of(node)
        return is_dataset(found) or "n5" in found or bool(_levels(node, found))


def open_n5(node: Node, options: OpenOptions) -> Image:
    """Return a dataset, or one level of a group of scales.

    Raises
    ------
    ImageRequestError
        If it is a group of several, or has no such level.
    DamagedImageError
        If its attributes contradict the format.
    """
    where = node / options.key if options.key else node
    shown = str(where)
    with parsing(shown, ATTRIBUTES):
        group = attributes_of(where)
        if is_dataset(group):
            require_level(shown, options.level, 1)
            return _opened(where, group, {}, 0, 1, options)
        names = _levels(where, group)
        if not names:
            inside = ", ".join(folders(where)[:12])
            raise ImageRequestError(
                shown,
                f"is a group of N5 without scales; choose a dataset by key=: {inside}"
                if inside
                else "has no N5 dataset; choose one by key= or ::key",
            )
        require_level(shown, options.level, len(names))
        level = where / names[options.level]
        own = attributes_of(level)
        image = _opened(level, own, group, options.level, len(names), options)
        return replace(image, path=shown)


def _levels(node: Node, group: dict[str, Any]) -> list[str]:
    """Return the names of the datasets of a group, the finest first."""
    for multiscale in group.get("multiscales") or ():
        return [str(one["path"]).strip("/") for one in multiscale["datasets"]]
    found = []
    for number in range(_MOST_LEVELS):
        if not (node / f"s{number}" / ATTRIBUTES).is_file():
            break
        found.append(f"s{number}")
    return found


def _opened(
    node: Node,
    own: dict[str, Any],
    group: dict[str, Any],
    level: int,
    levels: int,
    options: OpenOptions,
) -> Image:
    voxels = StoredVoxels.at(
        node,
        {"driver": DRIVER},
        (node / ATTRIBUTES,),
        turned=True,
        missing=options.missing,
    )
    count = len(voxels.shape)
    stated = _axes(own, count) or _axes(group, count)
    axes = options.axes or stated or by_number(count)
    require_axes(str(node), axes, voxels.shape)
    steps = _by_name(own) or _by_order(own, group, level, axes)
    spacing, units = physical(axes, steps)
    named = bool(options.axes or stated or steps)
    return replace(Image(str(node), voxels, axes, spacing, units, levels), stated=named)


def _axes(found: dict[str, Any], count: int) -> str:
    """Return letters of axes from the last to the first, if they are named."""
    named = found.get("transform", {}).get("axes")
    if named is None and found.get("axes"):
        named = found["axes"][::-1]
    if not named or len(named) != count:
        return ""
    names = [one.get("name") if isinstance(one, dict) else str(one) for one in named]
    return letters_of(names)


def _by_name(own: dict[str, Any]) -> dict[str, tuple[Any, str | None]]:
    """Return steps and units by letter, where a dataset has a transform."""
    transform = own.get("transform", {})
    scale, names = transform.get("scale"), transform.get("axes")
    if not scale or not names:
        return {}
    if len(scale) != len(names):
        doubt_length("".join(letters_of([str(name) for name in names])), scale)
        return {}
    units = transform.get("units") or [None] * len(names)
    letters = letters_of([str(name) for name in names])
    return dict(zip(letters, zip(scale, units, strict=True), strict=True))


def _by_order(
    own: dict[str, Any], group: dict[str, Any], level: int, axes: str
) -> dict[str, tuple[Any, str | None]]:
    """Return steps and units by letter, where they stand from x on."""
    stored = axes[::-1]
    found = (_first(name, own, group) for name in ("pixelResolution", "resolution"))
    resolution: Any = next(filter(None, found), None)
    unit = None
    if isinstance(resolution, dict):
        unit, resolution = resolution.get("unit"), resolution.get("dimensions")
    if not resolution:
        return {}
    if len(resolution) > len(stored):  # fewer are those of space, from x on
        doubt_length(stored, resolution)
        return {}
    units = _first("units", own, group)
    if not isinstance(units, list) or len(units) < len(resolution):
        units = [unit or (units if isinstance(units, str) else None)] * len(resolution)
    factors = own.get("downsamplingFactors") or _of_level(group, level)
    factors = factors or [1] * len(resolution)
    return {
        name: (float(step) * float(factor), own_unit)
        for name, step, factor, own_unit in zip(
            stored, resolution, factors, units, strict=False
        )
    }


def _first(name: str, *found: dict[str, Any]) -> Any:
    return next((one[name] for one in found if one.get(name)), None)


def _of_level(group: dict[str, Any], level: int) -> Any:
    """Return by how much a level of a group is coarser than its first."""
    scales = group.get("scales") or group.get("downsamplingFactors") or ()
    return scales[level] if level < len(scales) else None


def n5_layout(image: Image, options: SaveOptions) -> Layout:
    """Return how an image becomes an N5 group of scales, ``s0`` the finest.

    Raises
    ------
    ImageRequestError
        If it cannot hold the image.
    """
    if image.dtype.kind not in "iuf" or image.dtype == "float16":
        raise ImageRequestError(
            image.path, f"N5 holds no {image.dtype}; convert it to uint8, for example"
        )
    chunks = chunks_of(image, options, (64, 64, 64))
    own: dict[str, Any] = {
        "dimensions": list(image.shape[::-1]),
        "blockSize": list(chunks[::-1]),
        "dataType": str(image.dtype),
        "compression": _COMPRESSIONS[(options.compression or "gzip").lower()],
    }
    found = list(coarser_levels(image.axes, image.shape, options.levels))
    scales = [[1] * image.ndim, *([*factors[::-1]] for factors, _ in found)]
    group: dict[str, Any] = {"n5": "4.0.0", "scales": scales}
    if not is_nameless(image):
        group["axes"] = list(image.axes[::-1])
        if image.stated:
            group["resolution"] = list(image.spacing[::-1])
            units = [u if u != UNKNOWN_UNIT else "" for u in image.units[::-1]]
            group["units"] = units
    text = json.dumps(own, indent=1)
    base = Layout(
        "n5",
        {"driver": DRIVER, "metadata": own},
        "s0",
        (("s0/" + ATTRIBUTES, text), (ATTRIBUTES, json.dumps(group, indent=1))),
        "s0/",
        "/",
        image.shape,
        image.dtype.str,
        chunks,
        image.axes,
        image.spacing,
        image.units,
        turned=True,
    )
    return _with_coarser(base, found)


def _with_coarser(
    base: Layout, found: list[tuple[tuple[int, ...], tuple[int, ...]]]
) -> Layout:
    """Return how the group lies with its coarser scales."""
    coarser = [
        _coarser(base, number, factors, shape)
        for number, (factors, shape) in enumerate(found, start=1)
    ]
    arrays = [document for level in coarser for document in level.documents]
    documents = (base.documents[0], *arrays, base.documents[-1])
    return replace(base, coarser=tuple(coarser), documents=documents)


def _coarser(
    base: Layout, number: int, factors: tuple[int, ...], shape: tuple[int, ...]
) -> Layout:
    """Return how a coarser scale lies below the group."""
    own = {**base.spec["metadata"], "dimensions": list(shape[::-1])}
    text = json.dumps({**own, "downsamplingFactors": list(factors[::-1])}, indent=1)
    return replace(
        base,
        spec={**base.spec, "metadata": own},
        folder=f"s{number}",
        documents=((f"s{number}/{ATTRIBUTES}", text),),
        prefix=f"s{number}/",
        shape=shape,
    )


N5 = Format(
    name="n5",
    title="N5",
    suffixes=(".n5",),
    marks=(ATTRIBUTES,),
    is_marked=is_n5,
    folder=True,
    elsewhere=True,
    open_options=frozenset({"key", "level", "missing"}),
    save_options=frozenset({"chunks", "compression", "levels", "downscale"}),
    compressions=tuple(_COMPRESSIONS),
    library="tensorstore",
    unstated=frozenset({"channels"}),
    open=open_n5,
    save=save_here(n5_layout),
    create=create_here(n5_layout),
    reopen=reopen_here(n5_layout),
    layout=n5_layout,
    ours=ours,
)
