"""Compare SLIC, whole and tiled, with scikit-image, in one run.

    python benchmarks/superpixels.py [--shape 48 192 192] [--segments 2000]

On smoothed noise, one thread each, in CPU seconds. Clusters must be those of
scikit-image, and those of tiles the same as those of the whole.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage
from skimage import segmentation

from segkit import slic

if TYPE_CHECKING:
    from collections.abc import Callable


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = call()
    return time.process_time() - start, result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", type=int, nargs="+", default=[48, 192, 192])
    parser.add_argument("--segments", type=int, default=2000)
    options = parser.parse_args()
    noise = np.random.default_rng(0).random(options.shape)
    image, wanted = ndimage.gaussian_filter(noise, 2), options.segments
    slic(image[:8, :8], 2)  # compiled before it is timed
    same = {"compactness": 0.1, "enforce_connectivity": False}
    theirs, peer = timed(
        lambda: segmentation.slic(image, wanted, channel_axis=None, **same)
    )
    tile = [-(-n // 3) for n in image.shape]
    for name, size in (("whole", None), ("27 tiles", tile)):
        ours, found = timed(lambda t=size: slic(image, wanted, tile=t, **same))
        assert np.array_equal(found, peer)
        print(f"{name:9s} {ours:6.2f} s, scikit-image {theirs:6.2f} s", end=": ")
        print(f"{theirs / ours:4.1f}x")


if __name__ == "__main__":
    main()
