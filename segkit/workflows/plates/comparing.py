"""What of a plate does not compare, to be told: its fields, and its conditions."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from segkit.measurement.intensities import of_intensity
from segkit.measurement.properties import wanted
from segkit.pipeline.parts.tables import called_twice
from segkit.pipeline.stage_work import needs_intensity
from segkit.pipeline.stages import MeasureStage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from segkit.io.plates.fields import Field
    from segkit.io.plates.plate import Plate
    from segkit.workflows.pipelines import Outputs


def require_own_names(
    names: Sequence[str], made: Outputs, apart: Sequence[str]
) -> None:
    """Refuse what is said of wells if it is called as what is measured of objects.

    Parameters
    ----------
    names
        Of the columns that say where objects are.
    made
        What is made of a field.
    apart
        Axes that are taken apart.

    Raises
    ------
    PipelineError
        If a table of objects would have two columns of one name.
    """
    axes = "".join(a for a in made.source.image.axes if a not in {"c", *apart})
    for stage in made.stages:
        if not isinstance(stage, MeasureStage):
            continue
        asked = stage.step.keywords.get("properties")
        measured = {*wanted(asked, axes, needs_intensity(stage.step))}
        for name in names:
            one = name.partition("-")[0]  # then come numbers of axes, or a channel
            ours = of_intensity(one) or re.fullmatch(r"(-\d+)*", name[len(one) :])
            if one in measured and ours:
                raise called_twice(name)


def differing(made: Sequence[Outputs], fields: Sequence[Field]) -> list[str]:
    """Return what is to be told of fields that differ from each other.

    Parameters
    ----------
    made, fields
        What is made of each field, and the fields.
    """
    images = [one.source.image for one in made]
    types = _several(str(image.dtype) for image in images)
    told = []
    if types:
        told.append(
            f"fields have voxels of several types, {types}: their brightness may not"
            " compare"
        )
    channels = _several(", ".join(one.channels) for one in made)
    if channels:
        told.append(
            f"fields have other channels, {channels}: a step that says a channel by its"
            " number takes another of some; say it by its name"
        )
    frames = [len(one.frames) for one in made]
    short = [f.name for f, n in zip(fields, frames, strict=True) if n < max(frames)]
    if short:
        told.append(
            f"{len(short)} of {len(fields)} fields have fewer frames than the others"
            f" ({max(frames)}), such as {short[0]}: in rows of later frames they count"
            " as missing"
        )
    return told


def alone(plate: Plate) -> list[str]:
    """Return what is to be told of conditions if each has one well."""
    at = [plate.names.index(name) for name in plate.by]
    wells = [tuple(well[k] for k in at) for well in plate.wells]
    if not at or len({*wells}) < len(wells) or len(wells) < 2:
        return []
    told = (
        f"each of {len(wells)} conditions ({', '.join(plate.by)}) has one well, so that"
        " nothing says how much wells of one condition differ; say by which columns"
        " wells compare: --by"
    )
    return [told]


def _several(kinds: Iterable[str]) -> str:
    """Return how many fields there are of each kind; nothing if all are of one."""
    counts = Counter(kinds)
    return "; ".join(f"{n} of {kind}" for kind, n in counts.items()) * (len(counts) > 1)
