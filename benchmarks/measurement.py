"""Measure objects beside scikit-image's regionprops_table and cc3d, in one run.

    python benchmarks/measurement.py [--size 256] [--runs 3]

Each row is one list of properties: the best CPU times of `runs` runs, the two taking
turns on one thread. Values are compared.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import cc3d
import numpy as np
from measuring import cpu_seconds
from reporting import Row, parser, show
from scipy import ndimage
from skimage.measure import regionprops_table

from segkit.labelling.labels import label
from segkit.measurement.measure import region_properties

if TYPE_CHECKING:
    from collections.abc import Iterator

BASIC = ["label", "area", "bbox", "centroid"]
LIGHT = [*BASIC, "intensity_mean"]
SHAPE = ["label", "axis_major_length", "axis_minor_length", "extent"]
SPREAD = [*LIGHT, "intensity_min", "intensity_max", "intensity_std"]
PERIMETER = ["label", "perimeter_crofton"]


def cells(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return labels of isolated blobs, and a grey image."""
    values = np.random.default_rng(0).standard_normal(shape, np.float32)
    smooth = ndimage.gaussian_filter(values, 3)
    image = np.clip(smooth / smooth.std() * 40 + 100, 0, 255).astype(np.uint8)
    return label(smooth > np.quantile(smooth, 0.92)), image


def compare(
    labels: np.ndarray, image: np.ndarray | None, names: list[str], runs: int
) -> Row:
    own_names = ["surface" if n == "perimeter_crofton" else n for n in names]
    own = partial(region_properties, labels, image, properties=own_names, workers=1)
    peer = partial(regionprops_table, labels, image, properties=names)
    found, expected = own(), peer()
    for name, own_name in zip(names, own_names, strict=True):
        if name in expected:
            np.testing.assert_allclose(found[own_name], expected[name], atol=1e-5)
    ours, theirs = cpu_seconds(own, peer, runs=runs)
    case = f"{told(labels)}: {', '.join(names[1:])}"
    return Row(case, 1e3 * ours, "ms CPU", "regionprops_table", 1e3 * theirs)


def compare_cc3d(labels: np.ndarray, runs: int) -> Row:
    own = partial(region_properties, labels, properties=BASIC, workers=1)
    unsigned = labels.view(np.uint32)
    peer = partial(cc3d.statistics, unsigned, no_slice_conversion=True)
    ours, theirs = cpu_seconds(own, peer, runs=runs)
    case = f"{told(labels)}: {', '.join(BASIC[1:])}"
    return Row(case, 1e3 * ours, "ms CPU", "cc3d.statistics", 1e3 * theirs)


def told(labels: np.ndarray) -> str:
    return f"{'x'.join(map(str, labels.shape))}, {labels.max():,} objects"


def rows(size: int, runs: int) -> Iterator[Row]:
    for shape in ((size, size, size), (size * 16, size * 16)):
        labels, image = cells(shape)
        for given, names in (
            (None, BASIC),
            (image, LIGHT),
            (image, SPREAD),
            (None, SHAPE),
            (None, PERIMETER),
        ):
            if names is not PERIMETER or len(shape) == 2:
                yield compare(labels, given, names, runs)
        yield compare_cc3d(labels, runs)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--size", type=int, default=256)
    options.add_argument("--runs", type=int, default=3)
    given = options.parse_args()
    show(rows(given.size, given.runs), given)


if __name__ == "__main__":
    main()
