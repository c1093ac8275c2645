"""What objects have any number of: gathered, added up over tiles, under other ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from segkit.measurement.details import quantiles, rows, runs, weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segkit.arrays import Array
    from segkit.labelling.box import Lines

_NAMED_BY: Final = {"rows": rows.LABEL, "runs": runs.LABEL}
"""The column of a table of integers that names the label of each line."""
_WHOSE: Final = ("labels", "whose")
"""Fields that are the labels of others."""


def gathered(
    needs: frozenset[str],
    labels: Array,
    intensity: Array | None,
    lines: Lines,
    slots: Array,
    origin: tuple[int, ...],
    table: tuple[Array, Mapping[str, Array], tuple[int, ...]],
) -> dict[str, Array]:
    """Return what else is needed of the objects in the lines of an array.

    Its first voxel lies at `origin` in the image. `table` is what is known of it: the
    labels of objects, their sums, and the image's shape; `slots` tells the place of
    each label among 0 and those.
    """
    names, columns, shape = table
    details: dict[str, Array] = {}
    given = (labels, lines, origin, shape)
    if "rows" in needs:
        details["rows"] = rows.rows_of(*given)
    if "runs" in needs:
        details["runs"] = runs.runs_of(*given)
    if intensity is None:
        return details
    if "weights" in needs:
        details |= weights.weights_of(intensity, *given)._asdict()
    if "values" in needs:
        own = (labels, intensity, lines, slots, np.concatenate([[0], names]))
        found = quantiles.intensities_of(*own, _extremes(columns))
        details |= found._asdict()
    return details


def _extremes(columns: Mapping[str, Array]) -> tuple[Any, Any]:
    """Return the least and the largest intensity of all objects; 0 if there is none."""
    there, least, most = columns["count"] > 0, columns["least"], columns["most"]
    if np.count_nonzero(there) < len(there):  # rows of labels that are absent
        least, most = least[there], most[there]
    return (np.minimum.reduce(least), np.maximum.reduce(most)) if len(least) else (0, 0)


def joined(parts: list[Mapping[str, Array]]) -> dict[str, Array]:
    """Return the details of several parts of an image together."""
    details: dict[str, Array] = {}
    if "rows" in parts[0]:
        details["rows"] = rows.joined([part["rows"] for part in parts])
    if "runs" in parts[0]:
        details["runs"] = runs.joined([part["runs"] for part in parts])
    if "weights" in parts[0]:
        weighed = [weights.of_details(part) for part in parts]
        details |= weights.joined(weighed)._asdict()
    if "values" in parts[0]:
        fields = quantiles.Intensities._fields
        found = [quantiles.Intensities(*(part[f] for f in fields)) for part in parts]
        details |= quantiles.joined(found)._asdict()
    return details


def renamed(details: Mapping[str, Array], ids: Array) -> dict[str, Array]:
    """Return details whose label `n` is `ids[n]`; these rise."""
    found = dict(details)
    for name in _NAMED_BY.keys() & found.keys():
        found[name] = found[name].copy()
        found[name][:, _NAMED_BY[name]] = ids[found[name][:, _NAMED_BY[name]]]
    for name in _WHOSE:
        if name in found:
            found[name] = ids[found[name]]
    return found
