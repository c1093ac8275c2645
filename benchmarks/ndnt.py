"""Time segkit.ndnt against FLoRIN's own: ``python benchmarks/ndnt.py``.

On noise, one thread, CPU time, least of a few runs in which the dtypes take turns, so
that what else the machine does falls on all of them; equal masks are checked away from
the first half window of each axis, where FLoRIN leaves index 0 out of its sums. The
first run makes an environment with FLoRIN in the user's cache folder.
"""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from beside_florin.environment import florin_ndnt
from measuring import cpu_seconds
from reporting import Row, parser, show

from segkit.thresholding.nearby import ndnt

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def extra_bytes(shape, window):
    command = [sys.executable, "-c", PEAK, repr(shape), repr(window)]
    return float(subprocess.check_output(command, text=True))


def compare(name, runs) -> Iterator[Row]:
    shape, window, least = CASES[name]
    kinds = dict(images(shape))
    threshold = partial(
        ndnt, shape=window, threshold=THRESHOLD, window="florin", workers=1
    )
    for image in kinds.values():
        threshold(image)  # compiled before it is timed
    calls = [partial(threshold, image) for image in kinds.values()]
    times = dict(zip(kinds, cpu_seconds(*calls, runs=runs), strict=True))
    image, first = kinds["uint8"], times.pop("uint8")
    for kind, ours in times.items():
        case = f"ndnt, {name} {kind}"
        same = {"goal_ratio": 0.5, "yardstick": True}
        yield Row(case, 1e3 * ours, "ms CPU", "uint8", 1e3 * first, **same)
    mask, theirs, florin_bytes = florin_ndnt(image, window, THRESHOLD)
    inner = tuple(slice(round(n / 2), None) for n in window)
    equal = np.array_equal(threshold(image)[inner], mask[inner])
    note = (
        f"{'equal' if equal else 'NOT EQUAL'} away from FLoRIN's borders; extra "
        f"{extra_bytes(shape, window):.2f} and {florin_bytes:.0f} bytes a voxel"
    )
    case, found = f"ndnt, {name} uint8", 1e3 * theirs
    goal = {"goal_ratio": least, "note": note}
    yield Row(case, 1e3 * first, "ms CPU", "FLoRIN", found, **goal)


def main():
    options = parser(__doc__)
    options.add_argument("cases", nargs="*", choices=[[], *CASES], default=[])
    options.add_argument("--runs", type=int, default=5)
    given = options.parse_args()
    for name in given.cases or CASES:
        show(compare(name, given.runs), given)


if __name__ == "__main__":
    main()
