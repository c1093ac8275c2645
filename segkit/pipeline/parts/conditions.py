"""What wells come to under each condition: the well counts, not the cell.

Cells of one well share its medium, its seeding and its place on the plate, so that they
are no independent repetitions: with thousands of them any difference between two wells
is "significant" [1]_. What was done was done to the well; so each well gives one value,
and a condition as many as it has wells.

References
----------
.. [1] Lord et al., "SuperPlots: communicating reproducibility and variability in cell
   biology", Journal of Cell Biology 219 (2020), e202001064.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from segkit.arrays import Table


def per_condition(wells: Table, by: Sequence[str]) -> Table:
    """Return a row for each condition of what its wells come to.

    Parameters
    ----------
    wells
        As `per_well` returns it, with columns of `by`.
    by
        The columns that make a condition, and those of frames.

    Returns
    -------
    dict of str to ndarray
        Columns `by`; "wells", how many were measured, "wells_missing", of how many no
        field was, and "wells_without_objects"; then of each value that a well has, over
        the measured wells: of its "objects_per_field", of the share of its objects that
        are of a class ("class-NAME_share"), and of each property of its objects
        "NAME-mean" and "NAME-std" (of a sample, n - 1) over the means of wells,
        "NAME-median" and "NAME-mad" (the median distance from the median) over their
        medians. Wells without a value (NaN) are left out; NaN if none has one, and for
        the spread of a single one.

    Examples
    --------
    >>> wells = {
    ...     "drug": np.array(["no", "no", "yes"]),
    ...     "fields": np.array([2, 2, 1]),
    ...     "objects": np.array([20, 40, 3]),
    ...     "area-mean": np.array([3.0, 5.0, 8.0]),
    ...     "area-std": np.array([1.0, 1.0, 1.0]),
    ...     "area-median": np.array([2.0, 5.0, 8.0]),
    ... }
    >>> found = per_condition(wells, ["drug"])
    >>> found["drug"].tolist(), found["wells"].tolist()
    (['no', 'yes'], [2, 1])
    >>> found["objects_per_field-mean"].tolist(), found["area-mean"].tolist()
    ([15.0, 3.0], [4.0, 8.0])
    >>> found["area-std"].round(3).tolist(), found["area-mad"].tolist()
    ([1.414, nan], [1.5, nan])
    """
    places = list(zip(*(wells[name].tolist() for name in by), strict=True))
    order = {place: k for k, place in enumerate(dict.fromkeys(places))}
    which = np.array([order[place] for place in places], np.int64)
    measured, empty = wells["fields"] > 0, wells["objects"] == 0
    among = np.flatnonzero(measured)
    among = among[np.argsort(which[among], kind="stable")]
    starts = np.searchsorted(which[among], np.arange(1, len(order)))
    rows = np.split(among, starts) if order else []
    found: Table = {
        name: np.array([place[k] for place in order]) for k, name in enumerate(by)
    }
    found["wells"] = np.array([len(one) for one in rows], np.int64)
    missing = np.bincount(which[~measured], minlength=len(order))
    found["wells_missing"] = missing.astype(np.int64)
    lacking = np.bincount(which[measured & empty], minlength=len(order))
    found["wells_without_objects"] = lacking.astype(np.int64)
    for name, (means, medians) in _values(wells).items():
        found |= _summary(name, means, medians, rows)
    return found


def _values(wells: Table) -> dict[str, tuple[NDArray[Any], NDArray[Any]]]:
    """Return what is compared, of each well: what means are of, and medians."""
    with np.errstate(divide="ignore", invalid="ignore"):
        per_field = wells["objects"] / wells["fields"]
        shares = {
            f"{name}_share": wells[name] / wells["objects"]
            for name in wells
            if name.startswith("class-")
        }
    found = {
        name: (v, v) for name, v in {"objects_per_field": per_field, **shares}.items()
    }
    for name in wells:
        bare = name.removesuffix("-mean")
        if bare != name and {f"{bare}-std", f"{bare}-median"} <= wells.keys():
            found[bare] = wells[name], wells[f"{bare}-median"]
    return found


def _summary(
    name: str,
    means: NDArray[Any],
    medians: NDArray[Any],
    rows: Sequence[NDArray[np.int64]],
) -> Table:
    kinds: dict[str, tuple[NDArray[Any], Any, int]] = {
        "mean": (means, np.mean, 1),
        "std": (means, lambda some: np.std(some, ddof=1), 2),
        "median": (medians, np.median, 1),
        "mad": (medians, _spread, 2),
    }
    found: Table = {}
    for kind, (values, of, least) in kinds.items():
        known = [values[one][np.isfinite(values[one])] for one in rows]
        cells = [of(some) if len(some) >= least else np.nan for some in known]
        found[f"{name}-{kind}"] = np.array(cells, float)
    return found


def _spread(values: NDArray[Any]) -> Any:
    return np.median(np.abs(values - np.median(values)))
