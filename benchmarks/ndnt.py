"""Time segkit.ndnt against FLoRIN's own: ``python benchmarks/ndnt.py``.

On noise, one thread, CPU time, least of a few runs; equal masks are checked away from
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

from segkit.thresholding import ndnt

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


def cpu_seconds(function, runs):
    function()
    times = []
    for _ in range(runs):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


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
    first = None
    for dtype, image in images(shape):
        ours = cpu_seconds(
            partial(ndnt, image, window, THRESHOLD, window="florin"), runs
        )
        if first is None:
            first = ours
            mask, theirs, florin_bytes = florin_ndnt(image, window, THRESHOLD)
            inner = tuple(slice(round(n / 2), None) for n in window)
            mine = ndnt(image, window, THRESHOLD, window="florin")
            equal = np.array_equal(mine[inner], mask[inner])
            parallel = partial(ndnt, image, window, THRESHOLD, threads=2)
            two = wall_seconds(parallel, runs)
            print(
                f"{name} uint8: {ours:.4f} s, FLoRIN {theirs:.2f} s, "
                f"ratio {theirs / ours:.0f}x (bar {bar}x), 2 threads {two:.4f} s wall; "
                f"extra bytes a voxel {extra_bytes(shape, window):.2f}, "
                f"FLoRIN {florin_bytes:.0f}; "
                f"{'equal' if equal else 'NOT EQUAL'} away from FLoRIN's borders"
            )
        else:
            print(f"{name} {dtype}: {ours:.4f} s, {ours / first:.2f}x uint8 (bar 2x)")


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
