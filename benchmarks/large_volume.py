"""Segment a volume larger than memory whose objects are known, and compare the table.

    python benchmarks/large_volume.py [--gigabytes 1 8] [--workers 2] [--folder DIR]

Makes volumes of 2048 x 2048 pixels a plane and as many planes as wanted (uint8,
OME-Zarr, block by block): dark balls on a grid whose cells lie across the borders of
blocks, dark rods that run through the whole width, and noise. Then `segkit run` with
workers thresholds, labels, drops small objects, measures, classifies and writes labels
and classes as OME-Zarr, from a new store. The object table (label, size, box, class)
must equal the truth, row by row. Shown are the time of a voxel, and the largest peak of
a process. Needs about twice the volume on disk and removes everything at the end.
"""

from __future__ import annotations

import csv
import itertools
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from measuring import Took, measured
from reporting import Row, parser, show

import segkit
from segkit.pipeline import (
    Pipeline,
    bounds_classifier,
    classify,
    label,
    ndnt,
    reconstruct,
    regionprops,
    remove_small_objects,
    save,
    tile,
)
from segkit.tiling.boxes import Box
from segkit.tiling.cutting import tiles

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

WIDTH = 2048
PITCH = 64
BLOCK = 256
DROPPED = 50
SMALL, LARGE = 800, 5000
BRIGHT, DARK = 200, 50


def pipeline() -> Pipeline:
    return Pipeline(
        tile(BLOCK),
        ndnt(shape=32, threshold=0.3),
        label(),
        remove_small_objects(DROPPED),
        save("labels.zarr", labels=True, durable=False),
        regionprops(properties=["label", "count", "bbox", "centroid"]),
        classify(
            bounds_classifier("small", count=(0, SMALL)),
            bounds_classifier("large", count=(SMALL + 1, LARGE)),
            bounds_classifier("rod", count=(LARGE + 1, None)),
        ),
        save("objects.csv"),
        reconstruct(),
        save("classes.zarr", labels=True, durable=False),
    )


@dataclass(frozen=True)
class Thing:
    """A ball, or a rod along the last axis (where `length` is not 0)."""

    centre: tuple[float, float, float]
    radius: float
    length: int

    def box(self) -> Box:
        """Return a box that holds it."""
        reach = [self.radius, self.radius, self.length / 2 or self.radius]
        return Box(
            tuple(int(np.ceil(c - r)) for c, r in zip(self.centre, reach, strict=True)),
            tuple(
                int(np.floor(c + r)) + 1
                for c, r in zip(self.centre, reach, strict=True)
            ),
        )

    def mask(self, box: Box) -> np.ndarray:
        """Return which voxels of a box belong to it."""
        z, y, x = (np.arange(a, b) for a, b in zip(box.start, box.stop, strict=True))
        cz, cy, cx = self.centre
        plane = (z[:, None, None] - cz) ** 2 + (y[None, :, None] - cy) ** 2
        if self.length:
            along = np.abs(x - cx) <= self.length / 2
            return (plane <= self.radius**2) & along[None, None, :]
        return plane + (x[None, None, :] - cx) ** 2 <= self.radius**2


def things(depth: int) -> list[Thing]:
    """Return all objects of a volume: one in each cell of a grid, or rods."""
    rng = np.random.default_rng(0)
    found = []
    across = range(PITCH, WIDTH, PITCH)
    for z in range(PITCH, depth, PITCH):
        for y in across:
            if (z + 3 * y) // PITCH % 8 == 0:
                place = (z + rng.uniform(-9, 9), y + rng.uniform(-9, 9), WIDTH / 2)
                found.append(Thing(place, rng.uniform(2.5, 6), WIDTH - 40))
                continue
            jitter = rng.uniform(-16, 16, (len(across), 3))
            radii = rng.uniform(1.5, 8, len(across))
            for x, shift, radius in zip(across, jitter, radii, strict=True):
                place = tuple(np.add((z, y, x), shift).tolist())
                found.append(Thing(place, radius, 0))
    return found


def make(path: Path, depth: int, workers: int) -> list[Thing]:
    """Write the volume block by block; return what is in it."""
    shape = (depth, WIDTH, WIDTH)
    found = things(depth)
    chunks = (64, BLOCK, BLOCK)
    writer = segkit.create_image(path, shape, np.uint8, chunks=chunks, axes="zyx")
    near: dict[tuple[int, ...], list[Thing]] = {}
    for thing in found:
        box = thing.box()
        spans = [
            range(start // BLOCK, (stop - 1) // BLOCK + 1)
            for start, stop in zip(box.start, box.stop, strict=True)
        ]
        for index in itertools.product(*spans):
            near.setdefault(index, []).append(thing)
    jobs = [(one.write, near.get(one.index, [])) for one in tiles(shape, BLOCK)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(partial(write_block, path), jobs))
    writer.finish(durable=False)
    return found


def overlap(a: Box, b: Box) -> Box | None:
    start = tuple(map(max, a.start, b.start))
    stop = tuple(map(min, a.stop, b.stop))
    return (
        None
        if any(s >= e for s, e in zip(start, stop, strict=True))
        else Box(start, stop)
    )


def write_block(path: Path, job: tuple[Box, list[Thing]]) -> None:
    box, near = job
    noise = np.random.default_rng(1).integers(-8, 9, (32, *box.shape[1:]), np.int8)
    voxels = np.full(box.shape, BRIGHT, np.uint8)
    for thing in near:
        common = overlap(thing.box(), box)
        if common is not None:
            voxels[common.within(box).slices][thing.mask(common)] = DARK
    for start in range(0, box.shape[0], len(noise)):
        part = voxels[start : start + len(noise)]
        part += noise[: len(part)].view(np.uint8)  # modulo 256: right for negatives too
    segkit.open_writer(path).write(box, voxels)


def truth(found: list[Thing], shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Return label, size, box and class of what is left, in order of label."""
    rows = []
    for thing in found:
        box = thing.box()
        mask = thing.mask(box)
        first = np.add(np.unravel_index(int(mask.argmax()), mask.shape), box.start)
        place = int(np.ravel_multi_index(first, shape))
        inside = np.nonzero(mask)
        low = [int(i.min()) + a for i, a in zip(inside, box.start, strict=True)]
        high = [int(i.max()) + a + 1 for i, a in zip(inside, box.start, strict=True)]
        rows.append((place, int(mask.sum()), *low, *high))
    rows.sort()
    kept = []
    for number, (_, size, *box) in enumerate(rows, start=1):
        if size >= DROPPED:
            kind = 1 if size <= SMALL else 2 if size <= LARGE else 3
            kept.append((number, size, *box, kind))
    return kept


def table(path: Path) -> list[tuple[int, ...]]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = ["label", "count", *(f"bbox-{k}" for k in range(6)), "class"]
    return [tuple(int(row[name]) for name in names) for row in rows]


def measure(folder: Path, depth: int, workers: int) -> tuple[Took, str]:
    """Make a volume, run the job, compare; return what it took."""
    volume, out = folder / "volume.zarr", folder / "out"
    found = make(volume, depth, workers)
    script = pipeline().save(folder / "job.toml")
    call = [sys.executable, "-m", "segkit", "run", str(script), str(volume)]
    call += ["-o", str(out), "-j", str(workers), "--store", str(folder / "store")]
    took = measured(call)
    shape = (depth, WIDTH, WIDTH)
    expected = truth(found, shape)
    got = table(out / "objects.csv")
    if got != expected:
        wrong = sum(a != b for a, b in zip(got, expected, strict=False))
        sys.exit(f"{len(got)} rows for {len(expected)}; {wrong} of them are wrong")
    require_pictures(out, expected)
    stored = sum(p.stat().st_size for p in (folder / "store").rglob("*") if p.is_file())
    return took, f"{len(got):,} objects, all right; store {stored / 1e6:.0f} MB"


def require_pictures(out: Path, rows: list[tuple[int, ...]]) -> None:
    """Compare labels and classes with the table where some of the objects are."""
    labels = segkit.open_image(out / "labels.zarr")
    classes = segkit.open_image(out / "classes.zarr")
    for number, size, *box, kind in rows[:: max(1, len(rows) // 20)]:
        where = Box(tuple(box[:3]), tuple(box[3:]))
        own = labels.read(where) == number
        if int(own.sum()) != size or set(classes.read(where)[own].tolist()) != {kind}:
            sys.exit(f"object {number} is not painted as the table says")


def rows(given: argparse.Namespace) -> Iterator[Row]:
    for gigabytes in given.gigabytes:
        depth = max(1, round(gigabytes * 2**30 / WIDTH**2))
        voxels = depth * WIDTH**2
        with tempfile.TemporaryDirectory(dir=given.folder) as name:
            took, note = measure(Path(name), depth, given.workers)
        case = f"{gigabytes:g} GB by {given.workers} workers"
        yield Row(f"{case}: a voxel", 1e9 * took.wall / voxels, "ns", note=note)
        yield Row("  the same, of CPU", 1e9 * took.cpu / voxels, "ns CPU")
        yield Row("  peak of the largest process", took.peak_mb, "MB")


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--gigabytes", type=float, nargs="+", default=[1, 8])
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--folder", type=Path, help="where there is room")
    given = options.parse_args()
    show(rows(given), given)


if __name__ == "__main__":
    main()
