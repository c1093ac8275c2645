"""Compare SLIC, whole and tiled, with scikit-image, in one run.

    python benchmarks/superpixels.py [--shape 48 192 192] [--segments 2000]

On smoothed noise, one thread each, in CPU seconds. Clusters must be those of
scikit-image, and those of tiles the same as those of the whole.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from measuring import cpu_seconds
from reporting import Row, parser, show
from scipy import ndimage
from skimage import segmentation

from segkit import slic

if TYPE_CHECKING:
    from collections.abc import Iterator


def rows(shape: list[int], wanted: int) -> Iterator[Row]:
    image = ndimage.gaussian_filter(np.random.default_rng(0).random(shape), 2)
    slic(image[:8, :8], 2)  # compiled before it is timed
    same = {"compactness": 0.1, "enforce_connectivity": False}
    peer = partial(segmentation.slic, image, wanted, channel_axis=None, **same)
    whole = partial(slic, image, wanted, **same, workers=1)
    tiled = partial(whole, tile=[-(-n // 3) for n in image.shape])
    found = peer()
    assert np.array_equal(whole(), found)
    assert np.array_equal(tiled(), found)
    theirs, *ours = cpu_seconds(peer, whole, tiled, runs=1)
    size = "x".join(map(str, shape))
    for name, own in zip(("whole", "27 tiles"), ours, strict=True):
        case = f"slic, {size}, {wanted} segments, {name}"
        yield Row(case, own, "s CPU", "scikit-image", theirs, note="equal")


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--shape", type=int, nargs="+", default=[48, 192, 192])
    options.add_argument("--segments", type=int, default=2000)
    given = options.parse_args()
    show(rows(given.shape, given.segments), given)


if __name__ == "__main__":
    main()
