"""What the metadata of a Zarr folder say, and what those of an image are to say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.io.axes import letters_of
from segkit.io.calibration import SPATIAL, UNKNOWN_UNIT
from segkit.io.errors import DamagedImageError, ImageRequestError

if TYPE_CHECKING:
    from segkit.io.elsewhere.place import Node
    from segkit.io.image import Image

MARKS = ("zarr.json", ".zgroup", ".zarray")
"""Of these files each node of a Zarr hierarchy holds one."""


def is_zarr(path: Node) -> bool:
    """Say whether a folder is a node of a Zarr hierarchy."""
    return any((path / name).is_file() for name in MARKS)


def attributes(path: Node) -> dict[str, Any]:
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


def listed(names: list[str]) -> str:
    """Return the first dozen names."""
    return ", ".join(names[:12]) + (" ..." if len(names) > 12 else "")


def inside(path: Node, key: str) -> Node:
    """Return the path of a node within a Zarr folder."""
    child = path / key.strip("/")
    if not is_zarr(child):
        raise ImageRequestError(path, f"has no array or group {key!r}")
    return child


def is_array(path: Node) -> bool:
    """Say whether a node is an array and not a group."""
    if (path / ".zarray").is_file():
        return True
    file = path / "zarr.json"
    if not file.is_file():
        return False
    try:
        return bool(json.loads(file.read_bytes())["node_type"] == "array")
    except (ValueError, KeyError) as error:
        raise DamagedImageError(path, f"zarr.json is damaged: {error}") from error


def dimension_names(path: Node) -> str | None:
    """Return letters for the dimensions of an array, if it names any."""
    names = attributes(path).get("_ARRAY_DIMENSIONS")
    if (path / "zarr.json").is_file():
        names = json.loads((path / "zarr.json").read_bytes()).get("dimension_names")
    return letters_of(names) if names and any(names) else None


def multiscale_axes(multiscale: dict[str, Any]) -> list[dict[str, Any]]:
    """Return name, type and unit of each axis, in any version of the format.

    Raises
    ------
    ValueError
        If none are stated, by a version that is not known.
    """
    axes = multiscale.get("axes")
    systems = multiscale.get("coordinateSystems")  # from 0.6 on
    if axes is None and systems:
        named = {system.get("name"): system["axes"] for system in systems}
        axes = named.get(_output(multiscale), systems[0]["axes"])
    if axes is None and str(multiscale.get("version") or "0.1") in ("0.1", "0.2"):
        axes = list("tczyx")
    if axes is None:
        version = multiscale.get("version")
        raise ValueError(f"version {version!r} without axes; give axes=")
    return [axis if isinstance(axis, dict) else {"name": axis} for axis in axes]


def channel_labels(found: dict[str, Any]) -> list[str | None]:
    """Return the names of channels that the attributes of an image state, for viewers.

    Examples
    --------
    >>> channel_labels({"omero": {"channels": [{"label": "DAPI"}, {}]}})
    ['DAPI', None]
    """
    shown = found.get("omero")
    channels = shown.get("channels") if isinstance(shown, dict) else None
    several = channels if isinstance(channels, list) else []
    return [one.get("label") if isinstance(one, dict) else None for one in several]


def _output(multiscale: dict[str, Any]) -> str | None:
    """Return the name of the coordinate system that the first level is mapped to."""
    steps = multiscale["datasets"][0].get("coordinateTransformations") or [{}]
    output = steps[0].get("output")
    return output.get("name") if isinstance(output, dict) else output


def scale_of(
    multiscale: dict[str, Any], dataset: dict[str, Any], ndim: int
) -> list[Any]:
    """Return the step of each axis, by the scales of a dataset and of its multiscale.

    None where none is stated, or where the axes are turned or bent; scales that are
    another number than there are axes are returned whole for each.
    """
    scale = np.ones(ndim)
    own = _flat(dataset.get("coordinateTransformations"))
    # From 0.6 on, those of the multiscale lead to other systems than its own axes.
    shared = [] if "coordinateSystems" in multiscale else multiscale
    both = shared and _flat(multiscale.get("coordinateTransformations"))
    stated = False
    for step in [*own, *both]:
        if step.get("type") == "scale":
            factors = np.asarray(step.get("scale", ()), float)
            if factors.shape != (ndim,):
                return [step.get("scale")] * ndim
            scale = scale * factors
            stated = True
        elif step.get("type") not in ("identity", "translation"):
            return [None] * ndim
    return [float(n) if stated else None for n in scale]


def _flat(steps: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """Return transformations with those of sequences in their place."""
    found = []
    for step in steps or ():
        inner = step.get("transformations") if step.get("type") == "sequence" else None
        found += [step] if inner is None else _flat(inner)
    return found


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
