"""Zarr arrays, OME-Zarr images (0.4 and 0.5) and HCS plates, read by box.

In Zarr a chunk that was never written is not an error: it reads as the fill value,
and so does one whose writer died or whose file was lost. A picture with silent black
boxes is worse than none, so a missing chunk is an error here unless the caller says
``missing='fill'``.
"""

from __future__ import annotations

import itertools
import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from segkit.io.errors import (
    DamagedImageError,
    ImageRequestError,
    NotAnImageError,
    missing_extra,
    parsing,
)
from segkit.io.image import SPATIAL, UNKNOWN_UNIT, Image, described
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

Missing = Literal["error", "fill"]


def is_zarr(path: Path) -> bool:
    """Say whether a folder is a node of a Zarr hierarchy."""
    return any((path / name).is_file() for name in ("zarr.json", ".zgroup", ".zarray"))


def attributes(path: Path) -> dict[str, Any]:
    """Return the attributes of a Zarr node, those of OME without their wrapper.

    Raises
    ------
    DamagedImageError
        If the metadata cannot be parsed.
    """
    for name in ("zarr.json", ".zattrs"):
        file = path / name
        if not file.is_file():
            continue
        try:
            metadata = json.loads(file.read_bytes())
        except (ValueError, UnicodeDecodeError) as error:
            raise DamagedImageError(path, f"{name} is damaged: {error}") from error
        if name == "zarr.json":
            metadata = metadata.get("attributes", {})
        return {**metadata, **metadata.get("ome", {})}
    return {}


def open_zarr(
    path: Path,
    *,
    key: str | None = None,
    series: int = 0,
    level: int = 0,
    missing: Missing = "error",
    axes: str | None = None,
) -> Image:
    """Return an array, or one level of a multiscale image, of a Zarr folder.

    Raises
    ------
    ImageRequestError
        If the path is a plate or a group and does not say which image is meant.
    """
    if key:
        path = inside(path, key)
    if _is_array(path):
        return _bare(path, missing, axes)
    found = attributes(path)
    if "multiscales" in found:
        with parsing(path, "multiscales metadata"):
            return _multiscale(path, found["multiscales"], level, missing)
    if "plate" in found:
        wells = [str(well["path"]) for well in found["plate"].get("wells", [])]
        raise ImageRequestError(
            path, f"is a plate; choose a well by well='...': {listed(wells)}"
        )
    if "well" in found:
        return open_zarr(
            inside(path, _field(path, found["well"], series)),
            level=level,
            missing=missing,
        )
    if "bioformats2raw.layout" in found:
        return open_zarr(inside(path, str(series)), level=level, missing=missing)
    images = sorted(
        child.name for child in path.iterdir() if child.is_dir() and is_zarr(child)
    )
    raise ImageRequestError(
        path,
        f"is a group without an image of its own; choose by key=: {listed(images)}",
    )


def listed(names: list[str]) -> str:
    """Return the first dozen names."""
    return ", ".join(names[:12]) + (" ..." if len(names) > 12 else "")


def inside(path: Path, key: str) -> Path:
    """Return the path of a node within a Zarr folder."""
    child = path / key.strip("/")
    if not is_zarr(child):
        raise ImageRequestError(path, f"has no array or group {key!r}")
    return child


def _is_array(path: Path) -> bool:
    if (path / ".zarray").is_file():
        return True
    file = path / "zarr.json"
    if not file.is_file():
        return False
    try:
        return bool(json.loads(file.read_bytes())["node_type"] == "array")
    except (ValueError, KeyError) as error:
        raise DamagedImageError(path, f"zarr.json is damaged: {error}") from error


def _field(path: Path, well: dict[str, Any], number: int) -> str:
    fields = [str(image["path"]) for image in well.get("images", [])]
    if not 0 <= number < len(fields):
        raise ImageRequestError(
            path,
            f"has {len(fields)} fields ({listed(fields)}); field {number} is not one"
            " of them",
        )
    return fields[number]


def _bare(path: Path, missing: Missing, axes: str | None) -> Image:
    source = ZarrChunks.of(path, missing)
    names = axes or _dimension_names(path)
    if names is not None and len(names) != len(source.shape):
        names = None
    return described(str(path), source, axes=names)


def _dimension_names(path: Path) -> str | None:
    """Return the letters of an array's dimensions, if all are single and known."""
    names = attributes(path).get("_ARRAY_DIMENSIONS")
    if (path / "zarr.json").is_file():
        names = json.loads((path / "zarr.json").read_bytes()).get("dimension_names")
    letters = "".join(str(name) for name in names or () if str(name) in "tczyxs")
    return letters if names and len(letters) == len(names) else None


def _multiscale(
    path: Path, multiscales: list[dict[str, Any]], level: int, missing: Missing
) -> Image:
    try:
        described_axes = multiscales[0]["axes"]
        datasets = multiscales[0]["datasets"]
        axes = "".join(
            axis["name"] if isinstance(axis, dict) else axis for axis in described_axes
        )
    except (LookupError, TypeError) as error:
        raise DamagedImageError(
            path, f"has multiscales metadata without axes or datasets: {error}"
        ) from error
    if not 0 <= level < len(datasets):
        raise ImageRequestError(
            path, f"has {len(datasets)} pyramid levels; level={level} is none of them"
        )
    units = tuple(
        str(axis.get("unit") or UNKNOWN_UNIT)
        if isinstance(axis, dict)
        else UNKNOWN_UNIT
        for axis in described_axes
    )
    scale = _scale(multiscales[0], datasets[level], len(axes))
    source = ZarrChunks.of(inside(path, str(datasets[level]["path"])), missing)
    image = described(str(path), source, axes=axes, spacing=scale, units=units)
    return replace(image, levels=len(datasets))


def _scale(
    multiscale: dict[str, Any], dataset: dict[str, Any], ndim: int
) -> list[float]:
    """Return the product of the scales of a dataset and of its multiscale."""
    scale = np.ones(ndim)
    for holder in (dataset, multiscale):
        for transformation in holder.get("coordinateTransformations", ()):
            if transformation.get("type") == "scale":
                scale = scale * np.asarray(transformation["scale"], float)
    return [float(step) if step > 0 else 1.0 for step in scale]


@known_as("segkit.names")
class ZarrChunks:
    """The voxels of a Zarr array on a filesystem, opened once per process."""

    def __init__(
        self, path: Path, missing: Missing, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        self.path = path
        self.missing = missing
        self.shape = shape
        self.dtype = dtype
        self._local = threading.local()

    @classmethod
    def of(cls, path: Path, missing: Missing) -> ZarrChunks:
        """Return the array at a path, which is opened anew in each process."""
        if missing not in ("error", "fill"):
            raise ImageRequestError(
                path, f"missing={missing!r} must be 'error' or 'fill'"
            )
        array = open_array(path, "r")
        if array.dtype.kind not in "biufc":
            raise NotAnImageError(path, f"holds {array.dtype}, not numbers")
        shape = tuple(int(n) for n in array.shape)
        return cls(path, missing, shape, np.dtype(array.dtype))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path, self.missing, self.shape, self.dtype)

    def _array(self) -> Any:
        if not hasattr(self._local, "array"):
            self._local.array = open_array(self.path, "r")
        return self._local.array

    def read(self, box: tuple[slice, ...]) -> NDArray[Any]:
        """Return the voxels of the box."""
        array = self._array()
        if self.missing == "error":
            absent = next(missing_chunks(array, self.path, box), None)
            if absent is not None:
                raise DamagedImageError(
                    self.path,
                    f"chunk {absent!r} is missing; write it again, or say"
                    " missing='fill' if chunks of the fill value were left out"
                    " on purpose",
                )
        with parsing(self.path, f"a chunk of {_text(box)}"):
            return np.asarray(array[box])


def _text(box: tuple[slice, ...]) -> str:
    return "[" + ", ".join(f"{part.start}:{part.stop}" for part in box) + "]"


def open_array(path: Path, mode: Literal["r", "r+"]) -> Any:
    """Return a zarr array; in writing, chunks of the fill value are stored too.

    Raises
    ------
    MissingExtraError
        If zarr is not installed.
    DamagedImageError
        If the metadata cannot be understood.
    """
    try:
        import zarr
    except ImportError as error:
        raise missing_extra(path, "zarr", "zarr") from error
    with parsing(path, "its Zarr metadata"):
        array = zarr.open_array(str(path), mode=mode)
    if mode == "r":
        return array
    return array.with_config({"write_empty_chunks": True})


def stored_unit(array: Any) -> tuple[int, ...]:
    """Return the shape of what one file of a Zarr array holds: a chunk or a shard."""
    return tuple(int(n) for n in (getattr(array, "shards", None) or array.chunks))


def missing_chunks(array: Any, path: Path, box: tuple[slice, ...]) -> Iterator[str]:
    """Yield the names of the files that `box` needs and that do not exist.

    Within a shard, chunks that were left out cannot be told from lost ones.
    """
    if any(part.stop <= part.start for part in box):
        return
    ranges = [
        range(part.start // size, -(-part.stop // size))
        for part, size in zip(box, stored_unit(array), strict=True)
    ]
    for position in itertools.product(*ranges):
        name = array.metadata.encode_chunk_key(position)
        if not (path / name).is_file():
            yield name


def multiscales(
    name: str,
    image: Image,
    *,
    version: str,
    factors: list[tuple[int, ...]],
    shift: bool = False,
) -> list[dict[str, Any]]:
    """Return the multiscales metadata of an image with levels of the given factors.

    `shift` says that a voxel of a level stands for the middle of those it came
    from (mean, mode), not for the first of them (nearest).
    """
    axes: list[dict[str, str]] = []
    for axis, unit in zip(image.axes, image.units, strict=True):
        kind = {"t": "time", "c": "channel"}.get(axis, "space")
        axes.append({"name": axis, "type": kind})
        if kind != "channel" and unit != UNKNOWN_UNIT:
            axes[-1]["unit"] = unit
    datasets = []
    for number, factor in enumerate(factors):
        scale = [s * f for s, f in zip(image.spacing, factor, strict=True)]
        steps: list[dict[str, Any]] = [{"type": "scale", "scale": scale}]
        if shift and number:
            offset = [
                s * (f - 1) / 2 for s, f in zip(image.spacing, factor, strict=True)
            ]
            steps.append({"type": "translation", "translation": offset})
        datasets.append({"path": str(number), "coordinateTransformations": steps})
    described_image: dict[str, Any] = {"name": name, "axes": axes, "datasets": datasets}
    if version == "0.4":
        described_image["version"] = version
    return [described_image]


def require_ome_axes(image: Image) -> None:
    """Raise `ImageRequestError` unless OME-Zarr can hold the axes."""
    spatial = "".join(name for name in image.axes if name in SPATIAL)
    order = [name for name in "tczyx" if name in image.axes]
    if "".join(order) != image.axes or spatial not in ("yx", "zyx"):
        raise ImageRequestError(
            image.path,
            f"axes {image.axes!r} cannot be held by OME-Zarr, which wants 'tczyx' or a"
            " part of it that ends in 'yx'; move or select axes first",
        )
