"""Keys of tables beside joblib.hash.

    python benchmarks/keys_of_tables.py [--runs 5]

Each row is one table: the best CPU time to encode it for a key with a new encoder; then
that for each further task of the same recording that gets the same table.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import joblib
import numpy as np
import pandas as pd
from measuring import cpu_seconds
from reporting import Row, parser, show

from taskgraph.extending import Encoder

if TYPE_CHECKING:
    from collections.abc import Iterator


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


def rows(runs: int) -> Iterator[Row]:
    for make in TABLES:
        table = make()
        encoder = Encoder()
        encoder.encode(table)
        first, again, peer = cpu_seconds(
            lambda one=table: Encoder().encode(one),
            partial(encoder.encode, table),
            partial(joblib.hash, table),
            runs=runs,
        )
        case, theirs = make.__name__.replace("_", " "), 1e3 * peer
        yield Row(
            f"{case}: first",
            1e3 * first,
            "ms CPU",
            "joblib.hash",
            theirs,
            goal_ratio=0.3,
        )
        yield Row(f"{case}: again", 1e3 * again, "ms CPU", "joblib.hash", theirs)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--runs", type=int, default=5)
    given = options.parse_args()
    show(rows(given.runs), given)


if __name__ == "__main__":
    main()
