"""`tg value`: print or save results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backends.errors import DamagedError
from taskgraph.cli.arguments import also_option, json_option, jugfile_and_words
from taskgraph.cli.graphs import find_snapshot, load_graph
from taskgraph.cli.printing import counted, print_json, print_table, say
from taskgraph.cli.sentences import note, store_alone
from taskgraph.cli.stores import open_store_of, together
from taskgraph.cli.words.jugfiles import is_pipeline, two_words_and_more
from taskgraph.cli.words.keys import (
    find_keys,
    keys_beginning,
    keys_of_function,
    short_key,
)
from taskgraph.errors import NoResultError, TaskgraphError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from taskgraph.results.results import Results
    from taskgraph.upkeep.snapshot import Snapshot

_KEY = 8
"""So many hexadecimal digits are no name of a variable."""
_ASKED = 3
"""Tasks of a function of which is told why they have no result."""


@click.command("value")
@jugfile_and_words("[JUGFILE] FUNCTION|KEY|VARIABLE [-- ARGUMENTS]")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Save it: .npy .npz .json .csv .txt .pkl .tif. {key} in the name becomes the "
    "first digits of the key: with --all, a file for each task.",
)
@click.option("--all", "everything", is_flag=True, help="All tasks of the function.")
@also_option
@json_option
def command(
    words: tuple[str, ...],
    jugfile: str,
    store: str | None,
    output: str | None,
    everything: bool,
    also: tuple[str, ...],
    as_json: bool,
) -> int:
    """Print or save the result of a task of JUGFILE.

    The task is named by its function, or by the first digits of its key. If several
    tasks have that name they are listed, or all of their values shown with --all; one
    that cannot be shown or saved does not stop the others. A variable of the jugfile
    is shown with the results in the place of its tasks; the jugfile is run for it. Of
    less than 8 digits, such as `bad`, it is meant before a key.

    \b
    Exit code: 0 all of them, 1 there is no result, 2 several without --all, or one
    that cannot be shown or saved, 4 one that is damaged.

    Text is shown with what a terminal would obey spelled out; -o FILE.txt keeps it.
    """  # noqa: D301 - click ends paragraphs with \b
    path, what, given = two_words_and_more(words, jugfile)
    if what is None:
        raise UsageError("say which: a function's name or the first digits of a key")
    from taskgraph.cli.value_files import require_no_input, require_place

    backend = open_store_of(path, store)
    snapshot = find_snapshot(backend, path, given)
    results = together(backend, also, snapshot)
    known = [*(names := snapshot.named()), *results.keys()]
    if not keys_of_function(what, names) and (
        not keys_beginning(what, known) or _is_word_of(path, what)
    ):
        code = _variable(results, snapshot, path, what, output, as_json=as_json)
        if code is not None:
            return code
    keys = find_keys(what, known, names)
    chosen = _with_result(results, keys, what)
    if not chosen:
        note(f"{what} {_why_not(results, snapshot, keys)}")
        return 1
    several = len(chosen) > 1
    if several and not everything:
        note(f"{len(chosen)} tasks of {what!r} have results; give a key, or --all")
        _list(results, chosen, as_json=as_json)
        return 2
    if output is not None:
        require_place(output, several=several)
        for key in chosen:
            require_no_input(_place(output, key), path, snapshot)
    loader = _Loader(results, snapshot, path)
    return _show(chosen, loader, output, listed=everything, as_json=as_json)


def _show(
    keys: Sequence[bytes],
    loader: _Loader,
    output: str | None,
    *,
    listed: bool,
    as_json: bool,
) -> int:
    """Print or save the values of keys; return the exit code."""
    if output is not None:
        return _each(keys, lambda key: _save(loader.load(key), _place(output, key)))
    if as_json:
        return _print_json(keys, loader, listed=listed)
    shown = loader.call if len(keys) > 1 else lambda _: ""
    return _each(keys, lambda key: _print(shown(key), loader.load(key)))


def _is_word_of(jugfile: Path, digits: str) -> bool:
    """Return whether what begins a key may be a variable, too: `a`, `bad` or `f2`.

    That is what is meant then: of a key, more digits can be given.
    """
    if len(digits) >= _KEY or not digits.isidentifier() or is_pipeline(str(jugfile)):
        return False
    try:
        text = jugfile.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return digits in text or "import *" in text


def _variable(
    results: Results,
    snapshot: Snapshot,
    jugfile: Path,
    name: str,
    output: str | None,
    *,
    as_json: bool,
) -> int | None:
    """Print or save a variable of the jugfile; return the exit code, None if absent."""
    from taskgraph.cli.value_files import json_value, require_no_input, require_place
    from taskgraph.tasks.values import value

    if not name.isidentifier() or store_alone():
        return None
    space = load_graph(results.backend, jugfile, snapshot.arguments).space
    if name not in space:
        return None
    try:
        found = value(space[name])
    except NoResultError as error:
        note(str(error))
        return 1
    if output is not None:
        require_place(output, several=False)
        require_no_input(Path(output), jugfile, snapshot)
        _save(found, Path(output))
    elif as_json:
        print_json(json_value(found))
    else:
        _print("", found)
    return 0


def _with_result(results: Results, keys: Sequence[bytes], what: str) -> list[bytes]:
    """Return the keys that have a result; tell the user if others have none."""
    failures, known = results.backend.failures(), results.keys()
    chosen = [key for key in keys if key in known and key not in failures]
    if chosen and len(chosen) < len(keys):
        rest = counted(len(keys) - len(chosen), "more task")
        note(f"{rest} of {what!r} without a result")
    return chosen


def _why_not(results: Results, snapshot: Snapshot, keys: Sequence[bytes]) -> str:
    """Return why none of some tasks has a result."""
    from taskgraph.tasks.blocked import first_failed

    failures, known = results.backend.failures(), results.backend.keys()
    if any(key in failures for key in keys):
        return "failed; see `tg errors`"
    if not failures:
        return "has no result yet"
    listed = snapshot.split()
    needs = dict(zip(listed, snapshot.needs_of(), strict=True))

    def needs_of(key: bytes) -> list[bytes]:
        return [listed[place] for place in needs.get(key, ())]

    found = (first_failed(key, needs_of, failures, known) for key in keys[:_ASKED])
    failed = next(filter(None, found), None)
    if failed is None:
        return "has no result yet"
    named = f"{snapshot.name_of(failed)} ({short_key(failed)})"
    return f"has no result: it waits for {named}, which failed; see `tg errors`"


def _list(results: Results, keys: Sequence[bytes], *, as_json: bool) -> None:
    header = ("key", "task", "arguments")
    rows = [
        (key.hex() if as_json else short_key(key), record.name, record.summary)
        for key, record in results.records(iter(keys))
    ]
    if as_json:
        print_json([dict(zip(header, row, strict=True)) for row in rows])
    else:
        print_table(header, rows)


class _Loader:
    """Loads values; if they need classes of the jugfile, it loads that one before."""

    def __init__(self, results: Results, snapshot: Snapshot, jugfile: Path) -> None:
        self._results = results
        self._snapshot = snapshot
        self._jugfile = jugfile
        self._ran = False

    def load(self, key: bytes) -> Any:
        try:
            return self._results.load(key)
        except NoResultError:
            if self._ran or store_alone():
                raise
            self._ran = True
            load_graph(self._results.backend, self._jugfile, self._snapshot.arguments)
            return self._results.load(key)

    def about(self, key: bytes) -> dict[str, str]:
        """Return what was called: a key alone does not tell which picture it was."""
        record = self._results.record(key)
        assert record is not None
        return {"key": key.hex(), "task": record.name, "arguments": record.summary}

    def call(self, key: bytes) -> str:
        """Return the same in one line."""
        about = self.about(key)
        return f"{short_key(key)} {about['task']}({about['arguments']})"


def _each(keys: Sequence[bytes], deed: Callable[[bytes], None]) -> int:
    """Do something with the value of each key; return the exit code.

    If it fails for one of several the others are done nevertheless, and it is told.
    """
    code = failed = 0
    for key in keys:
        try:
            deed(key)
        except (TaskgraphError, DamagedError) as error:
            if len(keys) == 1:
                raise
            note(f"{short_key(key)}: {error}")
            failed += 1
            code = max(code, 4 if isinstance(error, DamagedError) else 2)
    if failed:
        note(f"{failed} of {len(keys)} values left out")
    return code


def _print_json(keys: Sequence[bytes], loader: _Loader, *, listed: bool) -> int:
    from taskgraph.cli.value_files import json_value

    rows: list[dict[str, Any]] = []

    def add(key: bytes) -> None:
        rows.append({**loader.about(key), "value": json_value(loader.load(key))})

    code = _each(keys, add)
    print_json(rows if listed else rows[0]["value"])
    return code


def _print(call: str, value: Any) -> None:
    from taskgraph.cli.value_files import text_of

    text = text_of(value)
    if call:
        say(f"{call}:")
    say(text)


def _place(output: str, key: bytes) -> Path:
    """Return the file that a value is saved in."""
    return Path(output.replace("{key}", short_key(key)))


def _save(value: Any, path: Path) -> None:
    from taskgraph.cli.value_files import save

    save(value, path)
    note(f"saved {path}")
