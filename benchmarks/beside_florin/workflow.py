"""Run the first example of FLoRIN's documentation as stored tasks, FLoRIN beside it.

    python benchmarks/beside_florin/workflow.py [--alone] [--repeat 3] [--workers 2]

The pipeline of `example.py` as a file, by ``segkit run -j 2`` with a new store
each time: the clock starts with the process and ends with its end, so Python, all
imports, loading compiled code, the store and both workers are counted. FLoRIN's clock
starts when all its imports are done. Peaks are of the largest process. A second start
on the finished store is timed too.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from environment import python_with_florin
from example import FLORIN, blobs, dice, run

import segkit
from segkit.pipeline import (
    Pipeline,
    binary_opening,
    bounds_classifier,
    classify,
    label,
    load,
    ndnt,
    reconstruct,
    regionprops,
    remove_small_objects,
    save,
    tile,
)

MEASURE = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
seconds = time.perf_counter() - start
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
cpu = usage.ru_utime + usage.ru_stime
print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_mb": usage.ru_maxrss / 1024}))
"""
INNER = "florin.Serial(\n        thresholding"
MULTIPROCESS = FLORIN.replace(INNER, INNER.replace("Serial", "Multiprocess"))


def pipeline(join: str) -> Pipeline:
    return Pipeline(
        load(axes="zyx"),
        tile((10, 64, 64), (10, 32, 32), join=join),
        ndnt(shape=(10, 64, 64), threshold=0.3),
        binary_opening(),
        save("segmented.tiff", durable=False),
        label(connectivity=3),
        remove_small_objects(20),
        regionprops(properties=["label", "area", "centroid", "bbox"]),
        classify(
            bounds_classifier("cell", area=(100, 300)),
            bounds_classifier("vasculature"),
        ),
        reconstruct(),
        save("labeled.tiff", durable=False),
    )


def stored(script: Path, image: str, folder: Path, workers: int) -> dict[str, float]:
    """Return what a run on a new store took, and a second one on the finished store."""
    shutil.rmtree(folder, ignore_errors=True)
    call = [sys.executable, "-m", "segkit", "run", str(script), image]
    call += ["-q", "-o", str(folder), "-j", str(workers)]
    call += ["--store", str(folder / "store")]
    first = timed(call)
    again = timed(call)
    return {**first, "again": again["seconds"]}


def timed(call: list[str]) -> dict[str, float]:
    environment = {**os.environ}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    # Through a small process: a child's peak begins with that of its parent.
    measured = [sys.executable, "-c", MEASURE, *call]
    done = subprocess.run(measured, env=environment, check=True, capture_output=True)
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alone", action="store_true", help="leave FLoRIN out")
    parser.add_argument("--multiprocess", action="store_true", help="FLoRIN's too")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        image, truth = blobs()
        path = str(segkit.save(folder / "volume.tif", image))
        for join in ("own", "or"):
            pipeline(join).save(folder / f"{join}.toml")
            stored(folder / f"{join}.toml", path, folder / join, options.workers)
        runs: dict[str, list[dict[str, float]]] = {}
        for _ in range(options.repeat):
            for join, name in (("own", "tasks"), ("or", "tasks, overlap + OR")):
                script = folder / f"{join}.toml"
                found = stored(script, path, folder / join, options.workers)
                runs.setdefault(name, []).append(found)
            if not options.alone:
                run_florin(runs, path, folder, multiprocess=options.multiprocess)
        report(runs)
        require_every_voxel(folder, image, truth)


def run_florin(
    runs: dict[str, list[dict[str, float]]],
    path: str,
    folder: Path,
    *,
    multiprocess: bool,
) -> None:
    scripts = {"FLoRIN Serial": FLORIN}
    if multiprocess:
        scripts["FLoRIN Multiprocess"] = MULTIPROCESS
    for name, script in scripts.items():
        (folder / "florin").mkdir(exist_ok=True)
        found = run(str(python_with_florin()), script, path, str(folder / "florin"))
        runs.setdefault(name, []).append(found)


def report(runs: dict[str, list[dict[str, float]]]) -> None:
    """Print the best run of each, and the ratios."""
    print(f"{'':20s} {'wall s':>8s} {'cpu s':>8s} {'peak MB':>8s} {'again s':>8s}")
    best = {n: min(found, key=lambda r: r["seconds"]) for n, found in runs.items()}
    for name, found in best.items():
        again = f"{found['again']:8.3f}" if "again" in found else ""
        print(
            f"{name:20s} {found['seconds']:8.3f} {found['cpu']:8.3f}"
            f" {found['peak_mb']:8.0f} {again}"
        )
    for peer in (name for name in best if name.startswith("FLoRIN")):
        for name in (name for name in best if name.startswith("tasks")):
            wall, cpu, memory = (
                best[peer][key] / best[name][key]
                for key in ("seconds", "cpu", "peak_mb")
            )
            print(
                f"{name} against {peer}: {wall:.1f}x wall, {cpu:.1f}x CPU,"
                f" 1/{memory:.1f} of the memory"
            )


def require_every_voxel(folder: Path, image: np.ndarray, truth: np.ndarray) -> None:
    """Compare the stored mask with that of the whole image, voxel by voxel."""
    whole = segkit.binary_opening(segkit.ndnt(image, (10, 64, 64), 0.3))
    found = segkit.open_image(folder / "own/segmented.tiff", axes="zyx").read()
    if not np.array_equal(found > 0, whole):
        sys.exit("the stored mask differs from that of the whole volume")
    score, _ = dice(folder / "own/segmented.tiff", truth)
    print(f"the stored mask equals that of the whole volume; Dice {score:.4f}")


if __name__ == "__main__":
    main()
