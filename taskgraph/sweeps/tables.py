"""Tables: columns of cells by name; chosen, sorted, and handed to other programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from taskgraph.displays.ordering import in_order, is_missing
from taskgraph.errors import NoResultError, UsageError
from taskgraph.names import known_as
from taskgraph.sweeps.conditions import Condition, require_column
from taskgraph.sweeps.exporting import save

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pandas

_SHOWN = 10


@known_as("taskgraph")
@dataclass(frozen=True, repr=False)
class Table:
    """A table: columns of cells by name, all of one length.

    A cell is a number, text, a date or time, True, False, or None for no value.

    Attributes
    ----------
    columns : dict of str to list
        In order.
    damaged : int
        How many results could not be read: their rows have the state ``damaged``.

    Examples
    --------
    >>> table = Table({"sigma": [1, 2, 4], "dice": [0.5, 0.9, None]})
    >>> len(table), table["sigma"]
    (3, [1, 2, 4])
    >>> table.where("dice > 0.4").sort("dice", descending=True).columns
    {'sigma': [2, 1], 'dice': [0.9, 0.5]}
    >>> table.best("dice")
    {'sigma': 2, 'dice': 0.9}
    """

    columns: dict[str, list[Any]]
    damaged: int = 0

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, name: str) -> list[Any]:
        """Return the cells of a column."""
        require_column(name, self.columns)
        return self.columns[name]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield the rows, each a dict of cells by column."""
        names = list(self.columns)
        for cells in zip(*self.columns.values(), strict=True):
            yield dict(zip(names, cells, strict=True))

    def __repr__(self) -> str:
        lines = [", ".join(self.columns)]
        for row in self.take(range(min(_SHOWN, len(self)))):
            lines += [", ".join(map(str, row.values()))]
        more = len(self) - _SHOWN
        return "\n".join([*lines, f"... and {more} more"] if more > 0 else lines)

    def _repr_html_(self) -> str:
        from taskgraph.displays.markup import standing_alone
        from taskgraph.displays.table_view import TableView

        return standing_alone(TableView(self.columns, len(self), "Table").html())

    def select(self, *names: str) -> Table:
        """Return a table of some of the columns, in that order."""
        return Table({name: self[name] for name in names}, self.damaged)

    def where(self, condition: str) -> Table:
        """Return a table of the rows that meet a condition; see `Condition`."""
        return self.take(Condition(condition).rows(self.columns))

    def take(self, rows: Iterable[int]) -> Table:
        """Return a table of the rows with these numbers, in that order."""
        chosen = list(rows)
        return Table(
            {
                name: [cells[row] for row in chosen]
                for name, cells in self.columns.items()
            },
            self.damaged,
        )

    def sort(self, *names: str, descending: bool = False) -> Table:
        """Return it sorted by columns, the first one counts most.

        What has no value (None, NaN) comes last, either way; numbers come before text.
        """
        rows = list(range(len(self)))
        for name in reversed(names):
            rows = in_order(rows, self[name], descending=descending)
        return self.take(rows)

    def best(self, name: str, *, lowest: bool = False) -> dict[str, Any]:
        """Return the row with the highest, or lowest, number of a column.

        Of several that have it the first one; what has no value does not count.

        Raises
        ------
        NoResultError
            No row has a value there.
        UsageError
            There is no such column, or it holds something else than numbers.
        """
        cells = self[name]
        rows = [row for row, cell in enumerate(cells) if not is_missing(cell)]
        if not rows:
            raise NoResultError(f"no row has a value of {name!r} yet")
        for row in rows:
            if not isinstance(cells[row], int | float):
                raise UsageError(
                    f"the best {name} is that of numbers, but there is "
                    f"{cells[row]!r:.40}"
                )
        choose = min if lowest else max
        (found,) = self.take([choose(rows, key=cells.__getitem__)])
        return found

    def to_frame(self) -> pandas.DataFrame:
        """Return it as a data frame of pandas.

        Whole numbers stay so if some have no value (``Int64``), and so do True and
        False (``boolean``).

        Raises
        ------
        UsageError
            pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise UsageError(
                "a frame needs pandas, which is not installed; install it, or use "
                "`columns`, to_csv(), to_parquet()"
            ) from error
        named = {
            name: pandas.Series(cells, dtype=_dtype(cells))
            for name, cells in self.columns.items()
        }
        return pandas.DataFrame(named, columns=list(self.columns))

    def to_csv(self, path: str | os.PathLike[str]) -> Path:
        """Write it as CSV, whatever the file is called; return where.

        What has no value is empty, and so is empty text; NaN is ``nan``. Text that a
        spreadsheet would take for a formula has a ``'`` before it.

        Raises
        ------
        UsageError
            The file cannot be written.
        """
        return save(self.columns, path, ".csv")

    def to_parquet(self, path: str | os.PathLike[str]) -> Path:
        """Write it as Parquet, whatever the file is called; return where.

        Raises
        ------
        UsageError
            The file cannot be written, pyarrow is not installed, or a column holds
            what none of Parquet can: it says which.
        """
        return save(self.columns, path, ".parquet")


def _dtype(cells: list[Any]) -> str | None:
    kinds = set(map(type, cells))
    if type(None) in kinds and len(kinds) > 1:
        if kinds <= {int, type(None)} and all(
            cell is None or -(1 << 63) <= cell < 1 << 63 for cell in cells
        ):
            return "Int64"
        if kinds <= {bool, type(None)}:
            return "boolean"
    return "object" if kinds <= {type(None)} else None
