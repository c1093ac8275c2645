"""Compare the scores of a large label volume with scikit-image, in one run.

    python benchmarks/accuracy/scores.py [--size 256] [--tile 100]

Both programs compare the same two volumes of blobs, one of them shifted. Times are the
best of three, in CPU seconds; results must agree. Then what the runs of all tiles tell
is compared with that of the whole volume.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from skimage import metrics

sys.path.append(str(Path(__file__).parent.parent))  # what all benchmarks use

from measuring import cpu_seconds
from reporting import Row, parser, show

from segkit import evaluation
from segkit.combining import combine
from segkit.overlaps.contingency_table import contingency
from segkit.tiling.cutting import tiles

if TYPE_CHECKING:
    from collections.abc import Iterator


def volumes(size: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a segmentation and a reference that fills about a share of the volume."""
    rng = np.random.default_rng(0)
    field = ndimage.gaussian_filter(rng.normal(size=(size,) * 3).astype(np.float32), 3)
    reference = ndimage.label(field > np.quantile(field, 1 - share))[0].astype(np.int32)
    segmentation = ndimage.label(
        np.roll(field, 1, 0) > np.quantile(field, 1 - 0.8 * share)
    )[0]
    return segmentation.astype(np.int32), reference


def runs_of_tiles(seg: np.ndarray, ref: np.ndarray, tile: int) -> evaluation.LabelRuns:
    return combine(
        evaluation.label_runs(
            seg[one.write.slices], ref[one.write.slices], one, seg.shape
        )
        for one in tiles(seg.shape, tile)
    )


def tiled(size: int, tile: int) -> Iterator[Row]:
    """Compare scores of the runs of tiles with those of the whole volume."""
    seg, ref = volumes(size, 0.1)
    runs = runs_of_tiles(seg, ref, tile)
    (cut,) = cpu_seconds(partial(runs_of_tiles, seg, ref, tile))
    note = f"{len(runs.first):,} runs, {32 * len(runs.first) / seg.size:.2f} B a voxel"
    yield Row(f"runs of tiles of {tile}^3, {size}^3", cut, "s CPU", note=note)
    own, whole = (
        partial(evaluation.scores_of_runs, runs),
        partial(evaluation.scores, seg, ref),
    )
    assert own() == whole()
    ours, theirs = cpu_seconds(own, whole, runs=1)
    case = f"all scores from runs, {size}^3"
    yield Row(case, ours, "s CPU", "of the whole", theirs, yardstick=True, note="equal")
    far = evaluation.hausdorff_of_runs(runs)
    assert far == metrics.hausdorff_distance(seg > 0, ref > 0)


def beside(size: int) -> Iterator[Row]:
    """Compare with scikit-image, whose results must be ours."""
    seg, ref = volumes(size, 0.25)
    table = contingency(seg, ref)  # compiled before it is timed
    error, _, _ = metrics.adapted_rand_error(ref, seg)
    np.testing.assert_allclose(evaluation.adapted_rand_error(table).error, error)
    np.testing.assert_allclose(
        evaluation.variation_of_information(table),
        metrics.variation_of_information(ref, seg),
    )
    pairs = {
        "adapted Rand error": (
            lambda: evaluation.adapted_rand_error(contingency(seg, ref)),
            lambda: metrics.adapted_rand_error(ref, seg),
        ),
        "variation of information": (
            lambda: evaluation.variation_of_information(contingency(seg, ref)),
            lambda: metrics.variation_of_information(ref, seg),
        ),
        "Hausdorff distance": (
            lambda: evaluation.hausdorff_distance(seg, ref),
            lambda: metrics.hausdorff_distance(seg > 0, ref > 0),
        ),
    }
    for name, pair in pairs.items():
        ours, theirs = cpu_seconds(*pair)
        yield Row(f"{name}, {size}^3", ours, "s CPU", "scikit-image", theirs)
    (every,) = cpu_seconds(partial(evaluation.table_scores, table))
    yield Row(f"all scores of a table, {size}^3", every, "s CPU")


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--size", type=int, default=256)
    options.add_argument("--tile", type=int, default=100)
    given = options.parse_args()
    show(beside(given.size), given)
    show(tiled(given.size, given.tile), given)


if __name__ == "__main__":
    main()
