"""Keys of tables beside joblib.hash.

    python benchmarks/keys_of_tables.py [--repeat 5]

Each line is one table: the best time to encode it for a key with a new encoder, that of
`joblib.hash`, and the ratio joblib / ours; then the time for each further task of the
same recording that gets the same table, and its ratio. The first ratio must not be
below 0.3.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

import joblib
import numpy as np
import pandas as pd

from taskgraph.extending import Encoder

if TYPE_CHECKING:
    from collections.abc import Callable

AT_LEAST = 0.3


def with_time_index() -> pd.DataFrame:
    """Return 200,000 rows of numbers with a time index with a zone."""
    index = pd.date_range("2020", periods=200_000, freq="s", tz="Europe/Berlin")
    numbers = np.random.default_rng(0).random((len(index), 3))
    return pd.DataFrame(numbers, index, columns=["x", "y", "z"])


def long_series() -> pd.Series:
    """Return 4,000,000 numbers."""
    return pd.Series(np.random.default_rng(0).random(4_000_000))


def long_series_with_index() -> pd.Series:
    """Return 4,000,000 numbers with an index of numbers."""
    return pd.Series(np.arange(4_000_000), pd.Index(np.arange(4_000_000)[::-1]))


def mixed_rows() -> pd.DataFrame:
    """Return 50,000 rows of numbers, texts, categories, times, flags."""
    rng = np.random.default_rng(0)
    n = 50_000
    days = pd.Timestamp("2020") + pd.to_timedelta(rng.integers(0, 365, n), "D")
    return pd.DataFrame(
        {
            "id": np.arange(n),
            "area": rng.random(n),
            "name": [f"cell {i}" for i in range(n)],
            "kind": pd.Categorical(rng.choice(["round", "long", "split"], n)),
            "day": days,
            "good": rng.random(n) < 0.5,
        }
    )


def rows_of_objects() -> pd.DataFrame:
    """Return 50,000 rows whose columns hold Python objects."""
    n = 50_000
    return pd.DataFrame(
        {
            "text": pd.Series([f"cell {i}" for i in range(n)], dtype=object),
            "some": pd.Series([None, "a", 1, 2.5] * (n // 4), dtype=object),
        }
    )


def many_columns() -> pd.DataFrame:
    """Return 10 rows of 5,000 columns."""
    return pd.DataFrame(np.random.default_rng(0).random((10, 5000)))


def rows_of_dates() -> pd.DataFrame:
    """Return 50,000 rows of dates as Python has them."""
    days = pd.date_range("1900", periods=50_000, freq="D").date
    return pd.DataFrame({"day": days})


TABLES = (
    with_time_index,
    long_series,
    long_series_with_index,
    mixed_rows,
    rows_of_objects,
    rows_of_dates,
    many_columns,
)


def seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def measured(make: Callable[[], object], repeat: int) -> tuple[float, float, float]:
    """Return the best times of a first key, of a further one, and of joblib."""
    table = make()
    first, again, peer = [], [], []
    for _ in range(repeat):  # taking turns, on one machine in one state
        encoder = Encoder()
        first.append(seconds(lambda e=encoder: e.encode(table)))
        again.append(seconds(lambda e=encoder: e.encode(table)))
        peer.append(seconds(lambda: joblib.hash(table)))
    return min(first), min(again), min(peer)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeat", type=int, default=5)
    repeat = parser.parse_args().repeat
    print(
        f"{'table':24}{'ours':>10}{'joblib':>10}{'ratio':>8}{'again':>10}{'ratio':>8}"
    )
    worst = float("inf")
    for make in TABLES:
        first, again, peer = measured(make, repeat)
        worst = min(worst, peer / first)
        print(
            f"{make.__name__:24}{first * 1e3:7.1f} ms{peer * 1e3:7.1f} ms"
            f"{peer / first:8.2f}{again * 1e3:7.1f} ms{peer / again:8.1f}"
        )
    print(f"worst ratio {worst:.2f}, at least {AT_LEAST}")
    return 0 if worst >= AT_LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
