"""Tables: columns of equal length, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from taskgraph.description import printable
from taskgraph.displays.cells import cell
from taskgraph.displays.markup import Markup, element
from taskgraph.displays.numbers import number_text
from taskgraph.displays.ordering import in_order
from taskgraph.displays.separated_values import csv_column, csv_text, no_formula
from taskgraph.loaded import loaded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MOST_ROWS = 20
MOST_COLUMNS = 24
"""Of a table in HTML."""
_LONGEST = 60
_CSV_ROWS = 10_000


class Cell(NamedTuple):
    """A cell: as it is read, and all that it says."""

    short: str
    whole: str


@dataclass(frozen=True, slots=True, eq=False)
class TableView:
    """A table.

    Attributes
    ----------
    columns : dict of str to sequence
        In order; arrays, lists or series of one length.
    rows : int
        That length.
    origin : str
        What the value is.
    note : str
        What of it the table lacks.
    """

    columns: Mapping[str, Any]
    rows: int
    origin: str
    note: str = ""
    kind: str = "table"

    @property
    def summary(self) -> str:
        """What it is, and how large, in one line."""
        rows = f"{self.rows:,} row{'s' * (self.rows != 1)}"
        columns = f"{len(self.columns):,} column{'s' * (len(self.columns) != 1)}"
        text = f"{self.origin}, {rows}, {columns}"
        return text + (f"; {self.note}" if self.note else "")

    def is_numeric(self, column: str) -> bool:
        """Return whether its first cells are numbers, or missing."""
        part = self._cells(column, range(min(self.rows, MOST_ROWS)))
        return all(
            x is None or (isinstance(x, int | float | complex) and type(x) is not bool)
            for x in part
        )

    def page(
        self,
        start: int,
        count: int,
        *,
        by: str | None = None,
        descending: bool = False,
    ) -> list[list[Cell]]:
        """Return some rows.

        Parameters
        ----------
        start, count : int
            The first of them, and how many at most.
        by : str, optional
            The column that they are sorted by; what has no value comes last.
        descending : bool
            From the highest to the lowest.

        Raises
        ------
        KeyError
            There is no such column.
        """
        places: Any = range(self.rows)[max(0, start) : max(0, start) + max(0, count)]
        if by is not None:
            order = self._order(by, descending=descending)
            places = [order[place] for place in places]
        parts = [self._cells(name, places) for name in self.columns]
        return [[_shown(x) for x in row] for row in zip(*parts, strict=True)]

    def csv(self) -> Iterator[str]:
        """Yield it as CSV, some thousand rows at a time."""
        yield csv_text([[no_formula(name) for name in self.columns]])
        for start in range(0, self.rows, _CSV_ROWS):
            places = range(self.rows)[start : start + _CSV_ROWS]
            parts = [csv_column(self._cells(name, places)) for name in self.columns]
            yield csv_text(zip(*parts, strict=True))

    def html(
        self, rows: int = MOST_ROWS, columns: int = MOST_COLUMNS, *, caption: str = ""
    ) -> Markup:
        """Return its first rows and columns, under `caption` or what it is."""
        shown = TableView(dict(islice(self.columns.items(), columns)), self.rows, "")
        right = ["tgd-number" if shown.is_numeric(n) else None for n in shown.columns]
        named = zip(shown.columns, right, strict=True)
        head = [_head(name, side) for name, side in named]
        body = [
            element("tr", *(_body(c, s) for c, s in zip(line, right, strict=True)))
            for line in shown.page(0, rows)
        ]
        text = caption or self.summary
        if len(shown.columns) < len(self.columns) or rows < self.rows:
            text += f"; the first {min(rows, self.rows)} rows"
            if len(shown.columns) < len(self.columns):
                text += f" and {len(shown.columns)} columns"
            text += " are shown"
        table = element(
            "table",
            element("thead", element("tr", *head)),
            element("tbody", *body),
            class_="tgd-table",
        )
        caption = element("figcaption", text)
        scrolled = element("div", table, class_="tgd-scroll", tabindex=0)
        return element("figure", scrolled, caption, class_="tgd-picture")

    def _cells(self, name: str, places: Any) -> list[Any]:
        column = self.columns[name]
        column = getattr(column, "iloc", column)
        if isinstance(places, range):
            return [cell(x) for x in column[places.start : places.stop]]
        return [cell(column[place]) for place in places]

    def _order(self, name: str, *, descending: bool) -> Sequence[int]:
        numpy, column = loaded("numpy"), self.columns[name]
        if numpy is not None:
            column = getattr(column, "values", column)
            if isinstance(column, numpy.ndarray) and column.dtype.kind in "biuf":
                return _sorted_numbers(column, numpy, descending=descending)
        cells = self._cells(name, range(self.rows))
        return in_order(range(self.rows), cells, descending=descending)


def _sorted_numbers(column: Any, numpy: Any, *, descending: bool) -> Sequence[int]:
    places = numpy.argsort(column, kind="stable")
    numbers = len(column)
    if column.dtype.kind == "f":
        numbers -= int(numpy.isnan(column).sum())
    if descending:
        ranks = numpy.argsort(column[::-1], kind="stable")
        places = len(column) - 1 - ranks
        places = numpy.concatenate([places[:numbers][::-1], places[numbers:]])
    found: Sequence[int] = places
    return found


def _head(name: str, side: str | None) -> Markup:
    return element(
        "th", printable(name, _LONGEST), class_=side, title=name, scope="col"
    )


def _body(shown: Cell, side: str | None) -> Markup:
    more = shown.whole if shown.whole != shown.short else None
    return element("td", shown.short, class_=side, title=more)


def _shown(value: Any) -> Cell:
    if value is None:
        return Cell("", "")
    if type(value) is bool:
        return Cell(str(value), str(value))
    if isinstance(value, int | float):
        short = number_text(value)
        return Cell(short, repr(value) if isinstance(value, float) else short)
    text = str(value)
    return Cell(printable(text, _LONGEST), printable(text, 2000))
