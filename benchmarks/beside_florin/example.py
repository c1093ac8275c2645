"""Run the first example of FLoRIN's documentation, and FLoRIN itself beside it.

    python benchmarks/beside_florin/example.py [--alone] [--repeat 3] [--workers 2]

A volume of 64 x 512 x 512 voxels with dark blobs is thresholded (NDNT), opened,
labelled, cleaned, measured, classified (by area, depth, width and height, with bounds
that fit these blobs) and painted, with two volumes saved, in tiles
of (10, 64, 64) every (10, 32, 32) voxels. Ours is run as array functions: exactly
(tiles with halo), and FLoRIN's way (overlapping tiles, OR).

FLoRIN runs in an environment of its own, made on first use in the user's cache folder.
Every run is a process of its own; ours loads its compiled kernels before the clock
starts. Times of both are the best of `repeat` alternating runs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from environment import python_with_florin

import segkit

SHAPE = (64, 512, 512)
BLOBS = 1300

FLORIN = """
import collections, collections.abc, importlib, json, logging, resource, sys, time
import types, warnings
warnings.simplefilter("ignore")
collections.Sequence = collections.abc.Sequence
for name in ("cloudvolume", "mpi4py", "mpi4py.MPI", "mpi4py.futures", "pathos",
             "pathos.multiprocessing", "pathos.pools"):
    try:
        importlib.import_module(name)
    except ImportError:
        stub = sys.modules[name] = types.ModuleType(name)
        # Classes of which nothing is an instance: florin asks whether images are.
        for part in ("CloudVolume", "MPI", "MPIPoolExecutor", "MPICommExecutor",
                     "ProcessPool", "ThreadPool", "Pool"):
            setattr(stub, part, type(part, (), {}))
        stub.cpu_count, stub.view = lambda: 1, None
logging.disable(logging.CRITICAL)
import florin
from florin import conncomp, morphology, thresholding
path, out = sys.argv[1:3]
pipeline = florin.Serial(
    florin.load(),
    florin.tile(shape=(10, 64, 64), stride=(10, 32, 32)),
    florin.Serial(
        thresholding.ndnt(shape=(10, 64, 64), threshold=0.3),
        morphology.binary_opening(),
    ),
    florin.save(out + "/segmented.tiff"),
    conncomp.label(),
    morphology.remove_small_objects(min_size=20),
    conncomp.regionprops(),
    florin.Serial(florin.classify(
        florin.bounds_classifier(
            "cell", area=(100, 900), depth=(5, 15), width=(5, 15), height=(5, 15)
        ),
        florin.bounds_classifier("vasculature"),
    )),
    florin.reconstruct(),
    florin.save(out + "/labeled.tiff"),
)
start, cpu = time.perf_counter(), time.process_time()
pipeline(path)
seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_mb": peak}))
"""

OURS = """
import json, resource, sys, time
import numpy as np
from segkit.pipeline import (
    Pipeline, binary_opening, bounds_classifier, classify, label, load, ndnt,
    reconstruct, regionprops, remove_small_objects, save, tile,
)
path, out, join, workers = sys.argv[1:5]
def pipeline(join):
    return Pipeline(
        load(axes="zyx"),
        tile((10, 64, 64), (10, 32, 32), join=join),
        ndnt(shape=(10, 64, 64), threshold=0.3),
        binary_opening(),
        save("segmented.tiff", durable=False),
        label(connectivity=3),
        remove_small_objects(20),
        regionprops(),
        classify(
            bounds_classifier(
                "cell", area=(100, 900), depth=(5, 15), width=(5, 15), height=(5, 15)
            ),
            bounds_classifier("vasculature"),
        ),
        reconstruct(),
        save("labeled.tiff", durable=False),
    )
small = np.random.default_rng(0).integers(0, 255, (10, 64, 64), dtype=np.uint8)
pipeline("own").run(small, out=out + "/warm", overwrite=True)
start, cpu = time.perf_counter(), time.process_time()
result = pipeline(join).run(path, out=out, workers=int(workers), overwrite=True)
seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_mb": peak,
                  "objects": len(result.table["label"])}))
"""


def blobs() -> tuple[np.ndarray, np.ndarray]:
    """Return a volume of dark blobs in uneven light and noise, and the truth."""
    rng = np.random.default_rng(0)
    truth = np.zeros(SHAPE, bool)
    for _ in range(BLOBS):
        centre = [int(rng.integers(0, n)) for n in SHAPE]
        radius = rng.uniform(3, 7)
        box = tuple(
            slice(max(0, int(c - radius)), min(n, int(c + radius) + 2))
            for c, n in zip(centre, SHAPE, strict=True)
        )
        distance = sum(
            (axis - c) ** 2 for axis, c in zip(np.ogrid[box], centre, strict=True)
        )
        truth[box] |= distance <= radius**2
    _, y, x = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    light = 170 + 20 * np.sin(x / 150) + 15 * np.cos(y / 170)
    noise = rng.normal(0, 8, SHAPE)
    image = np.clip(light - 90 * truth + noise, 0, 255).astype(np.uint8)
    return image, truth


def run(python: str, script: str, *arguments: str) -> dict[str, float]:
    done = subprocess.run(
        [python, "-c", script, *arguments], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def dice(path: Path, truth: np.ndarray) -> tuple[float, int]:
    """Return the Dice coefficient, and the foreground of the last four planes."""
    mask = segkit.open_image(path, axes="zyx").read() > 0
    both = 2 * int((mask & truth).sum()) / int(mask.sum() + truth.sum())
    return both, int(mask[60:].sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alone", action="store_true", help="leave FLoRIN out")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        image, truth = blobs()
        path = str(segkit.save(Path(folder, "volume.tif"), image))
        own, overlap = f"{folder}/own", f"{folder}/or"
        workers = str(options.workers)
        jobs = {
            "ours": (sys.executable, OURS, path, own, "own", workers),
            "ours, overlap + OR": (sys.executable, OURS, path, overlap, "or", workers),
        }
        if not options.alone:
            florin = f"{folder}/florin"
            Path(florin).mkdir()
            jobs["FLoRIN Serial"] = (str(python_with_florin()), FLORIN, path, florin)
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in jobs}
        for _ in range(options.repeat):
            for name, job in jobs.items():
                runs[name].append(run(*job))
        report(runs, {name: Path(job[3]) for name, job in jobs.items()}, truth)


def report(
    runs: dict[str, list[dict[str, float]]],
    folders: dict[str, Path],
    truth: np.ndarray,
) -> None:
    """Print the best run of each, and the ratios."""
    print(
        f"{'':20s} {'wall s':>8s} {'cpu s':>8s} {'peak MB':>8s} {'Dice':>7s}"
        f" {'planes 60-63':>13s}"
    )
    best = {
        name: min(found, key=lambda r: r["seconds"]) for name, found in runs.items()
    }
    for name, found in best.items():
        score, last = dice(folders[name] / "segmented.tiff", truth)
        print(
            f"{name:20s} {found['seconds']:8.3f} {found['cpu']:8.3f}"
            f" {found['peak_mb']:8.0f} {score:7.4f} {last:13d}"
        )
    if "FLoRIN Serial" in best:
        peer = best.pop("FLoRIN Serial")
        for name, found in best.items():
            wall, cpu, memory = (
                peer[key] / found[key] for key in ("seconds", "cpu", "peak_mb")
            )
            print(
                f"FLoRIN Serial / {name}: wall {wall:.1f}, cpu {cpu:.1f},"
                f" memory {memory:.1f}"
            )


if __name__ == "__main__":
    main()
