"""The jugfile that a command is about: which words name it, and what it must be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_JUGFILE = "jugfile.py"
_PIPELINES = (".toml", ".json")


class StoreUrl(click.ParamType[str]):
    """The URL of a store; in a variable several are parted by semicolons."""

    name = "url"
    envvar_list_splitter = ";"


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
    if not first and (not words or is_script(last)):
        return Path(last), None
    return Path(first[0] if first else jugfile), last


def two_words_and_more(
    words: Sequence[str], jugfile: str
) -> tuple[Path, str | None, tuple[str, ...]]:
    """Return the jugfile, what is meant, and what the jugfile was given.

    Examples
    --------
    >>> two_words_and_more(["work.py", "f", "--small", "3"], "jugfile.py")
    (PosixPath('work.py'), 'f', ('--small', '3'))
    """
    path, what = two_words(words[:2], jugfile)
    return path, what, tuple(words[2:])


def jugfile_of(words: Sequence[str], jugfile: str) -> Path:
    """Return the jugfile among one or two words; never fails, see `two_words`."""
    return two_words(words[:2], jugfile)[0]


def is_pipeline(jugfile: str) -> bool:
    """Return whether a file is no script but a pipeline, which `segkit run` runs."""
    return jugfile.endswith(_PIPELINES)


def is_script(word: str) -> bool:
    """Return whether a word is the name of a script or a pipeline, and of no store."""
    return word.endswith((".py", *_PIPELINES))


def require_jugfile(jugfile: Path) -> None:
    """Refuse a jugfile that does not exist.

    Raises
    ------
    JugfileError
        Its path is not that of a file.
    """
    if not jugfile.is_file():
        from taskgraph.tasks.jugfile import no_jugfile

        raise no_jugfile(jugfile, jugfile)
