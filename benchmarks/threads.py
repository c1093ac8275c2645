"""What a second thread is worth: ``python benchmarks/threads.py [name ...]``.

Each function that takes `workers` runs on planes of 4096 x 4096 and volumes of 256^3
with one thread and with two, in turn, in one run, as often as half a second allows.
Shown are, of the runs that took the least, times with two threads and with one: what
others do on the machine meanwhile makes runs longer, and threads wait for a processor.
Noted are processor times of both, equal if nothing is done twice.

What the machine can give at best is measured the same way: two processes that have
nothing to do with each other run the function at once, each with one thread, beside one
that runs it alone. Where two processors share a core, its caches or the memory, two
runs at once take longer than one; twice the time of one over that of two at once is
what two threads can be worth for this function. What of a call waits for itself
(`minimum` smooths its histogram) is timed, too, and left out of what they share.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from reporting import Row, parser, show
from scipy import ndimage

import segkit
from segkit.thresholding import peaks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SECONDS = 0.5


@dataclass(frozen=True)
class Case:
    """A call to be timed, and what of it waits for itself, if there is such."""

    name: str
    call: partial
    serial: Callable[[], object] | None = None


class Times(NamedTuple):
    """Seconds of one run: by the clock, and of all threads."""

    clock: float
    all_threads: float


def timed(function, workers):
    began = time.perf_counter(), time.process_time()
    found = function(workers=workers)
    ended = time.perf_counter(), time.process_time()
    return found, Times(*(end - start for start, end in zip(began, ended, strict=True)))


def least(runs):
    return Times(*map(min, zip(*runs, strict=True)))


class Twin:
    """Another process, which runs a call whenever it is told to.

    It is forked with copies of the call's arrays, as two threads do not read the same
    voxels either; who forks has to end it.
    """

    def __init__(self, call):
        theirs, self._told = os.pipe()
        self._ended, ours = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            try:
                os.close(self._told)
                call = of_its_own(call)
                while os.read(theirs, 1):
                    call(workers=1)
                    os.write(ours, b".")
            finally:
                os._exit(0)
        os.close(theirs)
        os.close(ours)

    def at_once(self, call, workers):
        """Run the call here and there at once, with one thread each."""
        if workers == 2:
            os.write(self._told, b".")
        call(workers=1)
        if workers == 2:
            os.read(self._ended, 1)

    def end(self):
        """End the process, once it has done what it was told."""
        os.close(self._told)
        os.close(self._ended)
        os.waitpid(self._child, 0)


def of_its_own(call):
    """Return a call with copies of all arrays: none comes from the other's cache."""
    own = [one.copy() if isinstance(one, np.ndarray) else one for one in call.args]
    return partial(call.func, *own, **call.keywords)


def blobs(shape, sigma, rng):
    """Return bright blobs on dark ground, from 0 to 1."""
    small = rng.random([n // 2 for n in shape], np.float32)
    smooth = ndimage.zoom(ndimage.gaussian_filter(small, sigma), 2, order=1)
    return (smooth - smooth.min()) / np.ptp(smooth)


def cases(rng):
    for size, shape, window in (
        ("4096^2", (4096, 4096), 51),
        ("256^3", (256, 256, 256), (11, 51, 51)),
    ):
        smooth = blobs(shape, 5 if len(shape) == 2 else 3, rng)
        noise = rng.normal(0, 0.02, shape).astype(np.float32)
        grey = 500 + 4000 * (smooth + (smooth > 0.6) + noise)
        deep = grey.clip(0, 65535).astype(np.uint16)
        yield from filter_cases(size, deep, smooth)
        yield from threshold_cases(size, deep, window)
    plane = blobs((4096, 4096), 3.2, rng)
    labels = segkit.label(plane > 0.6)
    image = (60_000 * plane).astype(np.uint16)
    yield Case("overlay 4096^2", partial(segkit.overlay, image, labels))


def filter_cases(size, deep, smooth):
    for name, image in ("uint16", deep), ("float32", deep.astype(np.float32)):
        yield Case(f"gaussian {size} {name}", partial(segkit.gaussian, image, 3))
    for name, image in ("uint8", (deep >> 6).astype(np.uint8)), ("uint16", deep):
        yield Case(f"median {size} {name}", partial(segkit.median, image, 1))
    solid = smooth > 0.5
    yield Case(f"distance {size}", partial(segkit.distance_transform, solid))
    yield Case(f"h_maxima {size} float32", partial(segkit.h_maxima, smooth, 0.02))
    yield Case(f"h_maxima {size} uint16", partial(segkit.h_maxima, deep, 300))


def threshold_cases(size, deep, window):
    counts = np.bincount(deep.reshape(-1))[deep.min() :]
    smoothed = partial(peaks.minimum, counts, np.arange(counts.size))
    for method in ("otsu", "li", "triangle", "minimum"):
        serial = smoothed if method == "minimum" else None
        call = partial(segkit.threshold, deep, method)
        yield Case(f"{method} {size} uint16", call, serial)
    for name, image in (
        ("uint8", (deep >> 6).astype(np.uint8)),
        ("uint16", deep),
        ("float32", deep.astype(np.float32)),
    ):
        kept = {"shape": window, "threshold": 0.1}
        yield Case(f"ndnt {size} {name}", partial(segkit.ndnt, image, **kept))


def compare(case, repeats) -> Row:
    found = {workers: timed(case.call, workers)[0] for workers in (1, 2)}
    if not np.array_equal(found[1], found[2]):
        raise SystemExit(f"{case.name}: two threads find something else than one")
    twin = Twin(case.call)
    calls = {"threads": case.call, "processes": partial(twin.at_once, case.call)}
    if case.serial is not None:
        calls["serial"] = lambda workers: workers == 1 and case.serial()
    try:
        times = {key: least(kept) for key, kept in in_turn(calls, repeats).items()}
    finally:
        twin.end()
    one, two = times["threads", 1], times["threads", 2]
    alone = times["serial", 1].clock if case.serial is not None else 0.0
    both = times["processes", 2].clock / times["processes", 1].clock
    reach = one.clock / (alone + (one.clock - alone) * both / 2)
    note = f"CPU {1e3 * two.all_threads:.0f} and {1e3 * one.all_threads:.0f} ms"
    note += f"; not shared {1e3 * alone:.1f} ms" if alone else ""
    own, peer = 1e3 * two.clock, 1e3 * one.clock
    more = {"goal_ratio": 1.7, "best_ratio": reach, "yardstick": True, "note": note}
    return Row(case.name, own, "ms", "one thread", peer, **more)


def in_turn(calls, repeats):
    """Return times of calls with one thread and with two, by name and threads."""
    runs = {(call, workers): [] for call in calls for workers in (1, 2)}
    end = time.perf_counter() + _SECONDS
    while repeats > 0 or time.perf_counter() < end:
        repeats -= 1
        for (call, workers), kept in runs.items():
            kept.append(timed(calls[call], workers)[1])
    return runs


def rows(names, repeats) -> Iterator[Row]:
    for case in cases(np.random.default_rng(0)):
        if not names or case.name.startswith(tuple(names)):
            yield compare(case, repeats)


def main():
    options = parser(__doc__)
    options.add_argument("names", nargs="*", help="beginnings of names; none is all")
    options.add_argument("--repeats", type=int, default=5, help="of each run, at least")
    given = options.parse_args()
    show(rows(given.names, given.repeats), given)


if __name__ == "__main__":
    main()
