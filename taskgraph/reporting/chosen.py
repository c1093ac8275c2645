"""Which results a report shows, and how: some of each function, in so many bytes."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.errors import BackendError
from taskgraph.displays.display import display
from taskgraph.displays.numbers import size_text
from taskgraph.displays.pictures import ArrayPicture, ReadyPicture, media_type_of
from taskgraph.displays.table_view import TableView
from taskgraph.displays.texts import Text
from taskgraph.errors import TaskgraphError
from taskgraph.results.codec import is_plain, stored_size
from taskgraph.upkeep.gone_files import noted_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backends.interface import Key
    from taskgraph.displays.display import Display
    from taskgraph.displays.markup import Markup
    from taskgraph.files.written import WrittenFile
    from taskgraph.records import Record
    from taskgraph.results.results import Results

MOST_BYTES = 20_000_000
"""Of all that a report shows of results."""
_LARGEST = 1 << 28
"""Of a result that is read for that."""
_LARGEST_FILE = 4 << 20
_SIDE = 480
_ROWS, _TEXTS = 10, 20


@dataclass(slots=True)
class Shown:
    """What is shown of the results of a function.

    Attributes
    ----------
    name : str
        The function's.
    total : int
        How many results it has.
    pictures : list of (key, arguments, markup)
        Those that are more than text.
    texts : list of (key, arguments, text)
        Those that are text, in short.
    pickled : int
        How many were left out because they are read by pickle.
    left_out : list of str
        Why others were.
    """

    name: str
    total: int
    pictures: list[tuple[Key, str, Markup]] = field(default_factory=list)
    texts: list[tuple[Key, str, str]] = field(default_factory=list)
    pickled: int = 0
    left_out: list[str] = field(default_factory=list)


class Chooser:
    """Shows results until there are enough.

    Parameters
    ----------
    results : Results
        The store.
    most : int
        How many of each function are shown as more than text.
    pickled : bool
        Whether those are read that need pickle, which runs what whoever wrote them
        chose.
    """

    def __init__(self, results: Results, *, most: int, pickled: bool) -> None:
        self._results, self._most, self._pickled = results, most, pickled
        self._room = MOST_BYTES

    def shown(self, name: str, keys: Sequence[Key]) -> Shown:
        """Return what is shown of a function with results of these keys."""
        found = Shown(name, len(keys))
        wanted = max(self._most, _TEXTS)
        step = max(1, len(keys) // wanted)
        chosen = keys[::step][:wanted]
        records = self._results.records(iter(chosen))
        order = {key: place for place, key in enumerate(chosen)}
        for key, record in sorted(records, key=lambda pair: order[pair[0]]):
            if len(found.pictures) >= self._most:
                break
            try:
                self._add(found, key, record)
            except (BackendError, TaskgraphError, OSError) as error:
                found.left_out.append(f"{key.hex()[:8]}: {error}")
        return found

    def _add(self, found: Shown, key: Key, record: Record) -> None:
        shown = list(self._files(key))
        if not shown:
            plain = is_plain(record.payload, self._results.backend.blobs.open)
            if not (plain or self._pickled):
                found.pickled += 1
                return
            size = stored_size(record.payload)
            if size > _LARGEST:
                found.left_out.append(f"{key.hex()[:8]}: it takes {size_text(size)}")
                return
            shown = [display(self._results.load(key))]
        for each in shown:
            self._take(found, key, record.summary, each)

    def _take(self, found: Shown, key: Key, call: str, shown: Display) -> None:
        if isinstance(shown, Text):
            found.texts.append((key, call, shown.text[:300]))
            return
        if isinstance(shown, ArrayPicture):
            html = shown.html(_SIDE)
        elif isinstance(shown, TableView):
            html = shown.html(_ROWS)
        else:
            html = shown.html()
        if len(html) > self._room:
            found.left_out.append(f"{key.hex()[:8]}: the report would be too large")
            return
        self._room -= len(html)
        found.pictures.append((key, call, html))

    def _files(self, key: Key) -> Iterator[Display]:
        """Yield pictures and tables among the files that a result names."""
        for file in noted_files(self._results, [key]):
            shown = _of_file(file)
            if shown is not None:
                yield shown


def _of_file(file: WrittenFile) -> Display | None:
    """Return a file as a picture or a table, if it is as it was written."""
    path = Path(file.path)
    suffix = path.suffix.lower()
    if suffix not in (".png", ".jpg", ".jpeg", ".csv") or file.size > _LARGEST_FILE:
        return None
    if file.size < 0 or not file.is_as_written():
        return None
    data = path.read_bytes()
    if suffix != ".csv":
        kind = media_type_of(data)
        return ReadyPicture(data, kind, file.path) if kind else None
    lines = csv.reader(data.decode("utf-8", "replace").splitlines())
    head, *rows = list(islice(lines, 2000)) or [[]]
    names = {f"{name}" if head.count(name) == 1 else f"{name} ({n})": n
             for n, name in enumerate(head)}  # fmt: skip
    columns: dict[str, Any] = {
        name: [_number(row[n]) if n < len(row) else None for row in rows]
        for name, n in names.items()
    }
    return TableView(columns, len(rows), file.path) if columns else None


def _number(cell: str) -> Any:
    try:
        return float(cell) if not cell.lstrip("-").isdigit() else int(cell)
    except ValueError:
        return cell
