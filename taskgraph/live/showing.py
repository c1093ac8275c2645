"""The program that loads values and draws them, apart from the server of pages.

Loading a pickle runs what is in it, and an array may be larger than memory: whatever
happens here, the page stays. Messages are of msgpack, each behind its length, on what
were the standard streams; a value that prints does so to nowhere.
"""

from __future__ import annotations

import os
import struct
from collections import OrderedDict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgpack

if TYPE_CHECKING:
    from taskgraph.results.results import Results

LENGTH = struct.Struct(">Q")
_KEPT = 4
"""Values that are kept."""
_SIDE = 1600
"""Pixels of the longer side of a picture."""
_TEXT = 100_000
_ROWS = 1000


class Values:
    """Values by key, loaded when they are asked for, and parts of what they show."""

    def __init__(self, url: str, jugfile: str, arguments: list[str]) -> None:
        from backends.opening import open_backend
        from taskgraph.results.results import Results

        self._jugfile, self._arguments = Path(jugfile), tuple(arguments)
        self._results: Results = Results(open_backend(url, create=False))
        self._results.folder = str(self._jugfile.parent)
        self._ran = False
        self._shown: OrderedDict[bytes, Any] = OrderedDict()

    def open(self, key: bytes, payload: bytes) -> dict[str, Any]:
        """Load a value; return what it is shown as."""
        from taskgraph.displays.display import display

        # A task that ran again may have another value now.
        if self._shown.get(key, (payload,))[0] != payload:
            del self._shown[key]
        if key not in self._shown:
            # Other values would take memory while this one is loaded.
            while len(self._shown) >= _KEPT:
                self._shown.popitem(last=False)
            self._shown[key] = payload, display(self._load(payload, key))
        self._shown.move_to_end(key)
        return _about(self._shown[key][1])

    def part(self, key: bytes, path: str) -> Any:
        """Return what shows a part of a value, by its places: ``0.2``."""
        _, shown = self._shown[key]
        for place in path.split(".") if path else ():
            shown = shown.parts[int(place)][1]
        return shown

    def picture(self, key: bytes, path: str, plane: int) -> tuple[bytes, str]:
        """Return a picture and its type."""
        shown = self.part(key, path)
        if hasattr(shown, "data"):
            return shown.data, shown.media_type
        return shown.png(plane, _SIDE), "image/png"

    def rows(
        self, key: bytes, path: str, start: int, count: int, by: str, down: bool
    ) -> list[Any]:
        """Return rows of a table, each cell as it is read and as all that it says."""
        shown = self.part(key, path)
        count = min(count, _ROWS)
        return list(shown.page(start, count, by=by or None, descending=down))

    def csv(self, key: bytes, path: str) -> bytes:
        """Return a table or a curve as CSV."""
        return "".join(self.part(key, path).csv()).encode(errors="backslashreplace")

    def markup(self, key: bytes, path: str) -> str:
        """Return the drawing of a curve, or the page of what has HTML of its own."""
        shown = self.part(key, path)
        return str(shown.svg() if shown.kind == "curve" else shown.document())

    def _load(self, payload: bytes, key: bytes) -> Any:
        """Return a value; if it needs classes of the jugfile, that is run before."""
        from taskgraph.errors import NoResultError

        try:
            return self._results.decode(payload, key)
        except NoResultError:
            if self._ran:
                raise
            self._run_jugfile()
            return self._results.decode(payload, key)

    def _run_jugfile(self) -> None:
        from taskgraph.tasks.jugfile import Jugfile

        self._ran = True
        self._results.backend.refresh()
        Jugfile(self._jugfile, self._arguments).load(self._results)


def _about(shown: Any) -> dict[str, Any]:
    """Return what a page has to know before it asks for pictures and rows."""
    about: dict[str, Any] = {"kind": shown.kind, "summary": shown.summary}
    if shown.kind in ("picture", "volume"):
        about["planes"] = shown.planes
        about["shape"] = list(getattr(shown, "size", ()))
    elif shown.kind == "table":
        about["rows"] = shown.rows
        names = list(shown.columns)
        about["columns"] = [[name, shown.is_numeric(name)] for name in names]
    elif shown.kind == "text":
        about["text"] = shown.text[:_TEXT]
    elif shown.kind == "parts":
        about["parts"] = [[name, _about(part)] for name, part in shown.parts]
    return about


def receive(stream: IO[bytes]) -> Any:
    """Return the next message of a stream; None at its end."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    return msgpack.unpackb(stream.read(LENGTH.unpack(head)[0]), strict_map_key=False)


def send(stream: IO[bytes], plain: Any) -> None:
    """Write a message to a stream."""
    data = msgpack.packb(plain, unicode_errors="backslashreplace")
    stream.write(LENGTH.pack(len(data)) + data)
    stream.flush()


def main() -> None:
    """Answer requests until nobody asks any more."""
    given, out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    values = Values(*receive(given))
    while (request := receive(given)) is not None:
        what, *arguments = request
        try:
            answer = [True, getattr(values, what)(*arguments)]
        except (Exception, SystemExit) as error:  # noqa: BLE001 - somebody else's code
            answer = [False, str(error) or type(error).__name__]
        send(out, answer)


if __name__ == "__main__":
    main()
