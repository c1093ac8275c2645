"""Compare the scores of a large label volume with scikit-image, in one run.

    python benchmarks/scores.py [--size 256] [--tile 100]

Both programs compare the same two volumes of blobs, one of them shifted. Times are the
best of three, in CPU seconds; results must agree. Then the distances from the runs of
all tiles are compared with those of the whole volume.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from skimage import metrics

from segkit import evaluation
from segkit.tiling.cutting import tiles

if TYPE_CHECKING:
    from collections.abc import Callable


def volumes(size: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a segmentation and a reference that fills about a share of the volume."""
    rng = np.random.default_rng(0)
    field = ndimage.gaussian_filter(rng.normal(size=(size,) * 3).astype(np.float32), 3)
    reference = ndimage.label(field > np.quantile(field, 1 - share))[0].astype(np.int32)
    segmentation = ndimage.label(
        np.roll(field, 1, 0) > np.quantile(field, 1 - 0.8 * share)
    )[0]
    return segmentation.astype(np.int32), reference


def best(call: Callable[[], object], runs: int = 3) -> float:
    times = []
    for _ in range(runs):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def runs_of_tiles(seg: np.ndarray, ref: np.ndarray, tile: int) -> evaluation.LabelRuns:
    return evaluation.combine(
        evaluation.label_runs(
            seg[one.write.slices], ref[one.write.slices], one, seg.shape
        )
        for one in tiles(seg.shape, tile)
    )


def compare_tiled(size: int, tile: int) -> None:
    """Print what distances cost, from the runs of tiles and from the volume."""
    seg, ref = volumes(size, 0.1)
    print(f"\n{seg.max()} and {ref.max()} objects, in tiles of {tile}^3")
    runs = runs_of_tiles(seg, ref, tile)
    print(
        f"{len(runs.first)} runs, {32 * len(runs.first) / seg.size:.2f} bytes a voxel"
    )
    cut = best(lambda: runs_of_tiles(seg, ref, tile))
    print(f"{'runs of all tiles':26s} {cut:7.3f} s")
    tiled = best(lambda: evaluation.scores_of_runs(runs), 1)
    whole = best(lambda: evaluation.scores(seg, ref), 1)
    assert evaluation.scores_of_runs(runs) == evaluation.scores(seg, ref)
    print(f"{'all scores from runs':26s} {tiled:7.3f} s, of the whole {whole:7.3f} s")
    far = evaluation.hausdorff_of_runs(runs)
    assert far == metrics.hausdorff_distance(seg > 0, ref > 0)
    ours = best(lambda: evaluation.hausdorff_of_runs(runs), 1)
    print(f"{'Hausdorff distance of runs':26s} {ours:7.3f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--tile", type=int, default=100)
    options = parser.parse_args()
    size = options.size
    seg, ref = volumes(size, 0.25)
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
        a, b = best(ours), best(theirs)
        print(f"{name:26s} {a:7.3f} s, scikit-image {b:7.3f} s: {b / a:5.1f}x")
    every = best(lambda: evaluation.table_scores(table))
    print(f"{'all scores of a table':26s} {every:7.3f} s")
    compare_tiled(size, options.tile)


if __name__ == "__main__":
    main()
