"""Label volumes tile by tile beside scikit-image, scipy, cc3d and dask-image.

    python benchmarks/labelling.py [--size 512] [--dask-size 256] [--runs 3]
    python benchmarks/labelling.py --planes 4096 8192

Each row is one way to label beside a peer: the best times of `runs` runs, each in a new
process and the ways taking turns; noted are the processor time of all threads, and the
peak memory beyond the mask, in bytes a voxel. All results of ours are compared with
scipy's, ids included.

With ``--planes``, planes beside scipy, cc3d and OpenCV, in one thread of one process,
and new numbers for labels beside fastremap; here the times are of the processor.
"""

from __future__ import annotations

import re
import tempfile
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cc3d
import cv2
import fastremap
import numpy as np
from measuring import cpu_seconds
from reporting import Row, parser, show
from scipy import ndimage

from segkit import labelling
from segkit.measurement import relabel_sequential

if TYPE_CHECKING:
    from collections.abc import Iterator

Way = Callable[[np.ndarray, int], np.ndarray]


def cells(size: int) -> np.ndarray:
    """Return isolated blobs, 8 % of the voxels."""
    half = np.random.default_rng(0).standard_normal((size // 2,) * 3, np.float32)
    smooth = ndimage.gaussian_filter(half, 3)
    return np.tile(smooth > np.quantile(smooth, 0.92), (2, 2, 2))


def blob(size: int) -> np.ndarray:
    """Return one large, winding object and some small ones, 30 %."""
    half = np.random.default_rng(0).standard_normal((size // 2,) * 3, np.float32)
    smooth = ndimage.gaussian_filter(half, 4)
    return np.tile(smooth > np.quantile(smooth, 0.7), (2, 2, 2))


def noise(size: int) -> np.ndarray:
    """Return independent voxels, 30 %."""
    return np.random.default_rng(0).random((size,) * 3, np.float32) < 0.3


def ours(mask: np.ndarray, connectivity: int, *, parts: int, workers: int = 2) -> Any:
    tile = None if parts == 1 else round(mask.shape[0] / round(parts ** (1 / 3)))
    return labelling.label(mask, connectivity=connectivity, tile=tile, workers=workers)


def by_skimage(mask: np.ndarray, connectivity: int) -> Any:
    from skimage.measure import label

    return label(mask, connectivity=connectivity)


def by_scipy(mask: np.ndarray, connectivity: int) -> Any:
    return ndimage.label(mask, ndimage.generate_binary_structure(3, connectivity))[0]


def by_cc3d(mask: np.ndarray, connectivity: int) -> Any:
    from cc3d import connected_components

    return connected_components(mask, connectivity={1: 6, 2: 18, 3: 26}[connectivity])


def by_dask_image(mask: np.ndarray, connectivity: int, *, chunk: int) -> Any:
    import dask.array as da
    from dask_image.ndmeasure import label

    structure = ndimage.generate_binary_structure(3, connectivity)
    return label(da.from_array(mask, chunk), structure)[0].compute()


def resident(name: str) -> int:
    """Return `VmRSS` or `VmHWM` of this process in bytes (Linux)."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(rf"{name}:\s+(\d+) kB", text)
    return int(found[1]) * 1024 if found else 0


def measured(way: Way, path: str, connectivity: int) -> tuple[Any, ...]:
    """Return time, processor time, extra peak in bytes a voxel, digest of labels."""
    mask = np.load(path)
    way(mask[:16, :16, :16].copy(), connectivity)  # import and compile
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before, start, busy = resident("VmRSS"), time.perf_counter(), time.process_time()
    labels = way(mask, connectivity)
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    peak = (resident("VmHWM") - before) / mask.size
    return seconds, busy, peak, zlib.crc32(labels.astype(np.int32))


MASKS = {"cells": cells, "blob": blob, "noise": noise}


def compare(
    volume: str, size: int, connectivity: int, ways: dict[str, Way], count: int
) -> Iterator[Row]:
    context = get_context("spawn")
    runs: dict[str, list[Any]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "mask.npy"))
        np.save(path, MASKS[volume](size))
        for _ in range(count):
            for name, way in ways.items():
                with ProcessPoolExecutor(1, mp_context=context) as alone:
                    job = alone.submit(measured, way, path, connectivity)
                    runs[name].append(job.result())
    best = {name: min(run) for name, run in runs.items()}
    for name in (name for name in best if name.startswith("segkit")):
        seconds, busy, peak, digest = best[name]
        same = "equal to scipy" if digest == best["scipy"][3] else "DIFFERS"
        case = f"{volume} {size}^3, connectivity {connectivity}, {name[8:]}"
        for peer in (name for name in best if not name.startswith("segkit")):
            theirs, their_busy, their_peak, _ = best[peer]
            note = (
                f"CPU {busy:.2f} and {their_busy:.2f} s, "
                f"{peak:.1f} and {their_peak:.1f} bytes a voxel; {same}"
            )
            yield Row(case, seconds, "s", peer, theirs, note=note)


def plane_masks(size):
    rng = np.random.default_rng(0)
    smooth = ndimage.gaussian_filter(
        rng.standard_normal((size // 2, size // 2), np.float32), 4
    )
    yield "blobs", np.tile(smooth > np.quantile(smooth, 0.7), (2, 2))
    yield "noise, 30 %", rng.random((size, size), np.float32) < 0.3
    yield "noise, 50 %", rng.random((size, size), np.float32) < 0.5


def compare_plane(name, mask, connectivity, runs) -> Iterator[Row]:
    structure = ndimage.generate_binary_structure(2, connectivity)
    near, grey = (4, 8)[connectivity - 1], mask.view(np.uint8)
    own = partial(labelling.label, mask, connectivity=connectivity, workers=1)
    peers = {
        "scipy": partial(ndimage.label, mask, structure),
        "cc3d": partial(cc3d.connected_components, mask, connectivity=near),
        "OpenCV": partial(cv2.connectedComponents, grey, connectivity=near),
    }
    same = np.array_equal(own(), peers["scipy"]()[0])
    ours, *times = cpu_seconds(own, *peers.values(), runs=runs)
    theirs = dict(zip(peers, times, strict=True))
    best = min(theirs, key=theirs.__getitem__)
    others = (f"{p} {1e3 * s:.0f} ms" for p, s in theirs.items() if p != best)
    yield Row(
        f"{name} {mask.shape[0]}^2, connectivity {connectivity}",
        1e3 * ours,
        "ms CPU",
        f"{best}, the fastest of three",
        1e3 * theirs[best],
        goal_ratio=1 / 1.1,
        note=f"{'equal to scipy' if same else 'DIFFERS'}; {', '.join(others)}",
    )


def renumber(labels, runs) -> Row:
    own = partial(relabel_sequential, labels)
    own()
    peer = partial(fastremap.renumber, labels, in_place=False)
    ours, theirs = (1e3 * s for s in cpu_seconds(own, peer, runs=runs))
    case = f"relabel_sequential {labels.shape[0]}^2"
    return Row(case, ours, "ms CPU", "fastremap", theirs, goal_ratio=1 / 1.2)


def planes(sizes, runs) -> Iterator[Row]:
    cv2.setNumThreads(1)
    for size in sizes:
        for name, mask in plane_masks(size):
            for connectivity in (1, 2):
                yield from compare_plane(name, mask, connectivity, runs)
    labels = labelling.label(next(plane_masks(sizes[0]))[1])
    yield renumber(np.where(labels % 3, labels, 0), runs)


def volumes(given) -> Iterator[Row]:
    whole: dict[str, Way] = {
        "segkit, 8 tiles": partial(ours, parts=8),
        "segkit, 64 tiles": partial(ours, parts=64),
        "segkit, 64 tiles, 1 thread": partial(ours, parts=64, workers=1),
        "segkit, whole": partial(ours, parts=1),
        "scipy": by_scipy,
        "scikit-image": by_skimage,
        "cc3d": by_cc3d,
    }
    for volume, connectivity in (("cells", 1), ("cells", 3), ("blob", 1), ("noise", 1)):
        if volume in given.volumes:
            yield from compare(volume, given.size, connectivity, whole, given.runs)
    if given.dask_size:
        size = given.dask_size
        peers = {
            "segkit, 64 tiles": partial(ours, parts=64),
            "scipy": by_scipy,
            "dask-image, 64 chunks": partial(by_dask_image, chunk=size // 4),
        }
        yield from compare("cells", size, 1, peers, 1)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--size", type=int, default=512)
    options.add_argument("--dask-size", type=int, default=256, help="0: without it")
    options.add_argument("--planes", type=int, nargs="*", help="planes of such sides")
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--volumes", nargs="*", default=["cells", "blob", "noise"])
    given = options.parse_args()
    rows = planes(given.planes, given.runs) if given.planes else volumes(given)
    show(rows, given)


if __name__ == "__main__":
    main()
