"""Storing and loading results, beside joblib: ``python benchmarks/results.py [part]``.

CPU time, since other work on the machine comes and goes; the best of three, in memory:
on a disk who waits for it pays for what others left to be written. joblib writes a file
for each value, without a checksum.
"""

from __future__ import annotations

import pickle
import resource
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas as pd

from backends.opening import open_backend
from taskgraph.results.results import Results

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = b"k" * 20
RUNS = 3


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


def cpu_of(deed: Callable[[], Any]) -> tuple[float, Any]:
    """Return the CPU seconds of a deed, and what it returns."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    result = deed()
    after = resource.getrusage(resource.RUSAGE_SELF)
    user = after.ru_utime - before.ru_utime
    return max(user + after.ru_stime - before.ru_stime, 1e-6), result


def touch(value: Any) -> Any:
    """Read every byte of the arrays of a value."""
    arrays = value if isinstance(value, list) else [value]
    return [array.sum() for array in arrays if isinstance(array, np.ndarray)]


def compare(name: str, value: Any, folder: Path) -> None:
    """Print MB/s of CPU for storing and loading a value, and the ratios."""
    backend = open_backend(folder / name / "store")
    backend.claim([KEY])
    results, path = Results(backend), str(folder / "joblib.pickle")
    best = [float("inf")] * 4
    for _ in range(RUNS):
        stored, payload = cpu_of(lambda: results.encode(value, KEY))
        loaded, _ = cpu_of(lambda kept=payload: touch(results.decode(kept, KEY)))
        dumped, _ = cpu_of(lambda: joblib.dump(value, path))
        read, _ = cpu_of(lambda: touch(joblib.load(path)))
        best = list(map(min, best, (stored, loaded, dumped, read)))
    files = len(list(backend.blobs.all())) / RUNS
    size = len(pickle.dumps(value, 5)) / 1e6
    store, load, dump, read = (size / seconds for seconds in best)
    print(
        f"{name:25} store {store:6.0f} MB/s, {store / dump:5.2f}x joblib;  "
        f"load {load:6.0f} MB/s, {load / read:5.2f}x;  {files:.0f} files"
    )


def main() -> None:
    """Compare each kind of value, or those whose names hold a word."""
    words = sys.argv[1:]
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        for name, value in values().items():
            if not words or any(word in name for word in words):
                compare(name, value, Path(folder))


if __name__ == "__main__":
    main()
