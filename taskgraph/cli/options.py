"""What several commands have in common: arguments, opening a store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from taskgraph.cli.completion import complete_files, complete_names, complete_words
from taskgraph.cli.sentences import is_pipeline, program_name, remember, runnable
from taskgraph.errors import JugfileError, UsageError

if TYPE_CHECKING:
    from backends.interface import Backend
    from taskgraph.tasks.jugfile import Loaded
    from taskgraph.upkeep.snapshot import Snapshot

F = TypeVar("F", bound=Callable[..., Any])
JUGFILE = "jugfile.py"
_SHORT = 12


def jugfile_argument(function: F) -> F:
    """Add the jugfile's path and the store's URL."""
    return click.argument(
        "jugfile",
        type=click.Path(path_type=Path),
        default=JUGFILE,
        envvar="TG_JUGFILE",
        shell_complete=complete_files,
    )(store_option(function))


def jugfile_and_words(metavar: str, *, required: bool = True) -> Callable[[F], F]:
    """Add one or two words, the last of which says what is meant; see `two_words`."""

    def decorate(function: F) -> F:
        function = click.option(
            "--jugfile", default=JUGFILE, envvar="TG_JUGFILE", hidden=True
        )(store_option(function))
        return click.argument(
            "words",
            nargs=-1,
            required=required,
            metavar=metavar,
            shell_complete=complete_words,
        )(function)

    return decorate


def two_words(words: Sequence[str], jugfile: str) -> tuple[Path, str | None]:
    """Return the jugfile and what is meant.

    Raises
    ------
    UsageError
        There are more words than two.

    Examples
    --------
    >>> two_words(["f"], "jugfile.py")
    (PosixPath('jugfile.py'), 'f')
    >>> two_words(["other.py"], "jugfile.py")
    (PosixPath('other.py'), None)
    """
    *first, last = words or (jugfile,)
    if len(first) > 1:
        raise UsageError("give the jugfile, then one function's name or one key")
    if not first and (not words or last.endswith(".py")):
        return Path(last), None
    return Path(first[0] if first else jugfile), last


def jugfile_of(words: Sequence[str], jugfile: str) -> Path:
    """Return the jugfile among one or two words; never fails, see `two_words`."""
    return two_words(words[:2], jugfile)[0]


def store_option(function: F) -> F:
    """Add the store's URL; errors name commands that can be typed as they are."""
    return click.option(
        "--store",
        metavar="URL",
        envvar="TG_STORE",
        help="Where the results are: a directory or URL "
        "[default: the first file's name with .tgdata].",
    )(_with_steps(function))


def _with_steps(function: F) -> F:
    """Complete the commands in errors while it is known what they are about."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            if error.args and isinstance(error.args[0], str):
                error.args = (runnable(error.args[0]), *error.args[1:])
            raise

    return cast(F, run)


def json_option(function: F) -> F:
    """Add --json."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print JSON for other programs."
    )(function)


def select_options(function: F) -> F:
    """Add --name and --pattern."""
    function = click.option(
        "--pattern",
        multiple=True,
        metavar="REGEX",
        help="Only functions whose name matches somewhere; may be repeated.",
    )(function)
    return click.option(
        "--name",
        multiple=True,
        metavar="NAME",
        help="Only this function: name, module.name or glob; may be repeated.",
        shell_complete=complete_names,
    )(function)


def store_url(jugfile: Path, store: str | None) -> str:
    """Return the URL of the store of a jugfile."""
    from taskgraph.upkeep.jugfile_store import default_store

    return store or default_store(jugfile)


def require_jugfile(jugfile: Path) -> None:
    """Refuse a jugfile that does not exist.

    Raises
    ------
    JugfileError
        Its path is not that of a file.
    """
    if not jugfile.is_file():
        raise JugfileError(
            f"there is no jugfile {jugfile}; give the path of your script"
        )


def require_script(jugfile: Path) -> None:
    """Refuse a pipeline where a script is needed.

    Raises
    ------
    JugfileError
        It has the name of one.
    """
    if is_pipeline(str(jugfile)):
        raise JugfileError(
            runnable(f"{jugfile} is a pipeline, no script; `tg execute` runs it")
        )


def open_store(jugfile: Path, store: str | None, *, create: bool = False) -> Backend:
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
    backend.poll()
    return backend


def find_store(jugfile: Path, store: str | None) -> Backend | None:
    """Return the store of a jugfile; tell the user if it never ran, and return None."""
    from backends.errors import NoStoreError
    from backends.opening import directory_of

    if store is None:
        require_jugfile(jugfile)
    try:
        return open_store(jugfile, store)
    except NoStoreError:
        directory = directory_of(store_url(jugfile, store))
        if directory is None or directory.exists():
            raise
        note(f"{jugfile} has not run yet; start it with `tg execute`")
        return None


def find_snapshot(
    backend: Backend, jugfile: Path, arguments: Sequence[str] | None = None
) -> Snapshot:
    """Return the graph that a jugfile had when it was last loaded.

    Raises
    ------
    JugfileError
        It never ran with this store.
    """
    snapshot = load_snapshot(backend, jugfile, arguments)
    if snapshot is None:
        raise JugfileError(
            f"{jugfile} has not run with the store {backend.url} yet; "
            "start it with `tg execute`"
        )
    return snapshot


def load_snapshot(
    backend: Backend, jugfile: Path, arguments: Sequence[str] | None = None
) -> Snapshot | None:
    """Return the graph that a jugfile had when it was last loaded; None if never."""
    from taskgraph.upkeep.jugfile_store import is_default_store
    from taskgraph.upkeep.snapshot import load

    snapshot = load(backend, jugfile, arguments or None)
    if snapshot is not None:
        remember(snapshot.arguments)
        moved = snapshot.jugfile != str(jugfile.resolve())
        if moved and not is_default_store(backend, jugfile):
            note(f"{jugfile} is shown as it last ran as {snapshot.jugfile}")
    return snapshot


def load_graph(
    backend: Backend, jugfile: Path, arguments: Sequence[str] = ()
) -> Loaded:
    """Load a jugfile with the results of a store."""
    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import Jugfile

    require_script(jugfile)
    return Jugfile(jugfile, tuple(arguments)).load(Results(backend))


def snapshot_now(
    backend: Backend,
    jugfile: Path,
    arguments: Sequence[str] | None = None,
    *,
    keep: bool = False,
) -> Snapshot:
    """Return the graph that a jugfile has now: the stored one, or a new one.

    The jugfile is loaded only if it changed since; `keep` stores the new graph.
    """
    from taskgraph.upkeep.snapshot import save, take

    require_jugfile(jugfile)
    snapshot = load_snapshot(backend, jugfile, arguments)
    if snapshot is not None and not snapshot.outdated(jugfile):
        return snapshot
    given = tuple(arguments or (snapshot.arguments if snapshot is not None else ()))
    loaded = load_graph(backend, jugfile, given)
    taken = take(loaded.graph, jugfile, arguments=given, missing=loaded.missing)
    if keep:
        save(taken, backend)
    return taken


def held_keys(backend: Backend) -> tuple[set[bytes], int]:
    """Return the keys that living workers hold, and how many dead ones hold."""
    locks = backend.locks()
    if not locks:
        return set(), 0
    from backends.liveness import seems_dead

    members = {member.worker: member for member in backend.members()}
    alive = {lock.key for lock in locks if not seems_dead(members.get(lock.worker))}
    return alive, len(locks) - len(alive)


def find_keys(text: str, keys: Iterable[bytes], names: dict[bytes, str]) -> list[bytes]:
    """Return the keys that a function's name, or some hexadecimal digits, stand for.

    Raises
    ------
    UsageError
        None is.

    Examples
    --------
    >>> keys = [bytes.fromhex("abcd" * 10), bytes.fromhex("abff" * 10)]
    >>> len(find_keys("abc", keys, {})), len(find_keys("ab", keys, {}))
    (1, 2)
    >>> find_keys("f", keys, {keys[0]: "jugfile.f"}) == keys[:1]
    True
    """
    from taskgraph.tasks.graph import selector

    if not text:
        raise UsageError("give a function's name or the first digits of a key")
    matches = selector([text])
    wanted = {name for name in set(names.values()) if matches(name)}
    if wanted:
        return [key for key, name in names.items() if name in wanted]
    digits = text.lower()
    found = [key for key in dict.fromkeys(keys) if key.hex().startswith(digits)]
    if not found:
        raise UsageError(
            f"{text!r} is no function's name and no key begins with it; "
            "`tg status` shows the names"
        )
    return found


def short(key: bytes) -> str:
    """Return as many digits of a key as people need."""
    return key.hex()[:_SHORT]


def note(sentence: str) -> None:
    """Tell the user something beside the result; see `runnable` for its commands."""
    click.echo(f"{program_name()}: {runnable(sentence)}", err=True)
