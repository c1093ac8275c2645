"""What a plan knows of an image; one spacing for all steps, one unit for all images.

A spacing is that of the image, or is given to a step; the steps that are given none get
it. Methods need only how the axes compare, what measures needs lengths.
"""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import segkit
from segkit import extents
from segkit.io.axes import as_first_step
from segkit.io.calibration import (
    SPATIAL,
    UNKNOWN_UNIT,
    in_unit,
    is_length,
    one_unit,
    unit_name,
)
from segkit.io.described import as_image
from segkit.measurement.properties import PHYSICAL
from segkit.names import known_as
from segkit.pipeline.contents import is_foreign
from segkit.pipeline.steps import PipelineError, numbered, place_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segkit.pipeline.steps import Step

MEASURING = ("regionprops", "keep_within")
"""Steps whose numbers are lengths."""
_SAME = 0.01
"""How far ratios of spacings may differ that are written with few digits."""


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class ImageSpec:
    """What a plan must know of an image.

    Attributes
    ----------
    shape : tuple of int
        Length of each axis.
    dtype : str
        Name of the voxel type.
    spacing : tuple of float
        Physical distance of voxels along each axis.
    units : tuple of str
        Their units.
    axes : str
        One letter per axis; '' if nobody says which they are, as of a bare array.
    unnamed : bool
        Whether it is a file that should say so and does not.
    spaced : bool, optional
        Whether anybody says the spacing; by default, if it is not 1 in no unit.
    """

    shape: tuple[int, ...]
    dtype: str
    spacing: tuple[float, ...]
    units: tuple[str, ...]
    axes: str = ""
    unnamed: bool = False
    spaced: bool | None = None

    @classmethod
    def of(cls, image: Any) -> ImageSpec:
        """Return the description of an array or a lazy image."""
        shape = tuple(int(n) for n in image.shape)
        spacing = tuple(getattr(image, "spacing", (1.0,) * len(shape)))
        units = tuple(getattr(image, "units", ("pixel",) * len(shape)))
        dtype = np.dtype(image.dtype).name
        axes = image.axes if getattr(image, "stated", False) else ""
        unnamed = not axes and getattr(image, "asked", None) is not None
        spaced = getattr(image, "spaced", None)
        return cls(shape, dtype, spacing, units, axes, unnamed, spaced)

    def physical_spacing(self) -> tuple[float, ...]:
        """Return the spacing, to measure with.

        Raises
        ------
        ValueError
            If it is known along some axes of space only, as by an opened image.
        """
        voxels = np.broadcast_to(np.uint8(0), self.shape)
        return as_image(
            voxels, axes=self.axes, spacing=self.spacing, units=self.units, path="image"
        ).physical_spacing()


@dataclass(frozen=True, slots=True)
class Spacings:
    """The distance of voxels along each axis, for steps that are given none.

    Attributes
    ----------
    image : tuple of float
        That of the image as it is; 1 where unknown.
    known : tuple of float or None
        What the image or a step says; None if nobody says anything.
    measured : tuple of float
        To measure with.
    unit : str
        Of `measured`; ``'pixel'`` if it is not known.
    refusal : str
        Why there is none to be had, if the image knows it along some axes only.
    said : bool
        Whether it was said; else `known` is 1 because nobody says another.
    """

    image: tuple[float, ...]
    known: tuple[float, ...] | None
    measured: tuple[float, ...]
    unit: str
    refusal: str = ""
    said: bool = True

    def require(self) -> None:
        """Raise `ValueError` if there is none to be had."""
        if self.refusal:
            raise ValueError(self.refusal)

    def along(self, axes: str) -> tuple[float, ...] | None:
        """Return what is known along the axes of space among some that a step names.

        None if nothing is known, or the step names others than there are.
        """
        self.require()
        if self.known is None or len(axes) != len(self.known):
            return None
        named = zip(axes, self.known, strict=True)
        return tuple(distance for name, distance in named if name in SPATIAL)


@dataclass(frozen=True, slots=True)
class _Given:
    """A spacing, for each axis of the image, and who says so."""

    who: str
    spacing: tuple[float, ...]
    space: tuple[bool, ...]
    measures: bool


def spacings(
    steps: Sequence[Step], spec: ImageSpec, unit: str | None = None
) -> Spacings:
    """Return the spacing of a pipeline, of its image or given to one of its steps.

    Parameters
    ----------
    steps, spec
        Of the pipeline and its image.
    unit
        In which lengths are measured; None takes that of the image.

    Raises
    ------
    ValueError
        If the image and the steps contradict each other, or the image has no spacing in
        a unit of length, which `unit` asks for.
    """
    own, refusal = _own(spec)
    given = [*_given(steps, spec)]
    _require_agreement([*([own] if own else []), *given])
    if own is None and given:
        return Spacings(spec.spacing, given[0].spacing, _one(given), UNKNOWN_UNIT)
    if refusal:
        return Spacings(spec.spacing, None, spec.spacing, UNKNOWN_UNIT, refusal)
    known = spec.spacing if own or spec.axes else None
    stated = one_unit(spec.units, spec.shape)
    measured = _of_space(spec)
    if unit is None or unit_name(unit) == stated:
        return Spacings(spec.spacing, known, measured, stated, said=own is not None)
    require_length(stated, unit)
    measured = tuple(in_unit(step, stated, unit_name(unit)) for step in measured)
    return Spacings(spec.spacing, known, measured, unit_name(unit))


def _of_space(spec: ImageSpec) -> tuple[float, ...]:
    """Return the spacing, 1 along time and channels, which no length counts."""
    named = zip(spec.spacing, spec.axes or SPATIAL[0] * len(spec.shape), strict=True)
    return tuple(step if name in SPATIAL else 1.0 for step, name in named)


_SPACING = "spacing = [2, 1, 1]"
_TOLD = f'{_SPACING}, units = "um"'


def require_length(stated: str, unit: str) -> None:
    """Raise `ValueError` unless lengths of one unit can be told in another."""
    if not (is_length(stated) and is_length(unit_name(unit))):
        has = "has no spacing" if stated == UNKNOWN_UNIT else f"is in {stated}"
        raise ValueError(
            f"{has}, so it cannot be measured in {unit}; say load(spacing=(2, 1, 1),"
            f" units='um'), in {as_first_step(_TOLD)}, with its own numbers"
        )


def common_unit(
    steps: Sequence[Step], images: Sequence[tuple[object, Any]]
) -> str | None:
    """Return the unit in which all images of a list are measured.

    That of the first, if others have other ones and a step bounds a length; None if
    each is measured in its own.

    Parameters
    ----------
    steps
        Of a pipeline.
    images
        What is called how, and a description of it with units and shape; None of one
        that states no unit.

    Raises
    ------
    PipelineError
        If a unit is not known, or is none of length; its image is named.
    """
    bounded = _bounded(steps)
    found = [(name, _unit_of(image)) for name, image in images]
    if bounded is None or len({unit for _, unit in found}) < 2:
        return None
    first, unit = next(one for one in found if one[1] != UNKNOWN_UNIT)
    for name, own in found:
        try:
            require_length(own, unit)
        except ValueError as error:
            raise PipelineError(
                f"{name}: {error}; {bounded}, and {first} is measured in {unit}; or run"
                " the two apart"
            ) from error
    return unit


def _unit_of(image: Any) -> str:
    return UNKNOWN_UNIT if image is None else one_unit(image.units, image.shape)


def _bounded(steps: Sequence[Step]) -> str | None:
    """Return in words which step bounds a length in the unit of the image, if any."""
    spaced = False
    for step in steps:
        names: list[str] = []
        if step.function == "regionprops":
            spaced = step.keywords.get("spacing") is not None
        if step.function == "keep_within" and step.keywords.get("spacing") is None:
            names = [*step.keywords]
        if step.function == "classify" and not spaced:
            names = [name for one in step.arguments for name, *_ in one.bounds]
        for name in names:
            if name.replace("-", "_").rstrip("_0123456789") in PHYSICAL:
                return f"{step.function} bounds {name!r}"
    return None


def _own(spec: ImageSpec) -> tuple[_Given | None, str]:
    """Return the spacing that an image states, or why it cannot be taken."""
    if not spec.axes:
        return None, ""
    try:
        spacing = spec.physical_spacing()
    except ValueError as error:
        return None, str(error)
    space = tuple(name in SPATIAL for name in spec.axes)
    unknown = {*spacing} == {1.0} and one_unit(spec.units, spec.shape) == UNKNOWN_UNIT
    if not (not unknown if spec.spaced is None else spec.spaced):
        return None, ""
    return _Given("the image", spacing, space, True), ""


def _given(steps: Sequence[Step], spec: ImageSpec) -> Iterator[_Given]:
    """Yield the spacings that steps are given, for each axis of the image."""
    for number, step in numbered(steps):
        options = _options(step)
        if options.get("spacing") is None:
            continue
        axes = options.get("axes") or spec.axes or "z" * len(spec.shape)
        if not isinstance(axes, str) or len(axes) != len(spec.shape):
            continue  # the step itself says what is wrong
        space = tuple(name in SPATIAL for name in axes)
        count = sum(space) if options.get("axes") else len(axes)
        try:
            distances = iter(extents.as_spacing(options["spacing"], count))
        except (TypeError, ValueError):
            continue
        named = [count == len(axes) or is_space for is_space in space]
        whole = tuple(next(distances) if one else 1.0 for one in named)
        who = place_name(number, step)
        yield _Given(who, whole, space, step.function in MEASURING)


def _options(step: Step) -> dict[str, Any]:
    """Return the options of a step that may be given a spacing, by name."""
    if step.function in MEASURING:
        return step.keywords
    if is_foreign(step) or not hasattr(segkit, step.function):
        return {}  # a special step
    signature = inspect.signature(step.resolve())
    if "spacing" not in signature.parameters or "image" not in signature.parameters:
        return {}
    bound = signature.bind(None, *step.arguments, **step.bare.keywords)
    return bound.arguments


def _require_agreement(given: Sequence[_Given]) -> None:
    """Raise `ValueError` if two say that axes compare differently."""
    for one in given[1:]:
        first = given[0]
        both = [a and b for a, b in zip(first.space, one.space, strict=True)]
        ratios = [
            a / b
            for a, b, space in zip(first.spacing, one.spacing, both, strict=True)
            if space
        ]
        if ratios and not math.isclose(max(ratios), min(ratios), rel_tol=_SAME):
            raise ValueError(
                f"{one.who} has spacing {one.spacing} where {first.who} has"
                f" {first.spacing}; give one spacing, to one step or by"
                f" load(spacing=...), in {as_first_step(_SPACING)}, and all steps have"
                " it"
            )


def _one(given: Sequence[_Given]) -> tuple[float, ...]:
    """Return the spacing to measure with, of those that steps are given."""
    measuring = [one for one in given if one.measures] or given
    found = {one.spacing: one.who for one in measuring}
    if len(found) > 1:
        told = " and ".join(f"{spacing} of {who}" for spacing, who in found.items())
        raise ValueError(
            f"the steps have spacings {told}; give one spacing, to one step or by"
            f" load(spacing=...), in {as_first_step(_SPACING)}, and all steps have it"
        )
    return next(iter(found))
