"""Tasks of 1 to 200 ms, three barriers, arrays of 1 B to 64 MB: the same everywhere.

tg execute same_values.py -- 2000 64_000_000    # tasks, bytes of the largest array
"""

import sys
import time

import numpy as np

from taskgraph import TaskGenerator, barrier, bvalue

TASKS, LARGEST = int(sys.argv[1]), int(sys.argv[2])
LARGE = 17
DTYPES = "u1", "<i4", "<f8", "<c16", "?", ">u2", "S5", "m8[s]"


def nap(number):
    time.sleep(0.001 * 200 ** (number * 37 % 100 / 99))


def size(number):
    """Return how many bytes an array has: of a few any number, of others few."""
    if number < LARGE:
        return int(LARGEST ** (number / (LARGE - 1)))
    return 1 << number % 14


@TaskGenerator
def draw(number, size):
    """Return noise, which nothing makes smaller, or labels, which it does."""
    nap(number)
    if number % 2:
        labels = np.arange(size // 4 + 1, dtype="<i4") // 1000 + number
        return labels.reshape(-1, 1)
    data = np.random.default_rng(number).bytes(size)
    dtype = np.dtype(DTYPES[number // 2 % len(DTYPES)])
    whole = len(data) // dtype.itemsize * dtype.itemsize
    if not whole or dtype.kind == "b":
        return np.frombuffer(data, "u1")
    return np.frombuffer(data[:whole], dtype)


@TaskGenerator
def meet(number, one, other):
    """Return what two arrays have to do with each other, in values of many types."""
    nap(number)
    first, second = (np.frombuffer(x.tobytes(), "u1") for x in (one, other))
    return {
        "sums": (int(first.sum(dtype="u8")), int(second.sum(dtype="u8"))),
        "types": [str(one.dtype), str(other.dtype)],
        "every": one.ravel()[::3][:4000].copy(),
        "mean": float(first.sum(dtype="u8")) / first.size,
        "none": None,
        number: {True, number},
    }


@TaskGenerator
def fold(number, *met):
    nap(number)
    return sum(sum(each["sums"]) for each in met) * number % 1_000_003


@TaskGenerator
def total(numbers):
    return {"sum": sum(numbers), "text": "-".join(map(str, numbers[:50]))}


arrays = [draw(number, size(number)) for number in range(TASKS // 2)]
barrier()
meets = [
    meet(number, arrays[number], arrays[(7 * number + 3) % len(arrays)])
    for number in range(TASKS // 4)
]
barrier()
left = TASKS - len(arrays) - len(meets) - 2
folds = [
    fold(number, meets[number % len(meets)], meets[(5 * number + 2) % len(meets)])
    for number in range(left)
]
both = bvalue(total(folds))
end = fold(both["sum"] % 100, meets[both["sum"] % len(meets)])
