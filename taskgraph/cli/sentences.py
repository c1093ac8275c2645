"""Sentences for the user; commands in them can be typed as they are printed."""

from __future__ import annotations

import re
import shlex
import sys
from typing import TYPE_CHECKING, Any

import click

from taskgraph.cli.printing import say
from taskgraph.cli.words.jugfiles import is_pipeline, jugfile_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backends.interface import Backend

_COMMAND = re.compile(r"`tg ([a-z]+)([^`]*)`")
_GIVEN = "taskgraph.given"
_ALONE = "taskgraph.alone"


def program_name() -> str:
    """Return what the user typed to start this: `tg` unless it is another program."""
    context = click.get_current_context(silent=True)
    return (context.find_root().info_name if context is not None else None) or "tg"


def functions_are_known() -> bool:
    """Say whether the user knows the functions that run: `tg` runs the user's own."""
    return program_name() == "tg"


def remember(arguments: Sequence[str]) -> None:
    """Keep with what arguments the jugfile ran, for sentences about it."""
    context = click.get_current_context(silent=True)
    if context is not None:
        context.meta[_GIVEN] = tuple(arguments)


def take_store_alone() -> None:
    """Note that this command is about a store that no script has run with."""
    click.get_current_context().meta[_ALONE] = True


def store_alone() -> bool:
    """Return whether this command is about a store that no script has run with."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(_ALONE))


def runnable(sentence: str) -> str:
    """Return a sentence whose commands name the jugfile and the store of this one.

    Outside of a command nothing is known, and the sentence stays as it is.
    """
    context = click.get_current_context(silent=True)
    jugfile = _jugfile(context) if context is not None else None
    if context is None or jugfile is None:
        return sentence
    source = context.get_parameter_source("store")
    store = None
    if source is click.core.ParameterSource.COMMANDLINE:
        from backends.urls import without_password

        store = without_password(context.params.get("store") or "")
    return completed(sentence, jugfile, store, context.meta.get(_GIVEN, ()))


def note(sentence: str) -> None:
    """Tell the user something beside the result; see `runnable` for its commands."""
    say(told_line(sentence), error=True)


def tell_address(address: str) -> None:
    """Print where a page is, at once, and tell how it ends and who sees it."""
    say(address)
    sys.stdout.flush()
    note("Ctrl-C ends the page; whoever has the address can see it")


def told_line(sentence: str) -> str:
    """Return the line that tells a sentence, whatever the names in it are."""
    words = runnable(sentence).replace("\n", "\\n")
    return f"{program_name()}: {words}"


def note_if_open_to_all(backend: Backend) -> None:
    """Warn of a store that a stranger may change."""
    if backend.space.open_to_all():
        from backends.opening import directory_of

        in_a_folder = directory_of(backend.url) is not None
        end = f"`chmod -R o-w {backend.url}`" if in_a_folder else "a password"
        note(
            f"every user of this machine may write to the store {backend.url}, and so "
            f"run code as whoever loads its results; {end} ends that"
        )


def completed(
    sentence: str,
    jugfile: str,
    store: str | None = None,
    arguments: Sequence[str] = (),
) -> str:
    """Return a sentence whose commands name a jugfile and a store.

    What `tg execute` does for a jugfile, `segkit run` does for a pipeline, with the
    arguments that it was given.

    Examples
    --------
    >>> completed("see `tg errors`, then `tg fsck --repair`", "my work.py")
    "see `tg errors 'my work.py'`, then `tg fsck 'my work.py' --repair`"
    >>> completed("see `tg errors work.py`", "work.py", "elsewhere")
    'see `tg errors work.py --store elsewhere`'
    >>> completed("start `tg execute`", "a.toml", arguments=("a.tif", "-o", "my out"))
    "start `segkit run a.toml a.tif -o 'my out'`"
    """
    word = shlex.quote(jugfile)

    def complete(match: re.Match[str]) -> str:
        command, rest = match.groups()
        before = "" if f"{word} " in f"{rest} " else f" {word}"
        after = f" --store {shlex.quote(store)}" if store else ""
        if command == "execute" and is_pipeline(jugfile):
            given = shlex.join(arguments) or "IMAGE -o out"
            return f"`segkit run {word} {given}{rest}{after}`"
        return f"`tg {command}{before}{rest}{after}`"

    return _COMMAND.sub(complete, sentence)


def _jugfile(context: click.Context) -> str | None:
    """Return the jugfile that a command was given."""
    params: dict[str, Any] = context.params
    given = params.get("jugfile")
    if "words" not in params:
        return None if given is None else str(given)
    return str(jugfile_of(params["words"], str(given)))
