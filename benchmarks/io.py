"""Write and read images beside plain tifffile, zarr and dask-image, in one run.

    python benchmarks/io.py [--planes 64] [--runs 3] [--writers 1 2 4]

Each row is one job: our rate and the peer's, both the best of `runs` alternating runs
over the same voxels in the page cache (nobody waits for the disk).
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
import zarr
from reporting import Row, parser, show
from zarr.codecs import ZstdCodec

import segkit
from segkit.tiling.cutting import tiles

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNKS = (32, 256, 256)
Job = Callable[[], Any]


def grey_volume(planes: int) -> np.ndarray:
    """Return smooth structures with camera noise, uint8."""
    rng = np.random.default_rng(0)
    z, y, x = np.ogrid[:planes, :1024, :1024]
    volume = 120 + 40 * np.sin(x / 40) * np.cos(y / 60) * np.cos(z / 9)
    noise = rng.normal(0, 6, (1, 1024, 1024)) + rng.normal(0, 3, (planes, 1, 1024))
    return np.clip(volume + noise, 0, 255).astype(np.uint8)


def label_volume(planes: int) -> np.ndarray:
    """Return labelled boxes on a grid, int32."""
    z, y, x = np.ogrid[:planes, :1024, :1024]
    number = 1 + z // 16 * 1024 + y // 32 * 32 + x // 32
    inside = (z % 16 > 3) & (y % 32 > 5) & (x % 32 > 5)
    return np.where(inside, number, 0).astype(np.int32)


def best(job: Job, clean: Callable[[], None]) -> float:
    clean()
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def compare(
    name: str, size: int, ours: Job, peer: Job, runs: int, clean: Job = lambda: None
) -> Row:
    """Compare a job with a peer's, alternating so that load hits both."""
    times = [(best(ours, clean), best(peer, clean)) for _ in range(runs)]
    return rates(name, size, times)


def rates(name: str, size: int, times: list[tuple[float, float]]) -> Row:
    mine, other = (size / min(column) / 1e6 for column in zip(*times, strict=True))
    case, _, peer = name.partition(" | ")
    return Row(case, mine, "MB/s", peer, other)


def write_tiles(path: Path, store: str, number: int, count: int) -> None:
    """Write every `count`-th tile of the volume stored beside, as one worker does."""
    volume = np.load(path.parent / "volume.npy", mmap_mode="r")
    if store == "ours":
        write = segkit.open_writer(path).write
        for tile in tiles(volume.shape, CHUNKS)[number::count]:
            write(tile.write, volume[tile.write.slices])
        return
    array = zarr.open_array(str(path), mode="r+")
    for tile in tiles(volume.shape, CHUNKS)[number::count]:
        array[tile.write.slices] = volume[tile.write.slices]


def many_writers(folder: Path, volume: np.ndarray, count: int, runs: int) -> Row:
    """Compare `count` processes that write one array, start-up left out."""

    def run(store: str) -> float:
        path = folder / "many.zarr"
        shutil.rmtree(path, ignore_errors=True)
        if store == "ours":
            writer = segkit.create_image(path, volume.shape, np.uint8, chunks=CHUNKS)
        else:
            zarr.create_array(
                str(path),
                shape=volume.shape,
                chunks=CHUNKS,
                dtype=np.uint8,
                compressors=[ZstdCodec(level=1)],
            )
        with get_context("spawn").Pool(count) as pool:
            pool.map(time.sleep, [0.3] * count, chunksize=1)  # all have started
            pool.map(partial(_import_only), range(count), chunksize=1)
            start = time.perf_counter()
            jobs = [(path, store, number, count) for number in range(count)]
            pool.starmap(write_tiles, jobs, chunksize=1)
            elapsed = time.perf_counter() - start
        if store == "ours":
            writer.finish(durable=False)
            np.testing.assert_array_equal(segkit.open_image(path).read(), volume)
        return elapsed

    times = [(run("ours"), run("zarr")) for _ in range(runs)]
    name = f"OME-Zarr zstd, {count} processes write | zarr"
    return rates(name, volume.nbytes, times)


def _import_only(_: int) -> None:
    zarr.create_array({}, shape=(1,), dtype=np.uint8)


def plain_zarr(path: Path, array: np.ndarray) -> None:
    created = zarr.create_array(
        str(path),
        shape=array.shape,
        chunks=CHUNKS,
        dtype=array.dtype,
        compressors=[ZstdCodec(level=1)],
    )
    created[...] = array


def dask_read(path: Path, box: tuple[slice, ...]) -> np.ndarray:
    from dask_image.imread import imread

    return imread(str(path))[box].compute()


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def run_format(
    name: str,
    array: np.ndarray,
    folder: Path,
    writers: tuple[Callable[[Path], Any], Callable[[Path], Any]],
    readers: tuple[Callable[[Path], Any], Callable[[Path], Any]],
    runs: int,
) -> Iterator[Row]:
    """Compare writing and reading of one format; each reads its own file."""
    kind, _, peer = name.partition(" | ")
    suffix = {"npy": ".npy", "OME-Zarr": ".zarr"}.get(kind.split()[0], ".tif")
    mine, other = folder / f"ours{suffix}", folder / f"peer{suffix}"

    def clean() -> None:
        remove(mine)
        remove(other)

    own, theirs = partial(writers[0], mine), partial(writers[1], other)
    yield compare(f"{kind}: write | {peer}", array.nbytes, own, theirs, runs, clean)
    clean()
    own()
    theirs()
    own, theirs = partial(readers[0], mine), partial(readers[1], other)
    yield compare(f"{kind}: read all | {peer}", array.nbytes, own, theirs, runs)
    clean()


def rows(planes: int, counts: list[int], runs: int) -> Iterator[Row]:
    grey, labels = grey_volume(planes), label_volume(planes)
    save = partial(segkit.save, durable=False)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield from formats(grey, labels, folder, save, runs)
        yield from boxes(grey, folder, save, runs)
        np.save(folder / "volume.npy", grey)
        for count in counts:
            yield many_writers(folder, grey, count, runs)


def read(path: Path) -> np.ndarray:
    """Return the voxels of a file."""
    return np.array(segkit.open_image(path))


def formats(
    grey: np.ndarray,
    labels: np.ndarray,
    folder: Path,
    save: Callable[..., Any],
    runs: int,
) -> Iterator[Row]:
    """Compare whole volumes in each format."""
    yield from run_format(
        "npy | numpy",
        grey,
        folder,
        (lambda p: save(p, grey), lambda p: np.save(p, grey)),
        (read, np.load),
        runs,
    )
    yield from run_format(
        "tiff | tifffile",
        grey,
        folder,
        (lambda p: save(p, grey), lambda p: tifffile.imwrite(p, grey)),
        (read, tifffile.imread),
        runs,
    )
    for name, array in (("grey", grey), ("labels", labels)):
        yield from compressed_formats(name, array, folder, save, runs)


def compressed_formats(
    name: str, array: np.ndarray, folder: Path, save: Callable[..., Any], runs: int
) -> Iterator[Row]:
    """Compare a whole volume in the formats that compress it."""
    zstd: dict[str, Any] = {"compression": "zstd", "tile": (256, 256)}
    yield from run_format(
        f"tiff zstd {name} | tifffile",
        array,
        folder,
        (
            lambda p: save(p, array, compression="zstd"),
            lambda p: tifffile.imwrite(p, array, **zstd),
        ),
        (read, tifffile.imread),
        runs,
    )
    yield from run_format(
        f"OME-Zarr zstd {name} | zarr",
        array,
        folder,
        (
            lambda p: save(p, array, chunks=CHUNKS),
            lambda p: plain_zarr(p, array),
        ),
        (read, lambda p: zarr.open_array(str(p), mode="r")[...]),
        runs,
    )


def boxes(
    grey: np.ndarray, folder: Path, save: Callable[..., Any], runs: int
) -> Iterator[Row]:
    """Compare reading one box of 1/32 of the volume, opening included."""
    box = (slice(8, 40), slice(300, 556), slice(200, 456))
    size = grey[box].nbytes
    plain, packed = folder / "plain.tif", folder / "packed.tif"
    save(plain, grey)
    save(packed, grey, compression="zstd")

    def ours(path: Path) -> np.ndarray:
        return segkit.open_image(path).read(box)

    for name, path in (("tiff", plain), ("tiff zstd", packed)):
        peers: dict[str, Job] = {
            "tifffile": lambda p=path: tifffile.imread(p)[box],
            "dask-image": lambda p=path: dask_read(p, box),
        }
        for peer, job in peers.items():
            case = f"{name}: read a box | {peer}"
            yield compare(case, size, partial(ours, path), job, runs)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--planes", type=int, default=64)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--writers", type=int, nargs="*", default=[1, 2, 4])
    given = options.parse_args()
    show(rows(given.planes, given.writers, given.runs), given)


if __name__ == "__main__":
    main()
