"""Time segkit.ndnt against FLoRIN's own: ``python benchmarks/ndnt.py``.

On noise, one thread, CPU time, least of a few runs in which the dtypes take turns, so
that what else the machine does falls on all of them; equal masks are checked away from
the first half window of each axis, where FLoRIN leaves index 0 out of its sums. The
first run makes an environment with FLoRIN in the user's cache folder.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from functools import partial

import numpy as np
from _florin import florin_ndnt

from segkit.thresholding.nearby import ndnt

CASES = {
    "4096^2": ((4096, 4096), (64, 64), 45),
    "128x512x512": ((128, 512, 512), (10, 64, 64), 70),
    "64x1024x1024": ((64, 1024, 1024), (10, 64, 64), 75),
}
THRESHOLD = 0.3

PEAK = """
import numpy as np, resource, sys
from segkit.thresholding import ndnt
shape, window = eval(sys.argv[1]), eval(sys.argv[2])
ndnt(np.ones([9] * len(shape), np.uint8), 3)
image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
with open("/proc/self/clear_refs", "w") as f:
    f.write("5")
def status(name):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(l.split()[1]) for l in lines if l.startswith(name)) * 1024
before = status("VmRSS")
mask = ndnt(image, window, 0.3)
print((status("VmHWM") - before) / image.size)
"""


def images(shape, seed=0):
    rng = np.random.default_rng(seed)
    yield "uint8", rng.integers(0, 256, shape, np.uint8)
    yield "uint16", rng.integers(0, 65536, shape, np.uint16)
    yield "float32 in [0, 1)", rng.random(shape, np.float32)
    yield "float32 normal", rng.standard_normal(shape, np.float32) + 5


def cpu_seconds(functions, runs):
    """Return the least CPU time of each of the functions, which take turns."""
    least = {name: float("inf") for name in functions}
    for function in functions.values():
        function()
    for _ in range(runs):
        for name, function in functions.items():
            start = time.process_time()
            function()
            least[name] = min(least[name], time.process_time() - start)
    return least


def wall_seconds(function, runs):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def extra_bytes(shape, window):
    command = [sys.executable, "-c", PEAK, repr(shape), repr(window)]
    return float(subprocess.check_output(command, text=True))


def compare(name, runs):
    shape, window, bar = CASES[name]
    kinds = dict(images(shape))
    threshold = partial(
        ndnt, shape=window, threshold=THRESHOLD, window="florin", workers=1
    )
    ours = cpu_seconds({k: partial(threshold, i) for k, i in kinds.items()}, runs)
    image, first = kinds["uint8"], ours.pop("uint8")
    mask, theirs, florin_bytes = florin_ndnt(image, window, THRESHOLD)
    inner = tuple(slice(round(n / 2), None) for n in window)
    equal = np.array_equal(threshold(image)[inner], mask[inner])
    two = wall_seconds(partial(threshold, image, workers=2), runs)
    print(
        f"{name} uint8: {first:.4f} s, FLoRIN {theirs:.2f} s, "
        f"ratio {theirs / first:.0f}x (bar {bar}x), 2 threads {two:.4f} s wall; "
        f"extra bytes a voxel {extra_bytes(shape, window):.2f}, "
        f"FLoRIN {florin_bytes:.0f}; "
        f"{'equal' if equal else 'NOT EQUAL'} away from FLoRIN's borders"
    )
    for kind, seconds in ours.items():
        print(f"{name} {kind}: {seconds:.4f} s, {seconds / first:.2f}x uint8 (bar 2x)")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", choices=[[], *CASES], default=[])
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    for name in options.cases or CASES:
        compare(name, options.runs)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"(peak of this process {peak} MB)")


if __name__ == "__main__":
    main()
