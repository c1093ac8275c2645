"""Score `segment_nuclei` on drawn volumes beside Otsu and a watershed of distances.

    python benchmarks/accuracy/nuclei_in_volumes.py [--seeds 1] [--only crowded]

Average precision at IoU 0.5 on each setting of `drawn_volumes`, by the defaults and by
the usual recipe with scikit-image, each without the spacing and with it.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np
from drawn_volumes import SETTINGS, drawn
from scipy import ndimage
from skimage import feature, filters, segmentation

from segkit.evaluation.matching import average_precision
from segkit.methods.nuclei import segment_nuclei
from segkit.overlaps.contingency_table import contingency

if TYPE_CHECKING:
    from numpy.typing import NDArray


def usual(
    volume: NDArray[np.uint16], spacing: tuple[float, ...] | None
) -> NDArray[np.int32]:
    """Return nuclei by Otsu's threshold and a watershed from summits of distance."""
    smooth = ndimage.gaussian_filter(volume.astype(float), 1)
    mask = smooth > filters.threshold_otsu(smooth)
    inside = ndimage.distance_transform_edt(mask, spacing)
    inside = ndimage.gaussian_filter(inside, 1)
    summits = feature.peak_local_max(
        inside, min_distance=5, labels=mask.astype(int), exclude_border=False
    )
    markers = np.zeros(mask.shape, np.int32)
    markers[tuple(summits.T)] = np.arange(1, len(summits) + 1)
    labels: NDArray[np.int32] = segmentation.watershed(-inside, markers, mask=mask)
    return labels


def scores(name: str, seed: int) -> list[float]:
    """Return the average precision of all four, and found / drawn of the first."""
    setting = SETTINGS[name]
    volume, reference = drawn(setting, seed)
    spacing = (setting.step, 1.0, 1.0)
    found = [
        segment_nuclei(volume, axes="zyx"),
        usual(volume, None),
        segment_nuclei(volume, spacing=spacing),
        usual(volume, spacing),
    ]
    tables = [contingency(labels, reference) for labels in found]
    precisions = [average_precision(t, [0.5])[0].average_precision for t in tables]
    return [*precisions, int(found[0].max()) / int(reference.max())]


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--seeds", type=int, default=1)
    options.add_argument("--only", choices=SETTINGS)
    given = options.parse_args()
    print("| volumes | ours | usual | ours, spacing | usual, spacing | found / drawn |")
    print("|---|---|---|---|---|---|")
    rows = []
    for name in [given.only] if given.only else SETTINGS:
        rows.append(np.mean([scores(name, n) for n in range(given.seeds)], axis=0))
        print(f"| {name} | {' | '.join(f'{x:.2f}' for x in rows[-1])} |", flush=True)
    print(f"| mean | {' | '.join(f'{x:.2f}' for x in np.mean(rows, axis=0))} |")


if __name__ == "__main__":
    main()
