"""The store of a jugfile: where it is, and opening it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgraph.cli.sentences import note
from taskgraph.cli.words.jugfiles import is_script, require_jugfile
from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from backends.interface import Backend
    from taskgraph.results.results import Results
    from taskgraph.upkeep.snapshot import Snapshot


def store_url(jugfile: Path, store: str | None) -> str:
    """Return the URL of the store of a jugfile."""
    from taskgraph.upkeep.jugfile_store import default_store

    return store or default_store(jugfile)


def open_store_of(jugfile: Path, store: str | None, *, create: bool = False) -> Backend:
    """Open the store of a jugfile and bring it up to date.

    A store that is named explicitly is opened whether the jugfile exists or not. If
    the jugfile chose another one when it ran, that one is opened.

    Raises
    ------
    UsageError
        It is in memory, and so was that of the command that made it.
    """
    from backends.opening import open_backend
    from taskgraph.upkeep.jugfile_store import chosen_store

    if store is None:
        require_jugfile(jugfile)
    backend = open_backend(store_url(jugfile, store), create=create)
    if not backend.shared:
        raise UsageError(
            "a store in memory ends with the command that made it; give a directory"
        )
    url = chosen_store(backend, jugfile)
    if url:
        backend = open_backend(url, create=create)
    backend.refresh()
    return backend


def open_named(word: str, *, create: bool = False) -> Backend:
    """Open a store by its directory, its URL, or a jugfile that it is the store of.

    Raises
    ------
    UsageError
        It is in memory, or a bundle, or it is a script by its name, and there is none.
    """
    from pathlib import Path
    from zipfile import is_zipfile

    path = Path(word)
    if path.is_file() and is_zipfile(path):
        raise UsageError(
            f"{word} is a bundle and no store; `tg unbundle` puts its results into one"
        )
    if path.is_file():
        return open_store_of(path, None, create=create)
    if is_script(word) and not path.exists():
        raise UsageError(f"there is no script {word}; give its path, or a store's")
    return open_store_of(path, word, create=create)


def find_store(jugfile: Path, store: str | None) -> Backend | None:
    """Return the store of a jugfile; tell the user if it never ran, and return None."""
    from backends.errors import NoStoreError
    from backends.opening import directory_of

    if store is None:
        require_jugfile(jugfile)
    try:
        return open_store_of(jugfile, store)
    except NoStoreError:
        directory = directory_of(store_url(jugfile, store))
        if directory is None or directory.exists():
            raise
        from taskgraph.watching.notes import not_run_note

        note(not_run_note(jugfile))
        return None


def together(
    backend: Backend, also: Sequence[str], snapshot: Snapshot | None
) -> Results:
    """Return the results of a store and what a run would take from others, to look at.

    The user is told which of these cannot be read.
    """
    from taskgraph.results.results import Results

    own = Results(backend, snapshot.folder if snapshot is not None else "")
    if not also or snapshot is None:
        return own
    from taskgraph.upkeep.other_stores import Listed, OtherStores, Together

    others = OtherStores(also, own)
    others.look(Listed(snapshot))
    found = others.takeable()
    for sentence in others.told:
        note(sentence)
    return Together(own, found)


def is_store(url: str) -> bool:
    """Return whether there is a store, which need not have been run with."""
    from backends.errors import NoStoreError
    from backends.opening import open_backend

    try:
        return open_backend(url, create=False).shared
    except NoStoreError:
        return False


def only_jugfile(store: str) -> Path | None:
    """Return the one jugfile that ran with a store; None if none did, or no store is.

    Raises
    ------
    UsageError
        There are several.
    """
    from pathlib import Path

    from backends.errors import NoStoreError
    from backends.opening import open_backend
    from taskgraph.upkeep.snapshot import load_all

    try:
        backend = open_backend(store, create=False)
    except NoStoreError:
        return None
    found = sorted({snapshot.jugfile for snapshot in load_all(backend)})
    if len(found) > 1:
        raise UsageError(
            f"several jugfiles ran with the store {backend.url}: {', '.join(found)}; "
            "name one of them"
        )
    return Path(found[0]) if found else None
