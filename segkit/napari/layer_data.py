"""Images as layers of napari, and layers as images. Pure; napari is not imported."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from segkit import io
from segkit.io.axes import KNOWN, by_number, guessed, is_nameless
from segkit.io.calibration import UNKNOWN_UNIT, unit_symbol
from segkit.io.errors import ImageRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LayerData: TypeAlias = tuple[Any, dict[str, Any], str]
"""Voxels, what `Layer.create` of napari takes by keyword, and the type of layer."""

_MOST_CHANNELS = 32
"""More are an axis with a slider: napari is slow with hundreds of layers."""
_COLOURS = ("cyan", "magenta", "yellow", "red", "green", "blue")


def layers_of(levels: Sequence[io.Image], name: str) -> list[LayerData]:
    """Return the layers that show an image, whose voxels napari reads as it needs them.

    Parameters
    ----------
    levels : sequence of Image
        Its resolutions, the full one first.
    name : str
        Of the layer; channels have their name behind it, or their number.

    Returns
    -------
    list of LayerData
        One of each channel, else one; three or four samples are a colour.

    Raises
    ------
    ImageRequestError
        If napari cannot show it: fewer than two axes, no voxels, complex numbers.

    Examples
    --------
    >>> volume = io.as_image(np.zeros((2, 9, 9)), spacing=(2, 1, 1), units="um")
    >>> [(data, options, kind)] = layers_of([volume], "cells")
    >>> options["scale"], options["units"][0], options["axis_labels"], kind
    ((2.0, 1.0, 1.0), 'micrometer', ('z', 'y', 'x'), 'image')
    """
    image = levels[0]
    letter = _apart(image)
    if not letter:
        return [_layer(levels, name)]
    count = image.shape[image.axes.index(letter)]
    found = []
    for k in range(count):
        chosen = [one.select(**{letter: k}) for one in levels]
        called = (letter == "c" and image.channels and image.channels[k]) or k
        made = layers_of(chosen, f"{name} {called}" if count > 1 else name)
        colour = {"colormap": _COLOURS[k % len(_COLOURS)], "blending": "additive"}
        shown = colour if count > 1 else {}
        found += [(data, {**options, **shown}, kind) for data, options, kind in made]
    return found


def _is_colour(image: io.Image) -> bool:
    return image.axes.endswith("s") and image.shape[-1] in (3, 4)


def _apart(image: io.Image) -> str:
    """Return the axis of which each index is a layer; empty if there is none."""
    for letter, length in zip(image.axes, image.shape, strict=True):
        colour = letter == "s" and _is_colour(image)
        guess = letter == "c" and is_nameless(image)
        if letter in "cs" and not colour and not guess and length <= _MOST_CHANNELS:
            return letter
    return ""


def _layer(levels: Sequence[io.Image], name: str) -> LayerData:
    image = levels[0]
    colour = _is_colour(image)
    count = image.ndim - colour
    if image.size == 0 or count < 2 or image.dtype.kind not in "biuf":
        raise ImageRequestError(
            image.path,
            f"is {image.dtype} of shape {image.shape}; napari shows real numbers of"
            " two axes or more",
        )
    options: dict[str, Any] = {
        "name": name,
        "scale": image.spacing[:count],
        "rgb": colour,
        "multiscale": len(levels) > 1,
    }
    if all(_is_known(unit) for unit in image.units[:count]):
        options["units"] = image.units[:count]
    if not is_nameless(image):
        options["axis_labels"] = tuple(image.axes[:count])
    return [*levels] if len(levels) > 1 else image, options, "image"


def _is_known(unit: str) -> bool:
    """Return whether napari knows a unit for sure, which else refuses the layer."""
    return unit == UNKNOWN_UNIT or unit_symbol(unit) != unit


def image_of(data: Any, options: Mapping[str, Any]) -> io.Image:
    """Return a layer as an image, with its axes, spacing and units.

    Parameters
    ----------
    data : array, Image, or a sequence of such
        Of several resolutions the full one is taken.
    options : mapping
        As ``layer.as_layer_data_tuple()`` of napari gives them; its axes are letters if
        they are called by letters that `segkit.open_image` knows.

    Raises
    ------
    ImageRequestError
        If the scale is no spacing, such as a negative one.

    Examples
    --------
    >>> labels = np.zeros((4, 5), np.int32)
    >>> image_of(labels, {"scale": (0.5, 0.5), "units": ("um", "um")})
    <Image <layer> int32 (4, 5) (y: 0.5 micrometer, x: 0.5 micrometer)>
    """
    voxels = data[0] if options.get("multiscale") else data
    colour = bool(options.get("rgb"))
    count = len(voxels.shape) - colour
    scale = [float(one) for one in options.get("scale", (1.0,) * count)]
    units = [str(one) for one in options.get("units") or (UNKNOWN_UNIT,) * count]
    stated = {*scale} != {1.0} or {*units} != {UNKNOWN_UNIT}
    spacing = [*scale, 1.0][: count + colour]
    named = [*units, UNKNOWN_UNIT][: count + colour]
    if isinstance(voxels, io.Image):
        if not (stated or voxels.stated):
            return voxels
        return replace(
            voxels.respaced(spacing, named), cubes=voxels.cubes and not stated
        )
    array = np.asarray(voxels)
    return io.as_image(
        array,
        axes=_letters(array, options.get("axis_labels", ()), colour=colour),
        spacing=spacing if stated else None,
        units=named if stated else None,
        path="<layer>",
    )


def _letters(
    array: np.ndarray[Any, Any], labels: Sequence[str], *, colour: bool
) -> str | None:
    """Return a letter for each axis, if the layer says them or a guess would be wrong.

    `KNOWN` are those that mean something.
    """
    plain = KNOWN.replace("s", "")
    known = all(len(one) == 1 and one in plain for one in labels)
    if labels and known and len({*labels}) == len(labels) == array.ndim - colour:
        return "".join(labels) + "s" * colour
    meant = by_number(array.ndim - colour) + "s" * colour
    return None if guessed(array.shape, array.dtype) == meant else meant
