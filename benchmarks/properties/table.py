"""Every property beside scikit-image's, on random label images: values and time.

    python benchmarks/properties/table.py [--images 200] [--size 96] [--fast | --few]

Of the images, half are planes (96 x 96), half volumes (32 x 32 x 32). Every second one
holds smooth objects, the others what noise is made of: hundreds of objects in planes, a
few in volumes. For each property, and for all in one call, there are the objects
compared, how many differ by more than a millionth, and, for each of these kinds of
images, how many times the CPU time of ours `regionprops_table` takes, summed over them.
Objects of volumes that are flat are left out of hulls: scikit-image has none for them.

Another table is about time alone, of a few balls in larger images, where scikit-image
has little to do for each: the least of some calls in turn.

Both take some minutes, nearly all of which is scikit-image's: it works object by
object. ``--fast`` leaves volumes out, ``--few`` makes the second table only.
"""

from __future__ import annotations

import argparse
import math
import time
import warnings
from collections import defaultdict
from typing import Any

import numpy as np
from scipy import ndimage
from skimage.measure import regionprops_table

import segkit

OURS = {
    "equivalent_diameter_area": "equivalent_diameter",
    "num_pixels": "count",
    "perimeter_crofton": "surface",
}
BOTH = [
    "num_pixels",
    "area",
    "area_bbox",
    "area_convex",
    "area_filled",
    "axis_major_length",
    "axis_minor_length",
    "bbox",
    "centroid",
    "centroid_local",
    "centroid_weighted",
    "centroid_weighted_local",
    "equivalent_diameter_area",
    "euler_number",
    "extent",
    "feret_diameter_max",
    "inertia_tensor",
    "inertia_tensor_eigvals",
    "intensity_max",
    "intensity_mean",
    "intensity_median",
    "intensity_min",
    "intensity_std",
    "moments",
    "moments_central",
    "moments_normalized",
    "moments_weighted",
    "moments_weighted_central",
    "moments_weighted_normalized",
    "solidity",
]
FEW = [((1024, 1024), 1), ((1024, 1024), 10), ((1024, 1024), 50), ((128,) * 3, 10)]
PLANES = [
    "eccentricity",
    "moments_hu",
    "moments_weighted_hu",
    "orientation",
    "perimeter",
    "perimeter_crofton",
]


def images(number: int, size: int, *, volumes: bool) -> Any:
    """Yield labels and grey values."""
    for seed in range(number):
        rng = np.random.default_rng(seed)
        is_volume = volumes and seed % 2 == 1
        shape = (size // 3,) * 3 if is_volume else (size, size)
        values = rng.random(shape)
        if seed % 4 < 2:
            smooth = ndimage.gaussian_filter(values, 1.5)
            mask = smooth > np.quantile(smooth, 0.85)
        else:
            mask = values < (0.06 if is_volume else 0.25)
        yield _solid(segkit.label(mask)), (values * 200).astype(np.uint8)


def _solid(labels: np.ndarray) -> np.ndarray:
    """Return labels without objects that are flat, if it is a volume."""
    if labels.ndim == 2:
        return labels
    kept = [
        number
        for number, box in enumerate(ndimage.find_objects(labels), 1)
        if np.linalg.matrix_rank(_places(labels[box] == number)) == labels.ndim
    ]
    return segkit.relabel_sequential(segkit.keep_ids(labels, kept))[0]


def _places(mask: np.ndarray) -> np.ndarray:
    found = np.argwhere(mask)
    return found - found[0]


def _timed(call: Any, *arguments: Any, **options: Any) -> tuple[Any, float]:
    start = time.process_time()
    found = call(*arguments, **options)
    return found, time.process_time() - start


def _differences(name: str, labels: Any, found: Any, expected: Any) -> np.ndarray:
    """Return which objects differ; round ones have no orientation."""
    if name == "orientation":
        axes = [f"axis_{which}_length" for which in ("major", "minor")]
        major, minor = segkit.region_properties(labels, properties=axes).values()
        turned = np.sin(found[name] - expected[name])  # opposite directions are one
        return (abs(turned) > 1e-6) & (major > minor + 1e-6)
    scale = max(np.nanmax(np.abs(one), initial=1e-9) for one in expected.values())
    differ = np.zeros(int(labels.max()), bool)
    for column, other in zip(found.values(), expected.values(), strict=True):
        differ |= ~np.isclose(column, other, 1e-6, 1e-9 * scale, True)
    return differ


Sums = dict[tuple[str, str], np.ndarray]
"""Of each property in each kind of images: objects, how many differ, CPU times."""


def compare(number: int, size: int, *, volumes: bool) -> tuple[Sums, dict[str, float]]:
    """Return sums, and how many objects an image of each kind has."""
    sums: Sums = defaultdict(lambda: np.zeros(4))
    counts: dict[str, list[int]] = defaultdict(list)
    for seed, (labels, image) in enumerate(images(number, size, volumes=volumes)):
        if not labels.any():
            continue
        names = BOTH if labels.ndim == 3 else [*BOTH, *PLANES]
        kind = f"{'smooth' if seed % 4 < 2 else 'noise'}, {labels.ndim}-D"
        counts[kind].append(int(labels.max()))
        for name, some in [*((one, [one]) for one in names), ("all of these", names)]:
            own = [OURS.get(one, one) for one in some]
            found, ours = _timed(
                segkit.region_properties, labels, image, properties=own, workers=1
            )
            expected, theirs = _timed(regionprops_table, labels, image, properties=some)
            differ = np.zeros(int(labels.max()), bool)
            if len(some) == 1:
                differ = _differences(name, labels, found, expected)
            sums[name, kind] += len(differ), differ.sum(), ours, theirs
    return sums, {kind: float(np.mean(each)) for kind, each in counts.items()}


def balls(shape: tuple[int, ...], number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return labels of so many balls that do not touch, and grey values."""
    side = math.ceil(number ** (1 / len(shape)))
    cell = np.array(shape).reshape(-1, *(1,) * len(shape)) // side
    far = ((np.indices(shape) % cell - cell / 2) ** 2).sum(axis=0)
    labels = segkit.label(far <= (cell.min() / 4) ** 2)
    labels[labels > number] = 0
    values = np.random.default_rng(0).integers(0, 200, shape, np.uint8)
    return labels, values


def times_of_few(runs: int) -> dict[str, list[str]]:
    """Return, for each property, how many times faster it is in some images."""
    found: dict[str, list[str]] = defaultdict(list)
    for shape, number in FEW:
        labels, image = balls(shape, number)
        for name in [*BOTH, *PLANES]:
            if len(shape) == 3 and name in PLANES:
                found[name].append("")
                continue
            own = [OURS.get(name, name)]
            ours, theirs = [], []
            for _ in range(runs):
                call = segkit.region_properties
                both = {"properties": own, "workers": 1}
                ours.append(_timed(call, labels, image, **both)[1])
                both = {"properties": [name]}
                theirs.append(_timed(regionprops_table, labels, image, **both)[1])
            found[name].append(f"{min(theirs) / min(ours):.1f}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--fast", action="store_true", help="planes only")
    parser.add_argument("--few", action="store_true", help="a few objects, times only")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    compare(4, given.size, volumes=not given.fast)  # loads what is compiled
    if not given.few:
        print_all(*compare(given.images, given.size, volumes=not given.fast))
    if not given.fast:
        print_few(times_of_few(7))


def print_all(sums: Sums, objects: dict[str, float]) -> None:
    """Print the table of all properties in images of each kind."""
    kinds = [*sorted(objects, key=lambda kind: kind[::-1])]
    heads = [f"{kind}, {objects[kind]:.0f} objects" for kind in kinds]
    print(f"| times faster in | objects | differ | {' | '.join(heads)} |")
    print(f"|{' --- |' * (len(heads) + 3)}")
    for name in sorted({name for name, _ in sums}):
        found = [sums.get((name, kind)) for kind in kinds]
        number, differ, *_ = sum(one for one in found if one is not None)
        faster = ["" if x is None else f"{x[3] / x[2]:.1f}" for x in found]
        print(f"| {name} | {number:.0f} | {differ:.0f} | {' | '.join(faster)} |")


def print_few(cells: dict[str, list[str]]) -> None:
    """Print the table of few objects."""
    heads = [f"{number} in {'x'.join(map(str, shape))}" for shape, number in FEW]
    print(f"\n| times faster | {' | '.join(heads)} |\n|{' --- |' * (len(FEW) + 1)}")
    for name, faster in sorted(cells.items()):
        print(f"| {name} | {' | '.join(faster)} |")


if __name__ == "__main__":
    main()
