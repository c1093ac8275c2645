"""Compare the scores of a large label volume with scikit-image, in one run.

    python benchmarks/scores.py [--size 256]

Both programs compare the same two volumes of blobs, one of them shifted. Times are the
best of three, in CPU seconds; results must agree.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from skimage import metrics

from segkit import evaluation

if TYPE_CHECKING:
    from collections.abc import Callable


def volumes(size: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    field = ndimage.gaussian_filter(rng.normal(size=(size,) * 3).astype(np.float32), 3)
    reference = ndimage.label(field > np.quantile(field, 0.75))[0].astype(np.int32)
    segmentation = ndimage.label(np.roll(field, 1, 0) > np.quantile(field, 0.8))[0]
    return segmentation.astype(np.int32), reference


def best_of_three(call: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=256)
    size = parser.parse_args().size
    seg, ref = volumes(size)
    print(f"{size}^3 voxels, {seg.max()} and {ref.max()} objects")
    table = evaluation.contingency(seg, ref)  # compiled before it is timed
    error, _, _ = metrics.adapted_rand_error(ref, seg)
    np.testing.assert_allclose(evaluation.adapted_rand_error(table).error, error)
    np.testing.assert_allclose(
        evaluation.variation_of_information(table),
        metrics.variation_of_information(ref, seg),
    )
    pairs = {
        "adapted Rand error": (
            lambda: evaluation.adapted_rand_error(evaluation.contingency(seg, ref)),
            lambda: metrics.adapted_rand_error(ref, seg),
        ),
        "variation of information": (
            lambda: evaluation.variation_of_information(
                evaluation.contingency(seg, ref)
            ),
            lambda: metrics.variation_of_information(ref, seg),
        ),
        "Hausdorff distance": (
            lambda: evaluation.hausdorff_distance(seg, ref),
            lambda: metrics.hausdorff_distance(seg > 0, ref > 0),
        ),
    }
    for name, (ours, theirs) in pairs.items():
        a, b = best_of_three(ours), best_of_three(theirs)
        print(f"{name:26s} {a:7.3f} s, scikit-image {b:7.3f} s: {b / a:5.1f}x")
    every = best_of_three(lambda: evaluation.table_scores(table))
    print(f"{'all scores of a table':26s} {every:7.3f} s")


if __name__ == "__main__":
    main()
