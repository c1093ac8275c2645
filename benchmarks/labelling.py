"""Label volumes tile by tile beside scikit-image, scipy, cc3d and dask-image.

    python benchmarks/labelling.py [--size 512] [--dask-size 256] [--repeat 3]
    python benchmarks/labelling.py --planes 4096 8192

Each line is one way to label: the best time of `repeat` runs, each in a new process and
the ways taking turns; the processor time of all its threads; the peak memory beyond the
mask, in bytes a voxel; and the ratio peer / ours of the times. All results of ours are
compared with scipy's, ids included.

With ``--planes``, planes beside scipy, cc3d and OpenCV, in one thread of one process,
and new numbers for labels beside fastremap, if that is installed; here the ratio is
ours / best peer, of processor time.

As "stored tasks", each tile is labelled, merged and relabelled by functions that get
and return small arrays, in two processes that pass them through files.
"""

from __future__ import annotations

import argparse
import pickle
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
import numpy as np
from scipy import ndimage

from segkit import labelling
from segkit.measurement import relabel_sequential
from segkit.tiling.cutting import tiles

if TYPE_CHECKING:
    from segkit.tiling.boxes import Tile

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


def checkerboard(size: int) -> np.ndarray:
    """Return single voxels, 50 %: as many objects as there can be."""
    z, y, x = np.ogrid[:size, :size, :size]
    return (z + y + x) % 2 == 0


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


MASKS = {"cells": cells, "blob": blob, "noise": noise, "checkerboard": checkerboard}


def compare(volume: str, size: int, connectivity: int, ways: dict[str, Way]) -> None:
    context = get_context("spawn")
    runs: dict[str, list[Any]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "mask.npy"))
        np.save(path, MASKS[volume](size))
        for _ in range(options.repeat):
            for name, way in ways.items():
                with ProcessPoolExecutor(1, mp_context=context) as alone:
                    job = alone.submit(measured, way, path, connectivity)
                    runs[name].append(job.result())
    print(f"\n{volume} {size}^3, connectivity {connectivity}")
    best = {name: min(run) for name, run in runs.items()}
    own = [name for name in ways if name.startswith("segkit")]
    truth = best.get("scipy")
    for name, (seconds, busy, peak, digest) in best.items():
        line = f"  {name:26s} {seconds:7.3f} s  cpu {busy:7.3f} s  {peak:4.1f} B/voxel"
        if name in own and truth:
            line += "  equal to scipy" if digest == truth[3] else "  DIFFERS"
        elif name not in own:
            ratios = (f"{seconds / best[o][0]:.2f}x {o}" for o in own)
            line += "  " + ", ".join(ratios)
        print(line, flush=True)


def as_tasks(volume: str, size: int, parts: int) -> None:
    """Label as a graph of stored tasks would, by two processes and files."""
    mask = MASKS[volume](size)
    tile = round(size / round(parts ** (1 / 3)))
    grid = tiles(mask.shape, tile)
    context = get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(2, mp_context=context, initializer=warm_up) as pool,
    ):
        list(pool.map(idle, range(8)))
        np.save(Path(folder, "mask.npy"), mask)
        start = time.perf_counter()
        first = partial(label_one, folder, mask.shape)
        peaks = list(pool.map(first, grid))
        lookups = pool.submit(merge_all, folder, grid).result()
        second = partial(relabel_one, folder)
        peaks += list(pool.map(second, grid, lookups))
        seconds = time.perf_counter() - start
        out = np.empty(mask.shape, np.int32)
        for one in grid:
            out[one.write.slices] = np.load(Path(folder, f"final{one.index}.npy"))
    begin = time.perf_counter()
    truth = by_skimage(mask, 1)
    whole = time.perf_counter() - begin
    same = "equal" if np.array_equal(out, truth) else "DIFFERS"
    extra = max(peaks) / 2**20
    bound = (6 * tile**3) / 2**20 + 64
    print(
        f"  {volume}, {parts} tiles as stored tasks, 2 processes: {seconds:.3f} s = "
        f"{seconds / whole:.2f} of scikit-image ({whole:.3f} s), {same}; peak of a "
        f"worker {extra:.0f} MB beyond its start (6 B/voxel + 64 MB: {bound:.0f} MB)",
        flush=True,
    )


def warm_up() -> None:
    one = tiles((4, 4, 4), 4)[0]
    part = labelling.label_tile(np.ones((4, 4, 4), bool), one, (4, 4, 4))
    labelling.merge_tiles([part.summary])
    labelling.relabel_tile(part.labels, np.arange(2, dtype=np.int32))
    global floor  # noqa: PLW0603 - a figure of this process
    floor = resident("VmRSS")


floor = 0


def idle(_: int) -> None:
    time.sleep(0.05)


def label_one(folder: str, shape: tuple[int, ...], tile: Tile) -> int:
    mask = np.load(Path(folder, "mask.npy"), mmap_mode="r")
    part = labelling.label_tile(mask[tile.write.slices].copy(), tile, shape)
    np.save(Path(folder, f"labels{tile.index}.npy"), part.labels)
    Path(folder, f"summary{tile.index}").write_bytes(pickle.dumps(part.summary))
    return resident("VmHWM") - floor


def merge_all(folder: str, grid: list[Tile]) -> list[np.ndarray]:
    return labelling.merge_tiles(
        pickle.loads(Path(folder, f"summary{tile.index}").read_bytes()) for tile in grid
    )


def relabel_one(folder: str, tile: Tile, lookup: np.ndarray) -> int:
    labels = np.load(Path(folder, f"labels{tile.index}.npy"))
    final = labelling.relabel_tile(labels, lookup, out=labels)
    np.save(Path(folder, f"final{tile.index}.npy"), final)
    return resident("VmHWM") - floor


def cpu_seconds(function, runs):
    function()
    times = []
    for _ in range(runs):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def plane_masks(size):
    rng = np.random.default_rng(0)
    smooth = ndimage.gaussian_filter(
        rng.standard_normal((size // 2, size // 2), np.float32), 4
    )
    yield "blobs", np.tile(smooth > np.quantile(smooth, 0.7), (2, 2))
    yield "noise, 30 %", rng.random((size, size), np.float32) < 0.3
    yield "noise, 50 %", rng.random((size, size), np.float32) < 0.5


def compare_plane(name, mask, connectivity, runs):
    structure = ndimage.generate_binary_structure(2, connectivity)
    near, grey = (4, 8)[connectivity - 1], mask.view(np.uint8)
    own = partial(labelling.label, mask, connectivity=connectivity, workers=1)
    peers = {
        "scipy": partial(ndimage.label, mask, structure),
        "cc3d": partial(cc3d.connected_components, mask, connectivity=near),
        "cv2": partial(cv2.connectedComponents, grey, connectivity=near),
    }
    same = np.array_equal(own(), peers["scipy"]()[0])
    ours = cpu_seconds(own, runs)
    theirs = {peer: cpu_seconds(call, runs) for peer, call in peers.items()}
    times = ", ".join(f"{peer} {t:.3f} s" for peer, t in theirs.items())
    print(
        f"{name} {mask.shape[0]}^2, connectivity {connectivity}: {ours:.3f} s, "
        f"{'equal to scipy' if same else 'DIFFERS'}; {times}; "
        f"ratio {ours / min(theirs.values()):.2f}",
        flush=True,
    )


def renumber(labels, runs):
    ours = cpu_seconds(partial(relabel_sequential, labels), runs)
    print(f"relabel_sequential {labels.shape[0]}^2: {ours:.3f} s", end="", flush=True)
    try:
        import fastremap
    except ImportError:
        print()
        return
    theirs = cpu_seconds(partial(fastremap.renumber, labels, in_place=False), runs)
    print(f"; fastremap {theirs:.3f} s; ratio {ours / theirs:.2f}")


def planes(sizes):
    cv2.setNumThreads(1)
    for size in sizes:
        for name, mask in plane_masks(size):
            for connectivity in (1, 2):
                compare_plane(name, mask, connectivity, options.repeat)
    labels = labelling.label(next(plane_masks(sizes[0]))[1])
    renumber(np.where(labels % 3, labels, 0), options.repeat)


def main() -> None:
    if options.planes:
        planes(options.planes)
        return
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
        if volume in options.volumes:
            compare(volume, options.size, connectivity, whole)
    print(f"\nstored tasks, {options.size}^3")
    for volume in ("cells", "noise", "checkerboard"):
        for parts in (8, 64):
            as_tasks(volume, options.size, parts)
    if options.dask_size:
        size = options.dask_size
        options.repeat = 1
        peers = {
            "segkit, 64 tiles": partial(ours, parts=64),
            "scipy": by_scipy,
            "dask-image, 64 chunks": partial(by_dask_image, chunk=size // 4),
        }
        compare("cells", size, 1, peers)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--dask-size", type=int, default=256, help="0: without it")
    parser.add_argument("--planes", type=int, nargs="*", help="planes of such sides")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--volumes", nargs="*", default=["cells", "blob", "noise"])
    options = parser.parse_args()
    main()
