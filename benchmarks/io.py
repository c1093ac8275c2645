"""Write and read images beside plain tifffile, zarr and dask-image, in one run.

    python benchmarks/io.py [--planes 64] [--repeat 3] [--writers 1 2 4]

Each line is one job: our time and the peer's, both the best of `repeat` alternating
runs over the same voxels in the page cache (nobody waits for the disk), and the ratio
peer / ours: above 1 we are faster.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import zarr
from zarr.codecs import ZstdCodec

import segkit
from segkit.tiling.cutting import tiles

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
    name: str, size: int, ours: Job, peer: Job, options: dict[str, Any]
) -> None:
    """Print both times of a job, alternating so that load hits both."""
    clean = options.get("clean", lambda: None)
    times = [(best(ours, clean), best(peer, clean)) for _ in range(options["repeat"])]
    mine, other = (min(column) for column in zip(*times, strict=True))
    print(
        f"{name:44s} {size / mine / 1e6:8.0f} MB/s {size / other / 1e6:8.0f} MB/s"
        f" {other / mine:7.2f}"
    )


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


def many_writers(folder: Path, volume: np.ndarray, count: int, repeat: int) -> None:
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

    times = [(run("ours"), run("zarr")) for _ in range(repeat)]
    mine, other = (min(column) for column in zip(*times, strict=True))
    print(
        f"{f'zarr zstd, {count} processes write':44s} {volume.nbytes / mine / 1e6:8.0f}"
        f" MB/s {volume.nbytes / other / 1e6:8.0f} MB/s {other / mine:7.2f}"
    )


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
    repeat: int,
) -> None:
    """Compare writing and reading of one format; each reads its own file."""
    suffix = ".zarr" if "zarr" in name else ".npy" if "npy" in name else ".tif"
    mine, other = folder / f"ours{suffix}", folder / f"peer{suffix}"

    def clean() -> None:
        remove(mine)
        remove(other)

    options = {"repeat": repeat, "clean": clean}
    compare(
        f"{name}: write",
        array.nbytes,
        lambda: writers[0](mine),
        lambda: writers[1](other),
        options,
    )
    clean()
    writers[0](mine)
    writers[1](other)
    compare(
        f"{name}: read all",
        array.nbytes,
        lambda: readers[0](mine),
        lambda: readers[1](other),
        {"repeat": repeat},
    )
    clean()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--planes", type=int, default=64)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--writers", type=int, nargs="*", default=[1, 2, 4])
    arguments = parser.parse_args()
    grey, labels = grey_volume(arguments.planes), label_volume(arguments.planes)
    save = partial(segkit.save, durable=False)
    folder = Path(tempfile.mkdtemp())
    print(f"{'':44s} {'ours':>13s} {'peer':>13s} {'ratio':>7s}")
    try:
        formats(grey, labels, folder, save, arguments.repeat)
        boxes(grey, folder, save, arguments.repeat)
        np.save(folder / "volume.npy", grey)
        for count in arguments.writers:
            many_writers(folder, grey, count, arguments.repeat)
    finally:
        shutil.rmtree(folder)


def read(path: Path) -> np.ndarray:
    """Return the voxels of a file."""
    return np.array(segkit.open_image(path))


def formats(
    grey: np.ndarray,
    labels: np.ndarray,
    folder: Path,
    save: Callable[..., Any],
    repeat: int,
) -> None:
    """Compare whole volumes in each format."""
    run_format(
        "npy | numpy",
        grey,
        folder,
        (lambda p: save(p, grey), lambda p: np.save(p, grey)),
        (read, np.load),
        repeat,
    )
    run_format(
        "tiff | tifffile",
        grey,
        folder,
        (lambda p: save(p, grey), lambda p: tifffile.imwrite(p, grey)),
        (read, tifffile.imread),
        repeat,
    )
    for name, array in (("grey", grey), ("labels", labels)):
        compressed_formats(name, array, folder, save, repeat)


def compressed_formats(
    name: str, array: np.ndarray, folder: Path, save: Callable[..., Any], repeat: int
) -> None:
    """Compare a whole volume in the formats that compress it."""
    zstd: dict[str, Any] = {"compression": "zstd", "tile": (256, 256)}
    run_format(
        f"tiff zstd {name} | tifffile",
        array,
        folder,
        (
            lambda p: save(p, array, compression="zstd"),
            lambda p: tifffile.imwrite(p, array, **zstd),
        ),
        (read, tifffile.imread),
        repeat,
    )
    run_format(
        f"ome-zarr zstd {name} | zarr",
        array,
        folder,
        (
            lambda p: save(p, array, chunks=CHUNKS),
            lambda p: plain_zarr(p, array),
        ),
        (read, lambda p: zarr.open_array(str(p), mode="r")[...]),
        repeat,
    )


def boxes(
    grey: np.ndarray, folder: Path, save: Callable[..., Any], repeat: int
) -> None:
    """Compare reading one box of 1/32 of the volume, opening included."""
    box = (slice(8, 40), slice(300, 556), slice(200, 456))
    size = grey[box].nbytes
    plain, packed = folder / "plain.tif", folder / "packed.tif"
    save(plain, grey)
    save(packed, grey, compression="zstd")
    options = {"repeat": repeat}

    def ours(path: Path) -> np.ndarray:
        return segkit.open_image(path).read(box)

    for name, path in (("tiff", plain), ("tiff zstd", packed)):
        peers: dict[str, Job] = {
            "tifffile": lambda p=path: tifffile.imread(p)[box],
            "dask-image": lambda p=path: dask_read(p, box),
        }
        for peer, job in peers.items():
            compare(
                f"{name}: read a box | {peer}",
                size,
                lambda p=path: ours(p),
                job,
                options,
            )


if __name__ == "__main__":
    main()
