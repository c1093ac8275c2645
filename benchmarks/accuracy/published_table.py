"""Print the published table for hand-segmented nuclei beside our rows.

    SEGKIT_DATA=folder python benchmarks/accuracy/published_table.py

Coelho, Shariff and Murphy, ISBI 2009, table 2: columns NIH3T3 (`ic100`, 49 images) and
U2OS (`gnf`). The printed U2OS values are means over 48 images; where the folder holds
fewer, compare our rows of that set with each other only.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from imageio import v3 as iio

from segkit.evaluation.scoring import published_scores, scores
from segkit.methods import classic
from segkit.methods.nuclei import segment_nuclei

METHODS = {
    "RC": classic.rc,
    "Otsu": classic.otsu,
    "Mean": classic.mean,
    "tutorial method 1": classic.gaussian_mean,
    "tutorial method 2": classic.gaussian_otsu,
    "EDT watershed": classic.distance_watershed,
    "segment_nuclei": segment_nuclei,
}
COLUMNS = (
    "rand_index",
    "jaccard_index",
    "hausdorff",
    "nsd",
    "split",
    "merged",
    "spurious",
    "missing",
)
CORRECTED = (
    "dice",
    "adapted_rand_error",
    "variation_of_information",
    "average_precision_50",
    "average_precision",
    "hausdorff",
    "nsd",
    "split",
    "merged",
    "spurious",
    "missing",
)
PRINTED = {
    "ic100": {
        "RC": (77, 2.1, 26.4, 2.6, 1.0, 2.4, 1.9, 22.1),
        "Otsu": (74, 2.1, 36.7, 3.5, 0.8, 2.1, 1.7, 26.6),
        "Mean": (82, 1.9, 24.4, 2.3, 1.4, 5.1, 3.1, 4.8),
        "Merging (best automatic)": (83, 1.9, 15.9, 2.5, 1.6, 3.0, 6.8, 5.9),
    },
    "gnf": {
        "RC": (92, 2.2, 34.8, 1.2, 1.1, 2.4, 0.3, 5.5),
        "Otsu": (92, 2.2, 34.9, 1.2, 1.1, 2.4, 0.3, 5.6),
        "Mean": (96, 2.2, 26.5, 1.0, 1.3, 3.4, 0.9, 3.6),
        "Merging (best automatic)": (96, 2.2, 12.9, 0.7, 1.8, 2.1, 1.0, 3.3),
    },
}


def row(path: Path) -> dict[str, tuple[list[float], list[float]]]:
    """Score every method on one image: the published way, and the corrected one."""
    image = iio.imread(path)
    reference = iio.imread(path.parent.parent / "references" / path.name)
    found = {}
    for name, method in METHODS.items():
        labels = method(image)
        published, corrected = (
            published_scores(labels, reference),
            scores(labels, reference),
        )
        found[name] = (
            [published[c] for c in COLUMNS],
            [corrected[c] for c in CORRECTED],
        )
    return found


def line(name: str, values: list[float]) -> str:
    return f"{name:28s}" + "".join(f"{value:9.3f}" for value in values)


def report(data_set: str, paths: list[Path]) -> None:
    with ProcessPoolExecutor() as pool:
        rows = list(pool.map(row, paths))
    scale = np.array([100, 1, 1, 10, 1, 1, 1, 1])
    print(f"\n{data_set}: {len(paths)} images, published measures (RI %, NSD x10)")
    print(" " * 28 + "".join(f"{c[:8]:>9s}" for c in COLUMNS))
    for name, printed in PRINTED[data_set].items():
        print(line(f"printed: {name}", list(printed)))
    means = {}
    for name in METHODS:
        means[name] = np.mean([r[name][0] for r in rows], axis=0) * scale
        print(line(name, means[name].tolist()))
    ours, other = means["segment_nuclei"], means["EDT watershed"]
    sign = np.array([-1, -1, 1, 1, 1, 1, 1, 1])
    better = int((sign * ours < sign * other).sum())
    worse = [
        c
        for c, a, b, s in zip(COLUMNS, ours, other, sign, strict=True)
        if s * a > s * b + 0.05 * b
    ]
    print(
        f"segment_nuclei against EDT watershed: better in {better} of 8 columns, "
        f"more than 5 % worse in {worse or 'none'}"
    )
    print(f"{data_set}: corrected measures (mean over images)")
    print(" " * 28 + "".join(f"{c[:8]:>9s}" for c in CORRECTED))
    for name in METHODS:
        print(line(name, np.nanmean([r[name][1] for r in rows], axis=0).tolist()))


def main() -> None:
    if "SEGKIT_DATA" not in os.environ:
        raise SystemExit("set SEGKIT_DATA to the folder that holds coelho2009/")
    root = Path(os.environ["SEGKIT_DATA"]) / "coelho2009"
    for data_set in ("ic100", "gnf"):
        report(data_set, sorted((root / data_set / "images").iterdir()))


if __name__ == "__main__":
    main()
