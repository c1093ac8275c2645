"""Score the learning-free methods on images that had no say in their parameters.

    SEGKIT_DATA=folder python benchmarks/accuracy/held_out.py

`isbi2012_em` (adapted Rand error), `dsb2018` and `coelho2009` (average precision at IoU
0.5): of each set the images at even places choose the parameters from a small grid,
those at odd places are scored with them, and with the defaults. Nothing is random.
"""

from __future__ import annotations

import itertools
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from imageio import v3 as iio
from scipy import ndimage

from segkit.evaluation.matching import average_precision
from segkit.evaluation.partitions import adapted_rand_error
from segkit.methods.membranes import segment_cells
from segkit.methods.nuclei import segment_nuclei
from segkit.overlaps.contingency_table import contingency

if TYPE_CHECKING:
    from collections.abc import Callable

NUCLEI = {
    "depth": (0.06, 0.1, 0.14),
    "valleys": (0.0, 0.25, 0.5),
    "min_radius": (0.5, 0.65),
}
GRIDS: dict[str, dict[str, tuple[float, ...]]] = {
    "isbi2012_em": {"width": (5.0, 6.0, 7.0), "strength": (0.8, 0.85, 0.9)},
    "dsb2018": NUCLEI,
    "coelho2009/gnf": NUCLEI,
    "coelho2009/ic100": NUCLEI,
}


def cells_error(path: Path, options: dict[str, float]) -> float:
    """Return the adapted Rand error of one section."""
    labels = segment_cells(iio.imread(path), **options)  # type: ignore[arg-type]  # a grid holds numbers
    reference = ndimage.label(iio.imread(reference_of(path)))[0]
    return adapted_rand_error(contingency(labels, reference)).error


def nuclei_error(path: Path, options: dict[str, float]) -> float:
    """Return 1 - average precision at IoU 0.5 of one image."""
    table = contingency(
        segment_nuclei(iio.imread(path), **options), iio.imread(reference_of(path))
    )
    return 1 - average_precision(table, [0.5])[0].average_precision


def reference_of(path: Path) -> Path:
    return path.parent.parent / "references" / path.name


def mean_error(
    error: Callable[..., float], paths: list[Path], options: dict[str, Any]
) -> float:
    with ProcessPoolExecutor() as pool:
        return float(np.mean(list(pool.map(partial(error, options=options), paths))))


def main() -> None:
    if "SEGKIT_DATA" not in os.environ:
        raise SystemExit("set SEGKIT_DATA to the folder that holds dsb2018/ and others")
    for name, grid in GRIDS.items():
        error = cells_error if name == "isbi2012_em" else nuclei_error
        folder = Path(os.environ["SEGKIT_DATA"]) / name / "images"
        paths = sorted(folder.iterdir())
        choosing, scored = paths[::2], paths[1::2]
        candidates = [
            dict(zip(grid, values, strict=True))
            for values in itertools.product(*grid.values())
        ]
        errors = [mean_error(error, choosing, options) for options in candidates]
        best = candidates[int(np.argmin(errors))]
        print(f"{name}: {len(choosing)} images choose {best} ({min(errors):.3f})")
        print(f"  the other {len(scored)}: {mean_error(error, scored, best):.3f}")
        print(f"  with the defaults: {mean_error(error, scored, {}):.3f}")
    print("(isbi2012_em: adapted Rand error; the others: 1 - AP50)")


if __name__ == "__main__":
    main()
