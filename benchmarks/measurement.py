"""Measure objects beside scikit-image's regionprops_table and cc3d, in one run.

    python benchmarks/measurement.py [--size 256] [--repeat 3]

Each line is one list of properties: the best times of `repeat` runs, the two taking
turns on one thread, and the ratio peer / ours; then ours on two threads. Values are
compared.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage
from skimage.measure import regionprops_table

from segkit.labelling.labels import label
from segkit.measurement.measure import region_properties

if TYPE_CHECKING:
    from collections.abc import Callable

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


def seconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def compare(labels: np.ndarray, image: np.ndarray | None, names: list[str]) -> None:
    own_names = ["surface" if n == "perimeter_crofton" else n for n in names]

    def ours(workers: int = 1) -> Any:
        return region_properties(labels, image, properties=own_names, workers=workers)

    def peer() -> Any:
        return regionprops_table(labels, image, properties=names)

    found, expected = ours(), peer()
    for name, own_name in zip(names, own_names, strict=True):
        if name in expected:
            np.testing.assert_allclose(found[own_name], expected[name], atol=1e-5)
    times = [(seconds(ours), seconds(peer)) for _ in range(options.repeat)]
    own, other = (min(column) for column in zip(*times, strict=True))
    two = min(seconds(lambda: ours(2)) for _ in range(options.repeat))
    print(
        f"  {', '.join(names[1:]):84s} ours {own:6.3f} s, regionprops_table "
        f"{other:6.3f} s = {other / own:5.1f}x; 2 threads {two:6.3f} s",
        flush=True,
    )


def compare_cc3d(labels: np.ndarray) -> None:
    try:
        from cc3d import statistics
    except ImportError:
        return
    times = [
        (
            seconds(lambda: region_properties(labels, properties=BASIC, workers=1)),
            seconds(
                lambda: statistics(labels.view(np.uint32), no_slice_conversion=True)
            ),
        )
        for _ in range(options.repeat)
    ]
    own, other = (min(column) for column in zip(*times, strict=True))
    print(f"  cc3d.statistics: ours {own:.3f} s, {other:.3f} s = {other / own:.1f}x")


def main() -> None:
    size = options.size
    for shape in ((size, size, size), (size * 16, size * 16)):
        labels, image = cells(shape)
        print(f"{shape}, {labels.max()} objects", flush=True)
        for given, names in (
            (None, BASIC),
            (image, LIGHT),
            (image, SPREAD),
            (None, SHAPE),
            (None, PERIMETER),
        ):
            if names is not PERIMETER or len(shape) == 2:
                compare(labels, given, names)
        compare_cc3d(labels)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    main()
