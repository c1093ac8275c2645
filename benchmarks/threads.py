"""What a second thread is worth: ``python benchmarks/threads.py [name ...]``.

Each function that takes `workers` runs on planes of 4096 x 4096 and volumes of 256^3
with one thread and with two, in turn, in one run, as often as half a second allows.
Shown are, of the runs that took the least, times with two threads and with one: what
others do on the machine meanwhile makes runs longer, and threads wait for a processor.
Noted are processor times of both, equal if nothing is done twice, and what two threads
are worth on the machine at that time: at arithmetic in the cache, at reading memory,
and at copying it, which many machines do hardly faster in two threads.

What memory must do is to read the arguments once and to take a result of that size,
new. That is timed alone, in one thread and in two, and so is what cannot be shared out.
The rest takes half of its time at best.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from reporting import Row, parser, show
from scipy import ndimage

import segkit
from segkit.thresholding import peaks
from segkit.tiling.threads import cut, in_threads, shares

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


def ceilings():
    """Yield work that has nothing in common: how fast two threads can be at all.

    Of some twenty milliseconds each: threads take a while to get a processor.
    """
    source, target = np.ones(2**23), np.ones(2**23)
    parts = cut(source.size, 2)

    def arithmetic(part):
        line = np.full(2**12, 0.5)
        for _ in range(part.stop - part.start >> 14):
            np.sin(line)

    def read(part):
        for _ in range(8):
            source[part].max()

    def copy(part):
        for _ in range(4):
            target[part] = source[part]

    for name, run in ("arithmetic", arithmetic), ("reading", read), ("copying", copy):
        yield name, partial(shared_out, run, parts)


def memory_alone(function, found):
    """Return work that moves what a function has to move, and does nothing else."""
    sources = [x for x in function.args if isinstance(x, np.ndarray)]
    flat = [x.reshape(-1).view(np.uint8) for x in sources]
    size = np.asarray(found).nbytes

    def run(workers):
        target = np.empty(max(2, size), np.uint8)
        eighths = [shares(array.size, workers) for array in (*flat, target)]

        def move(k):
            for array, parts in zip(flat, eighths, strict=False):
                array[parts[k]].max()
            target[eighths[-1][min(k, len(eighths[-1]) - 1)]] = 1

        in_threads(move, range(len(eighths[0])), workers)

    return run


def shared_out(run, parts, workers):
    in_threads(run, parts, workers)


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


def compare(case, best, repeats) -> Row:
    found = {workers: timed(case.call, workers)[0] for workers in (1, 2)}
    if not np.array_equal(found[1], found[2]):
        raise SystemExit(f"{case.name}: two threads find something else than one")
    memory = memory_alone(case.call, found[1])
    calls = {case.name: case.call, "memory": memory, **best}
    if case.serial is not None:
        calls["serial"] = lambda workers: workers == 1 and case.serial()
    times = {key: least(kept) for key, kept in in_turn(calls, repeats).items()}
    one, two = times[case.name, 1], times[case.name, 2]
    moved = [min(times["memory", workers].clock, one.clock) for workers in (1, 2)]
    alone = times["serial", 1].clock if case.serial is not None else 0.0
    shared = max(0.0, one.clock - moved[0] - alone)
    reach = one.clock / (shared / 2 + moved[1] + alone)
    at_best = ", ".join(
        f"{call} {times[call, 1].clock / times[call, 2].clock:.2f}x" for call in best
    )
    note = (
        f"CPU {1e3 * two.all_threads:.0f} and {1e3 * one.all_threads:.0f} ms; memory "
        f"alone {1e3 * moved[1]:.1f} and {1e3 * moved[0]:.1f} ms; "
        + (f"not shared {1e3 * alone:.1f} ms; " if alone else "")
        + f"the machine meanwhile: {at_best}"
    )
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
    best = dict(ceilings())
    for case in cases(np.random.default_rng(0)):
        if not names or case.name.startswith(tuple(names)):
            yield compare(case, best, repeats)


def main():
    options = parser(__doc__)
    options.add_argument("names", nargs="*", help="beginnings of names; none is all")
    options.add_argument("--repeats", type=int, default=5, help="of each run, at least")
    given = options.parse_args()
    show(rows(given.names, given.repeats), given)


if __name__ == "__main__":
    main()
