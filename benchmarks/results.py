"""Storing and loading results, beside joblib: ``python benchmarks/results.py [word]``.

CPU time, since other work on the machine comes and goes; the best of three, in memory:
on a disk who waits for it pays for what others left to be written. joblib writes a file
for each value, without a checksum.
"""

from __future__ import annotations

import pickle
from functools import partial
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas as pd
from measuring import cpu_seconds, in_memory
from reporting import Row, parser, show

from backends.opening import open_backend
from taskgraph.results.results import Results

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = b"k" * 20
RUNS = 3
GOALS = {
    "2,000 arrays of 64 KB": {"goal": 1000},
    "100 MB of bytes": {"goal_ratio": 1},
    "300,000 texts and dates": {"goal_ratio": 1},
}


def values() -> dict[str, Any]:
    """Return what to store, by name."""
    rng = np.random.default_rng(0)
    rows = 300_000
    labels = np.repeat(np.arange(1_000_000, dtype=np.int32), 64).reshape(8000, 8000)
    table = {
        "name": [f"name{number % 5000}" for number in range(rows)],
        "date": pd.date_range("2000-01-01", periods=rows, freq="min"),
    }
    return {
        "2,000 arrays of 64 KB": [rng.random(8192) for _ in range(2000)],
        "100 MB of bytes": rng.bytes(100_000_000),
        "300,000 texts and dates": pd.DataFrame(table),
        "256 MB of float32": rng.random(64_000_000, dtype=np.float32),
        "256 MB of labels": labels,
    }


def touch(value: Any) -> Any:
    """Read every byte of the arrays of a value."""
    arrays = value if isinstance(value, list) else [value]
    return [array.sum() for array in arrays if isinstance(array, np.ndarray)]


def compare(name: str, value: Any, folder: Path) -> Iterator[Row]:
    """Yield MB/s of CPU for storing and loading a value."""
    backend = open_backend(folder / name / "store")
    backend.claim([KEY])
    results, path = Results(backend), str(folder / "joblib.pickle")
    payloads = [results.encode(value, KEY)]
    files = len(list(backend.blobs.all()))
    times = cpu_seconds(
        lambda: payloads.append(results.encode(value, KEY)),
        partial(joblib.dump, value, path),
        lambda: touch(results.decode(payloads[-1], KEY)),  # another blob each time
        lambda: touch(joblib.load(path)),
        runs=RUNS,
    )
    size = len(pickle.dumps(value, 5)) / 1e6
    store, dump, load, read = (size / max(seconds, 1e-6) for seconds in times)
    unit, goals = "MB/s of CPU", GOALS.get(name, {})
    note = f"{files} files"
    yield Row(f"{name}: store", store, unit, "joblib", dump, **goals, note=note)
    goals = {} if "goal" in goals else goals
    yield Row(f"{name}: load", load, unit, "joblib", read, **goals)


def rows(words: list[str]) -> Iterator[Row]:
    """Compare each kind of value, or those whose names hold a word."""
    with in_memory() as folder:
        for name, value in values().items():
            if not words or any(word in name for word in words):
                yield from compare(name, value, folder)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("words", nargs="*")
    given = options.parse_args()
    show(rows(given.words), given)


if __name__ == "__main__":
    main()
